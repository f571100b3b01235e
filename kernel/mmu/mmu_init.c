/*
 * mmu_init.c - stage 2 in the order in which it comes to life, and what it
 * prints about itself.
 */
#include "mmu/kasan.h"

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
        print("memory: 0x%010lx-0x%010lx %s\n", bootinfo.mem[i].start,
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

/* A screen above the part of the direct map that is always there. */
static void
map_screen(void)
{
    size_t len;
    paddr_t pa = screen_memory(&len);
    void *memory = pa + len > 4ul << 30 ? mmio_map(pa, len) : NULL;

    if (memory != NULL)
        screen_moved(memory);
}

void
mmu_init(void)
{
    frames_init();
    kmap_init();
    kasan_init();
    frames_seed();
    kheap_init();
    fault_init();
    mmu_monitor_init();
    map_screen();
    mmu_print_counters();
}

void
mmu_show(void)
{
    mmu_print_map();
    mmu_self_test();
    mmu_print_counters();
}
