/*
 * pt.c - page tables: find, make, map, protect, unmap.
 *
 * The table's frame counts the entries in use (struct frame.next), so that
 * an empty table is noticed at once and a nearly empty one is not searched.
 * Every entry is therefore written through pte_set.  Tables of the user half
 * go when their last entry goes; those of the kernel half stay for ever,
 * because every address space points at them.
 */
#include "mmu/private.h"

enum {
    ENTRIES = 512
};

/* Addresses whose bits 63..47 are equal (Intel SDM 1, 3.3.7.1). */
bool
is_canonical(vaddr_t va)
{
    return (int64_t)(va << 16) >> 16 == (int64_t)va;
}

unsigned
pt_index(vaddr_t va, int level)
{
    return va >> (PAGE_SHIFT + 9 * level) & (ENTRIES - 1);
}

/* The frame of the table that holds entry e. */
static struct frame *
table_of(const pte_t *e)
{
    return &ram.frames[pfn_of(kva_to_pa(e))];
}

void
pte_set(pte_t *e, pte_t value)
{
    table_of(e)->next += (value != 0) - (*e != 0);
    *e = value;
}

static pte_t *
table_at(pte_t e)
{
    return pa_to_kva(e & PTE_ADDR);
}

/* Free a chain of new tables that never joined the tree, from `level` down. */
static void
tables_drop(paddr_t pa, vaddr_t va, int level)
{
    while (pa != 0) {
        pte_t *e = (pte_t *)pa_to_kva(pa) + pt_index(va, level--);
        paddr_t below = *e & PTE_ADDR;

        pte_set(e, 0);
        page_free_zeroed(pa);
        pa = below;
    }
}

/*
 * Hang new tables for va below e, an entry of `level`: all that are missing,
 * or none, and then (false) the pages taken on the way are given back.
 *
 * A table is a zeroed page with FRAME_TABLE in its frame's flags.  The entry
 * that leads to it permits everything (present, write, user): the CPU grants
 * what all four levels permit, so the leaf alone decides.  The tables are
 * joined to the tree last and whole: who walks it meanwhile finds all of them
 * or none.
 *
 * Lab 2.4
 */
static bool
tables_add(pte_t *e, vaddr_t va, int level)
{
    const pte_t any = PTE_PRESENT | PTE_WRITE | PTE_USER;
    paddr_t below = 0;

    for (int l = 0; l < level; l++) {
        paddr_t pa = page_alloc_zeroed();

        if (pa == 0) {
            tables_drop(below, va, l - 1);
            return false;
        }
        frame_of(pa)->flags |= FRAME_TABLE;
        if (below != 0)
            pte_set((pte_t *)pa_to_kva(pa) + pt_index(va, l), below | any);
        below = pa;
    }
    pte_set(e, below | any);
    return true;
}

/*
 * Find the leaf entry for va in the page table at root.
 *
 *     63..48     47..39  38..30  29..21  20..12  11..0
 *     sign copy  PML4    PDPT    PD      PT      offset in page
 *
 * With PT_MAKE, missing tables are added (tables_add).  Returns NULL if a
 * table is missing (PT_FIND) or no page is left (PT_MAKE): then nothing has
 * changed.  Only the direct map has large pages, and it is never walked here.
 * The caller holds the space's lock (RANK_SPACE).
 *
 * Lab 2.4
 */
pte_t *
pt_walk(pte_t *root, vaddr_t va, enum pt_make make)
{
    pte_t *table = root;

    assert(is_canonical(va));
    for (int level = 3; level > 0; level--) {
        pte_t *e = &table[pt_index(va, level)];

        if (!(*e & PTE_PRESENT) &&
                (make == PT_FIND || !tables_add(e, va, level)))
            return NULL;
        assert(!(*e & PTE_LARGE)); /* only the direct map has large pages */
        table = table_at(*e);
    }
    return &table[pt_index(va, 0)];
}

/*
 * Map the page at va, which is page-aligned, to the frame at pa: present, and
 * with the PTE_ bits in flags.  0; -E_NOMEM, with nothing changed; -E_INUSE
 * if va is mapped already, and then that mapping stays.
 *
 * Lab 2.5
 */
int
pt_map(pte_t *root, vaddr_t va, paddr_t pa, uint64_t flags)
{
    pte_t *e = pt_walk(root, va, PT_MAKE);

    if (e == NULL)
        return -E_NOMEM;
    if (*e & PTE_PRESENT)
        return -E_INUSE;
    pte_set(e, pa | flags | PTE_PRESENT);
    return 0;
}

/*
 * The leaf table that maps *va or, if it is missing, the next one below end:
 * then *va moves up to the first address that table maps.  A missing table
 * of a higher level is skipped in one step.  NULL: none is left.
 */
pte_t *
pt_next_table(pte_t *root, vaddr_t *va, vaddr_t end)
{
    while (*va < end) {
        pte_t *table = root;
        vaddr_t size;
        int level = 3;

        while (level > 0 && (table[pt_index(*va, level)] & PTE_PRESENT))
            table = table_at(table[pt_index(*va, level--)]);
        if (level == 0)
            return table;
        size = PAGE_SIZE << 9 * level;
        *va = ROUND_DOWN(*va, size) + size;
    }
    return NULL;
}

/* Where the leaf table around va stops to map, or end if that is earlier. */
vaddr_t
pt_table_end(vaddr_t va, vaddr_t end)
{
    vaddr_t stop = ROUND_DOWN(va, PAGE_SIZE * ENTRIES) + PAGE_SIZE * ENTRIES;

    return stop < end ? stop : end;
}

/* The next entry in use in [e, end), or end: eight are skipped at a time. */
pte_t *
pte_skip(pte_t *e, pte_t *end)
{
    while (end - e >= 8 &&
            !(e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]))
        e += 8;
    while (e < end && *e == 0)
        e++;
    return e;
}

/*
 * Take the leaf table of va, if it is empty, and every table above it that
 * becomes empty by that, out of the tree; the root stays.  They join the
 * chain, linked by struct frame.prev, and are not reused yet: until TLBs are
 * flushed, a CPU may still walk them.  Returns the chain's new head.
 *
 * Lab 2.5
 */
static paddr_t
prune(pte_t *root, vaddr_t va, paddr_t chain)
{
    pte_t *path[4];
    pte_t *table = root;

    for (int level = 3; level > 0; level--) {
        path[level] = &table[pt_index(va, level)];
        table = table_at(*path[level]);
    }
    for (int level = 1; level <= 3; level++) {
        paddr_t pa = *path[level] & PTE_ADDR;
        struct frame *f = frame_of(pa);

        if (f->next != 0)
            break;
        pte_set(path[level], 0);
        f->prev = pfn_of(chain);
        chain = pa;
    }
    return chain;
}

/*
 * Clear the entries in use in [e, end) of one table, and hand the frame that
 * each maps to `gone`, unless that is NULL.  Stops early once the table has
 * no entry in use any more.
 *
 * Lab 2.5
 */
static void
clear_entries(
        pte_t *e, pte_t *end, void (*gone)(paddr_t pa, void *arg), void *arg)
{
    const struct frame *table = table_of(e);

    while (table->next != 0 && (e = pte_skip(e, end)) < end) {
        paddr_t pa = *e & PTE_ADDR;

        pte_set(e++, 0);
        if (gone != NULL)
            gone(pa, arg);
    }
}

/*
 * Clear every entry in use in [start, end), whole pages, and hand the frame
 * of each to `gone` (unless that is NULL).  The range may be the whole user
 * half and nearly empty: missing tables cost no time (pt_next_table).  Tables
 * of the user half that are empty now leave the tree (prune), those of the
 * kernel's half stay for ever.  Returns the chain of those that left, for
 * pt_release; 0 if none did.
 *
 * Lab 2.5
 */
paddr_t
pt_unmap(pte_t *root, vaddr_t start, vaddr_t end,
        void (*gone)(paddr_t pa, void *arg), void *arg)
{
    paddr_t chain = 0;
    pte_t *table;

    for (vaddr_t va = start; (table = pt_next_table(root, &va, end)) != NULL;) {
        vaddr_t stop = pt_table_end(va, end);
        pte_t *first = &table[pt_index(va, 0)];

        clear_entries(first, first + ((stop - va) >> PAGE_SHIFT), gone, arg);
        if (table_of(table)->next == 0 && va < USER_TOP)
            chain = prune(root, va, chain);
        va = stop;
    }
    return chain;
}

void
pt_release(paddr_t chain)
{
    while (chain != 0) {
        paddr_t next = (paddr_t)frame_of(chain)->prev << PAGE_SHIFT;

        page_free_zeroed(chain);
        chain = next;
    }
}

/*
 * Give each mapped page in [start, end) the permission bits of `flags`
 * (WRITE, USER, COW, NX); its address and all other bits stay, and what is
 * not mapped stays so.  The caller flushes TLBs.
 *
 * Lab 2.5
 */
void
pt_protect(pte_t *root, vaddr_t start, vaddr_t end, uint64_t flags)
{
    const uint64_t mask = PTE_WRITE | PTE_USER | PTE_COW | PTE_NX;
    pte_t *table;

    for (vaddr_t va = start; (table = pt_next_table(root, &va, end)) != NULL;) {
        vaddr_t stop = pt_table_end(va, end);

        for (; va < stop; va += PAGE_SIZE) {
            pte_t *e = &table[pt_index(va, 0)];

            if (*e & PTE_PRESENT)
                *e = (*e & ~mask) | (flags & mask);
        }
    }
}

/* "present write user nx ..." of one entry, as words. */
static void
print_flags(pte_t e)
{
    static const struct {
        pte_t bit;
        const char *name;
    } names[] = { { PTE_WRITE, "write" }, { PTE_USER, "user" },
        { PTE_WRITE_THROUGH, "write-through" }, { PTE_NO_CACHE, "uncached" },
        { PTE_ACCESSED, "accessed" }, { PTE_DIRTY, "dirty" },
        { PTE_LARGE, "large" }, { PTE_GLOBAL, "global" }, { PTE_COW, "cow" },
        { PTE_NX, "nx" } };

    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (e & names[i].bit)
            print(" %s", names[i].name);
}

void
pt_print(pte_t *root, vaddr_t va)
{
    static const char *const names[] = { "PT", "PD", "PDPT", "PML4" };
    pte_t *table = root;

    if (!is_canonical(va)) {
        print("%#lx is not canonical: bits 63..47 differ\n", va);
        return;
    }
    for (int level = 3; level >= 0; level--) {
        pte_t e = table[pt_index(va, level)];

        print("%4s[%3u] = %#018lx", names[level], pt_index(va, level), e);
        if (!(e & PTE_PRESENT)) {
            print(" not present\n");
            return;
        }
        print_flags(e);
        print("\n");
        if (level == 0 || (e & PTE_LARGE)) {
            vaddr_t rest = va & ((PAGE_SIZE << 9 * level) - 1);

            print("%#lx is at physical %#lx\n", va,
                    (e & PTE_ADDR & ~((PAGE_SIZE << 9 * level) - 1)) + rest);
            return;
        }
        table = table_at(e);
    }
}
