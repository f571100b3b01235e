/*
 * test_mmu_heap.c - the kernel heap, and what debug builds find in it.
 */
#include "mmu_test.h"

KTEST(heap_every_size)
{
    struct balance b = balance_now();

    for (size_t n = 0; n < 5000; n += n < 300 ? 1 : 97) {
        uint8_t *p = kmalloc(n), *q = kmalloc(n);

        CHECK(p != NULL && q != NULL && p != q);
        CHECK_EQ((vaddr_t)p % 16, 0);
        memset(p, 1, n);
        memset(q, 2, n);
        for (size_t i = 0; i < n; i++)
            if (!CHECK_EQ(p[i], 1))
                break;
        kfree(p);
        kfree(q);
    }
    CHECK_BALANCE(b);
}

KTEST(heap_large)
{
    struct balance b = balance_now();
    uint8_t *p = kmalloc(1 << 20);

    CHECK(p != NULL);
    CHECK_EQ((vaddr_t)p % 16, 0);
    p[0] = p[(1 << 20) - 1] = 1;
    kfree(p);
    CHECK(kmalloc((1 << 20) + 1) == NULL);
    CHECK(kmalloc(~0ul) == NULL);
    CHECK(kmalloc(1ul << 63) == NULL);
    CHECK_BALANCE(b);
}

KTEST(heap_zeroed)
{
    for (size_t n = 1; n < 3000; n += 61) {
        uint8_t *p = kmalloc(n);
        unsigned sum = 0;

        memset(p, 0xff, n);
        kfree(p);
        p = kzalloc(n);
        for (size_t i = 0; i < n; i++)
            sum += p[i];
        CHECK_EQ(sum, 0);
        kfree(p);
    }
}

KTEST(heap_null)
{
    struct balance b = balance_now();
    void *p = kmalloc(0), *q = kmalloc(0);

    kfree(NULL);
    CHECK(p != NULL && p != q);
    kfree(p);
    kfree(q);
    CHECK_BALANCE(b);
}

/* Random blocks keep their bytes, in any order of free. */
/* seeds: 3 */
KTEST(heap_random)
{
    enum {
        N = 200
    };
    static struct {
        uint8_t *p;
        size_t n;
        uint8_t mark;
    } block[N];
    struct balance b = balance_now();

    memset(block, 0, sizeof(block));
    for (unsigned step = 0; step < 8000; step++) {
        CHECK_ROUND(step);
        unsigned i = ktest_random(&seed) % N;
        uint64_t random = ktest_random(&seed);

        if (block[i].p != NULL) {
            CHECK_EQ(block[i].p[0], block[i].mark);
            CHECK_EQ(block[i].p[block[i].n - 1], block[i].mark);
            kfree(block[i].p);
            block[i].p = NULL;
            continue;
        }
        block[i].n = 1 + random % (random >> 60 ? 300 : 9000);
        block[i].mark = step;
        block[i].p = kmalloc(block[i].n);
        if (CHECK(block[i].p != NULL))
            memset(block[i].p, block[i].mark, block[i].n);
    }
    for (unsigned i = 0; i < N; i++)
        kfree(block[i].p);
    CHECK_BALANCE(b);
}

/* Many blocks of one class fill many pages, and all come back. */
KTEST(heap_slabs_come_back)
{
    enum {
        N = 3000
    };
    static void *p[N];
    struct balance b = balance_now();

    for (unsigned i = 0; i < N; i++)
        p[i] = kmalloc(48);
    CHECK_EQ(kheap_live(), b.heap + N);
    for (unsigned i = 0; i < N; i++)
        kfree(p[i * 7 % N]);
    CHECK_BALANCE(b);
}

/* A class that frees and allocates in turn keeps its page; only one. */
KTEST(heap_keeps_one_slab)
{
    struct balance b = balance_now();
    struct mem_counters before, after;
    static void *p[200];
    bool magazines = kheap_use_magazines(false); /* else a free keeps more */
    void *one = kmalloc(192);

    kfree(one);
    frame_counters(&before);
    CHECK_EQ(before.used, b.used + 1); /* the empty slab waits */
    for (unsigned i = 0; i < 50; i++) {
        one = kmalloc(192);
        kfree(one);
    }
    frame_counters(&after);
    CHECK_EQ(after.used, before.used);
    CHECK_EQ(after.cached, before.cached);
    for (unsigned i = 0; i < ARRAY_LEN(p); i++)
        p[i] = kmalloc(192);
    for (unsigned i = 0; i < ARRAY_LEN(p); i++)
        kfree(p[i]);
    frame_counters(&after);
    CHECK_EQ(after.used, before.used);
    CHECK_BALANCE(b);
    kheap_use_magazines(magazines);
}

/* When no page is left, the blocks at hand of all classes and CPUs come back:
 * a slab of another class can be made of their pages.  Kept blocks count as
 * free all the time. */
KTEST(heap_magazines_when_short)
{
    enum {
        BLOCKS = 4 /* of 1360 bytes, two a page: two slabs */
    };
    struct balance b = balance_now();
    bool magazines = kheap_use_magazines(true);
    void *p[BLOCKS], *one, *pair;
    paddr_t pages = 0, pa;

    for (unsigned i = 0; i < BLOCKS; i++)
        p[i] = kmalloc(1300);
    for (unsigned i = 0; i < BLOCKS; i++)
        kfree(p[i]);
    pair = kmalloc(PAGE_SIZE + 100);
    kfree(pair);
    CHECK_EQ(kheap_live(), b.heap);
    while ((pa = page_alloc()) != 0) {
        *(paddr_t *)pa_to_kva(pa) = pages;
        pages = pa;
    }
    one = kmalloc(500);
    CHECK(one != NULL);
    kfree(one);
    CHECK_EQ(kheap_live(), b.heap);
    while (pages != 0) {
        pa = pages;
        pages = *(paddr_t *)pa_to_kva(pa);
        page_unref(pa);
    }
    kheap_use_magazines(magazines);
    CHECK_BALANCE(b);
}

KTEST(heap_no_memory)
{
    struct balance b = balance_now();
    void *p = NULL;
    unsigned n = 0;

    while (p == NULL) {
        page_fail_at(++n);
        p = kmalloc(1360);
        page_fail_at(0);
        if (p == NULL)
            CHECK_BALANCE(b);
    }
    CHECK_GE(n, 2);
    kfree(p);
    CHECK_BALANCE(b);
}

/* panic: was not allocated by kmalloc */
KTEST(heap_wild_free_panics)
{
    static char data[64];

    kfree(data);
}

/* panic: was not allocated by kmalloc */
KTEST(heap_inner_free_panics)
{
    kfree((char *)kmalloc(100) + 4);
}

/* kernel: debug
 * panic: double free */
KTEST(heap_double_free_found)
{
    void *p = kmalloc(40);

    kfree(p);
    kfree(p);
}

/* kernel: debug
 * panic: after it was freed */
KTEST(heap_use_after_free_found)
{
    char *p = kmalloc(40);

    kfree(p);
    p[10] = 1;
    kmalloc(40);
}

/* kernel: debug
 * panic: was written at offset 40 */
KTEST(heap_overrun_found)
{
    char *p = kmalloc(40);

    p[40] = 1;
    kfree(p);
}

/* kernel: debug
 * panic: were overwritten */
KTEST(heap_underrun_found)
{
    char *p = kmalloc(40);

    p[-1] = 1;
    kfree(p);
}

/* kernel: debug
 * panic: was written at offset 5000 */
KTEST(heap_large_overrun_found)
{
    char *p = kmalloc(5000);

    p[5000] = 1;
    kfree(p);
}
