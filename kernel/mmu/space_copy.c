/*
 * space_copy.c - fork's half of memory: a second space with the same pages.
 *
 * The page tables are copied, eagerly and in one pass, the pages are not:
 * writable private ones become read-only and PTE_COW in both spaces, and the
 * first to write gets a copy of its own (fault.c).  No allocation but for
 * the child's tables; one TLB flush of the parent.
 */
#include "mmu/private.h"

/*
 * Copy the entries in use in [e, end) to the child's table, from `to` on.  Each
 * page gets one owner more and counts as the child's resident.  Writable ones
 * become read-only and PTE_COW in both, if they are private.  The child's
 * entries start without PTE_ACCESSED and PTE_DIRTY.
 *
 * Lab 2.11
 */
static void
copy_entries(pte_t *to, pte_t *e, pte_t *end, bool private, struct space *child)
{
    for (;;) {
        pte_t *next = pte_skip(e, end);

        if (next == end)
            return;
        to += next - e;
        e = next;
        if (private && (*e & PTE_WRITE))
            *e = (*e & ~(uint64_t)PTE_WRITE) | PTE_COW;
        page_ref(*e & PTE_ADDR);
        pte_set(to++, *e++ & ~(uint64_t)(PTE_ACCESSED | PTE_DIRTY));
        child->resident++;
    }
}

/*
 * Show the pages of one region, as far as they are there, in the child, at the
 * same addresses.  They are private unless the region is shared_region's kind.
 * Tables that the parent does not have cost no time (pt_next_table).
 *
 * 0, or -E_NOMEM with part of it done: the caller clears the child.  It also
 * flushes the parent's TLBs, once for all regions.
 *
 * Lab 2.11
 */
static int
copy_pages(struct space *parent, struct space *child, const struct region *r)
{
    pte_t *from, *to;

    for (vaddr_t va = r->start;
            (from = pt_next_table(parent->root, &va, r->end)) != NULL;) {
        vaddr_t stop = pt_table_end(va, r->end);

        to = pt_walk(child->root, va, PT_MAKE);
        if (to == NULL)
            return -E_NOMEM;
        from += pt_index(va, 0);
        copy_entries(to, from, from + ((stop - va) >> PAGE_SHIFT),
                r->ops != &shared_region, child);
        va = stop;
    }
    return 0;
}

/* Is it data that a fork without RFMEM must not go on sharing? */
static bool
to_be_private(const struct region *r, bool share)
{
    return !share && r->ops == &shared_region &&
           ((const struct shared *)r->object)->data;
}

/* Copy one region, the next of the child, and its pages: 0 or -E_NOMEM. */
static int
copy_region(
        struct space *parent, struct space *child, struct region *r, bool share)
{
    struct region *copy = &child->regions[child->nregion];
    int err;

    *copy = *r;
    if (to_be_private(r, share)) {
        child->nregion++;
        return shared_copy(r, child, copy);
    }
    err = r->ops->dup(r, copy);
    if (err < 0)
        return err;
    child->nregion++;
    return copy_pages(parent, child, r);
}

/* Copy regions and pages; on failure the child has some of them. */
static int
copy_regions(struct space *parent, struct space *child, bool share)
{
    int err = regions_room(child, parent->nregion);

    for (unsigned i = 0; err == 0 && i < parent->nregion; i++)
        err = copy_region(parent, child, &parent->regions[i], share);
    return err;
}

/* space_copy with the parent's lock held. */
static int
copy_locked(struct space *parent, struct space *child, bool share)
{
    struct before_sharing before;
    int err;

    shared_follow(parent);
    err = share ? shared_convert(parent, &before) : 0;
    if (err < 0)
        return err;
    err = copy_regions(parent, child, share);
    tlb_flush(parent, USER_BASE, USER_TOP);
    if (err < 0)
        regions_clear(child);
    if (share && err < 0)
        shared_revert(parent, &before);
    else if (share)
        shared_keep(&before);
    return err;
}

int
space_copy(struct space *parent, struct space *child, bool share)
{
    int err;

    assert(child->nregion == 0);
    spin_lock(&parent->lock);
    err = copy_locked(parent, child, share);
    child->heap_start = err == 0 ? parent->heap_start : 0;
    child->limit = parent->limit;
    spin_unlock(&parent->lock);
    return err;
}
