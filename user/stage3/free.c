/*
 * free.c - how much memory is in use.
 */
#include "lib/lux.h"

static const char usage[] = "usage: free\n"
                            "Print memory in KiB: total, used, free.\n";

int
main(int argc, char **argv)
{
    struct cpustat row;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (sysstat(&row, 1) < 0)
        fatal("%r");
    print("%10s %10s %10s\n%10lu %10lu %10lu\n", "total", "used", "free",
            row.mem_total * 4, (row.mem_total - row.mem_free) * 4,
            row.mem_free * 4);
    return 0;
}
