/*
 * kheap_magazine.c - free blocks of the heap at hand for each CPU, so that most
 * kmalloc and kfree take no lock (Bonwick's magazines, USENIX 2001).
 *
 * A magazine is a small stack of blocks of one size class, or of pairs of
 * pages.  To the slabs and the buddy allocator below its blocks are given out;
 * to kheap_live they are free.  Only its own CPU uses it, except for
 * magazine_drain.  Both take `busy` without waiting: the CPU goes to the slabs
 * if it is taken, magazine_drain to the next magazine.  That also keeps an
 * interrupt out that comes in between.
 */
#include "mmu/kheap.h"

enum {
    MAGAZINE_BLOCKS = 16,
    MAGAZINE_BYTES = 16384 /* no magazine holds more */
};

struct magazine {
    uint32_t busy; /* atomic */
    uint32_t count;
    void *block[MAGAZINE_BLOCKS];
};

static struct magazine magazines[MAX_CPUS][HEAP_MAGAZINES];
static uint32_t room[HEAP_MAGAZINES]; /* 0: the magazines are not in use */

static bool
try_take(struct magazine *m)
{
    return __atomic_exchange_n(&m->busy, 1, __ATOMIC_ACQUIRE) == 0;
}

static void
let_go(struct magazine *m)
{
    __atomic_store_n(&m->busy, 0, __ATOMIC_RELEASE);
}

void *
magazine_take(unsigned class)
{
    struct magazine *m = &magazines[this_cpu()->id][class];
    void *block = NULL;

    if (!try_take(m))
        return NULL;
    if (m->count > 0)
        block = m->block[--m->count];
    let_go(m);
    return block;
}

bool
magazine_put(unsigned class, void *block)
{
    struct magazine *m = &magazines[this_cpu()->id][class];
    bool put;

    if (!try_take(m))
        return false;
    put = m->count < room[class];
    if (put)
        m->block[m->count++] = block;
    let_go(m);
    return put;
}

uint64_t
magazine_blocks(void)
{
    uint64_t n = 0;

    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
        for (unsigned c = 0; c < HEAP_MAGAZINES; c++)
            n += magazines[cpu][c].count;
    return n;
}

/*
 * The blocks of one magazine, which is empty afterwards.  None if its CPU is
 * using it just now: the caller may hold a lock that an interrupt there waits
 * for, so it cannot wait in turn.
 */
static unsigned
unload(struct magazine *m, void *block[])
{
    unsigned n;

    if (!try_take(m))
        return 0;
    n = m->count;
    memcpy(block, m->block, n * sizeof(*block));
    m->count = 0;
    let_go(m);
    return n;
}

void
magazine_drain(void (*give_back)(void *block))
{
    void *block[MAGAZINE_BLOCKS];

    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++) {
        for (unsigned c = 0; c < HEAP_MAGAZINES; c++) {
            unsigned n = unload(&magazines[cpu][c], block);

            while (n > 0)
                give_back(block[--n]);
        }
    }
}

bool
kheap_use_magazines(bool use)
{
    bool used = room[0] != 0;

    for (unsigned c = 0; c < HEAP_MAGAZINES; c++) {
        uint32_t n = MAGAZINE_BYTES /
                     (c == HEAP_PAIRS ? 2 * PAGE_SIZE : kheap_class_size(c));

        room[c] = !use ? 0 : n < MAGAZINE_BLOCKS ? n : MAGAZINE_BLOCKS;
    }
    if (!use)
        kheap_trim();
    return used;
}
