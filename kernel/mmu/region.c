/*
 * region.c - what the addresses of a space mean: a sorted array of regions.
 *
 * Invariant: regions are page-aligned, inside user space, not empty, sorted
 * by start, and disjoint.  A process has a handful, so an array with binary
 * search beats any tree, and a look at it shows the whole layout.
 */
#include "mmu/private.h"

enum {
    FIRST_ROOM = 8
};

/* Make the array large enough for `room` regions: 0 or -E_NOMEM. */
int
regions_room(struct space *s, unsigned room)
{
    unsigned more = s->room > 0 ? s->room : FIRST_ROOM;
    struct region *array;

    if (room <= s->room)
        return 0;
    while (more < room)
        more *= 2;
    array = kmalloc(more * sizeof(*array));
    if (array == NULL)
        return -E_NOMEM;
    if (s->nregion > 0)
        memcpy(array, s->regions, s->nregion * sizeof(*array));
    kfree(s->regions);
    s->regions = array;
    s->room = more;
    return 0;
}

/*
 * Index of the first region that ends above va; s->nregion if none does.
 * Not more than log2 of the number of regions are looked at.
 *
 * Lab 2.8
 */
unsigned
region_index(const struct space *s, vaddr_t va)
{
    unsigned low = 0, high = s->nregion;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (s->regions[middle].end > va)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct region *
region_find(struct space *s, vaddr_t va)
{
    unsigned i = region_index(s, va);

    return i < s->nregion && s->regions[i].start <= va ? &s->regions[i] : NULL;
}

/* Whole pages, in user space, not empty. */
static bool
range_valid(vaddr_t start, vaddr_t end)
{
    return start >= USER_BASE && start < end && end <= USER_TOP &&
           !((start | end) & PAGE_MASK);
}

static bool
region_valid(const struct region *r)
{
    const uint32_t wx = PROT_WRITE | PROT_EXEC;

    return range_valid(r->start, r->end) && (r->prot & wx) != wx &&
           !(r->prot & ~(PROT_READ | wx)) && r->ops != NULL;
}

/*
 * Put a copy of r at its place in the array, which stays sorted.  The count
 * of its object goes with it.  -E_BADARG if r is not valid; -E_INUSE if it
 * overlaps another by a single page (to touch is legal); -E_NOMEM.  After an
 * error nothing has changed.
 *
 * Lab 2.8
 */
int
region_insert(struct space *s, const struct region *r)
{
    unsigned i = region_index(s, r->start);

    if (!region_valid(r))
        return -E_BADARG;
    if (i < s->nregion && s->regions[i].start < r->end)
        return -E_INUSE;
    if (regions_room(s, s->nregion + 1) < 0)
        return -E_NOMEM;
    memmove(&s->regions[i + 1], &s->regions[i],
            (s->nregion - i) * sizeof(*s->regions));
    s->regions[i] = *r;
    s->nregion++;
    return 0;
}

int
region_add(struct space *s, const struct region *r)
{
    int err;

    spin_lock(&s->lock);
    err = region_insert(s, r);
    spin_unlock(&s->lock);
    return err;
}

/* Move a region's start up; what the object has for the rest moves along. */
static void
trim_front(struct region *r, vaddr_t start)
{
    uint64_t by = start - r->start;

    r->start = start;
    r->offset += by;
    r->length -= by < r->length ? by : r->length;
}

/*
 * Cut the hole [start, end) into the middle of regions[i]: it ends at start
 * now, and a second region, behind it in the array, begins at end with what
 * the object has for that address (trim_front).  The object has one owner
 * more (ops->dup).  0 or an error, and then nothing has changed.
 * regions_room moves the array: no pointer into it lives across that call.
 *
 * Lab 2.8
 */
static int
split(struct space *s, unsigned i, vaddr_t start, vaddr_t end)
{
    struct region upper;
    int err = regions_room(s, s->nregion + 1);

    if (err < 0)
        return err;
    upper = s->regions[i];
    err = upper.ops->dup(&s->regions[i], &upper);
    if (err < 0)
        return err;
    trim_front(&upper, end);
    s->regions[i].end = start;
    memmove(&s->regions[i + 2], &s->regions[i + 1],
            (s->nregion - i - 1) * sizeof(*s->regions));
    s->regions[i + 1] = upper;
    s->nregion++;
    return 0;
}

/* Delete regions [from, to) of the array; their pages are unmapped. */
static void
delete_regions(struct space *s, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        s->regions[i].ops->close(&s->regions[i]);
    memmove(&s->regions[from], &s->regions[to],
            (s->nregion - to) * sizeof(*s->regions));
    s->nregion -= to - from;
}

/* Delete one region, whose pages are unmapped. */
void
region_drop(struct space *s, struct region *r)
{
    delete_regions(s, r - s->regions, r - s->regions + 1);
}

/* Take [start, end) out of regions i and up, after any split. */
static void
cut_regions(struct space *s, unsigned i, vaddr_t start, vaddr_t end)
{
    unsigned first, last;

    if (i < s->nregion && s->regions[i].start < start) {
        if (s->regions[i].end > start)
            s->regions[i].end = start;
        i++;
    }
    first = last = i;
    while (last < s->nregion && s->regions[last].end <= end)
        last++;
    if (last < s->nregion && s->regions[last].start < end)
        trim_front(&s->regions[last], end);
    delete_regions(s, first, last);
}

/* region_remove with the lock held. */
static int
remove_locked(struct space *s, vaddr_t start, vaddr_t end)
{
    unsigned i = region_index(s, start);

    if (i < s->nregion && s->regions[i].start < start &&
            s->regions[i].end > end) {
        int err = split(s, i, start, end);

        if (err < 0)
            return err;
    }
    space_unmap(s, start, end);
    cut_regions(s, i, start, end);
    return 0;
}

int
region_remove(struct space *s, vaddr_t start, vaddr_t end)
{
    int err;

    if (!range_valid(start, end))
        return -E_BADARG;
    spin_lock(&s->lock);
    err = remove_locked(s, start, end);
    spin_unlock(&s->lock);
    return err;
}

/* Remove every region and page; for a space that nobody else knows. */
void
regions_clear(struct space *s)
{
    for (unsigned i = 0; i < s->nregion; i++)
        space_unmap(s, s->regions[i].start, s->regions[i].end);
    delete_regions(s, 0, s->nregion);
    kfree(s->regions);
    s->regions = NULL;
    s->room = 0;
    s->heap_start = 0;
}

vaddr_t
region_gap(struct space *s, vaddr_t from, size_t len)
{
    vaddr_t at = from > USER_BASE ? from : USER_BASE;
    vaddr_t found = 0;

    if (at > USER_TOP || len == 0 || len > USER_TOP)
        return 0;
    at = ROUND_UP(at, PAGE_SIZE);
    len = ROUND_UP(len, PAGE_SIZE);
    spin_lock(&s->lock);
    for (unsigned i = region_index(s, at);; i++) {
        vaddr_t end = i < s->nregion ? s->regions[i].start : USER_TOP;

        if (at < end && end - at >= len)
            found = at;
        if (found != 0 || i >= s->nregion)
            break;
        at = s->regions[i].end;
    }
    spin_unlock(&s->lock);
    return found;
}
