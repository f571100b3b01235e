/*
 * reserve.c - pages set aside for allocations that must not fail.
 *
 * When memory is short, every other allocation fails while some pages are left
 * here.  With these the first process goes on, so that it can start a shell as
 * soon as others have ended.  While the reserve is not full, no CPU keeps a
 * page that becomes free (cache_room): it goes to the reserve.
 */
#include "mmu/private.h"

enum {
    RESERVE_PAGES = 128,
    LARGEST_SHARE = 64 /* of the free memory, one part in this many */
};

static bool (*page_vital)(void); /* see reserve_init */

static uint32_t reserve[RESERVE_PAGES]; /* frame numbers; frames_lock */
static unsigned nreserve, wanted;       /* how many; frames_lock */

static void
reserve_put(uint64_t pfn)
{
    ram.frames[pfn].state = FRAME_CACHED;
    reserve[nreserve++] = (uint32_t)pfn;
    cache_room = nreserve < wanted ? 0 : CACHE_PAGES;
}

void
reserve_fill(struct page_stack *s)
{
    spin_lock(&frames_lock);
    while (nreserve < wanted && s->n > 0)
        reserve_put(s->pfn[--s->n]);
    while (nreserve < wanted && ram.free > 0)
        reserve_put(buddy_alloc(&ram, 0));
    spin_unlock(&frames_lock);
}

uint64_t
reserve_take(void)
{
    uint64_t pfn = 0;

    if (!page_vital || !page_vital())
        return 0;
    spin_lock(&frames_lock);
    if (nreserve > 0) {
        pfn = reserve[--nreserve];
        cache_room = 0;
    }
    spin_unlock(&frames_lock);
    return pfn;
}

unsigned
reserve_pages(void)
{
    return nreserve;
}

void
reserve_init(bool (*vital)(void))
{
    struct page_stack none = { .n = 0 };
    uint64_t part = ram.free / LARGEST_SHARE;

    page_vital = vital;
    wanted = part < RESERVE_PAGES ? (unsigned)part : RESERVE_PAGES;
    reserve_fill(&none);
}
