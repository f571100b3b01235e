/*
 * reboot.c - restart the machine.
 */
#include "lib/lux.h"

static const char usage[] = "usage: reboot\n"
                            "Restart the machine.\n";

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
    power(POWER_REBOOT);
    fatal("%r");
}
