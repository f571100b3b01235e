/*
 * sysstat.c - what each CPU has counted since boot.
 */
#include "lib/lux.h"

static const char usage[] = "usage: sysstat\n"
                            "Print each CPU's counters since boot.\n";

int
main(int argc, char **argv)
{
    struct cpustat rows[MAX_CPUS];
    int n;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    n = sysstat(rows, MAX_CPUS);
    if (n < 0)
        fatal("%r");
    print("cpu  syscalls    traps   faults     irqs switches cr3loads "
          "shootdwn   idle s\n");
    for (int i = 0; i < n; i++) {
        const struct cpustat *s = &rows[i];

        print("%3d %9lu %8lu %8lu %8lu %8lu %8lu %8lu %8.2f\n", i, s->syscalls,
                s->traps, s->faults, s->interrupts, s->switches, s->cr3_loads,
                s->shootdowns, (double)s->idle_ns / 1e9);
    }
    return 0;
}
