/*
 * frame.c - pages given out, counted and taken back.
 *
 *   FREE --refill--> CACHED --page_alloc--> USED, ref 1 --page_ref--> ref n
 *    ^                 |  ^                   |
 *    +-----drain-------+  +--last page_unref--+
 *
 * Each CPU has a small cache of pages that only it touches, with interrupts
 * off: one page costs no lock.  The cache is filled and emptied in batches
 * from the buddy lists under frames_lock.  It has two stacks; the second
 * holds pages known to be all zeros (page tables come back like that).
 */
#include "mmu/kasan.h"

enum {
    CACHE_BATCH = 32
};
enum {
    POISON_BYTE = 0x6b
};
#define POISON (0x0101010101010101ul * POISON_BYTE)

struct page_cache page_caches[MAX_CPUS];
unsigned cache_room = CACHE_PAGES;
static uint64_t fail_at;
struct buddy ram;
struct spinlock frames_lock = SPINLOCK_INIT(RANK_FRAMES, "frames");

void
page_fail_at(uint64_t n)
{
    fail_at = n;
}

bool
mem_should_fail(void)
{
    return unlikely(fail_at != 0) &&
           __atomic_sub_fetch(&fail_at, 1, __ATOMIC_RELAXED) == 0;
}

struct frame *
frame_of(paddr_t pa)
{
    return pfn_of(pa) < ram.nframes ? &ram.frames[pfn_of(pa)] : NULL;
}

/* The frame of a page that must be in use; anything else is a wild or
 * repeated free. */
static struct frame *
used_frame(paddr_t pa, const char *who)
{
    static const char *const names[] = { "reserved", "the kernel's", "free",
        "free (in a cache)", "used" };
    struct frame *f = frame_of(pa);

    if (unlikely(f == NULL || (pa & PAGE_MASK)))
        panic("%s: %#lx is no frame's address", who, pa);
    if (unlikely(f->state != FRAME_USED || f->ref == 0))
        panic("%s: frame %#lx is %s (allocated at %y)", who, pa,
                f->state < ARRAY_LEN(names) ? names[f->state] : "unknown",
                f->tag);
    return f;
}

#if DEBUG
/* Fill a page that becomes free, so that its next owner can tell. */
static void
page_poison(uint64_t pfn)
{
    fill_words(pa_to_kva(pfn << PAGE_SHIFT), POISON, PAGE_SIZE / 8);
    ram.frames[pfn].flags |= FRAME_POISONED;
}

/* Nobody may have written to a page while it was free. */
static void
page_check(uint64_t pfn, uint64_t want)
{
    const uint64_t *w = pa_to_kva(pfn << PAGE_SHIFT);

    for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
        if (w[i] != want)
            panic("page %#lx written at offset %#x after it was freed: %#lx "
                  "(last allocated at %y)",
                    pfn << PAGE_SHIFT, i * 8, w[i], ram.frames[pfn].tag);
}
#endif

/*
 * Move single pages from the buddy lists to c->any until it holds CACHE_BATCH
 * or the lists are empty; each becomes FRAME_CACHED.  One hold of frames_lock
 * for the whole batch.  Interrupts are off.
 *
 * Lab 2.3
 */
static void
cache_refill(struct page_cache *c)
{
    spin_lock(&frames_lock);
    while (c->any.n < CACHE_BATCH) {
        uint64_t pfn = buddy_alloc(&ram, 0);

        if (pfn == 0)
            break;
        ram.frames[pfn].state = FRAME_CACHED;
        c->any.pfn[c->any.n++] = pfn;
    }
    spin_unlock(&frames_lock);
}

/*
 * Give all but `keep` pages of a stack back to the buddy lists, in one hold
 * of frames_lock.  Interrupts are off.
 *
 * Lab 2.3
 */
static void
cache_drain(struct page_stack *s, unsigned keep)
{
    spin_lock(&frames_lock);
    while (s->n > keep)
        buddy_free(&ram, s->pfn[--s->n], 0);
    spin_unlock(&frames_lock);
}

/* Turn a cached page into a used one of the caller's caller. */
static paddr_t
page_give(struct page_cache *c, uint64_t pfn, void *caller)
{
    struct frame *f = &ram.frames[pfn];

    c->used++;
    f->ref = 1;
    f->state = FRAME_USED;
    f->order = 0;
    f->flags = 0;
    f->next = 0;
#if DEBUG || KASAN
    f->tag = (uint64_t)caller;
#else
    (void)caller;
#endif
    kasan_allow(pa_to_kva(pfn << PAGE_SHIFT), PAGE_SIZE);
    return pfn << PAGE_SHIFT;
}

/* A page off the stack of unknown contents, else off the zeroed one, else from
 * the reserve. */
static paddr_t
take_any(struct page_cache *c, void *caller)
{
    uint64_t pfn;

    if (unlikely(c->any.n == 0))
        cache_refill(c);
    if (c->any.n != 0) {
        pfn = c->any.pfn[--c->any.n];
#if DEBUG
        if (ram.frames[pfn].flags & FRAME_POISONED)
            page_check(pfn, POISON);
#endif
    } else if (c->zeroed.n != 0) {
        pfn = c->zeroed.pfn[--c->zeroed.n];
    } else {
        pfn = reserve_take();
    }
    return pfn != 0 ? page_give(c, pfn, caller) : 0;
}

paddr_t
page_alloc(void)
{
    bool on;
    paddr_t pa;

    if (mem_should_fail())
        return 0;
    on = intr_save();
    pa = take_any(&page_caches[this_cpu()->id], __builtin_return_address(0));
    intr_restore(on);
    return pa;
}

/*
 * Like page_alloc, which shows what surrounds it, but the page is all zeros.
 * This CPU's stack of zeroed pages comes first, for those cost nothing; only
 * if it is empty, a page of unknown contents is taken and cleared.  0: none
 * left, or it is this allocation's turn to fail (mem_should_fail).
 *
 * Lab 2.3
 */
paddr_t
page_alloc_zeroed(void)
{
    struct page_cache *c;
    bool on;
    paddr_t pa;

    if (mem_should_fail())
        return 0;
    on = intr_save();
    c = &page_caches[this_cpu()->id];
    if (c->zeroed.n != 0) {
        uint64_t pfn = c->zeroed.pfn[--c->zeroed.n];

#if DEBUG
        page_check(pfn, 0);
#endif
        pa = page_give(c, pfn, __builtin_return_address(0));
    } else {
        pa = take_any(c, __builtin_return_address(0));
        if (pa != 0)
            page_zero(pa);
    }
    intr_restore(on);
    return pa;
}

/* Put a page on a stack that holds all it may: a batch goes back first, and
 * then the reserve is filled. */
static __attribute__((noinline, cold)) void
stack_put_full(struct page_stack *s, uint64_t pfn)
{
    if (s->n == CACHE_PAGES)
        cache_drain(s, CACHE_PAGES - CACHE_BATCH);
    s->pfn[s->n++] = pfn;
    reserve_fill(s);
}

/* Put a page that lost its last owner on one of this CPU's stacks. */
static void
page_take_back(struct frame *f, bool zeroed)
{
    bool on = intr_save();
    struct page_cache *c = &page_caches[this_cpu()->id];
    struct page_stack *s = zeroed ? &c->zeroed : &c->any;
    uint64_t pfn = f - ram.frames;

    f->state = FRAME_CACHED;
    f->ref = 0;
#if DEBUG
    if (!zeroed)
        page_poison(pfn);
#endif
    kasan_forbid(pa_to_kva(pfn << PAGE_SHIFT), PAGE_SIZE, KASAN_PAGE);
    c->used--;
    if (unlikely(s->n >= cache_room))
        stack_put_full(s, pfn);
    else
        s->pfn[s->n++] = pfn;
    intr_restore(on);
}

/*
 * Count one more owner of the used frame at pa.  Other CPUs may count at the
 * same moment.  An address that is no used frame's is a panic (used_frame).
 *
 * Lab 2.3
 */
void
page_ref(paddr_t pa)
{
    struct frame *f = used_frame(pa, "page_ref");

    __atomic_add_fetch(&f->ref, 1, __ATOMIC_RELAXED);
}

/*
 * Count one owner fewer; the last one's page goes back (page_take_back).  Of
 * two CPUs that let go at the same moment, exactly one is the last.
 *
 * Lab 2.3
 */
void
page_unref(paddr_t pa)
{
    struct frame *f = used_frame(pa, "page_unref");

    if (__atomic_sub_fetch(&f->ref, 1, __ATOMIC_ACQ_REL) == 0)
        page_take_back(f, false);
}

void
page_free_zeroed(paddr_t pa)
{
    struct frame *f = used_frame(pa, "page_free_zeroed");

    assert(f->ref == 1);
    page_take_back(f, true);
}

uint32_t
page_refs(paddr_t pa)
{
    return __atomic_load_n(&used_frame(pa, "page_refs")->ref, __ATOMIC_ACQUIRE);
}

/* Take a block, if need be after giving back what this CPU has cached. */
static uint64_t
block_take(struct page_cache *c, unsigned order)
{
    uint64_t pfn;

    spin_lock(&frames_lock);
    pfn = buddy_alloc(&ram, order);
    spin_unlock(&frames_lock);
    if (pfn == 0 && order <= MAX_ORDER) {
        cache_drain(&c->any, 0);
        cache_drain(&c->zeroed, 0);
        spin_lock(&frames_lock);
        pfn = buddy_alloc(&ram, order);
        spin_unlock(&frames_lock);
    }
    return pfn;
}

paddr_t
pages_alloc(unsigned order)
{
    bool on;
    struct page_cache *c;
    uint64_t pfn;

    if (mem_should_fail())
        return 0;
    on = intr_save();
    c = &page_caches[this_cpu()->id];
    pfn = block_take(c, order);
    if (pfn != 0) {
        ram.frames[pfn].ref = 1;
        ram.frames[pfn].tag = (uint64_t)__builtin_return_address(0);
        c->used += 1l << order;
        kasan_allow(pa_to_kva(pfn << PAGE_SHIFT), PAGE_SIZE << order);
    }
    intr_restore(on);
    return pfn << PAGE_SHIFT;
}

void
pages_free(paddr_t pa, unsigned order)
{
    struct frame *f = used_frame(pa, "pages_free");
    bool on;

    if (f->order != order || f->ref != 1)
        panic("pages_free: %#lx has order %u and %u owners, freed as order %u",
                pa, f->order, f->ref, order);
    on = intr_save();
    page_caches[this_cpu()->id].used -= 1l << order;
    kasan_forbid(pa_to_kva(pa), PAGE_SIZE << order, KASAN_PAGE);
    spin_lock(&frames_lock);
    f->ref = 0;
    buddy_free(&ram, pfn_of(pa), order);
    spin_unlock(&frames_lock);
    intr_restore(on);
}

void
frames_park(int64_t n)
{
    bool on = intr_save();

    page_caches[this_cpu()->id].parked += n;
    intr_restore(on);
}

/* Exact while no other CPU allocates; kernel is not derived from the rest:
 * it is what was taken before the lists were seeded, and the reserve. */
void
frame_counters(struct mem_counters *c)
{
    int64_t used = 0, parked = 0;

    *c = (struct mem_counters){ .total = frames_total };
    spin_lock(&frames_lock);
    c->free = ram.free;
    c->kernel = frames_kernel + reserve_pages();
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        c->cached += page_caches[i].any.n + page_caches[i].zeroed.n;
        used += page_caches[i].used;
        parked += page_caches[i].parked;
    }
    spin_unlock(&frames_lock);
    c->cached += parked;
    c->used = used - parked;
}
