/*
 * kheap.c - kernel heap: size classes cut from pages, large blocks whole.
 *
 * A slab is one page of equal blocks; its struct frame is its book-keeping
 * (owner: the free blocks; ref: 1 and one for each block given out), so blocks
 * carry no header and kfree finds the class from the address alone.  Each
 * class has a list of the slabs with a free block; a full slab is on no list,
 * an empty one goes back to the frames unless it is the last on its list.
 *
 * Debug builds put a guard around each block: see kheap_debug.c.  From stage 3
 * on most blocks come from kheap_magazine.c and go back there.
 */
#include "mmu/private.h"
#include "mmu/kheap.h"

enum {
    MAX_SMALL = 2048,
    MAX_BIG = 1 << 20,
    GRAIN = 16,
};

/* multiples of 16, so that every block is aligned; steps of 1/3 to 1/2 */
static const uint16_t sizes[] = { 16, 32, 48, 64, 96, 128, 192, 256, 384, 512,
    768, 1024, 1360, 2048 };

struct heap_class {
    struct spinlock lock; /* RANK_HEAP */
    uint32_t partial;     /* frame number of a slab with room, 0: none */
    uint32_t live;        /* blocks given out */
};

_Static_assert(ARRAY_LEN(sizes) == HEAP_CLASSES);

static struct heap_class classes[HEAP_CLASSES];
static uint8_t class_of[MAX_SMALL / GRAIN + 1]; /* by size in grains */
static uint64_t live_big;

/* A free block holds the address of the next one in its slab. */
static void **
link_of(void *block)
{
    return block;
}

static struct frame *
slab_of(const void *block)
{
    return frame_of(kva_to_pa(block));
}

/* The class a slab belongs to stands beside its flags. */
static unsigned
slab_class(const struct frame *slab)
{
    return slab->flags >> 8;
}

/*
 * Put a slab at the front of its class's list, which goes by frame numbers.
 *
 * Lab 2.6
 */
static void
partial_push(struct heap_class *c, struct frame *slab)
{
    uint32_t pfn = slab - ram.frames;

    slab->prev = 0;
    slab->next = c->partial;
    if (c->partial != 0)
        ram.frames[c->partial].prev = pfn;
    c->partial = pfn;
}

static void
partial_remove(struct heap_class *c, struct frame *slab)
{
    if (slab->prev != 0)
        ram.frames[slab->prev].next = slab->next;
    else
        c->partial = slab->next;
    if (slab->next != 0)
        ram.frames[slab->next].prev = slab->prev;
}

/*
 * A new slab of class c, on its list: a page (page_alloc) cut into as many
 * blocks of sizes[c] bytes as fit, all free and linked in rising order.  Each
 * is shown to heap_block_born before its link is written.  The frame's flags
 * say FRAME_SLAB and the class (c << 8).  NULL: no page is left.
 *
 * Lab 2.6
 */
static struct frame *
slab_new(unsigned c)
{
    paddr_t pa = page_alloc();
    struct frame *slab;
    char *page = pa_to_kva(pa);
    void *list = NULL;

    if (pa == 0)
        return NULL;
    for (unsigned at = PAGE_SIZE / sizes[c] * sizes[c]; at > 0;) {
        at -= sizes[c];
        heap_block_born(page + at, sizes[c]);
        *link_of(page + at) = list;
        list = page + at;
    }
    slab = frame_of(pa);
    slab->flags |= FRAME_SLAB | c << 8;
    slab->owner = (uint64_t)list;
    partial_push(&classes[c], slab);
    return slab;
}

/*
 * Take a block of class `index`, under the class's lock: from the first slab
 * with room, else from a new one.  The slab's ref and the class's `live` count
 * it; a slab whose last free block goes leaves the class's list.  NULL: no
 * page is left.
 *
 * Lab 2.6
 */
static void *
small_alloc(unsigned index)
{
    struct heap_class *c = &classes[index];
    struct frame *slab;
    void *block = NULL;

    spin_lock(&c->lock);
    slab = c->partial ? &ram.frames[c->partial] : slab_new(index);
    if (slab != NULL) {
        block = (void *)slab->owner;
        slab->owner = (uint64_t)*link_of(block);
        slab->ref++;
        if (slab->owner == 0)
            partial_remove(c, slab);
        c->live++;
    }
    spin_unlock(&c->lock);
    return block;
}

/*
 * Put a block back into its slab, under the class's lock.  A slab that was
 * full joins the list again.  One that is empty now (ref 1) goes back to the
 * frames, unless it is the only one on the list: a class that frees and
 * allocates in turn does not fetch a page each time.
 *
 * Lab 2.6
 */
static void
small_free(struct frame *slab, void *block)
{
    struct heap_class *c = &classes[slab_class(slab)];

    spin_lock(&c->lock);
    if (slab->owner == 0)
        partial_push(c, slab);
    *link_of(block) = (void *)slab->owner;
    slab->owner = (uint64_t)block;
    c->live--;
    if (--slab->ref == 1 && (slab->next | slab->prev) != 0) {
        partial_remove(c, slab);
        page_unref(kva_to_pa(block) & ~PAGE_MASK);
    }
    spin_unlock(&c->lock);
}

unsigned
kheap_class_size(unsigned class)
{
    return sizes[class];
}

static unsigned
big_order(size_t n)
{
    unsigned order = 0;

    while (PAGE_SIZE << order < n)
        order++;
    return order;
}

static void *
big_alloc(size_t n)
{
    paddr_t pa = pages_alloc(big_order(n));

    if (pa == 0)
        return NULL;
    frame_of(pa)->flags |= FRAME_BIG;
    __atomic_add_fetch(&live_big, 1, __ATOMIC_RELAXED);
    return pa_to_kva(pa);
}

static void
big_free(struct frame *f, void *block)
{
    f->flags &= ~FRAME_BIG;
    __atomic_sub_fetch(&live_big, 1, __ATOMIC_RELAXED);
    pages_free(kva_to_pa(block), f->order);
}

/* A block of a magazine, back where it was cut from. */
static void
give_back(void *block)
{
    struct frame *f = slab_of(block);

    if (f->flags & FRAME_SLAB)
        small_free(f, block);
    else
        big_free(f, block);
}

/* The room that a block has, by its frame. */
static size_t
block_room(const struct frame *f)
{
    return f->flags & FRAME_SLAB ? sizes[slab_class(f)] : PAGE_SIZE << f->order;
}

/* A block from its magazine, else from where it is cut.  NULL: no memory. */
static inline void *
block_alloc(size_t n)
{
    void *block = NULL;

    if (likely(n <= MAX_SMALL)) {
        unsigned class = class_of[(n + GRAIN - 1) / GRAIN];

        block = magazine_take(class);
        return likely(block != NULL) ? block : small_alloc(class);
    }
    if (big_order(n) == 1)
        block = magazine_take(HEAP_PAIRS);
    return block != NULL ? block : big_alloc(n);
}

/* Other CPUs' magazines may have some. */
static __attribute__((noinline, cold)) void *
block_alloc_short(size_t n)
{
    kheap_trim();
    return block_alloc(n);
}

static void *
heap_alloc(size_t n, void *caller)
{
    size_t total = n + HEAP_EXTRA;
    void *block;

    if (n > MAX_BIG || mem_should_fail())
        return NULL;
    block = block_alloc(total);
    if (unlikely(block == NULL))
        block = block_alloc_short(total);
    if (block == NULL)
        return NULL;
    return heap_block_out(
            block, n, block_room(slab_of(block)), (uint64_t)caller);
}

void *
kmalloc(size_t n)
{
    return heap_alloc(n, __builtin_return_address(0));
}

void *
kzalloc(size_t n)
{
    void *p = heap_alloc(n, __builtin_return_address(0));

    if (p != NULL)
        memset(p, 0, n);
    return p;
}

/* Is p where a block of this frame may start? */
static bool
block_start(const struct frame *f, const void *block)
{
    vaddr_t offset = (vaddr_t)block & PAGE_MASK;

    if (f == NULL || f->state != FRAME_USED)
        return false;
    if (f->flags & FRAME_SLAB)
        return offset % sizes[slab_class(f)] == 0;
    return (f->flags & FRAME_BIG) && offset == 0;
}

void
kfree(void *p)
{
    void *block = (char *)p - HEAP_FRONT;
    struct frame *f;

    if (p == NULL)
        return;
    f = slab_of(block);
    if (unlikely(!block_start(f, block)))
        panic("kfree: %p was not allocated by kmalloc", p);
    heap_block_in(block, block_room(f), (uint64_t)__builtin_return_address(0));
    if (!(f->flags & FRAME_SLAB)) {
        if (f->order != 1 || !magazine_put(HEAP_PAIRS, block))
            big_free(f, block);
    } else if (!magazine_put(slab_class(f), block))
        small_free(f, block);
}

#if DEBUG || KASAN
const struct heap_header *
kheap_block(const void *p)
{
    const char *page = (const char *)((vaddr_t)p & ~PAGE_MASK);
    const struct frame *f = slab_of(p);
    vaddr_t offset = (vaddr_t)p & PAGE_MASK;

    if (f == NULL || f->state != FRAME_USED || !(f->flags & FRAME_SLAB))
        return NULL;
    return (const void *)(page + offset / block_room(f) * block_room(f));
}
#endif

void
kheap_trim(void)
{
    magazine_drain(give_back);
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++) {
        struct heap_class *c = &classes[i];
        uint32_t pfn, next;

        spin_lock(&c->lock);
        for (pfn = c->partial; pfn != 0; pfn = next) {
            next = ram.frames[pfn].next;
            if (ram.frames[pfn].ref > 1)
                continue;
            partial_remove(c, &ram.frames[pfn]);
            page_unref((paddr_t)pfn << PAGE_SHIFT);
        }
        spin_unlock(&c->lock);
    }
}

uint64_t
kheap_live(void)
{
    uint64_t n = live_big;

    for (unsigned i = 0; i < ARRAY_LEN(classes); i++)
        n += classes[i].live;
    return n - magazine_blocks();
}

void
kheap_init(void)
{
    unsigned c = 0;

    for (unsigned i = 0; i < ARRAY_LEN(class_of); i++) {
        if (i * GRAIN > sizes[c])
            c++;
        class_of[i] = c;
    }
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++)
        spin_init(&classes[i].lock, RANK_HEAP, "heap class");
}
