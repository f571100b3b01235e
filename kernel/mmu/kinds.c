/*
 * kinds.c - the kinds of private region: anonymous, stack, image.
 *
 * Each says how a missing page comes to be; copy-on-write afterwards is the
 * same for all (fault.c).  Their objects, if any, live for ever.
 */
#include "mmu/private.h"

/* Map pa, which is ours, or give it back if that fails. */
static int
map_or_free(struct space *s, const struct region *r, vaddr_t va, paddr_t pa)
{
    int err;

    if (pa == 0)
        return -E_NOMEM;
    err = space_map(s, va, pa, prot_flags(r->prot));
    if (err < 0)
        page_unref(pa);
    return err;
}

/*
 * Make the missing page at va: a page of zeros.
 *
 * Lab 2.9
 */
static int
anon_fault(
        struct space *s, struct region *r, vaddr_t va, enum fault_access access)
{
    (void)access;
    return map_or_free(s, r, va, page_alloc_zeroed());
}

/*
 * The same for a stack, whose lowest page is the guard and never becomes
 * usable: -E_BADADDR there.
 *
 * Lab 2.9
 */
static int
stack_fault(
        struct space *s, struct region *r, vaddr_t va, enum fault_access access)
{
    if (va < r->start + PAGE_SIZE)
        return -E_BADADDR;
    return anon_fault(s, r, va, access);
}

void
image_fill(void *page, const void *image, uint64_t length, uint64_t offset)
{
    uint64_t n = offset < length ? length - offset : 0;

    if (n > PAGE_SIZE)
        n = PAGE_SIZE;
    memcpy(page, (const char *)image + offset, n);
    memset((char *)page + n, 0, PAGE_SIZE - n);
}

/* The region's bytes of the object, zeros behind them. */
static int
image_fault(
        struct space *s, struct region *r, vaddr_t va, enum fault_access access)
{
    paddr_t pa = page_alloc();

    (void)access;
    if (pa != 0)
        image_fill(pa_to_kva(pa), (const char *)r->object + r->offset,
                r->length, va - r->start);
    return map_or_free(s, r, va, pa);
}

static int
dup_nothing(struct region *r, struct region *copy)
{
    (void)r;
    (void)copy;
    return 0;
}

static void
close_nothing(struct region *r)
{
    (void)r;
}

const struct region_ops anon_region = {
    .name = "anon",
    .fault = anon_fault,
    .dup = dup_nothing,
    .close = close_nothing,
};

const struct region_ops stack_region = {
    .name = "stack",
    .fault = stack_fault,
    .dup = dup_nothing,
    .close = close_nothing,
};

const struct region_ops image_region = {
    .name = "image",
    .fault = image_fault,
    .dup = dup_nothing,
    .close = close_nothing,
};
