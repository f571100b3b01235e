/*
 * test_mmu_krealloc.c - a challenge of lab 2: blocks of the heap that grow.
 *
 * The kernel has no krealloc unless a student writes it; then these tests
 * find it.
 *
 * challenge: C3
 */
#include "mmu_test.h"

/*
 * Give the block p (NULL: none yet) room for n bytes, where it is or
 * elsewhere, with its bytes as far as both sizes go.  NULL: no memory, or n
 * is too large, and then p is as before.
 */
void *krealloc(void *p, size_t n) __attribute__((weak));

static bool
there(void)
{
    return CHECK(krealloc != NULL);
}

/* Bytes survive every change of size. */
KTEST(krealloc_keeps_bytes)
{
    struct balance b = balance_now();
    static const size_t sizes[] = { 1, 16, 17, 500, 40, 3000, 100000, 5000, 8 };
    uint8_t *p = NULL;
    size_t had = 0;

    if (!there())
        return;
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        size_t n = sizes[i];

        p = krealloc(p, n);
        if (!CHECK(p != NULL))
            return;
        for (size_t j = 0; j < (n < had ? n : had); j++)
            if (!CHECK_EQ(p[j], (uint8_t)(j * 7 + i - 1)))
                break;
        for (size_t j = 0; j < n; j++)
            p[j] = j * 7 + i;
        had = n;
    }
    kfree(p);
    CHECK_BALANCE(b);
}

/* A block that has the room stays where it is. */
KTEST(krealloc_stays_if_it_can)
{
    struct balance b = balance_now();
    uint8_t *p = kmalloc(260), *q;

    if (!there())
        return;
    q = krealloc(p, 280);
    CHECK(q == p);
    q = krealloc(q, 10000);
    CHECK_NE(q, p);
    p = krealloc(q, 12000);
    CHECK(p == q);
    kfree(p);
    CHECK_BALANCE(b);
}

/* Without memory the old block is still there, with all its bytes. */
KTEST(krealloc_no_memory)
{
    struct balance b = balance_now();
    uint8_t *p = kmalloc(100);

    if (!there())
        return;
    memset(p, 0x5a, 100);
    page_fail_at(1);
    CHECK(krealloc(p, 2000) == NULL);
    page_fail_at(0);
    CHECK(krealloc(p, (1 << 20) + 1) == NULL);
    CHECK(krealloc(p, ~0ul) == NULL);
    for (unsigned i = 0; i < 100; i++)
        if (!CHECK_EQ(p[i], 0x5a))
            break;
    kfree(p);
    CHECK_BALANCE(b);
}
