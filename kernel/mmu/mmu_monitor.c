/*
 * mmu_monitor.c - what stage 2 adds to the prompt of kernels without
 * processes.
 */
#include "mmu/private.h"

static void
command_mem(int argc, char **argv)
{
    (void)argc, (void)argv;
    mmu_print_map();
    mmu_print_counters();
    kheap_report();
}

static void
command_walk(int argc, char **argv)
{
    uint64_t va;

    if (argc != 2 || !parse_number(argv[1], &va))
        print("usage: walk ADDR\n");
    else
        pt_print(pa_to_kva(read_cr3() & PTE_ADDR), va);
}

static void
command_check(int argc, char **argv)
{
    (void)argc, (void)argv;
    print("%u differences\n", mmu_check());
}

static void
command_selftest(int argc, char **argv)
{
    (void)argc, (void)argv;
    mmu_self_test();
}

static const struct monitor_command commands[] = {
    { "mem", "mem           memory map, frames, heap", command_mem },
    { "walk", "walk ADDR     page-table entries of an address", command_walk },
    { "check", "check         recount all that memory management counts",
            command_check },
    { "selftest", "selftest      a short proof that memory works",
            command_selftest },
};

void
mmu_monitor_init(void)
{
    monitor_add(commands, ARRAY_LEN(commands));
}
