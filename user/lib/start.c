/*
 * start.c - from crt0 to main, and from exits to the kernel.
 *
 * What a process has to itself lives in struct self at the top of its stack,
 * because RFMEM shares all other memory.  Every process finds it at the
 * same address, `self`, and sees its own copy there.
 */
#include "lib/self.h"

enum {
    MAX_ATEXIT = 16
};

struct self *self;

static void (*at_exit[MAX_ATEXIT])(void);
static unsigned nat_exit;

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

/* Remember fn for exits. */
int
atexit(void (*fn)(void))
{
    if (nat_exit == MAX_ATEXIT)
        return (int)error_set(-E_NOMEM);
    at_exit[nat_exit++] = fn;
    return 0;
}

/* The functions first: they may still print. */
void
exits(const char *msg)
{
    while (nat_exit > 0)
        at_exit[--nat_exit]();
    _exits(msg);
}

/* Name the program, say why, end with the same words. */
void
fatal(const char *fmt, ...)
{
    char msg[MAX_ERR];
    va_list args;

    va_start(args, fmt);
    vsnprint(msg, sizeof(msg), fmt, args);
    va_end(args);
    fprint(2, "%s: %s\n", arg0, msg);
    exits(msg);
}

/* What assert calls; see lux.h. */
void
assert_failed(const char *file, int line, const char *what)
{
    fatal("%s:%d: assertion failed: %s", file, line, what);
}
