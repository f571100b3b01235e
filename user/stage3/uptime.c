/*
 * uptime.c - how long the machine has been up.
 */
#include "lib/lux.h"

static const char usage[] = "usage: uptime\n"
                            "Print time since boot, CPUs and processes.\n";

int
main(int argc, char **argv)
{
    uint64_t ns = nsec(), s = ns / 1000000000;
    struct cpustat row;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (sysstat(&row, 1) < 0)
        fatal("%r");
    print("up %lu:%02lu:%02lu.%03lu, %lu CPUs, %lu processes\n", s / 3600,
            s / 60 % 60, s % 60, ns / 1000000 % 1000, row.ncpu, row.nproc);
    return 0;
}
