/*
 * selectors.h - the segment registers DS, ES, FS and GS of programs.
 *
 * In 64-bit code they mean nothing, and the CPU neither saves nor checks them
 * on its way between user and kernel mode.  A program can load them, though,
 * and would see what another has left there.  So they belong to the process,
 * as the FPU's registers do: whatever a CPU runs but a process that has
 * loaded one finds 0 in all four.
 */
#pragma once

#include <lux/types.h>

/* All four, or'ed: not 0 if a program has loaded any. */
static inline uint32_t
selectors_loaded(void)
{
    uint32_t ds, es, fs, gs;

    __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
                     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    return ds | es | fs | gs;
}

/* All four in this CPU, side by side. */
uint64_t selectors_now(void);

/* Load all four.  They are 0, or what selectors_now returned on a way into
 * the kernel: only what a program could load. */
void selectors_load(uint64_t four);
