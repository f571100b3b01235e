/*
 * true.c - succeed: the smallest program, for scripts and benchmarks.
 */
#include "lib/lux.h"

static const char usage[] = "usage: true\n"
                            "Do nothing, with success.\n";

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    return 0;
}
