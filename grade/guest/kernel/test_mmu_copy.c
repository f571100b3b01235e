/*
 * test_mmu_copy.c - copy_in, copy_out, copy_str_in and user_cas32 with honest
 * and hostile addresses.
 */
#include "mmu_test.h"

static uint8_t buf[3 * 4096], want[3 * 4096];

/* Any length from any alignment, across pages that are not there yet. */
/* seeds: 3 */
KTEST(copy_random)
{
    enum {
        PAGES = 4
    };
    static uint8_t model[PAGES * 4096];
    struct balance b = balance_now();
    struct space *before = space_current(), *s = space_with(PAGES);

    memset(model, 0, sizeof(model));
    for (unsigned step = 0; step < 600; step++) {
        CHECK_ROUND(step);
        unsigned from = ktest_random(&seed) % sizeof(model);
        unsigned n = ktest_random(&seed) % (step % 2 ? 64 : sizeof(buf));

        if (n > sizeof(model) - from)
            n = sizeof(model) - from;
        if (ktest_random(&seed) % 2) {
            for (unsigned i = 0; i < n; i++)
                buf[i] = ktest_random(&seed);
            memcpy(model + from, buf, n);
            CHECK_EQ(copy_out(at(0) + from, buf, n), 0);
        } else {
            memset(buf, 0, n);
            CHECK_EQ(copy_in(buf, at(0) + from, n), 0);
            CHECK_EQ(memcmp(buf, model + from, n), 0);
        }
    }
    space_end(s, before);
    CHECK_BALANCE(b);
}

/* Not one byte outside what is permitted, at every border. */
KTEST(copy_borders)
{
    struct space *before = space_current(), *s = space_with(2);

    CHECK_EQ(copy_in(buf, at(0), 2 * 4096), 0);
    CHECK_EQ(copy_in(buf, at(0), 2 * 4096 + 1), -E_BADADDR);
    CHECK_EQ(copy_in(buf, at(0) - 1, 1), -E_BADADDR);
    CHECK_EQ(copy_in(buf, at(0) - 1, 10), -E_BADADDR);
    CHECK_EQ(copy_in(buf, at(2) - 1, 1), 0);
    CHECK_EQ(copy_in(buf, at(2) - 1, 2), -E_BADADDR);
    CHECK_EQ(copy_in(buf, at(2), 1), -E_BADADDR);
    for (unsigned n = 1; n < 20; n++) {
        CHECK_EQ(copy_out(at(2) - n, buf, n), 0);
        CHECK_EQ(copy_out(at(2) - n, buf, n + 1), -E_BADADDR);
    }
    space_end(s, before);
}

/* The kernel's half, holes in the address space, ranges that wrap. */
KTEST(copy_hostile)
{
    static const struct {
        vaddr_t va;
        size_t n;
    } cases[] = {
        { DIRECT_BASE, 8 },
        { KERNEL_BASE, 8 },
        { 0x0000800000000000, 8 },
        { 0xffff7ffffffffff8, 8 },
        { 0xfffffffffffffff8, 8 },
        { 0xffffffffffffffff, 1 },
        { 0xfffffffffffffff8, 16 },
        { USER_TOP, 1 },
        { USER_TOP - 4, 8 },
        { 0, 1 },
        { 0x8000, 8 },
        { USER_BASE - 8, 16 },
    };
    struct space *before = space_current(), *s = space_with(1);
    uint64_t secret = 0x5ec7e7;
    uint32_t old = 0;

    poke(at(0), 99);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        bool ok = CHECK_EQ(copy_in(buf, cases[i].va, cases[i].n), -E_BADADDR);

        ok &= CHECK_EQ(copy_out(cases[i].va, buf, cases[i].n), -E_BADADDR);
        ok &= CHECK_EQ(copy_str_in((char *)buf, cases[i].va, 64), -E_BADADDR);
        ok &= CHECK_EQ(user_cas32(cases[i].va & ~3ul, &old, 1), -E_BADADDR);
        if (!ok)
            print("in case %u\n", i);
    }
    CHECK_EQ(copy_in(buf, (vaddr_t)&secret, 8), -E_BADADDR);
    CHECK_EQ(copy_in(buf, at(0), USER_TOP), -E_BADADDR);
    CHECK_EQ(copy_in(buf, at(0), ~0ul), -E_BADADDR);
    CHECK_EQ(copy_in(buf, at(0), -at(0)), -E_BADADDR);
    CHECK_EQ(copy_in(buf, ~0ul, 0), 0); /* nothing is always legal */
    CHECK_EQ(peek(at(0)), 99);
    space_end(s, before);
}

/* A range that wraps brings not one byte of the kernel's to its caller. */
KTEST(copy_range_wraps)
{
    struct space *before = space_current(), *s = space_with(1);
    char *top = kstack_alloc(); /* nothing is mapped above it */
    uint64_t *dst = (uint64_t *)top - 2;

    poke(at(0), 99);
    dst[0] = dst[1] = 0x5a5a;
    CHECK_EQ(copy_in(dst, DIRECT_BASE, -DIRECT_BASE + 8), -E_BADADDR);
    CHECK_EQ(copy_in(dst, KERNEL_BASE + 0x100000, -KERNEL_BASE), -E_BADADDR);
    CHECK_EQ(dst[0], 0x5a5a);
    CHECK_EQ(dst[1], 0x5a5a);
    CHECK_EQ(peek(at(0)), 99);
    kstack_free(top);
    space_end(s, before);
}

KTEST(copy_permissions)
{
    struct space *before = space_current(), *s = space_with(0);

    CHECK_EQ(add(s, 0, 1, PROT_READ, &anon_region), 0);
    CHECK_EQ(add(s, 1, 1, 0, &anon_region), 0);
    CHECK_EQ(add(s, 2, 1, RX, &anon_region), 0);
    CHECK_EQ(copy_in(buf, at(0), 8), 0);
    CHECK_EQ(copy_out(at(0), buf, 8), -E_BADADDR);
    CHECK_EQ(copy_in(buf, at(1), 8), -E_BADADDR);
    CHECK_EQ(copy_out(at(1), buf, 8), -E_BADADDR);
    CHECK_EQ(copy_in(buf, at(2), 8), 0);
    CHECK_EQ(copy_out(at(2), buf, 8), -E_BADADDR);
    space_end(s, before);
}

/* Without a space there is no user memory, whatever CR3 still maps. */
KTEST(copy_without_space)
{
    struct space *before = space_current(), *s = space_with(1);

    poke(at(0), 1);
    space_load(NULL);
    CHECK_EQ(copy_in(buf, at(0), 8), -E_BADADDR);
    CHECK_EQ(copy_out(at(0), buf, 8), -E_BADADDR);
    CHECK_EQ(copy_str_in((char *)buf, at(0), 8), -E_BADADDR);
    space_end(s, before);
}

/* Without memory for a missing page a copy says so; a bad address still is one. */
KTEST(copy_no_memory)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = space_with(2);
    uint32_t old = 0;

    CHECK_EQ(copy_out(at(0), buf, 8), 0); /* the page table is there */
    page_fail_at(1);
    CHECK_EQ(copy_out(at(1), buf, 8), -E_NOMEM);
    page_fail_at(1);
    CHECK_EQ(copy_in(buf, at(1), 8), -E_NOMEM);
    page_fail_at(1);
    CHECK_EQ(copy_str_in((char *)buf, at(1), 8), -E_NOMEM);
    page_fail_at(1);
    CHECK_EQ(user_cas32(at(1), &old, 1), -E_NOMEM);
    page_fail_at(0);
    CHECK_EQ(copy_out(at(2), buf, 8), -E_BADADDR);
    CHECK_EQ(user_cas32(at(2), &old, 1), -E_BADADDR);
    CHECK_EQ(copy_out(at(1), buf, 8), 0);
    space_end(s, before);
    CHECK_BALANCE(b);
}

/* Strings of every length at every distance from the end of memory. */
KTEST(copy_str_lengths)
{
    struct space *before = space_current(), *s = space_with(2);

    for (unsigned gap = 0; gap < 12; gap++) {
        for (unsigned n = 0; n < 40; n++) {
            vaddr_t va = at(2) - gap - n - 1;

            memset(buf, 'x', sizeof(buf));
            memset(want, 'a' + n % 26, n);
            want[n] = '\0';
            CHECK_EQ(copy_out(va, want, n + 1), 0);
            CHECK_EQ(copy_str_in((char *)buf, va, 100), n);
            CHECK_EQ(memcmp(buf, want, n + 1), 0);
            CHECK_EQ(buf[n + 9], 'x'); /* no byte beyond the last word */
            CHECK_EQ(copy_str_in((char *)buf, va, n + 1), n);
            CHECK_EQ(copy_str_in((char *)buf, va, n), -E_TOOBIG);
        }
    }
    space_end(s, before);
}

/* A string that has no end before memory ends. */
KTEST(copy_str_unterminated)
{
    struct space *before = space_current(), *s = space_with(1);

    memset(buf, 'a', 4096);
    CHECK_EQ(copy_out(at(0), buf, 4096), 0);
    CHECK_EQ(copy_str_in((char *)buf, at(1) - 20, 100), -E_BADADDR);
    CHECK_EQ(copy_str_in((char *)buf, at(1) - 20, 21), -E_BADADDR);
    CHECK_EQ(copy_str_in((char *)buf, at(1) - 20, 20), -E_TOOBIG);
    CHECK_EQ(copy_str_in((char *)buf, at(1) - 20, 0), -E_TOOBIG);
    space_end(s, before);
}

/* The very last user page, and a string that runs into its end. */
KTEST(copy_at_user_top)
{
    struct space *before = space_current(), *s = space_with(0);
    struct region r = { .start = USER_TOP - PAGE_SIZE,
        .end = USER_TOP,
        .prot = RW,
        .ops = &anon_region };

    CHECK_EQ(region_add(s, &r), 0);
    memset(buf, 'b', 4096);
    CHECK_EQ(copy_out(r.start, buf, 4096), 0);
    CHECK_EQ(copy_out(r.start + 1, buf, 4096), -E_BADADDR);
    CHECK_EQ(copy_str_in((char *)buf, USER_TOP - 5, 100), -E_BADADDR);
    CHECK_EQ(copy_out(USER_TOP - 1, "", 1), 0);
    CHECK_EQ(copy_str_in((char *)buf, USER_TOP - 5, 100), 4);
    space_end(s, before);
}

KTEST(user_cas)
{
    struct space *before = space_current(), *s = space_with(1);
    uint32_t old = 0;

    CHECK_EQ(user_cas32(at(0), &old, 5), 1);
    CHECK_EQ(user_cas32(at(0), &old, 6), 0);
    CHECK_EQ(old, 5);
    CHECK_EQ(user_cas32(at(0), &old, 6), 1);
    CHECK_EQ(peek(at(0)), 6);
    CHECK_EQ(user_cas32(at(0) + 1, &old, 6), -E_BADADDR);
    CHECK_EQ(user_cas32(at(1), &old, 6), -E_BADADDR);
    CHECK_EQ(user_cas32(at(1) - 4, &old, 6), 0);
    CHECK_EQ(old, 0);
    space_end(s, before);
}

/* CPUs without SMAP, SMEP and 1 GiB pages do the same. */
/* cpu: qemu64 */
KTEST(copy_without_smap)
{
    struct space *before = space_current(), *s = space_with(2);

    poke(at(1) - 4, 0x123456789abcdef0);
    CHECK_EQ(peek(at(1) - 4), 0x123456789abcdef0);
    CHECK_EQ(copy_in(buf, at(2), 8), -E_BADADDR);
    CHECK_EQ(mmu_check(), 0);
    space_end(s, before);
}
