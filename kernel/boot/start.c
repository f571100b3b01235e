/*
 * start.c - stage 1 in the order in which it comes to life.
 *
 * Printing first, so that every later failure can be told; then traps, so
 * that a wild pointer is a report and not a reset; then the rest.
 */
#include "boot/bootinfo.h"
#include "boot/console.h"
#include "boot/features.h"
#include "boot/monitor.h"
#include "boot/trap.h"
#include "boot/x86_64/pic.h"

void
boot_init(uint32_t magic, paddr_t info)
{
    stack_guard_init();
    serial_init();
    cpu_init_tables(&cpus[0]);
    trap_init();
    pic_disable();
    cpu_init_features();
    bootinfo_init(magic, info);
    screen_init();
    keyboard_init();
    monitor_boot_init();
    record_printf("start", "%lu", bootinfo.entry_tsc);
    print("Lux9 stage %d, loaded by %s\n", STAGE, bootinfo.loader);
}
