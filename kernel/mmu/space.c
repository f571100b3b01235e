/*
 * space.c - address spaces: made, loaded, unmapped from, freed.
 *
 * A space is a page table whose upper half is the kernel's and a sorted array
 * of regions that says what the lower half means.  Pages appear by fault.
 *
 * Life: space_new; region_add or space_copy; space_load on a CPU and faults,
 * again and again; space_load of another; space_free.
 *
 * A CPU that has nothing to run keeps the last space in CR3 (loaded, but not
 * current): if the same process runs next, nothing has to be loaded.
 */
#include "mmu/private.h"

enum {
    GATHER_PAGES = 64
};

static struct {
    struct space *current; /* whose user memory this CPU may touch */
    struct space *loaded;  /* whose table is in CR3; NULL: kernel_root */
} on_cpu[MAX_CPUS];

static struct spinlock spaces_lock = SPINLOCK_INIT(RANK_KVM, "spaces");
struct space *spaces; /* [spaces_lock] */

struct space *
space_current(void)
{
    return on_cpu[this_cpu()->id].current;
}

bool
space_is_loaded(const struct space *s)
{
    return on_cpu[this_cpu()->id].loaded == s;
}

struct space *
space_new(void)
{
    struct space *s = kzalloc(sizeof(*s));

    if (s == NULL)
        return NULL;
    s->root = root_new();
    if (s->root == NULL) {
        kfree(s);
        return NULL;
    }
    spin_init(&s->lock, RANK_SPACE, "space");
    s->limit = UINT64_MAX;
    spin_lock(&spaces_lock);
    s->next = spaces;
    s->link = &spaces;
    if (s->next != NULL)
        s->next->link = &s->next;
    spaces = s;
    spin_unlock(&spaces_lock);
    return s;
}

/* Put a root into CR3, keeping the books of who has what loaded. */
static void
load(struct cpu *cpu, struct space *s)
{
    struct space *old = on_cpu[cpu->id].loaded;

    if (s != NULL)
        __atomic_or_fetch(&s->cpus, 1u << cpu->id, __ATOMIC_SEQ_CST);
    write_cr3(kva_to_pa(s != NULL ? s->root : kernel_root));
    cpu->cr3_loads++;
    if (old != NULL)
        __atomic_and_fetch(&old->cpus, ~(1u << cpu->id), __ATOMIC_SEQ_CST);
    on_cpu[cpu->id].loaded = s;
}

void
space_switch(struct cpu *cpu, struct space *s)
{
    on_cpu[cpu->id].current = s;
    if (s != NULL && on_cpu[cpu->id].loaded != s)
        load(cpu, s);
}

void
space_load(struct space *s)
{
    bool on = intr_save();

    space_switch(this_cpu(), s);
    intr_restore(on);
}

/* Let go of s if this CPU merely kept it in CR3. */
void
space_leave(const struct space *s)
{
    bool on = intr_save();

    assert(space_current() != s);
    if (space_is_loaded(s))
        load(this_cpu(), NULL);
    intr_restore(on);
}

void
space_free(struct space *s)
{
    space_leave(s);
    tlb_leave(s);
    regions_clear(s);
    assert(s->resident == 0);
    root_free(s->root);
    spin_lock(&spaces_lock);
    *s->link = s->next;
    if (s->next != NULL)
        s->next->link = s->link;
    spin_unlock(&spaces_lock);
    kfree(s);
}

/* x86 cannot forbid reading what may be written or executed. */
uint64_t
prot_flags(uint32_t prot)
{
    return PTE_USER | (prot & PROT_WRITE ? PTE_WRITE : 0) |
           (prot & PROT_EXEC ? 0 : PTE_NX);
}

/*
 * Map the frame pa, which the caller owns, at the page va, where nothing is
 * mapped; resident counts it.  -E_NOMEM if the space has its limit of pages or
 * there is no page for a table: then nothing has changed and pa is still the
 * caller's.  If walked_va is va, fault_locked has found the entry already:
 * it is s->walked, good for once.
 *
 * Lab 2.9
 */
int
space_map(struct space *s, vaddr_t va, paddr_t pa, uint64_t flags)
{
    pte_t *e;

    if (s->resident >= s->limit)
        return -E_NOMEM;
    e = s->walked_va == va ? s->walked : pt_walk(s->root, va, PT_MAKE);
    s->walked_va = 0;
    if (e == NULL)
        return -E_NOMEM;
    assert(!(*e & PTE_PRESENT));
    pte_set(e, pa | flags | PTE_PRESENT);
    s->resident++;
    return 0;
}

/* Pages on their way out: nobody may get them before the TLBs are flushed. */
struct gather {
    struct space *s;
    vaddr_t start, end;
    unsigned n;
    paddr_t page[GATHER_PAGES];
};

static void
gather_release(struct gather *g)
{
    tlb_flush(g->s, g->start, g->end);
    while (g->n > 0)
        page_unref(g->page[--g->n]);
}

static void
gather_page(paddr_t pa, void *arg)
{
    struct gather *g = arg;

    if (g->n == GATHER_PAGES)
        gather_release(g);
    g->page[g->n++] = pa;
    g->s->resident--;
}

/*
 * Unmap the pages of s in [start, end) and drop the space's reference to each;
 * s->resident counts them no more.  The order is what counts:
 *
 *   1. clear the entries,  2. flush [start, end) of s from all TLBs,
 *   3. free frames and tables.
 *
 * Turn 2 and 3 around and a CPU writes by its old translation into a page
 * that is somebody else's by now.  Any number of pages in a fixed amount of
 * memory: frames wait in an array on the stack, for 64 of them say, and each
 * time it is full there is a flush.  No flush if nothing was there.
 *
 * Lab 2.7
 */
void
space_unmap(struct space *s, vaddr_t start, vaddr_t end)
{
    struct gather g;
    paddr_t tables;

    g.s = s;
    g.start = start;
    g.end = end;
    g.n = 0;
    tables = pt_unmap(s->root, start, end, gather_page, &g);
    if (g.n > 0 || tables != 0)
        gather_release(&g);
    pt_release(tables);
}
