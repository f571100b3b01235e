/*
 * selectors.c - see selectors.h; Intel SDM 3A 3.4.3, 3.4.4.
 */
#include "sched/x86_64/selectors.h"
#include "boot/x86_64/x86.h"

uint64_t
selectors_now(void)
{
    uint16_t ds, es, fs, gs;

    __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
                     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    return ds | (uint64_t)es << 16 | (uint64_t)fs << 32 | (uint64_t)gs << 48;
}

/*
 * A load of GS changes its base too, which is this CPU's struct cpu here: it
 * is done while swapgs has put that aside.  An interrupt would miss it (an NMI
 * would not: see trap_any_gs).
 */
void
selectors_load(uint64_t four)
{
    bool were_on = intr_enabled();

    intr_off();
    __asm__ volatile(
            "mov %w0, %%ds; mov %w1, %%es; mov %w2, %%fs;"
            "swapgs; mov %w3, %%gs; swapgs"
            :
            : "r"(four), "r"(four >> 16), "r"(four >> 32), "r"(four >> 48)
            : "memory");
    if (were_on)
        intr_on();
}
