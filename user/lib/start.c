/*
 * start.c - from crt0 to main, and from exits to the kernel.
 *
 * What a process has to itself lives in struct self at the top of its stack,
 * because RFMEM shares all other memory.  Every process finds it at the
 * same address, `self`, and sees its own copy there.
 */
#include "lib/self.h"

struct at_exit {
    void (*fn)(void);
    struct at_exit *before;
};

struct self *self;

int main(int argc, char **argv); /* or without: it then leaves them unread */

static struct at_exit *at_exit; /* the last one first */

_Static_assert(sizeof(struct self) == 160, "crt0.asm: SELF_SIZE");

/* Set the library up, run main, end with what it returns. */
void
start(int argc, char **argv, struct self *mine)
{
    char msg[24];
    int status;

    self = mine;
    self->error = 0;
    arg0 = argc > 0 ? argv[0] : "?";
    status = main(argc, argv);
    if (status == 0)
        exits(NULL);
    snprint(msg, sizeof(msg), "error %d", status);
    exits(msg);
}

/* Remember fn for exits.  0, -E_NOMEM. */
int
atexit(void (*fn)(void))
{
    struct at_exit *new = malloc(sizeof(*new));

    if (new == NULL)
        return (int)error_set(-E_NOMEM);
    *new = (struct at_exit){ fn, at_exit };
    at_exit = new;
    return 0;
}

/* The functions first: they may still print. */
void
exits(const char *msg)
{
    while (at_exit != NULL) {
        struct at_exit *last = at_exit;

        at_exit = last->before;
        last->fn();
    }
    _exits(msg);
}

/*
 * Say on the console what is wrong, whole.  In `msg`, for an exit string, a text
 * that is too long loses its middle: the reason at its end is what counts.
 */
void
complain(char msg[MAX_ERR], const char *fmt, va_list args)
{
    char few[PRINT_MAX], *text = few;
    size_t n = (size_t)vsnprint(few, sizeof(few), fmt, args);

    if (n >= sizeof(few)) {
        text = malloc(n + 1);
        if (text == NULL)
            text = few;
        else
            vsnprint(text, n + 1, fmt, args);
    }
    fprint(2, "%s: %s\n", arg0, text);
    n = strlen(text);
    if (n < MAX_ERR)
        strcpy(msg, text);
    else
        snprint(msg, MAX_ERR, "%.40s...%s", text, text + n - (MAX_ERR - 44));
    if (text != few)
        free(text);
}

/* Name the program, say why, end with the same words. */
void
fatal(const char *fmt, ...)
{
    char msg[MAX_ERR];
    va_list args;

    va_start(args, fmt);
    complain(msg, fmt, args);
    va_end(args);
    exits(msg);
}

/* What assert calls; see lux.h. */
void
assert_failed(const char *file, int line, const char *what)
{
    fatal("%s:%d: assertion failed: %s", file, line, what);
}
