/*
 * sleep.c - wait for a while; an interrupt ends it early, as an error.
 */
#include "lib/lux.h"

static const char usage[] = "usage: sleep duration\n"
                            "Wait: 2, 1.5s, 20ms, 300us, 5000ns or 2m.\n";

int
main(int argc, char **argv)
{
    int64_t ns;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    ns = argc == 1 ? parse_duration(argv[0]) : -1;
    if (ns < 0)
        usage_die(usage);
    if (sleep((uint64_t)ns) < 0)
        fatal("%r");
    return 0;
}
