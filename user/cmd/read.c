/*
 * read.c - a line of the input into a variable.  It need not be the shell's
 * own: variables are files, in common with the shell that has started us.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: read name\n"
        "Read a line of the input, and no more of it, into the variable.\n"
        "It fails at the end of the input.\n";

int
main(int argc, char **argv)
{
    static char line[8192];
    int64_t n;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc != 1)
        usage_die(usage);
    n = read_line(line, sizeof(line));
    if (n == -1)
        exits("end of input");
    if (n < 0)
        fatal("%r");
    if (putenv(argv[0], line) < 0)
        fatal("%s: %r", argv[0]);
    return 0;
}
