/*
 * mmu_test.h - what the tests of stage 2 share: a balance of memory before
 * and after, and a space to try things in.
 */
#pragma once

#include "mmu/private.h"

/* Memory that is in use; equal again after whatever a test undoes. */
struct balance {
    uint64_t used, rest, heap;
};

static inline struct balance
balance_now(void)
{
    struct mem_counters c;

    kheap_trim();
    frame_counters(&c);
    return (struct balance){ c.used, c.free + c.cached, kheap_live() };
}

/* Nothing was lost since `b`, and all counters are true. */
#define CHECK_BALANCE(b)                                                       \
    do {                                                                       \
        struct balance now_ = balance_now();                                   \
                                                                               \
        CHECK_EQ(now_.used, (b).used);                                         \
        CHECK_EQ(now_.rest, (b).rest);                                         \
        CHECK_EQ(now_.heap, (b).heap);                                         \
        CHECK_EQ(mmu_check(), 0);                                              \
    } while (0)

enum {
    RW = PROT_READ | PROT_WRITE,
    RX = PROT_READ | PROT_EXEC
};

/* Where tests put their regions: page n of a range with nothing else. */
static inline vaddr_t
at(uint64_t n)
{
    return USER_ANON_BASE + n * PAGE_SIZE;
}

/* region_add of pages [first, first + n). */
static inline int
add(struct space *s, uint64_t first, uint64_t n, uint32_t prot,
        const struct region_ops *ops)
{
    struct region r = {
        .start = at(first), .end = at(first + n), .prot = prot, .ops = ops
    };

    return region_add(s, &r);
}

/* A new space with n anonymous pages at at(0), loaded. */
static inline struct space *
space_with(uint64_t n)
{
    struct space *s = space_new();

    assert(s != NULL);
    if (n > 0)
        CHECK_EQ(add(s, 0, n, RW, &anon_region), 0);
    space_load(s);
    return s;
}

/* Back to the space that was there before the test, and free this one. */
static inline void
space_end(struct space *s, struct space *before)
{
    space_load(before);
    space_free(s);
}

/* The user word at va, or all ones and a failed check. */
static inline uint64_t
peek(vaddr_t va)
{
    uint64_t v = ~0ul;

    CHECK_EQ(copy_in(&v, va, sizeof(v)), 0);
    return v;
}

static inline void
poke(vaddr_t va, uint64_t v)
{
    CHECK_EQ(copy_out(va, &v, sizeof(v)), 0);
}

/* The leaf entry of va, 0 if there is none. */
static inline pte_t
leaf(struct space *s, vaddr_t va)
{
    pte_t *e = pt_walk(s->root, va, PT_FIND);

    return e != NULL ? *e : 0;
}
