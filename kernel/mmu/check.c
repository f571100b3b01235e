/*
 * check.c - is what stage 2 believes about memory true?
 *
 * Everything that is counted as it changes is counted again from scratch:
 * free frames from the lists, entries and resident pages from the page
 * tables, owners of pages from all spaces and shared objects.  Each
 * difference is printed.  Only while nothing else runs.
 */
#include "mmu/private.h"

enum {
    MAX_REPORTS = 20
};

static unsigned differences;

/* One more difference; the first few are printed, and tell a test's reader. */
static void __attribute__((format(printf, 1, 2))) differ(const char *fmt, ...)
{
    char text[160];
    va_list args;

    va_start(args, fmt);
    vsnprint(text, sizeof(text), fmt, args);
    va_end(args);
    if (differences++ < MAX_REPORTS) {
        print("mmu_check: %s\n", text);
        record_printf("check", "mmu_check: %s", text);
    }
}

/* ---- frames ---- */

/* Is the head of list `order` what it should be, and its buddy not free? */
static void
check_block(uint64_t pfn, unsigned order)
{
    const struct frame *f = &ram.frames[pfn];
    uint64_t other = pfn ^ (1ul << order);

    if (f->state != FRAME_FREE || f->order != order)
        differ("frame %#lx in free list %u has state %u, order %u", pfn, order,
                f->state, f->order);
    if (pfn & ((1ul << order) - 1))
        differ("free block %#lx of order %u is not aligned", pfn, order);
    if (order < MAX_ORDER && other < ram.nframes &&
            ram.frames[other].state == FRAME_FREE &&
            ram.frames[other].order == order)
        differ("free blocks %#lx and %#lx should have been merged", pfn, other);
}

static void
check_free_lists(void)
{
    uint64_t n = 0;

    for (unsigned order = 0; order <= MAX_ORDER; order++) {
        uint64_t prev = 0;

        if ((ram.head[order] != 0) != (ram.orders >> order & 1))
            differ("bit of free list %u is wrong", order);
        for (uint64_t pfn = ram.head[order]; pfn != 0;
                prev = pfn, pfn = ram.frames[pfn].next) {
            check_block(pfn, order);
            if (ram.frames[pfn].prev != prev)
                differ("free list %u: %#lx does not point back", order, pfn);
            n += 1ul << order;
        }
    }
    if (n != ram.free)
        differ("%lu frames in free lists, %lu counted", n, ram.free);
}

static void
check_stack(const struct page_stack *s)
{
    for (unsigned i = 0; i < s->n; i++)
        if (ram.frames[s->pfn[i]].state != FRAME_CACHED)
            differ("cached frame %#x has state %u", s->pfn[i],
                    ram.frames[s->pfn[i]].state);
}

static void
check_counters(void)
{
    struct mem_counters c;

    for (unsigned i = 0; i < MAX_CPUS; i++) {
        check_stack(&page_caches[i].any);
        check_stack(&page_caches[i].zeroed);
    }
    frame_counters(&c);
    if (c.total != c.free + c.cached + c.used + c.kernel)
        differ("%lu frames, but %lu free + %lu cached + %lu used + %lu "
               "kernel",
                c.total, c.free, c.cached, c.used, c.kernel);
}

/* ---- page tables ---- */

/* Does a user page's entry permit what its region permits, and no more? */
static void
check_leaf(struct space *s, vaddr_t va, pte_t e)
{
    const struct region *r = region_find(s, va);
    const struct frame *f = frame_of(e & PTE_ADDR);

    if (r == NULL) {
        differ("page at %#lx is in no region", va);
        return;
    }
    if (!(e & PTE_USER) || (e & PTE_GLOBAL))
        differ("page at %#lx is not the user's: %#lx", va, e);
    if ((e & PTE_WRITE) && !(e & PTE_NX))
        differ("page at %#lx is writable and executable", va);
    if ((e & (PTE_WRITE | PTE_COW)) && !(r->prot & PROT_WRITE))
        differ("page at %#lx is writable, its region is not", va);
    if (!(e & PTE_NX) && !(r->prot & PROT_EXEC))
        differ("page at %#lx is executable, its region is not", va);
    if (f == NULL || f->state != FRAME_USED)
        differ("page at %#lx: frame %#lx is not in use", va, e & PTE_ADDR);
}

/* Check a table and those below it, s NULL: a shared object's; returns the
 * leaves it has. */
static uint64_t
check_table(struct space *s, pte_t *table, int level, vaddr_t base)
{
    const struct frame *f = frame_of(kva_to_pa(table));
    unsigned n = level == 3 ? 256 : 512, used = 0;
    uint64_t leaves = 0;

    for (unsigned i = 0; i < n; i++) {
        vaddr_t va = base + ((vaddr_t)i << (PAGE_SHIFT + 9 * level));
        pte_t e = table[i];

        if (e == 0)
            continue;
        used++;
        if (level == 0 && s != NULL)
            check_leaf(s, va, e);
        leaves += level == 0 ? 1
                             : check_table(s, pa_to_kva(e & PTE_ADDR),
                                       level - 1, va);
    }
    if (f->next != used || !(f->flags & FRAME_TABLE))
        differ("table of level %d for %#lx has %u entries, %u counted", level,
                base, used, f->next);
    if (used == 0 && level < 3)
        differ("empty table of level %d for %#lx", level, base);
    return leaves;
}

static void
check_regions(const struct space *s)
{
    vaddr_t end = USER_BASE;

    for (unsigned i = 0; i < s->nregion; i++) {
        const struct region *r = &s->regions[i];

        if (r->start < end || r->end <= r->start || r->end > USER_TOP ||
                ((r->start | r->end) & PAGE_MASK))
            differ("region %u is %#lx-%#lx, after %#lx", i, r->start, r->end,
                    end);
        end = r->end;
    }
}

static void
check_space(struct space *s)
{
    uint64_t pages = check_table(s, s->root, 3, 0);

    check_regions(s);
    if (pages != s->resident)
        differ("space %p has %lu pages, %lu counted", s, pages, s->resident);
    for (unsigned i = 256; i < 512; i++)
        if ((s->root[i] ^ kernel_root[i]) & ~(pte_t)PTE_ACCESSED)
            differ("space %p: kernel entry %u differs", s, i);
}

/* ---- owners of pages ---- */

static void
each_page(pte_t *root, void (*fn)(struct frame *f, paddr_t pa))
{
    pte_t *table;

    for (vaddr_t va = 0; (table = pt_next_table(root, &va, USER_TOP)) != NULL;
            va += PAGE_SIZE) {
        paddr_t pa = table[pt_index(va, 0)] & PTE_ADDR;

        if (pa != 0)
            fn(frame_of(pa), pa);
    }
}

/* Call fn once for each owner of each user page. */
static void
each_owner(void (*fn)(struct frame *f, paddr_t pa))
{
    for (struct space *s = spaces; s != NULL; s = s->next)
        each_page(s->root, fn);
    for (struct shared *o = shared_objects; o != NULL; o = o->next)
        each_page(o->pages, fn);
}

static void
owner_subtract(struct frame *f, paddr_t pa)
{
    (void)pa;
    f->ref--;
}

static void
owner_compare(struct frame *f, paddr_t pa)
{
    if (f->ref != 0 && !(f->flags & FRAME_SEEN))
        differ("frame %#lx: %d owners counted that are not there", pa,
                (int)f->ref);
    f->flags |= FRAME_SEEN;
}

static void
owner_restore(struct frame *f, paddr_t pa)
{
    (void)pa;
    f->ref++;
    f->flags &= ~FRAME_SEEN;
}

/* How many regions show an object? */
static unsigned
shown(const struct shared *o)
{
    unsigned n = 0;

    for (struct space *s = spaces; s != NULL; s = s->next)
        for (unsigned i = 0; i < s->nregion; i++)
            n += s->regions[i].ops == &shared_region &&
                 s->regions[i].object == o;
    return n;
}

unsigned
mmu_check(void)
{
    differences = 0;
    check_free_lists();
    check_counters();
    for (struct space *s = spaces; s != NULL; s = s->next)
        check_space(s);
    each_owner(owner_subtract);
    each_owner(owner_compare);
    each_owner(owner_restore);
    for (struct shared *o = shared_objects; o != NULL; o = o->next) {
        check_table(NULL, o->pages, 3, 0);
        if (shown(o) != o->refs)
            differ("shared object %p: %u regions, %u counted", o, shown(o),
                    o->refs);
    }
    return differences + kmap_check_wx();
}
