/*
 * console.c - formatted output to a descriptor; cons_io.c or file_io.c, by
 * stage, know what a descriptor is.
 */
#include "lib/lux.h"

/* vfprint with its arguments in place. */
int
fprint(int fd, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vfprint(fd, fmt, args);
    va_end(args);
    return n;
}

/* fprint to the standard output. */
int
print(const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vfprint(1, fmt, args);
    va_end(args);
    return n;
}
