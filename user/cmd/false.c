/*
 * false.c - fail.
 */
#include "lib/lux.h"

static const char usage[] = "usage: false\n"
                            "Do nothing, without success.\n";

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    return 1;
}
