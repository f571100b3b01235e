/*
 * shutdown.c - switch the machine off.
 */
#include "lib/lux.h"

static const char usage[] = "usage: shutdown\n"
                            "Switch the machine off.\n";

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc > 0)
        usage_die(usage);
    power(POWER_OFF);
    fatal("%r");
}
