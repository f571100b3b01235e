/*
 * test_mmu_fault.c - pages that come by fault, copy-on-write after space_copy,
 * memory shared by several spaces.
 */
#include "mmu_test.h"

/* A new page is zero, whatever the frame held before. */
KTEST(fault_demand_zero)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = space_with(64);

    for (unsigned i = 0; i < 64; i++) {
        paddr_t dirty = page_alloc();

        memset(pa_to_kva(dirty), 0xee, PAGE_SIZE);
        page_unref(dirty);
        CHECK_EQ(peek(at(i) + i * 8), 0);
        poke(at(i), ~0ul);
    }
    CHECK_EQ(s->resident, 64);
    CHECK_EQ(mmu_check(), 0);
    space_end(s, before);
    CHECK_BALANCE(b);
}

/* The first word of the page at va, as the direct map shows it. */
static uint64_t *
word(struct space *s, vaddr_t va)
{
    return pa_to_kva(leaf(s, va) & PTE_ADDR);
}

/* A fault gives a page of zeros, and one page only. */
KTEST(fault_gives_zeros)
{
    struct balance b = balance_now();
    struct space *s = space_new();

    CHECK_EQ(add(s, 0, 64, RW, &anon_region), 0);
    for (unsigned i = 0; i < 64; i++) {
        paddr_t dirty = page_alloc();

        memset(pa_to_kva(dirty), 0xee, PAGE_SIZE);
        page_unref(dirty);
        CHECK_EQ(space_fault(s, at(i) + 123, ACCESS_READ), 0);
        for (unsigned j = 0; j < PAGE_SIZE / 8; j++)
            if (!CHECK_EQ(word(s, at(i))[j], 0))
                break;
        memset(word(s, at(i)), 0xdd, PAGE_SIZE);
        CHECK_EQ(s->resident, i + 1);
        CHECK_EQ(page_refs(leaf(s, at(i)) & PTE_ADDR), 1);
    }
    CHECK_EQ(mmu_check(), 0);
    space_free(s);
    CHECK_BALANCE(b);
}

/* A page that is there stays, when a CPU faults on it again. */
KTEST(fault_again_keeps_the_page)
{
    struct space *s = space_new();
    paddr_t pa;

    CHECK_EQ(add(s, 0, 2, RW, &anon_region), 0);
    CHECK_EQ(space_fault(s, at(0), ACCESS_WRITE), 0);
    pa = leaf(s, at(0)) & PTE_ADDR;
    *word(s, at(0)) = 77;
    CHECK_EQ(space_fault(s, at(0), ACCESS_WRITE), 0);
    CHECK_EQ(space_fault(s, at(0) + 4095, ACCESS_READ), 0);
    CHECK_EQ(leaf(s, at(0)) & PTE_ADDR, pa);
    CHECK_EQ(*word(s, at(0)), 77);
    CHECK_EQ(s->resident, 1);
    CHECK_EQ(mmu_check(), 0);
    space_free(s);
}

/* The lowest page of a stack is its guard, all others may come. */
KTEST(fault_stack_stops_at_its_guard)
{
    struct balance b = balance_now();
    struct space *s = space_new();

    CHECK_EQ(add(s, 0, 4, RW, &stack_region), 0);
    CHECK_EQ(space_fault(s, at(4) - 1, ACCESS_WRITE), 0);
    CHECK_EQ(space_fault(s, at(1), ACCESS_WRITE), 0);
    CHECK_EQ(space_fault(s, at(1) - 1, ACCESS_WRITE), -E_BADADDR);
    CHECK_EQ(space_fault(s, at(0), ACCESS_READ), -E_BADADDR);
    CHECK_EQ(s->resident, 2);
    CHECK_EQ(leaf(s, at(0)), 0);
    space_free(s);
    CHECK_BALANCE(b);
}

/* No page, or none for a table: an error, and nothing is lost. */
KTEST(fault_no_memory)
{
    struct balance b = balance_now();
    struct space *s = space_new();
    unsigned n = 0;
    int err = -E_NOMEM;

    CHECK_EQ(add(s, 0, 1, RW, &anon_region), 0);
    while (err == -E_NOMEM && n < 20) {
        struct balance now = balance_now();

        page_fail_at(++n);
        err = space_fault(s, at(0), ACCESS_WRITE);
        page_fail_at(0);
        if (err == -E_NOMEM)
            CHECK_BALANCE(now);
        CHECK_EQ(s->resident, err == 0);
    }
    CHECK_EQ(err, 0);
    CHECK_EQ(n, 5); /* the page and three tables */
    space_free(s);
    CHECK_BALANCE(b);
}

/* Access is granted as the region says, for each kind of access. */
KTEST(fault_permissions)
{
    static const struct {
        uint32_t prot;
        int read, write, exec;
    } cases[] = {
        { 0, -E_BADADDR, -E_BADADDR, -E_BADADDR },
        { PROT_READ, 0, -E_BADADDR, -E_BADADDR },
        { RW, 0, 0, -E_BADADDR },
        { RX, 0, -E_BADADDR, 0 },
        { PROT_WRITE, 0, 0, -E_BADADDR },
        { PROT_EXEC, 0, -E_BADADDR, 0 },
    };
    struct space *s = space_new();

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_EQ(add(s, i, 1, cases[i].prot, &anon_region), 0);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        pte_t e;

        CHECK_EQ(space_fault(s, at(i), ACCESS_WRITE), cases[i].write);
        CHECK_EQ(space_fault(s, at(i), ACCESS_EXEC), cases[i].exec);
        CHECK_EQ(space_fault(s, at(i) + 4095, ACCESS_READ), cases[i].read);
        e = leaf(s, at(i));
        CHECK_EQ(!!(e & PTE_PRESENT), cases[i].read == 0);
        if (e != 0) {
            CHECK_EQ(!!(e & PTE_WRITE), cases[i].write == 0);
            CHECK_EQ(!(e & PTE_NX), cases[i].exec == 0);
            CHECK(e & PTE_USER);
        }
    }
    CHECK_EQ(mmu_check(), 0);
    space_free(s);
}

KTEST(fault_outside_user_space)
{
    struct space *s = space_new();

    CHECK_EQ(add(s, 0, 1, RW, &anon_region), 0);
    CHECK_EQ(space_fault(s, at(0), ACCESS_READ), 0);
    CHECK_EQ(space_fault(s, at(1), ACCESS_READ), -E_BADADDR);
    CHECK_EQ(space_fault(s, at(0) - 1, ACCESS_READ), -E_BADADDR);
    CHECK_EQ(space_fault(s, 0, ACCESS_READ), -E_BADADDR);
    CHECK_EQ(space_fault(s, USER_TOP, ACCESS_READ), -E_BADADDR);
    CHECK_EQ(space_fault(s, 0x800000000000, ACCESS_READ), -E_BADADDR);
    CHECK_EQ(space_fault(s, DIRECT_BASE, ACCESS_READ), -E_BADADDR);
    CHECK_EQ(space_fault(s, ~0ul, ACCESS_WRITE), -E_BADADDR);
    CHECK_EQ(s->resident, 1);
    space_free(s);
}

/* panic: null pointer */
KTEST(fault_kernel_null)
{
    volatile vaddr_t va = 8; /* or the compiler knows better */

    *(volatile uint64_t *)va = 1;
}

/* User memory is out of reach but for copy_in and copy_out (SMAP). */
/* panic: user memory, touched outside copy_in and copy_out */
KTEST(fault_kernel_touches_user)
{
    struct space *s = space_with(2);

    poke(at(0), 1);
    poke(at(1), 1);
    CHECK_EQ(region_remove(s, at(1), at(2)), 0);
    *(volatile uint64_t *)at(0);
}

/* panic: write to read-only kernel memory */
KTEST(fault_kernel_text_is_read_only)
{
    *(volatile uint8_t *)(vaddr_t)fault_init = 0xcc;
}

/* The same bytes at their address in the direct map. */
/* panic: write to read-only kernel memory */
KTEST(fault_direct_map_of_text_is_read_only)
{
    *(volatile uint8_t *)pa_to_kva((vaddr_t)fault_init - KERNEL_BASE) = 0xcc;
}

/* panic: jump into data */
KTEST(fault_kernel_data_is_not_executable)
{
    uint8_t *code = kmalloc(16);

    code[0] = 0xc3; /* ret */
    ((void (*)(void))code)();
}

/* panic: guard page */
KTEST(fault_stack_guard)
{
    uint8_t *top = kstack_alloc();

    top[-1] = 1;
    *(volatile uint8_t *)(top - KSTACK_SIZE) = 1;
    *(volatile uint8_t *)(top - KSTACK_SIZE - 1) = 1;
}

/* ---- copy-on-write ---- */

/* Parent and child see the same, until one of them writes. */
KTEST(cow_separates)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *parent = space_with(4);
    struct space *child = space_new();

    poke(at(0), 10);
    poke(at(1), 11);
    CHECK_EQ(space_copy(parent, child, false), 0);
    CHECK_EQ(child->resident, 2);
    CHECK_EQ(page_refs(leaf(parent, at(0)) & PTE_ADDR), 2);
    CHECK_EQ(mmu_check(), 0);
    poke(at(0), 20); /* in the parent, whose TLB must not be stale */
    CHECK_EQ(peek(at(0)), 20);
    space_load(child);
    CHECK_EQ(peek(at(0)), 10);
    CHECK_EQ(peek(at(1)), 11);
    poke(at(1), 31);
    poke(at(2), 32);
    space_load(parent);
    CHECK_EQ(peek(at(1)), 11);
    CHECK_EQ(peek(at(2)), 0);
    CHECK_EQ(mmu_check(), 0);
    space_free(child);
    CHECK_EQ(peek(at(0)), 20);
    space_end(parent, before);
    CHECK_BALANCE(b);
}

/* The last owner gets its page back, without a copy. */
KTEST(cow_last_owner_keeps_the_page)
{
    struct space *before = space_current(), *parent = space_with(1);
    struct space *child = space_new();
    paddr_t pa;

    poke(at(0), 10);
    pa = leaf(parent, at(0)) & PTE_ADDR;
    CHECK_EQ(space_copy(parent, child, false), 0);
    CHECK(leaf(parent, at(0)) & PTE_COW);
    CHECK(!(leaf(parent, at(0)) & PTE_WRITE));
    space_free(child);
    page_fail_at(1); /* an allocation would fail now */
    poke(at(0), 11);
    page_fail_at(0);
    CHECK_EQ(leaf(parent, at(0)) & PTE_ADDR, pa);
    CHECK(leaf(parent, at(0)) & PTE_WRITE);
    CHECK(!(leaf(parent, at(0)) & PTE_COW));
    space_end(parent, before);
}

/* Read-only pages are shared for good: text is not copied by a fork. */
KTEST(cow_leaves_text_alone)
{
    struct space *before = space_current();
    struct space *s = space_new(), *child = space_new();

    CHECK_EQ(add(s, 0, 1, RX, &anon_region), 0);
    CHECK_EQ(space_fault(s, at(0), ACCESS_EXEC), 0);
    CHECK_EQ(space_copy(s, child, false), 0);
    CHECK_EQ(leaf(s, at(0)) & PTE_ADDR, leaf(child, at(0)) & PTE_ADDR);
    CHECK(!(leaf(child, at(0)) & (PTE_COW | PTE_WRITE | PTE_NX)));
    CHECK_EQ(space_fault(child, at(0), ACCESS_WRITE), -E_BADADDR);
    space_load(child);
    CHECK_EQ(peek(at(0)), 0);
    space_load(before);
    space_free(s);
    space_free(child);
}

/* Generations of spaces that copy, write, compare and die at random. */
/* seeds: 4 */
KTEST(cow_random)
{
    enum {
        SPACES = 6,
        PAGES = 24
    };
    static uint64_t model[SPACES][PAGES];
    struct space *s[SPACES] = { NULL };
    struct balance b = balance_now();
    struct space *before = space_current();

    memset(model, 0, sizeof(model));
    s[0] = space_with(PAGES);
    for (unsigned step = 0; step < 1500; step++) {
        CHECK_ROUND(step);
        unsigned i = ktest_random(&seed) % SPACES;
        unsigned j = ktest_random(&seed) % SPACES;
        unsigned page = ktest_random(&seed) % PAGES;
        unsigned what = ktest_random(&seed) % 10;

        if (s[i] == NULL && s[j] != NULL) {
            s[i] = space_new();
            CHECK_EQ(space_copy(s[j], s[i], false), 0);
            memcpy(model[i], model[j], sizeof(model[i]));
        } else if (s[i] != NULL && what == 0 && i != 0) {
            space_end(s[i], before);
            s[i] = NULL;
        } else if (s[i] != NULL && what < 6) {
            space_load(s[i]);
            model[i][page] = ktest_random(&seed);
            poke(at(page) + 16, model[i][page]);
        } else if (s[i] != NULL) {
            space_load(s[i]);
            CHECK_EQ(peek(at(page) + 16), model[i][page]);
        }
        if (step % 250 == 0)
            CHECK_EQ(mmu_check(), 0);
    }
    for (unsigned i = 0; i < SPACES; i++)
        if (s[i] != NULL)
            space_end(s[i], before);
    CHECK_BALANCE(b);
}

/* ---- shared memory ---- */

/* RFMEM: what one writes, the other reads; stacks stay private. */
KTEST(share_data_not_stack)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *parent = space_with(4);
    struct space *child = space_new();

    CHECK_EQ(add(parent, 10, 4, RW, &stack_region), 0);
    poke(at(0), 1);
    poke(at(13), 2);
    CHECK_EQ(space_copy(parent, child, true), 0);
    CHECK_EQ(mmu_check(), 0);
    poke(at(0), 3);
    poke(at(1), 4); /* a page that neither had */
    poke(at(13), 5);
    space_load(child);
    CHECK_EQ(peek(at(0)), 3);
    CHECK_EQ(peek(at(1)), 4);
    CHECK_EQ(peek(at(13)), 2);
    poke(at(2), 6);
    space_load(parent);
    CHECK_EQ(peek(at(2)), 6);
    CHECK_EQ(peek(at(13)), 5);
    CHECK_EQ(mmu_check(), 0);
    space_free(child);
    CHECK_EQ(peek(at(2)), 6);
    CHECK_EQ(mmu_check(), 0);
    space_end(parent, before);
    CHECK_BALANCE(b);
}

/* Pages that were copy-on-write with a third process do not leak into it. */
KTEST(share_after_fork)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *a = space_with(2);
    struct space *fork = space_new(), *thread = space_new();

    poke(at(0), 1);
    CHECK_EQ(space_copy(a, fork, false), 0);
    CHECK_EQ(space_copy(a, thread, true), 0);
    poke(at(0), 2);
    space_load(thread);
    CHECK_EQ(peek(at(0)), 2);
    poke(at(0), 3);
    space_load(fork);
    CHECK_EQ(peek(at(0)), 1);
    CHECK_EQ(mmu_check(), 0);
    space_end(a, before);
    space_free(thread);
    space_free(fork);
    CHECK_BALANCE(b);
}

/* A plain fork of a process that shares its data: the child's is private. */
KTEST(share_ends_at_fork)
{
    static uint64_t image[3 * 512];
    struct balance b = balance_now();
    struct space *before = space_current(), *a = space_with(2);
    struct space *thread = space_new(), *fork = space_new();
    struct region r = { .start = at(10),
        .end = at(13),
        .prot = RW,
        .ops = &image_region,
        .object = image,
        .length = sizeof(image) };

    for (unsigned i = 0; i < ARRAY_LEN(image); i++)
        image[i] = i;
    CHECK_EQ(region_add(a, &r), 0);
    a->heap_start = at(20);
    CHECK_EQ(space_copy(a, thread, true), 0);
    poke(at(0), 9);
    poke(at(10), 10);
    space_load(thread);
    CHECK_EQ(space_brk(thread, at(22)), 0);
    poke(at(21), 21);
    poke(at(1), 8);
    CHECK_EQ(space_copy(a, fork, false), 0);
    CHECK_EQ(mmu_check(), 0);
    poke(at(1), 7);
    space_load(fork);
    CHECK_EQ(peek(at(0)), 9);
    CHECK_EQ(peek(at(1)), 8);
    CHECK_EQ(peek(at(10)), 10);
    CHECK_EQ(peek(at(11)), 512);
    CHECK_EQ(peek(at(21)), 21);
    CHECK_EQ(space_brk(fork, at(21)), 0); /* private: it can shrink */
    poke(at(0), 1);
    space_load(a);
    CHECK_EQ(peek(at(0)), 9);
    CHECK_EQ(mmu_check(), 0);
    space_load(before);
    space_free(a);
    space_free(fork);
    space_free(thread);
    CHECK_BALANCE(b);
}

/* Shared memory that was asked for as such goes on being shared. */
KTEST(share_made_survives_fork)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *a = space_with(0);
    struct space *fork = space_new();
    struct region r = { .start = at(0), .end = at(2), .prot = RW };

    CHECK_EQ(shared_make(&r), 0);
    CHECK_EQ(region_add(a, &r), 0);
    CHECK_EQ(space_copy(a, fork, false), 0);
    poke(at(1), 5);
    space_load(fork);
    CHECK_EQ(peek(at(1)), 5);
    CHECK_EQ(mmu_check(), 0);
    space_end(fork, before);
    space_free(a);
    CHECK_BALANCE(b);
}

/* An image half read when it becomes shared: the rest is still its bytes. */
KTEST(share_image)
{
    static uint64_t image[3 * 512];
    struct balance b = balance_now();
    struct space *before = space_current(), *a = space_with(0);
    struct space *thread = space_new();
    struct region r = { .start = at(0),
        .end = at(4),
        .prot = RW,
        .ops = &image_region,
        .object = image,
        .offset = 8,
        .length = 2 * 4096 + 16 };

    for (unsigned i = 0; i < ARRAY_LEN(image); i++)
        image[i] = i;
    CHECK_EQ(region_add(a, &r), 0);
    poke(at(0), 77);
    CHECK_EQ(space_copy(a, thread, true), 0);
    CHECK_EQ(peek(at(1)), 513);
    space_load(thread);
    CHECK_EQ(peek(at(0)), 77);
    CHECK_EQ(peek(at(0) + 8), 2);
    CHECK_EQ(peek(at(2)), 1025);
    CHECK_EQ(peek(at(2) + 8), 1026);
    CHECK_EQ(peek(at(2) + 16), 0); /* beyond its length */
    CHECK_EQ(peek(at(3)), 0);
    poke(at(1), 5);
    space_load(a);
    CHECK_EQ(peek(at(1)), 5);
    CHECK_EQ(image[513], 513); /* the archive itself is not written */
    CHECK_EQ(mmu_check(), 0);
    space_free(thread);
    space_end(a, before);
    CHECK_BALANCE(b);
}

/* The shared heap grows for all that share it, even from nothing. */
KTEST(share_heap)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *a = space_with(0);
    struct space *thread = space_new();
    uint64_t v;

    a->heap_start = at(0);
    CHECK_EQ(space_copy(a, thread, true), 0);
    CHECK_EQ(space_brk(a, at(5)), 0);
    poke(at(4), 44);
    space_load(thread);
    CHECK_EQ(space_heap_end(thread), at(5));
    CHECK_EQ(peek(at(4)), 44); /* its own region follows by fault */
    CHECK_EQ(copy_in(&v, at(5), 8), -E_BADADDR);
    CHECK_EQ(space_brk(thread, at(3)), -E_INUSE);
    CHECK_EQ(space_brk(thread, at(9)), 0);
    poke(at(8), 88);
    space_load(a);
    CHECK_EQ(peek(at(8)), 88);
    CHECK_EQ(mmu_check(), 0);
    space_end(a, before);
    space_load(thread);
    CHECK_EQ(peek(at(8)), 88);
    space_end(thread, before);
    CHECK_BALANCE(b);
}

/* Growth that another region of one sharer blocks is an error there only. */
KTEST(share_heap_blocked)
{
    struct space *before = space_current(), *a = space_with(0);
    struct space *thread = space_new();
    uint64_t v;

    a->heap_start = at(0);
    CHECK_EQ(space_copy(a, thread, true), 0);
    CHECK_EQ(add(thread, 4, 1, RW, &anon_region), 0);
    CHECK_EQ(space_brk(a, at(8)), 0);
    CHECK_EQ(space_brk(thread, at(9)), -E_INUSE);
    poke(at(2), 1);
    space_load(thread);
    CHECK_EQ(copy_in(&v, at(6), 8), -E_BADADDR);
    CHECK_EQ(mmu_check(), 0);
    space_end(thread, before);
    space_free(a);
}
