/*
 * brk.c - the end of the heap.
 *
 * The heap is the region that starts at space->heap_start; an empty heap has
 * none.  A heap shared by rfork's RFMEM keeps its size in the shared object:
 * what one process grows is valid in the other, whose own region follows at
 * the first fault (shared.c:shared_follow).
 */
#include "mmu/private.h"

/* The heap's region, or NULL while the heap is empty. */
struct region *
heap_region(struct space *s)
{
    struct region *r = region_find(s, s->heap_start);

    return r != NULL && r->start == s->heap_start ? r : NULL;
}

/* Is there a region in [start, end)? */
static bool
range_taken(struct space *s, vaddr_t start, vaddr_t end)
{
    unsigned i = region_index(s, start);

    return i < s->nregion && s->regions[i].start < end;
}

/* The first page or pages of the heap, up to end. */
int
heap_begin(struct space *s, vaddr_t end)
{
    const struct region r = {
        .start = s->heap_start,
        .end = end,
        .prot = PROT_READ | PROT_WRITE,
        .ops = &anon_region,
    };

    return end == s->heap_start ? 0 : region_insert(s, &r);
}

/* Move the end of a private heap. */
static int
heap_move(struct space *s, struct region *r, vaddr_t end)
{
    if (end > r->end) {
        if (range_taken(s, r->end, end))
            return -E_INUSE;
        r->end = end;
        return 0;
    }
    space_unmap(s, end, r->end);
    if (end > r->start)
        r->end = end;
    else
        region_drop(s, r);
    return 0;
}

int
space_brk(struct space *s, vaddr_t end)
{
    struct region *r;
    int err;

    if (end > USER_TOP)
        return -E_BADARG;
    end = ROUND_UP(end, PAGE_SIZE);
    spin_lock(&s->lock);
    r = s->heap_start != 0 ? heap_region(s) : NULL;
    if (s->heap_start == 0 || end < s->heap_start)
        err = -E_BADARG;
    else if (r == NULL)
        err = heap_begin(s, end);
    else if (r->ops == &shared_region)
        err = shared_brk(s, r, end);
    else
        err = heap_move(s, r, end);
    spin_unlock(&s->lock);
    return err;
}

vaddr_t
space_heap_end(struct space *s)
{
    const struct region *r;
    vaddr_t end;

    spin_lock(&s->lock);
    r = s->heap_start != 0 ? heap_region(s) : NULL;
    end = r != NULL ? r->end : s->heap_start;
    if (r != NULL && r->ops == &shared_region)
        end = shared_end(r);
    spin_unlock(&s->lock);
    return end;
}
