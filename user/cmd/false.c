/*
 * false.c - fail: ends with the exit string "error 1".
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
