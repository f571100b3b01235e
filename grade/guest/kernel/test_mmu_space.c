/*
 * test_mmu_space.c - address spaces: regions added, cut and removed, the heap,
 * stacks, limits.
 */
#include "mmu_test.h"

/* Put a fresh page at page n of s, as a fault would, with n in it. */
static void
place(struct space *s, uint64_t n)
{
    paddr_t pa = page_alloc();

    *(uint64_t *)pa_to_kva(pa) = n;
    CHECK_EQ(pt_map(s->root, at(n), pa, PTE_USER | PTE_WRITE | PTE_NX), 0);
    s->resident++;
}

enum {
    FAR = 1 << 20
};

/* A space with one page in use, far above what a test does in it. */
static struct space *
space_in_use(void)
{
    struct space *s = space_new();

    CHECK_EQ(add(s, FAR, 1, RW, &anon_region), 0);
    place(s, FAR);
    return s;
}

/* Free it, with that page as it was. */
static void
space_free_in_use(struct space *s)
{
    CHECK_EQ(s->resident, 1);
    CHECK_NE(leaf(s, at(FAR)), 0);
    CHECK_EQ(*(uint64_t *)pa_to_kva(leaf(s, at(FAR)) & PTE_ADDR), FAR);
    space_free(s);
}

KTEST(space_empty)
{
    struct balance b = balance_now();
    struct space *s = space_new();

    CHECK(s != NULL);
    CHECK_EQ(s->resident, 0);
    CHECK(region_find(s, USER_BASE) == NULL);
    CHECK_EQ(space_fault(s, USER_BASE, ACCESS_READ), -E_BADADDR);
    CHECK_EQ(mmu_check(), 0);
    space_free(s);
    CHECK_BALANCE(b);
}

/* Only whole pages inside user space that are not both W and X. */
KTEST(region_add_arguments)
{
    static const struct {
        vaddr_t start, end;
        uint32_t prot;
        int want;
    } cases[] = {
        { USER_BASE, USER_BASE + PAGE_SIZE, RW, 0 },
        { USER_TOP - PAGE_SIZE, USER_TOP, RX, 0 },
        { 0x1000000, 0x1001000, 0, 0 },
        { USER_BASE - PAGE_SIZE, USER_BASE, RW, -E_BADARG },
        { 0, PAGE_SIZE, RW, -E_BADARG },
        { USER_TOP - PAGE_SIZE, USER_TOP + PAGE_SIZE, RW, -E_BADARG },
        { USER_TOP, USER_TOP + PAGE_SIZE, RW, -E_BADARG },
        { 0x2000000, 0x2000000, RW, -E_BADARG },
        { 0x2001000, 0x2000000, RW, -E_BADARG },
        { 0x2000800, 0x2002000, RW, -E_BADARG },
        { 0x2000000, 0x2001001, RW, -E_BADARG },
        { DIRECT_BASE, DIRECT_BASE + PAGE_SIZE, RW, -E_BADARG },
        { 0x2000000, 0xfffffffffffff000, RW, -E_BADARG },
        { 0x2000000, 0x2001000, RW | PROT_EXEC, -E_BADARG },
        { 0x2000000, 0x2001000, 8, -E_BADARG },
    };
    struct balance b = balance_now();
    struct space *s = space_in_use();

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct region r = { .start = cases[i].start,
            .end = cases[i].end,
            .prot = cases[i].prot,
            .ops = &anon_region };

        if (!CHECK_EQ(region_add(s, &r), cases[i].want))
            print("in case %u\n", i);
    }
    CHECK_EQ(s->nregion, 4);
    space_free_in_use(s);
    CHECK_BALANCE(b);
}

KTEST(region_add_overlap)
{
    struct space *s = space_in_use();

    CHECK_EQ(add(s, 10, 10, RW, &anon_region), 0);
    CHECK_EQ(add(s, 10, 10, RW, &anon_region), -E_INUSE);
    CHECK_EQ(add(s, 5, 6, RW, &anon_region), -E_INUSE);
    CHECK_EQ(add(s, 19, 5, RW, &anon_region), -E_INUSE);
    CHECK_EQ(add(s, 0, 100, RW, &anon_region), -E_INUSE);
    CHECK_EQ(add(s, 14, 1, RW, &anon_region), -E_INUSE);
    CHECK_EQ(add(s, 9, 1, RW, &anon_region), 0);
    CHECK_EQ(add(s, 20, 1, RW, &anon_region), 0);
    CHECK_EQ(s->nregion, 4);
    CHECK_EQ(mmu_check(), 0);
    space_free_in_use(s);
}

KTEST(region_find_borders)
{
    struct space *s = space_in_use();

    CHECK_EQ(add(s, 10, 10, RW, &anon_region), 0);
    CHECK_EQ(add(s, 30, 10, RW, &anon_region), 0);
    CHECK(region_find(s, at(10) - 1) == NULL);
    CHECK(region_find(s, at(10)) == &s->regions[0]);
    CHECK(region_find(s, at(20) - 1) == &s->regions[0]);
    CHECK(region_find(s, at(20)) == NULL);
    CHECK(region_find(s, at(30)) == &s->regions[1]);
    CHECK(region_find(s, at(40)) == NULL);
    CHECK(region_find(s, 0) == NULL);
    CHECK(region_find(s, ~0ul) == NULL);
    space_free_in_use(s);
}

static bool
region_is(const struct space *s, unsigned i, uint64_t first, uint64_t end)
{
    return CHECK_LT(i, s->nregion) &&
           CHECK_EQ(s->regions[i].start, at(first)) &&
           CHECK_EQ(s->regions[i].end, at(end));
}

/* A region cut in two: both ends keep their pages, the hole keeps none. */
KTEST(region_split_keeps_pages)
{
    struct balance b = balance_now();
    struct space *s = space_new();

    CHECK_EQ(add(s, 0, 10, RW, &anon_region), 0);
    CHECK_EQ(add(s, 20, 1, RW, &anon_region), 0);
    for (unsigned i = 0; i < 10; i++)
        place(s, i);
    CHECK_EQ(region_remove(s, at(4), at(6)), 0);
    CHECK_EQ(s->nregion, 3);
    region_is(s, 0, 0, 4);
    region_is(s, 1, 6, 10);
    region_is(s, 2, 20, 21);
    CHECK_EQ(s->resident, 8);
    CHECK_EQ(leaf(s, at(5)), 0);
    CHECK(leaf(s, at(3)) != 0 && leaf(s, at(6)) != 0);
    CHECK_EQ(mmu_check(), 0);
    space_free(s);
    CHECK_BALANCE(b);
}

/* The upper part of an image goes on at the right byte of it. */
KTEST(region_split_image)
{
    static char image[10 * 4096];
    struct space *s = space_new();
    struct region r = { .start = at(0),
        .end = at(10),
        .prot = RW,
        .ops = &image_region,
        .object = image,
        .offset = 100,
        .length = 5 * 4096 + 7 };

    CHECK_EQ(region_add(s, &r), 0);
    place(s, 0);
    place(s, 2);
    CHECK_EQ(region_remove(s, at(2), at(3)), 0);
    CHECK_EQ(region_remove(s, at(7), at(8)), 0);
    CHECK_EQ(s->resident, 1);
    region_is(s, 0, 0, 2);
    region_is(s, 1, 3, 7);
    region_is(s, 2, 8, 10);
    CHECK_EQ(s->regions[0].offset, 100);
    CHECK_EQ(s->regions[1].offset, 3 * 4096 + 100);
    CHECK_EQ(s->regions[1].length, 2 * 4096 + 7);
    CHECK_EQ(s->regions[2].length, 0); /* only zeros are left */
    CHECK(s->regions[2].object == image && s->regions[2].prot == RW);
    space_free(s);
}

/* Without memory for one region more, nothing is cut. */
KTEST(region_split_no_memory)
{
    struct balance b = balance_now();
    struct space *s = space_new();

    for (unsigned i = 0; i < 8; i++) /* the array is full */
        CHECK_EQ(add(s, i * 10, 5, RW, &anon_region), 0);
    place(s, 2);
    page_fail_at(1);
    CHECK_EQ(region_remove(s, at(2), at(3)), -E_NOMEM);
    page_fail_at(0);
    CHECK_EQ(s->nregion, 8);
    CHECK_EQ(s->resident, 1);
    CHECK_NE(leaf(s, at(2)), 0);
    CHECK_EQ(region_remove(s, at(2), at(3)), 0);
    CHECK_EQ(s->nregion, 9);
    region_is(s, 0, 0, 2);
    region_is(s, 1, 3, 5);
    CHECK_EQ(s->regions[1].offset, 3 * PAGE_SIZE);
    region_is(s, 2, 10, 15);
    space_free(s);
    CHECK_BALANCE(b);
}

/* A hole cut into a region leaves both ends with their pages. */
KTEST(region_remove_middle)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = space_with(10);

    for (unsigned i = 0; i < 10; i++)
        poke(at(i), i);
    CHECK_EQ(region_remove(s, at(4), at(6)), 0);
    CHECK_EQ(s->nregion, 2);
    CHECK_EQ(s->resident, 8);
    CHECK_EQ(peek(at(3)), 3);
    CHECK_EQ(peek(at(6)), 6);
    CHECK_EQ(copy_in(&b, at(4), 8), -E_BADADDR);
    CHECK_EQ(copy_in(&b, at(5), 8), -E_BADADDR);
    CHECK_EQ(mmu_check(), 0);
    b.used = b.used; /* not touched by the failed copies */
    space_end(s, before);
    CHECK_BALANCE(b);
}

KTEST(region_remove_arguments)
{
    struct space *s = space_in_use();

    CHECK_EQ(add(s, 0, 10, RW, &anon_region), 0);
    CHECK_EQ(region_remove(s, at(1), at(1)), -E_BADARG);
    CHECK_EQ(region_remove(s, at(2), at(1)), -E_BADARG);
    CHECK_EQ(region_remove(s, at(1) + 1, at(2)), -E_BADARG);
    CHECK_EQ(region_remove(s, at(1), at(2) + 8), -E_BADARG);
    CHECK_EQ(region_remove(s, 0, at(2)), -E_BADARG);
    CHECK_EQ(region_remove(s, at(1), USER_TOP + PAGE_SIZE), -E_BADARG);
    CHECK_EQ(region_remove(s, DIRECT_BASE, DIRECT_BASE + PAGE_SIZE), -E_BADARG);
    CHECK_EQ(s->nregion, 2);
    CHECK_EQ(region_remove(s, at(20), at(30)), 0); /* nothing there */
    CHECK_EQ(region_remove(s, USER_BASE, USER_TOP), 0);
    CHECK_EQ(s->nregion, 0);
    CHECK_EQ(s->resident, 0);
    space_free(s);
}

/* The contents of an image region stay right when its front is cut off. */
KTEST(region_cut_image)
{
    static uint8_t image[6 * 4096];
    struct space *before = space_current(), *s = space_with(0);
    struct region r = { .start = at(0),
        .end = at(8),
        .prot = RW,
        .ops = &image_region,
        .object = image,
        .offset = 4096 + 100,
        .length = 4 * 4096 + 50 };

    for (unsigned i = 0; i < sizeof(image) / 8; i++)
        ((uint64_t *)image)[i] = i;
    CHECK_EQ(region_add(s, &r), 0);
    CHECK_EQ(region_remove(s, at(0), at(1)), 0);
    CHECK_EQ(region_remove(s, at(2), at(3)), 0);
    CHECK_EQ(region_remove(s, at(7), at(8)), 0);
    for (unsigned page = 0; page < 8; page++) {
        static uint8_t got[4096], want[4096];

        if (page == 0 || page == 2 || page == 7) {
            CHECK_EQ(copy_in(got, at(page), 4096), -E_BADADDR);
            continue;
        }
        for (unsigned i = 0; i < 4096; i++) {
            uint64_t offset = page * 4096 + i;

            want[i] = offset < r.length ? image[r.offset + offset] : 0;
        }
        CHECK_EQ(copy_in(got, at(page), 4096), 0);
        CHECK_EQ(memcmp(got, want, 4096), 0);
    }
    CHECK_EQ(mmu_check(), 0);
    space_end(s, before);
}

/* Against a model of one byte a page: add, remove, write, read, gaps. */
/* seeds: 4 */
KTEST(region_random)
{
    enum {
        PAGES = 64
    };
    uint8_t model[PAGES] = { 0 }; /* 0: no region, else last value + 1 */
    struct balance b = balance_now();
    struct space *before = space_current(), *s = space_with(0);

    for (unsigned step = 0; step < 3000; step++) {
        CHECK_ROUND(step);
        unsigned first = ktest_random(&seed) % PAGES;
        unsigned n = 1 + ktest_random(&seed) % 12;
        uint8_t value = ktest_random(&seed) % 200;
        bool taken = false;

        if (first + n > PAGES)
            n = PAGES - first;
        for (unsigned i = 0; i < n; i++)
            taken |= model[first + i] != 0;
        switch (ktest_random(&seed) % 5) {
        case 0:
            CHECK_EQ(add(s, first, n, RW, &anon_region), taken ? -E_INUSE : 0);
            if (!taken)
                memset(model + first, 1, n);
            break;
        case 1:
            CHECK_EQ(region_remove(s, at(first), at(first + n)), 0);
            memset(model + first, 0, n);
            break;
        case 2:
        case 3:
            CHECK_EQ(copy_out(at(first) + 7, &value, 1),
                    model[first] ? 0 : -E_BADADDR);
            if (model[first])
                model[first] = value + 1;
            break;
        default:
            value = 0;
            CHECK_EQ(copy_in(&value, at(first) + 7, 1),
                    model[first] ? 0 : -E_BADADDR);
            CHECK_EQ(value, model[first] ? model[first] - 1 : 0);
        }
        if (step % 300 == 0)
            CHECK_EQ(mmu_check(), 0);
    }
    space_end(s, before);
    CHECK_BALANCE(b);
}

KTEST(region_gap_finds_holes)
{
    struct space *s = space_new();

    CHECK_EQ(add(s, 2, 3, RW, &anon_region), 0);
    CHECK_EQ(add(s, 6, 1, RW, &anon_region), 0);
    CHECK_EQ(region_gap(s, at(0), PAGE_SIZE), at(0));
    CHECK_EQ(region_gap(s, at(0), 2 * PAGE_SIZE), at(0));
    CHECK_EQ(region_gap(s, at(0), 2 * PAGE_SIZE + 1), at(7));
    CHECK_EQ(region_gap(s, at(1), 1), at(1));
    CHECK_EQ(region_gap(s, at(1) + 1, 1), at(5));
    CHECK_EQ(region_gap(s, at(3), 1), at(5));
    CHECK_EQ(region_gap(s, at(3), 2 * PAGE_SIZE), at(7));
    CHECK_EQ(region_gap(s, 0, PAGE_SIZE), USER_BASE);
    CHECK_EQ(region_gap(s, at(0), 0), 0);
    CHECK_EQ(region_gap(s, at(0), USER_TOP), 0);
    CHECK_EQ(region_gap(s, at(0), ~0ul), 0);
    CHECK_EQ(region_gap(s, USER_TOP - PAGE_SIZE, PAGE_SIZE),
            USER_TOP - PAGE_SIZE);
    CHECK_EQ(region_gap(s, USER_TOP - PAGE_SIZE, PAGE_SIZE + 1), 0);
    CHECK_EQ(region_gap(s, ~0ul, PAGE_SIZE), 0);
    space_free(s);
}

/* Many regions: the array grows, stays sorted, and goes. */
KTEST(region_many)
{
    enum {
        N = 500
    };
    struct balance b = balance_now();
    struct space *s = space_in_use();

    for (unsigned i = 0; i < N; i++) /* 7 and 500 share no factor */
        CHECK_EQ(add(s, i * 7 % N * 2, 1, RW, &anon_region), 0);
    CHECK_EQ(s->nregion, N + 1);
    CHECK_EQ(mmu_check(), 0);
    for (unsigned i = 0; i < N; i++)
        CHECK(region_find(s, at(i * 2)) == &s->regions[i]);
    CHECK_EQ(region_remove(s, at(1), at(2 * N - 3)), 0);
    CHECK_EQ(s->nregion, 3);
    space_free_in_use(s);
    CHECK_BALANCE(b);
}

/* ---- heap ---- */

KTEST(brk_grows_and_shrinks)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = space_with(0);

    s->heap_start = at(0);
    CHECK_EQ(space_heap_end(s), at(0));
    CHECK_EQ(space_brk(s, at(0)), 0);
    CHECK_EQ(s->nregion, 0);
    CHECK_EQ(space_brk(s, at(0) + 1), 0);
    CHECK_EQ(space_heap_end(s), at(1));
    poke(at(0), 5);
    CHECK_EQ(space_brk(s, at(100)), 0);
    CHECK_EQ(peek(at(0)), 5);
    poke(at(99), 7);
    CHECK_EQ(s->resident, 2);
    CHECK_EQ(space_brk(s, at(50)), 0);
    CHECK_EQ(s->resident, 1);
    CHECK_EQ(space_brk(s, at(100)), 0);
    CHECK_EQ(peek(at(99)), 0); /* a new page, not the old one */
    CHECK_EQ(space_brk(s, at(0)), 0);
    CHECK_EQ(s->nregion, 0);
    CHECK_EQ(s->resident, 0);
    CHECK_EQ(mmu_check(), 0);
    space_end(s, before);
    CHECK_BALANCE(b);
}

KTEST(brk_arguments)
{
    struct space *s = space_new();

    CHECK_EQ(space_brk(s, at(1)), -E_BADARG); /* no heap yet */
    s->heap_start = at(1);
    CHECK_EQ(add(s, 10, 1, RW, &anon_region), 0);
    CHECK_EQ(space_brk(s, at(0)), -E_BADARG);
    CHECK_EQ(space_brk(s, USER_TOP + 1), -E_BADARG);
    CHECK_EQ(space_brk(s, ~0ul), -E_BADARG);
    CHECK_EQ(space_brk(s, at(10) + 1), -E_INUSE);
    CHECK_EQ(space_brk(s, at(10)), 0);
    CHECK_EQ(space_brk(s, at(10) + 1), -E_INUSE);
    CHECK_EQ(space_heap_end(s), at(10));
    space_free(s);
}

/* ---- stack ---- */

/* Every page but the lowest can be used, in any order. */
KTEST(stack_grows_to_its_guard)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = space_with(0);
    uint64_t v;

    CHECK_EQ(add(s, 0, 16, RW, &stack_region), 0);
    poke(at(15) + 4088, 1);
    poke(at(1), 2);
    poke(at(8), 3);
    CHECK_EQ(s->resident, 3);
    CHECK_EQ(copy_in(&v, at(1) - 8, 8), -E_BADADDR);
    CHECK_EQ(copy_out(at(0), &v, 8), -E_BADADDR);
    CHECK_EQ(space_fault(s, at(0), ACCESS_WRITE), -E_BADADDR);
    CHECK_EQ(s->resident, 3);
    space_end(s, before);
    CHECK_BALANCE(b);
}

/* ---- limit ---- */

/* A space maps no more pages than its limit; freeing makes room again. */
KTEST(space_limit)
{
    struct space *before = space_current(), *s = space_with(10);

    s->limit = 3;
    CHECK_EQ(space_fault(s, at(0), ACCESS_WRITE), 0);
    CHECK_EQ(space_fault(s, at(1), ACCESS_READ), 0);
    CHECK_EQ(space_fault(s, at(2), ACCESS_WRITE), 0);
    CHECK_EQ(space_fault(s, at(3), ACCESS_WRITE), -E_NOMEM);
    CHECK_EQ(space_fault(s, at(2), ACCESS_WRITE), 0); /* it is there */
    CHECK_EQ(region_remove(s, at(0), at(1)), 0);
    CHECK_EQ(space_fault(s, at(3), ACCESS_WRITE), 0);
    CHECK_EQ(s->resident, 3);
    CHECK_EQ(mmu_check(), 0);
    space_end(s, before);
}

/* Making, filling and freeing spaces for ever loses nothing. */
KTEST(space_churn)
{
    struct balance b = balance_now();
    struct space *before = space_current();

    for (unsigned i = 0; i < 300; i++) {
        struct space *s = space_with(3);

        poke(at(i % 3), i);
        space_end(s, before);
    }
    CHECK_BALANCE(b);
}

/* Freeing a space that the idle CPU still has in CR3. */
KTEST(space_free_while_lazy)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = space_with(1);

    poke(at(0), 1);
    space_load(NULL);
    CHECK(space_current() == NULL);
    CHECK_EQ(copy_in(&b.used, at(0), 0), 0); /* nothing to copy is legal */
    CHECK(space_is_loaded(s));
    space_free(s);
    CHECK(!space_is_loaded(s));
    CHECK_EQ(read_cr3() & PTE_ADDR, kva_to_pa(kernel_root));
    space_load(before);
    CHECK_BALANCE(b);
}

/* Loading what is loaded costs no CR3 load. */
KTEST(space_load_is_lazy)
{
    struct space *before = space_current(), *s = space_with(1);
    uint64_t loads = this_cpu()->cr3_loads;

    space_load(s);
    space_load(NULL);
    space_load(s);
    CHECK_EQ(this_cpu()->cr3_loads, loads);
    CHECK(space_current() == s);
    space_end(s, before);
}
