/*
 * cons_io.c - print to the console and read lines from it.  Until there are
 * files, descriptors 1 and 2 both mean the console.
 */
#include "lib/lux.h"

static int64_t
write_console(void *unused, const void *text, size_t n)
{
    (void)unused;
    return cons_write(text, n);
}

int
vfprint(int fd, const char *fmt, va_list args)
{
    if (fd != 1 && fd != 2)
        return (int)error_set(-E_BADARG);
    return print_by(write_console, NULL, fmt, args);
}

/* Throw away the rest of a line that did not fit. */
static int64_t
skip_line(void)
{
    char rest[64];
    int64_t n;

    do {
        n = cons_read(rest, sizeof(rest));
    } while (n > 0 && rest[n - 1] != '\n');
    return n;
}

/* One line into buf, NUL for newline; its length, -1, -E_INTR. */
int64_t
read_line(char *buf, size_t len)
{
    int64_t n = cons_read(buf, len - 1);

    if (n <= 0)
        return n == 0 ? -1 : n;
    if (buf[n - 1] == '\n')
        n--;
    else if ((size_t)n == len - 1 && skip_line() == -E_INTR)
        return -E_INTR;
    buf[n] = '\0';
    return n;
}
