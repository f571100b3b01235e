/*
 * test_mmu_kasan.c - mistakes with memory that a kernel built with SAN=kasan
 * must name at once.
 *
 * kernel: kasan
 */
#include "mmu_test.h"

/* panic: reads a heap block that was freed */
KTEST(kasan_heap_read_after_free)
{
    volatile char *p = kmalloc(40);

    kfree((void *)p);
    p[10];
}

/* panic: writes to a heap block that was freed */
KTEST(kasan_heap_write_after_free)
{
    volatile uint64_t *p = kmalloc(900);

    kfree((void *)p);
    p[100] = 1;
}

/* One byte too far, although the block has room to spare. */
/* panic: writes to memory around a heap block */
KTEST(kasan_heap_overrun_by_one)
{
    volatile char *p = kmalloc(41);

    p[40] = 1;
    p[41] = 1;
}

/* panic: reads memory around a heap block */
KTEST(kasan_heap_underrun)
{
    volatile uint32_t *p = kmalloc(100);

    p[-1];
}

/* panic: writes to memory around a heap block */
KTEST(kasan_heap_memset_too_long)
{
    char *p = kmalloc(64);

    memset(p, 0, 64);
    memset(p, 0, 65);
}

/* panic: reads memory around a heap block */
KTEST(kasan_heap_word_across_the_end)
{
    volatile char *p = kmalloc(12);

    *(volatile uint32_t *)(p + 8);
    *(volatile uint64_t *)(p + 8);
}

/* panic: a page that is free */
KTEST(kasan_page_after_free)
{
    paddr_t pa = page_alloc();
    volatile uint64_t *p = pa_to_kva(pa);

    p[0] = 1;
    page_unref(pa);
    p[0] = 2;
}

/* panic: a page that is free */
KTEST(kasan_block_end)
{
    paddr_t pa = pages_alloc(3);
    volatile char *p = pa_to_kva(pa);

    for (unsigned i = 0; i < 8 * PAGE_SIZE; i += 512)
        p[i] = 1;
    pages_free(pa, 3);
    p[7 * PAGE_SIZE] = 1;
}

/* panic: writes to memory around a heap block */
KTEST(kasan_copy_in_too_long)
{
    char *p = kmalloc(32);

    space_with(1);
    CHECK_EQ(copy_in(p, at(0), 32), 0);
    copy_in(p, at(0), 33);
}
