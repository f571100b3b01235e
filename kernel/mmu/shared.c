/*
 * shared.c - memory that several spaces show: one object, many regions.
 *
 * The object owns its pages: one reference each, besides one for each mapping.
 * It finds them by a page table of its own, in which the address is the
 * offset in the object.  A page comes to be at the first fault of anyone;
 * bytes of an image that was shared half-read are kept for that moment.
 *
 * An object only grows.  It goes with its last region.
 */
#include "mmu/private.h"

static struct spinlock shared_lock = SPINLOCK_INIT(RANK_KVM, "shared objects");
struct shared *shared_objects; /* [shared_lock] */

static struct shared *
object_new(uint64_t size)
{
    struct shared *o = kzalloc(sizeof(*o));
    paddr_t pa;

    if (o == NULL)
        return NULL;
    pa = page_alloc_zeroed();
    if (pa == 0) {
        kfree(o);
        return NULL;
    }
    frame_of(pa)->flags |= FRAME_TABLE;
    spin_init(&o->lock, RANK_SHARED, "shared memory");
    o->refs = 1;
    o->pages = pa_to_kva(pa);
    o->size = size;
    spin_lock(&shared_lock);
    o->next = shared_objects;
    o->link = &shared_objects;
    if (o->next != NULL)
        o->next->link = &o->next;
    shared_objects = o;
    spin_unlock(&shared_lock);
    return o;
}

int
shared_make(struct region *r)
{
    struct shared *o = object_new(r->end - r->start);

    if (o == NULL)
        return -E_NOMEM;
    r->ops = &shared_region;
    r->object = o;
    r->offset = r->length = 0;
    return 0;
}

static void
drop_page(paddr_t pa, void *arg)
{
    (void)arg;
    page_unref(pa);
}

static void
object_unref(struct shared *o)
{
    if (__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    spin_lock(&shared_lock);
    *o->link = o->next;
    if (o->next != NULL)
        o->next->link = o->link;
    spin_unlock(&shared_lock);
    pt_release(pt_unmap(o->pages, 0, o->size, drop_page, NULL));
    page_free_zeroed(kva_to_pa(o->pages));
    kfree(o);
}

/* The object's page at offset, with a reference for the caller; 0: no
 * memory.  The caller holds o->lock. */
static paddr_t
object_page(struct shared *o, uint64_t offset)
{
    pte_t *e = pt_walk(o->pages, offset, PT_FIND);
    paddr_t pa;

    if (e != NULL && *e != 0) {
        pa = *e & PTE_ADDR;
        page_ref(pa);
        return pa;
    }
    pa = offset < o->length ? page_alloc() : page_alloc_zeroed();
    if (pa == 0)
        return 0;
    if (pt_map(o->pages, offset, pa, 0) < 0) {
        page_unref(pa);
        return 0;
    }
    if (offset < o->length)
        image_fill(pa_to_kva(pa), o->image, o->length, offset);
    page_ref(pa);
    return pa;
}

static int
shared_fault(
        struct space *s, struct region *r, vaddr_t va, enum fault_access access)
{
    struct shared *o = r->object;
    paddr_t pa;
    int err = -E_NOMEM;

    (void)access;
    spin_lock(&o->lock);
    pa = object_page(o, va - r->start + r->offset);
    spin_unlock(&o->lock);
    if (pa != 0)
        err = space_map(s, va, pa, prot_flags(r->prot));
    if (pa != 0 && err < 0)
        page_unref(pa);
    return err;
}

static int
shared_dup(struct region *r, struct region *copy)
{
    struct shared *o = r->object;

    (void)copy;
    __atomic_add_fetch(&o->refs, 1, __ATOMIC_RELAXED);
    return 0;
}

static void
shared_close(struct region *r)
{
    object_unref(r->object);
}

const struct region_ops shared_region = {
    .name = "shared",
    .fault = shared_fault,
    .dup = shared_dup,
    .close = shared_close,
};

/* ---- the shared heap ---- */

/* Where a region ends that shows its object to the end; its own beginning may
 * have been unmapped (region.c:trim_front). */
vaddr_t
shared_end(const struct region *r)
{
    struct shared *o = r->object;
    vaddr_t end;

    spin_lock(&o->lock);
    end = r->start + o->size - r->offset;
    spin_unlock(&o->lock);
    return end;
}

/* Let a region reach up to `end`: 0 or -E_INUSE. */
static int
reach(struct space *s, struct region *r, vaddr_t end)
{
    const struct region *next = r + 1;

    if (next < s->regions + s->nregion && next->start < end)
        return -E_INUSE;
    if (end > r->end)
        r->end = end;
    return 0;
}

/* space_brk of a shared heap: it grows for all and cannot shrink. */
int
shared_brk(struct space *s, struct region *r, vaddr_t end)
{
    struct shared *o = r->object;
    uint64_t size = end - r->start + r->offset;
    int err;

    spin_lock(&o->lock);
    err = size < o->size ? -E_INUSE : reach(s, r, end);
    if (err == 0)
        o->size = size;
    spin_unlock(&o->lock);
    return err;
}

/* Let the region of a shared heap follow what others made of it. */
void
shared_follow(struct space *s)
{
    struct region *r = s->heap_start != 0 ? heap_region(s) : NULL;

    if (r != NULL && r->ops == &shared_region)
        reach(s, r, shared_end(r));
}

/* ---- private regions become shared: rfork with RFMEM ---- */

/* Writable data, which RFMEM shares; stacks and text stay as they are. */
static bool
to_be_shared(const struct region *r)
{
    return (r->prot & PROT_WRITE) &&
           (r->ops == &anon_region || r->ops == &image_region);
}

/* Move the page at va of s into the object: 0 or -E_NOMEM. */
static int
adopt_page(
        struct space *s, struct shared *o, const struct region *r, vaddr_t va)
{
    pte_t *mine = pt_walk(s->root, va, PT_FIND);
    paddr_t pa;
    int err;

    if (mine == NULL || *mine == 0)
        return 0;
    if (*mine & PTE_COW) { /* shared with others who must not see our writes */
        err = space_break_cow(s, va, mine);
        if (err < 0)
            return err;
    }
    pa = *mine & PTE_ADDR;
    err = pt_map(o->pages, va - r->start, pa, 0);
    if (err == 0)
        page_ref(pa);
    return err;
}

/* An object with all that region r of s has now, or NULL. */
static struct shared *
object_from(struct space *s, struct region *r)
{
    struct shared *o = object_new(r->end - r->start);

    if (o == NULL)
        return NULL;
    if (r->ops == &image_region) {
        o->image = (const char *)r->object + r->offset;
        o->length = r->length < o->size ? r->length : o->size;
    }
    o->data = true;
    for (vaddr_t va = r->start; pt_next_table(s->root, &va, r->end) != NULL;
            va += PAGE_SIZE) {
        if (adopt_page(s, o, r, va) < 0) {
            object_unref(o);
            return NULL;
        }
    }
    return o;
}

/* Turn the regions that RFMEM shares; on failure some of them are. */
static int
convert_regions(struct space *s)
{
    for (unsigned i = 0; i < s->nregion; i++) {
        struct region *r = &s->regions[i];
        struct shared *o;

        if (!to_be_shared(r))
            continue;
        o = object_from(s, r);
        if (o == NULL)
            return -E_NOMEM;
        r->ops = &shared_region;
        r->object = o;
        r->offset = r->length = 0;
    }
    return 0;
}

/*
 * Undo: the regions are what they were; their pages are still mapped, and
 * lose only the object as second owner.
 */
void
shared_revert(struct space *s, struct before_sharing *b)
{
    for (unsigned i = 0; i < s->nregion; i++) {
        if (s->regions[i].ops != b->regions[i].ops)
            s->regions[i].ops->close(&s->regions[i]);
        s->regions[i] = b->regions[i];
    }
    if (b->new_heap)
        region_drop(s, heap_region(s));
    kfree(b->regions);
}

/*
 * Make the writable data of s shared: 0, or -E_NOMEM with nothing changed.
 * Until shared_keep, shared_revert undoes it.  An empty heap becomes one
 * page, or later growth would be private.
 */
int
shared_convert(struct space *s, struct before_sharing *b)
{
    vaddr_t end = s->heap_start + PAGE_SIZE;
    int err;

    b->new_heap = false;
    if (s->heap_start != 0 && heap_region(s) == NULL) {
        err = heap_begin(s, end);
        if (err == -E_NOMEM)
            return err;
        b->new_heap = err == 0; /* else the place is taken: no heap at all */
    }
    b->regions = kmalloc(s->nregion * sizeof(*b->regions));
    if (b->regions == NULL) {
        if (b->new_heap)
            region_drop(s, heap_region(s));
        return -E_NOMEM;
    }
    if (s->nregion > 0)
        memcpy(b->regions, s->regions, s->nregion * sizeof(*b->regions));
    err = convert_regions(s);
    if (err < 0)
        shared_revert(s, b);
    return err;
}

/* The conversion stands: forget what was before. */
void
shared_keep(struct before_sharing *b)
{
    kfree(b->regions);
}

/* ---- and private again: a fork without RFMEM ---- */

/* Give the child a copy of the object's page for va: 0 or -E_NOMEM. */
static int
copy_page(struct space *child, const struct region *copy, vaddr_t va, pte_t e)
{
    paddr_t pa = page_alloc();
    int err;

    if (pa == 0)
        return -E_NOMEM;
    memcpy(pa_to_kva(pa), pa_to_kva(e & PTE_ADDR), PAGE_SIZE);
    err = space_map(child, va, pa, prot_flags(copy->prot));
    if (err < 0)
        page_unref(pa);
    return err;
}

/*
 * Turn `copy`, a copy of r without a share in its object, into a private
 * region of the child with what the object has now.  The pages are copied at
 * once: other processes go on writing to them.  0 or -E_NOMEM, and then the
 * child has some of them.
 */
int
shared_copy(const struct region *r, struct space *child, struct region *copy)
{
    struct shared *o = r->object;
    uint64_t end = r->offset + (r->end - r->start);
    int err = 0;

    copy->ops = o->image != NULL ? &image_region : &anon_region;
    copy->object = (void *)o->image;
    copy->length = r->offset < o->length ? o->length - r->offset : 0;
    spin_lock(&o->lock);
    for (uint64_t at = r->offset;
            err == 0 && pt_next_table(o->pages, &at, end) != NULL;
            at += PAGE_SIZE) {
        pte_t e = *pt_walk(o->pages, at, PT_FIND);

        if (e != 0)
            err = copy_page(child, copy, at - r->offset + r->start, e);
    }
    spin_unlock(&o->lock);
    return err;
}
