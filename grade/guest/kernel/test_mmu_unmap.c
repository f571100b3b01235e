/*
 * test_mmu_unmap.c - pages on their way out: cleared, flushed, then freed.
 *
 * The spaces here have no regions: pages are mapped by hand, and only what
 * space_unmap does with them is looked at.
 */
#include "mmu_test.h"

/* Map n fresh pages at at(first), with their number as the first word. */
static void
fill(struct space *s, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++) {
        paddr_t pa = page_alloc();

        *(uint64_t *)pa_to_kva(pa) = i;
        CHECK_EQ(pt_map(s->root, at(i), pa, PTE_USER | PTE_WRITE | PTE_NX), 0);
        s->resident++;
    }
}

/* The word at va as a program would see it, old translations and all. */
static uint64_t
touch(vaddr_t va)
{
    uint64_t v;

    if (cpu_has_smap)
        __asm__ volatile("stac" : : : "memory");
    v = *(volatile uint64_t *)va;
    if (cpu_has_smap)
        __asm__ volatile("clac" : : : "memory");
    return v;
}

/* Frames and tables come back; pages beside the range stay. */
KTEST(unmap_returns_frames)
{
    struct balance b = balance_now();
    struct space *s = space_new();

    fill(s, 0, 10);
    space_unmap(s, at(2), at(7));
    CHECK_EQ(s->resident, 5);
    CHECK_EQ(leaf(s, at(1)) & PTE_PRESENT, PTE_PRESENT);
    CHECK_EQ(leaf(s, at(2)), 0);
    CHECK_EQ(leaf(s, at(6)), 0);
    CHECK_EQ(leaf(s, at(7)) & PTE_PRESENT, PTE_PRESENT);
    space_unmap(s, at(0), at(10));
    CHECK_EQ(s->resident, 0);
    space_unmap(s, at(0), at(10)); /* nothing is there any more */
    space_free(s);
    CHECK_BALANCE(b);
}

/* A frame that has another owner loses one reference, no more. */
KTEST(unmap_drops_one_reference)
{
    struct balance b = balance_now();
    struct space *s = space_new();
    paddr_t pa;

    fill(s, 0, 1);
    pa = leaf(s, at(0)) & PTE_ADDR;
    page_ref(pa);
    space_unmap(s, at(0), at(1));
    CHECK_EQ(page_refs(pa), 1);
    page_unref(pa);
    space_free(s);
    CHECK_BALANCE(b);
}

/* More pages than wait in one batch, across several tables. */
KTEST(unmap_many_pages)
{
    struct balance b = balance_now();
    struct space *s = space_new();

    for (unsigned n = 63; n <= 65; n++) {
        fill(s, 500, n);
        space_unmap(s, at(0), at(1000));
        CHECK_EQ(s->resident, 0);
    }
    fill(s, 0, 1100);
    space_unmap(s, at(0), at(1100));
    CHECK_EQ(s->resident, 0);
    space_free(s);
    CHECK_BALANCE(b);
}

/* A page put where another was is seen at once. */
KTEST(unmap_flushes)
{
    struct space *before = space_current(), *s = space_new();

    space_load(s);
    for (unsigned n = 1; n <= 100; n += 33) {
        fill(s, 0, n);
        for (unsigned i = 0; i < n; i++)
            CHECK_EQ(touch(at(i)), i);
        space_unmap(s, at(0), at(n));
        fill(s, 1000, n);
        for (unsigned i = 0; i < n; i++) {
            paddr_t pa = leaf(s, at(1000 + i)) & PTE_ADDR;

            page_ref(pa);
            CHECK_EQ(pt_map(s->root, at(i), pa, PTE_USER | PTE_NX), 0);
            s->resident++;
            if (!CHECK_EQ(touch(at(i)), 1000 + i)) /* the old page? */
                break;
        }
        space_unmap(s, at(0), at(2000));
    }
    space_end(s, before);
}

/* ---- what another CPU sees when it is asked to flush ---- */

static struct {
    struct space *space;
    paddr_t page[200];
    unsigned n, asked, flushed;
    bool freed_before_the_flush;
} other;

/* In place of CPU 1: its answer, and a look around before. */
static void
other_cpu(uint32_t mask)
{
    unsigned id = this_cpu()->id;

    CHECK_EQ(mask, 2);
    other.asked++;
    for (unsigned i = other.flushed; i < other.n; i++)
        other.freed_before_the_flush |=
                frame_of(other.page[i])->state != FRAME_USED;
    while (other.flushed < other.n && leaf(other.space, at(other.flushed)) == 0)
        other.flushed++;
    this_cpu()->id = 1;
    tlb_answer();
    this_cpu()->id = id;
}

static void
unmap_beside_another_cpu(unsigned n)
{
    struct balance b = balance_now();
    struct space *s = space_new();
    void (*ask)(uint32_t) = tlb_ask;

    memset(&other, 0, sizeof(other));
    other.space = s;
    other.n = n;
    fill(s, 0, n);
    for (unsigned i = 0; i < n; i++)
        other.page[i] = leaf(s, at(i)) & PTE_ADDR;
    s->cpus |= 2; /* CPU 1 may hold its translations */
    tlb_ask = other_cpu;
    space_unmap(s, at(0), at(n));
    tlb_ask = ask;
    s->cpus &= ~2u;
    CHECK_GT(other.asked, 0); /* CPU 1 must be asked */
    CHECK(!other.freed_before_the_flush);
    CHECK_EQ(other.flushed, n);        /* each page was asked about */
    CHECK_LE(other.asked, n / 16 + 1); /* but not one by one */
    space_free(s);
    CHECK_BALANCE(b);
}

/* No frame is free before every CPU has forgotten it. */
KTEST(unmap_frees_after_the_flush)
{
    unmap_beside_another_cpu(10);
}

/* The same for many pages: a flush for each batch, before it is freed. */
KTEST(unmap_frees_after_each_flush)
{
    unmap_beside_another_cpu(200);
}

/* Nothing there: no CPU is asked to flush. */
KTEST(unmap_of_nothing_asks_nobody)
{
    struct space *s = space_new();
    void (*ask)(uint32_t) = tlb_ask;

    memset(&other, 0, sizeof(other));
    other.space = s;
    fill(s, 0, 1);
    s->cpus |= 2;
    tlb_ask = other_cpu;
    space_unmap(s, at(1), at(1000));
    tlb_ask = ask;
    s->cpus &= ~2u;
    CHECK_EQ(other.asked, 0);
    CHECK_EQ(s->resident, 1);
    space_unmap(s, at(0), at(1));
    space_free(s);
}

/* In place of CPU 1 again: is the page still the two spaces'? */
static void
other_cpu_looks_at_cow(uint32_t mask)
{
    unsigned id = this_cpu()->id;

    CHECK_EQ(mask, 2);
    other.asked++;
    CHECK_EQ(page_refs(other.page[0]), 2);
    CHECK(leaf(other.space, at(0)) & PTE_WRITE);
    this_cpu()->id = 1;
    tlb_answer();
    this_cpu()->id = id;
}

/* A broken COW page is let go only after every CPU has forgotten it. */
KTEST(cow_flushes_before_it_lets_go)
{
    struct balance b = balance_now();
    struct space *before = space_current(), *parent = space_with(1);
    struct space *child = space_new();
    void (*ask)(uint32_t) = tlb_ask;

    memset(&other, 0, sizeof(other));
    other.space = parent;
    poke(at(0), 5);
    other.page[0] = leaf(parent, at(0)) & PTE_ADDR;
    CHECK_EQ(space_copy(parent, child, false), 0);
    parent->cpus |= 2;
    tlb_ask = other_cpu_looks_at_cow;
    poke(at(0), 6);
    tlb_ask = ask;
    parent->cpus &= ~2u;
    CHECK_EQ(other.asked, 1);
    CHECK_EQ(page_refs(other.page[0]), 1);
    CHECK_EQ(*(uint64_t *)pa_to_kva(other.page[0]), 5);
    space_free(child);
    space_end(parent, before);
    CHECK_BALANCE(b);
}
