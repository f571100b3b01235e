/*
 * main.c - Lux9's table of contents: the layers, started in order.
 *
 * `make STAGE=n` builds the first n layers.  Layers meet in this file, and in
 * a few tables into which a later layer plugs its own rows.
 */
#include "boot/boot.h"
#if STAGE >= 2
#include "mmu/mmu.h"
#endif
#if STAGE >= 3
#include "sched/sched.h"
#endif
#if STAGE >= 4
#include "9p/9p.h"
#endif

/* Called by boot/x86_64/entry.asm on the boot stack, interrupts off. */
void
kernel_main(uint32_t magic, paddr_t info)
{
    boot_init(magic, info);
#if STAGE >= 2
    mmu_init();
#endif
#if STAGE >= 3
    sched_init();
#endif
#if STAGE >= 4
    files_init();
#endif
#if STAGE >= 3
    sched_start();
#else
    ktest_run();
#if STAGE >= 2
    mmu_show();
#endif
    monitor();
#endif
}
