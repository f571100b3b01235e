/*
 * mmu_init.c - stage 2 in the order in which it comes to life, and what it
 * prints about itself.
 */
#include "mmu/private.h"

static const char *
kind_name(enum mem_kind kind)
{
    static const char *const names[] = { "", "usable", "reserved", "ACPI",
        "ACPI NVS", "bad" };

    return kind < ARRAY_LEN(names) ? names[kind] : "unknown";
}

void
mmu_print_map(void)
{
    for (unsigned i = 0; i < bootinfo.nmem; i++)
        print("memory: %#012lx-%#012lx %s\n", bootinfo.mem[i].start,
                bootinfo.mem[i].end, kind_name(bootinfo.mem[i].kind));
}

void
mmu_print_counters(void)
{
    struct mem_counters c;

    frame_counters(&c);
    print("memory: %lu MiB usable; frames: %lu total, %lu free, %lu cached, "
          "%lu used, %lu the kernel's\n",
            c.total >> (20 - PAGE_SHIFT), c.total, c.free, c.cached, c.used,
            c.kernel);
}

void
mmu_init(void)
{
    frames_init();
    kmap_init();
    frames_seed();
    kheap_init();
    fault_init();
    mmu_print_counters();
}
