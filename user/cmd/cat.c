/*
 * cat.c - copy files to the standard output.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: cat [file ...]\n"
        "Write the files, or the standard input, to the standard output.\n";

/* What comes is written at once, as a person at a pipe expects. */
static void
copy(int fd, const char *name)
{
    static char buf[64 * 1024];
    int64_t n;

    while ((n = read(fd, buf, sizeof(buf))) > 0)
        if (write(1, buf, (size_t)n) != n)
            fatal("write: %r");
    if (n < 0)
        warn("%s: %r", name);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    each_file(argc, argv, copy);
    exit_warned();
}
