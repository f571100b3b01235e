/*
 * test_boot_cost.c - what starting costs, for tests that compare machines.
 */
#include "boot/boot.h"
#include "boot/x86_64/x86.h"

/* A record of the TSC ticks from the kernel's first instruction to here. */
KTEST(boot_cost)
{
    uint64_t ticks = rdtsc() - bootinfo.entry_tsc;

    CHECK_NE(bootinfo.entry_tsc, 0);
    CHECK_GT(ticks, 1000); /* so much the page tables alone take */
    record_printf("boot", "%lu", ticks);
}
