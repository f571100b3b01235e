/*
 * test_mmu_cost.c - what stage 2's calls cost, in instructions: at icount
 * shift 0 the TSC advances by one an instruction, and runs repeat exactly.
 *
 * The limits are about a third above what was measured: they catch a walk
 * too many, not a changed register.
 *
 * shifts: 0
 */
#include "mmu_test.h"

/* Ticks that `statement` takes, the two rdtsc sequences not counted. */
#define COST(statement)                                                        \
    ({                                                                         \
        uint64_t start_ = rdtsc();                                             \
                                                                               \
        statement;                                                             \
        rdtsc() - start_ - 4;                                                  \
    })

/* A limit, and the number itself in the log. */
#define CHECK_COST(cost, limit)                                                \
    do {                                                                       \
        uint64_t cost_ = cost;                                                 \
                                                                               \
        print("cost: %s: %lu\n", #cost, cost_);                                \
        CHECK(cost_ <= (limit));                                               \
    } while (0)

/* One demand-zero fault, taken in copy_out: trap, region, page, table. */
KTEST(cost_fault_zero)
{
    struct space *before = space_current(), *s = space_with(40);
    uint64_t fault, plain;

    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(add(s, 100 + i * 10, 5, RW, &anon_region), 0);
    poke(at(0), 1);
    plain = COST(poke(at(0), 1));
    fault = COST(poke(at(1), 1)) - plain;
    CHECK_COST(fault, 1200);
    CHECK_COST(COST(space_fault(s, at(2), ACCESS_WRITE)), 1000);
    space_end(s, before);
}

KTEST(cost_pages)
{
    paddr_t pa;

    page_unref(page_alloc());
    CHECK_COST(COST(pa = page_alloc()), 60);
    CHECK_COST(COST(page_unref(pa)), 100);
    CHECK_COST(COST(pa = page_alloc_zeroed()), 600);
    page_unref(pa);
}

/* A process of about 20 pages: text, data, heap, stack. */
KTEST(cost_fork)
{
    struct space *before = space_current(), *s = space_with(0), *child;
    static char image[8 * 4096];
    struct region text = { .start = USER_BASE,
        .end = USER_BASE + sizeof(image),
        .prot = RX,
        .ops = &image_region,
        .object = image,
        .length = sizeof(image) };
    struct region data = { .start = USER_BASE + 0x10000,
        .end = USER_BASE + 0x14000,
        .prot = RW,
        .ops = &image_region,
        .object = image,
        .length = sizeof(image) };
    struct region stack = { .start = USER_STACK_TOP - USER_STACK_SIZE,
        .end = USER_STACK_TOP,
        .prot = RW,
        .ops = &stack_region };

    CHECK_EQ(region_add(s, &text), 0);
    CHECK_EQ(region_add(s, &data), 0);
    CHECK_EQ(region_add(s, &stack), 0);
    s->heap_start = USER_BASE + 0x15000;
    CHECK_EQ(space_brk(s, s->heap_start + 5 * PAGE_SIZE), 0);
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(space_fault(s, text.start + i * PAGE_SIZE, ACCESS_EXEC), 0);
    for (unsigned i = 0; i < 4; i++)
        poke(data.start + i * PAGE_SIZE, 1);
    for (unsigned i = 0; i < 5; i++)
        poke(s->heap_start + i * PAGE_SIZE, 1);
    for (unsigned i = 1; i < 4; i++)
        poke(USER_STACK_TOP - i * PAGE_SIZE, 1);
    for (unsigned round = 0; round < 2; round++) {
        child = space_new();
        CHECK_EQ(space_copy(s, child, false), 0);
        space_free(child);
    }
    CHECK_COST(COST(child = space_new()), 1000);
    CHECK_COST(COST(space_copy(s, child, false)), 5500);
    CHECK_COST(COST(space_free(child)), 6000);
    space_end(s, before);
}

KTEST(cost_heap)
{
    void *p = kmalloc(100), *q;

    CHECK_COST(COST(q = kmalloc(100)), 200);
    CHECK_COST(COST(kfree(q)), 200);
    kfree(p);
}

/* From the first instruction to here, in little memory and in much. */
/* mem: 8G
 * cpu: qemu64 */
KTEST(cost_boot)
{
    CHECK_COST(rdtsc() - bootinfo.entry_tsc, 8000000);
}
