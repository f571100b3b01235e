/*
 * test_mmu_nomem.c - every call that can run out of memory, failing at its
 * first allocation, its second, and so on until it succeeds: each time
 * nothing is lost and nothing has changed.
 */
#include "mmu_test.h"

KTEST(nomem_space_new)
{
    struct balance b = balance_now();
    struct space *s = NULL;

    for (unsigned n = 1; s == NULL && n < 100; n++) {
        page_fail_at(n);
        s = space_new();
        page_fail_at(0);
        if (s == NULL)
            CHECK_BALANCE(b);
    }
    CHECK(s != NULL);
    space_free(s);
    CHECK_BALANCE(b);
}

/* Run `call` with failing allocations until it succeeds. */
#define UNTIL_SUCCESS(call)                                                    \
    do {                                                                       \
        int err_ = -E_NOMEM;                                                   \
        unsigned n_ = 0;                                                       \
                                                                               \
        while (err_ == -E_NOMEM && n_ < 200) {                                 \
            struct balance b_ = balance_now();                                 \
                                                                               \
            page_fail_at(++n_);                                                \
            err_ = call;                                                       \
            page_fail_at(0);                                                   \
            if (err_ == -E_NOMEM)                                              \
                CHECK_BALANCE(b_);                                             \
        }                                                                      \
        CHECK_EQ(err_, 0);                                                     \
        CHECK_GT(n_, 1);                                                       \
        CHECK_EQ(mmu_check(), 0);                                              \
    } while (0)

KTEST(nomem_region_add)
{
    struct balance b = balance_now();
    struct space *s = space_new();

    UNTIL_SUCCESS(add(s, 0, 1, RW, &anon_region));
    for (unsigned i = 1; i < 8; i++)
        CHECK_EQ(add(s, i * 2, 1, RW, &anon_region), 0);
    UNTIL_SUCCESS(add(s, 100, 1, RW, &anon_region)); /* the array grows */
    CHECK_EQ(s->nregion, 9);
    space_free(s);
    CHECK_BALANCE(b);
}

/* A cut in the middle needs one more region; without it nothing changes. */
KTEST(nomem_region_remove)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = space_with(0);

    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(add(s, i * 10, 5, RW, &anon_region), 0);
    poke(at(2), 7);
    page_fail_at(1);
    CHECK_EQ(region_remove(s, at(2), at(3)), -E_NOMEM);
    page_fail_at(0);
    CHECK_EQ(peek(at(2)), 7);
    CHECK_EQ(s->nregion, 8);
    UNTIL_SUCCESS(region_remove(s, at(2), at(3)));
    CHECK_EQ(s->nregion, 9);
    space_end(s, before);
    CHECK_BALANCE(b);
}

KTEST(nomem_fault)
{
    static const char image[100] = "image";
    struct balance b = balance_now();
    struct space *s = space_new();
    struct region r = { .start = 0x600000000,
        .end = 0x600001000,
        .prot = RW,
        .ops = &image_region,
        .object = (void *)image,
        .length = sizeof(image) };
    struct region shared = {
        .start = 0x70000000000, .end = 0x70000001000, .prot = RW
    };

    CHECK_EQ(add(s, 0, 1, RW, &anon_region), 0);
    CHECK_EQ(region_add(s, &r), 0);
    CHECK_EQ(shared_make(&shared), 0);
    CHECK_EQ(region_add(s, &shared), 0);
    UNTIL_SUCCESS(space_fault(s, at(0), ACCESS_WRITE));
    UNTIL_SUCCESS(space_fault(s, r.start, ACCESS_READ));
    CHECK_EQ(s->resident, 2);
    space_free(s);
    CHECK_BALANCE(b);
}

/* A new shared region in s; what was made goes again if it does not fit. */
static int
add_shared(struct space *s, struct region *r)
{
    int err = shared_make(r);

    if (err == 0) {
        err = region_add(s, r);
        if (err < 0)
            r->ops->close(r);
    }
    return err;
}

KTEST(nomem_shared)
{
    struct balance b = balance_now();
    struct space *s = space_new();
    struct region r = { .start = at(0), .end = at(4), .prot = RW };

    UNTIL_SUCCESS(add_shared(s, &r));
    CHECK_EQ(s->nregion, 1);
    space_free(s);
    CHECK_BALANCE(b);
}

KTEST(nomem_cow)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = space_with(1);
    struct space *child = space_new();

    poke(at(0), 1);
    CHECK_EQ(space_copy(s, child, false), 0);
    UNTIL_SUCCESS(space_fault(s, at(0), ACCESS_WRITE));
    space_free(child);
    space_end(s, before);
    CHECK_BALANCE(b);
}

KTEST(nomem_brk)
{
    struct balance b = balance_now();
    struct space *s = space_new();

    s->heap_start = at(0);
    UNTIL_SUCCESS(space_brk(s, at(1)));
    space_free(s);
    CHECK_BALANCE(b);
}

/* A parent with a bit of everything. */
static struct space *
family(void)
{
    static char image[3 * 4096];
    struct space *s = space_with(3);
    struct region r = { .start = at(10),
        .end = at(14),
        .prot = RW,
        .ops = &image_region,
        .object = image,
        .length = sizeof(image) };
    struct region shared = { .start = at(1000), .end = at(1004), .prot = RW };

    s->heap_start = at(5000);
    CHECK_EQ(region_add(s, &r), 0);
    CHECK_EQ(add(s, 2000, 10, RW, &stack_region), 0);
    CHECK_EQ(shared_make(&shared), 0);
    CHECK_EQ(region_add(s, &shared), 0);
    for (unsigned i = 0; i < 3; i++)
        poke(at(i), i);
    poke(at(11), 11);
    poke(at(1001), 12);
    poke(at(2009), 13);
    return s;
}

static void
family_unchanged(void)
{
    CHECK_EQ(peek(at(1)), 1);
    CHECK_EQ(peek(at(11)), 11);
    CHECK_EQ(peek(at(1001)), 12);
    CHECK_EQ(peek(at(2009)), 13);
}

KTEST(nomem_space_copy)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = family();
    struct space *child = space_new();

    UNTIL_SUCCESS(space_copy(s, child, false));
    family_unchanged();
    space_load(child);
    family_unchanged();
    space_end(child, before);
    space_load(s);
    family_unchanged();
    space_end(s, before);
    CHECK_BALANCE(b);
}

/* The same with RFMEM, and then a plain fork of a process that shares its data.
 * */
KTEST(nomem_space_copy_shared)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = family();
    struct space *thread = space_new(), *child = space_new();

    UNTIL_SUCCESS(space_copy(s, thread, true));
    family_unchanged();
    space_load(thread);
    family_unchanged();
    UNTIL_SUCCESS(space_copy(s, child, false));
    space_load(child);
    family_unchanged();
    space_end(child, before);
    space_free(thread);
    space_load(s);
    family_unchanged();
    space_end(s, before);
    CHECK_BALANCE(b);
}

/* Pages that are copy-on-write with a third must be copied first.  Those
 * that were stay copied after a failure, so memory need not balance. */
KTEST(nomem_space_copy_shared_cow)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *s = family();
    struct space *fork = space_new(), *thread = space_new();
    int err = -E_NOMEM;

    CHECK_EQ(space_copy(s, fork, false), 0);
    for (unsigned n = 1; err == -E_NOMEM && n < 200; n++) {
        page_fail_at(n);
        err = space_copy(s, thread, true);
        page_fail_at(0);
        CHECK_EQ(mmu_check(), 0);
        if (err < 0) {
            CHECK_EQ(space_brk(s, at(5001)), 0); /* still its own to shrink */
            CHECK_EQ(space_brk(s, at(5000)), 0);
        }
    }
    CHECK_EQ(err, 0);
    poke(at(0), 100);
    space_load(fork);
    family_unchanged();
    CHECK_EQ(peek(at(0)), 0);
    space_load(thread);
    CHECK_EQ(peek(at(0)), 100);
    space_end(thread, before);
    space_free(fork);
    space_free(s);
    CHECK_BALANCE(b);
}
