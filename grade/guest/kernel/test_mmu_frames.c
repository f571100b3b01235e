/*
 * test_mmu_frames.c - physical memory: the loader's map, blocks, pages,
 * counters.
 */
#include "mmu_test.h"

/* ---- the memory map ---- */

static struct spans list;

/* As if here were a list of before, which must be gone afterwards. */
static void
spans_of_old(void)
{
    list.n = 1;
    list.span[0] = (struct span){ 1, 2 };
}

/* The list is that; if not, the line that asked is named, the list printed. */
#define spans_are(n, want) spans_are_at(__LINE__, n, want)
#define CHECK_EQ_AT(line, got, want)                                           \
    ktest_check_eq(got, want, __FILE__, line, #got " == " #want)

static void
spans_are_at(int line, unsigned n, const struct span *want)
{
    bool ok = CHECK_EQ_AT(line, list.n, n);

    for (unsigned i = 0; ok && i < n; i++) {
        ok &= CHECK_EQ_AT(line, list.span[i].first, want[i].first);
        ok &= CHECK_EQ_AT(line, list.span[i].end, want[i].end);
    }
    for (unsigned i = 0; !ok && i < list.n && i < 8; i++)
        print("list.span[%u]: %#lx to %#lx\n", i, list.span[i].first,
                list.span[i].end);
}

/* One span more: apart, touching, overlapping, around all others. */
KTEST(spans_join)
{
    static const struct span apart[] = { { 5, 8 }, { 10, 20 }, { 30, 40 } };
    static const struct span joined[] = { { 5, 20 }, { 30, 40 } };
    static const struct span all[] = { { 5, 50 } };

    list.n = 0;
    spans_add(&list, 30, 40);
    spans_add(&list, 10, 20);
    spans_add(&list, 5, 8);
    spans_add(&list, 25, 25); /* nothing */
    spans_add(&list, 26, 25);
    spans_are(3, apart);
    spans_add(&list, 8, 10); /* touches both */
    spans_are(2, joined);
    spans_add(&list, 12, 15);
    spans_are(2, joined);
    spans_add(&list, 6, 50);
    spans_are(1, all);
}

/* Ranges out of order, overlapping and with gaps become sorted spans. */
KTEST(mem_map_sorts_and_joins)
{
    static const struct mem_range mem[] = {
        { 0x900000, 0xa00000, MEM_USABLE },
        { 0x100000, 0x200000, MEM_USABLE },
        { 0x180000, 0x300000, MEM_USABLE },
        { 0x300000, 0x400000, MEM_USABLE },
    };
    static const struct span want[] = { { 0x100, 0x400 }, { 0x900, 0xa00 } };

    spans_of_old();
    mem_map_spans(&list, mem, ARRAY_LEN(mem), PFN_LIMIT);
    spans_are(2, want);
}

/* Whatever is not usable wins over usable, in any order. */
KTEST(mem_map_reserved_wins)
{
    static const struct mem_range mem[] = {
        { 0x150000, 0x160000, MEM_RESERVED },
        { 0x100000, 0x200000, MEM_USABLE },
        { 0x1f8000, 0x208000, MEM_ACPI },
        { 0x100000, 0x101000, MEM_BAD },
        { 0x170000, 0x171000, (enum mem_kind)77 },
    };
    static const struct span want[] = { { 0x101, 0x150 }, { 0x160, 0x170 },
        { 0x171, 0x1f8 } };

    mem_map_spans(&list, mem, ARRAY_LEN(mem), PFN_LIMIT);
    spans_are(3, want);
}

/* A frame that is usable only in part is not usable. */
KTEST(mem_map_drops_partial_frames)
{
    static const struct mem_range mem[] = {
        { 0x100001, 0x103fff, MEM_USABLE },
        { 0x200800, 0x200900, MEM_USABLE },
        { 0x300000, 0x310000, MEM_USABLE },
        { 0x308fff, 0x309001, MEM_RESERVED },
    };
    static const struct span want[] = { { 0x101, 0x103 }, { 0x300, 0x308 },
        { 0x30a, 0x310 } };

    mem_map_spans(&list, mem, ARRAY_LEN(mem), PFN_LIMIT);
    spans_are(3, want);
}

/* Empty, backward and huge ranges do no harm. */
KTEST(mem_map_survives_nonsense)
{
    static const struct mem_range mem[] = {
        { 0x200000, 0x100000, MEM_USABLE },
        { 0x300000, 0x300000, MEM_USABLE },
        { 0xffffffffffffff00, 0xfffffffffffffff0, MEM_USABLE },
        { 0x400000, 0xffffffffffffffff, MEM_USABLE },
        { 0x500000, 0x400000, MEM_RESERVED },
        { 0x600000, 0xffffffffffffffff, MEM_RESERVED },
    };
    static const struct span want[] = { { 0x400, 0x600 } };

    mem_map_spans(&list, mem, ARRAY_LEN(mem), PFN_LIMIT);
    spans_are(1, want);
}

/* Against a model of one bit a frame. */
/* seeds: 3 */
KTEST(mem_map_random)
{
    enum {
        N = 40,
        FRAMES = 256
    };
    static struct mem_range mem[N];
    static uint8_t usable[FRAMES];
    unsigned i = 0, wrong = FRAMES;

    for (unsigned n = 0; n < N; n++) {
        mem[n].start = ktest_random(&seed) % (FRAMES * PAGE_SIZE);
        mem[n].end = mem[n].start + ktest_random(&seed) % (20 * PAGE_SIZE);
        mem[n].kind = ktest_random(&seed) % 3 ? MEM_USABLE : MEM_RESERVED;
    }
    for (unsigned f = 0; f < FRAMES; f++) {
        paddr_t start = f * PAGE_SIZE, end = start + PAGE_SIZE;

        usable[f] = 0;
        for (unsigned n = 0; n < N; n++) {
            const struct mem_range *r = &mem[n];

            if (r->kind == MEM_USABLE && r->start <= start && end <= r->end)
                usable[f] |= 1;
            if (r->kind != MEM_USABLE && r->start < end && start < r->end &&
                    r->start < r->end)
                usable[f] |= 2;
        }
    }
    mem_map_spans(&list, mem, N, FRAMES);
    for (unsigned f = 0; f < FRAMES && wrong == FRAMES; f++) {
        while (i < list.n && list.span[i].end <= f)
            i++;
        if ((i < list.n && list.span[i].first <= f) != (usable[f] == 1))
            wrong = f;
    }
    if (CHECK_EQ(wrong, FRAMES))
        return;
    print("frame %#x must%s be in the list; what touches it:\n", wrong,
            usable[wrong] == 1 ? "" : " not");
    for (unsigned n = 0; n < N; n++)
        if (mem[n].start < (wrong + 1) * PAGE_SIZE &&
                mem[n].end > wrong * PAGE_SIZE)
            print("%#lx to %#lx, %s\n", mem[n].start, mem[n].end,
                    mem[n].kind == MEM_USABLE ? "usable" : "reserved");
}

/* What the loader called usable, and only that, is counted and given out. */
KTEST(frames_come_from_the_map)
{
    struct mem_counters c;
    paddr_t pa = page_alloc();
    unsigned inside = 0;

    for (unsigned i = 0; i < bootinfo.nmem; i++) {
        const struct mem_range *r = &bootinfo.mem[i];
        bool in = r->start <= pa && pa + PAGE_SIZE <= r->end;

        if (in && r->kind == MEM_USABLE)
            inside++;
        CHECK(r->kind == MEM_USABLE || r->end <= pa ||
                r->start >= pa + PAGE_SIZE);
    }
    CHECK_GT(inside, 0);
    page_unref(pa);
    frame_counters(&c);
    CHECK(c.total > 0 && c.kernel > 0);
    CHECK_EQ(c.total, c.free + c.cached + c.used + c.kernel);
}

/* The image, the modules, page 0 and the first MiB are not given out. */
KTEST(frames_kept_out)
{
    enum {
        MOST = 4096
    };
    static paddr_t got[MOST];
    paddr_t image = (vaddr_t)kernel_start - KERNEL_BASE;
    paddr_t image_end = (vaddr_t)kernel_end - KERNEL_BASE;
    unsigned n = 0;

    while (n < MOST && (got[n] = page_alloc()) != 0) {
        CHECK_GE(got[n], 0x100000);
        CHECK(got[n] + PAGE_SIZE <= image || got[n] >= image_end);
        for (unsigned m = 0; m < bootinfo.nmodule; m++)
            CHECK(got[n] + PAGE_SIZE <= bootinfo.modules[m].start ||
                    got[n] >= bootinfo.modules[m].end);
        n++;
    }
    while (n > 0)
        page_unref(got[--n]);
    CHECK_EQ(mmu_check(), 0);
}

/* ---- pages ---- */

KTEST(page_life)
{
    struct balance b = balance_now();
    paddr_t pa = page_alloc();

    CHECK(pa != 0 && !(pa & PAGE_MASK));
    CHECK_EQ(frame_of(pa)->state, FRAME_USED);
    CHECK_EQ(page_refs(pa), 1);
    page_ref(pa);
    CHECK_EQ(page_refs(pa), 2);
    page_unref(pa);
    CHECK_EQ(page_refs(pa), 1);
    CHECK_EQ(balance_now().used, b.used + 1);
    page_unref(pa);
    CHECK_NE(frame_of(pa)->state, FRAME_USED);
    CHECK_BALANCE(b);
}

/* Zeroed pages are zero even if they were just written and freed. */
KTEST(page_zeroed)
{
    struct balance b = balance_now();
    paddr_t pages[8];

    for (unsigned round = 0; round < 2; round++) {
        CHECK_ROUND(round);
        for (unsigned i = 0; i < ARRAY_LEN(pages); i++) {
            uint64_t *w;

            pages[i] = page_alloc_zeroed();
            w = pa_to_kva(pages[i]);
            for (unsigned j = 0; j < PAGE_SIZE / 8; j++)
                if (!CHECK_EQ(w[j], 0))
                    break;
            memset(w, 0xa5, PAGE_SIZE);
        }
        for (unsigned i = 0; i < ARRAY_LEN(pages); i++)
            page_unref(pages[i]);
    }
    CHECK_BALANCE(b);
}

/* Pages come in batches: 32 at a time, one trip to the lists for all. */
KTEST(page_batches)
{
    struct page_cache *c = &page_caches[this_cpu()->id];
    static paddr_t early[CACHE_PAGES], pages[200];
    unsigned n = 0;
    uint64_t free;

    while (c->any.n > 0) /* what was cached before */
        early[n++] = page_alloc();
    free = ram.free;
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++) {
        pages[i] = page_alloc();
        CHECK_EQ(c->any.n, 31 - i % 32);
        CHECK_EQ(ram.free, free - (i / 32 + 1) * 32);
    }
    for (unsigned i = 0; i < ARRAY_LEN(pages); i++) {
        unsigned had = c->any.n;

        page_unref(pages[i]);
        CHECK_EQ(c->any.n, had == CACHE_PAGES ? CACHE_PAGES - 31 : had + 1);
    }
    CHECK_EQ(ram.free + c->any.n, free);
    while (n > 0)
        page_unref(early[--n]);
    CHECK_EQ(mmu_check(), 0);
}

/* A page that came back all zeros goes out first, and is not cleared. */
KTEST(page_zeroed_is_reused)
{
    struct balance b = balance_now();
    paddr_t pa = page_alloc_zeroed(), again, other;
    const struct page_stack *zeroed = &page_caches[this_cpu()->id].zeroed;
    unsigned n = zeroed->n;

    CHECK_NE(pa, 0);
    page_free_zeroed(pa);
    CHECK_EQ(zeroed->n, n + 1);
    other = page_alloc(); /* which wants no zeroed one */
    CHECK_NE(other, pa);
    again = page_alloc_zeroed();
    CHECK_EQ(again, pa);
    CHECK_EQ(page_refs(again), 1);
    page_unref(again);
    page_unref(other);
    CHECK_BALANCE(b);
}

/* Two pages in use are never the same one. */
KTEST(page_unique)
{
    enum {
        N = 500
    };
    static paddr_t pages[N];
    struct balance b = balance_now();

    for (unsigned i = 0; i < N; i++) {
        pages[i] = page_alloc();
        *(uint64_t *)pa_to_kva(pages[i]) = i;
    }
    for (unsigned i = 0; i < N; i++)
        CHECK_EQ(*(uint64_t *)pa_to_kva(pages[i]), i);
    for (unsigned i = 0; i < N; i++)
        page_unref(pages[i]);
    CHECK_BALANCE(b);
}

/* Every last frame can be had, then none; freeing them restores the counts. */
/* mem: 64M */
KTEST(page_exhaustion)
{
    struct balance b = balance_now();
    paddr_t pa, chain = 0;
    uint64_t n = 0;

    while ((pa = page_alloc()) != 0) {
        *(paddr_t *)pa_to_kva(pa) = chain;
        chain = pa;
        n++;
    }
    CHECK_EQ(n, b.rest);
    CHECK_EQ(pages_alloc(0), 0);
    CHECK_EQ(pages_alloc(3), 0);
    CHECK(kmalloc(100000) == NULL);
    CHECK(page_alloc_zeroed() == 0);
    while (chain != 0) {
        pa = chain;
        chain = *(paddr_t *)pa_to_kva(pa);
        page_unref(pa);
    }
    CHECK_BALANCE(b);
}

static bool vital;

static bool
is_vital(void)
{
    return vital;
}

/* All the pages that can be had, linked by their first words: how many. */
static uint64_t
take_all(paddr_t *chain)
{
    uint64_t n = 0;
    paddr_t pa;

    for (*chain = 0; (pa = page_alloc()) != 0; n++) {
        *(paddr_t *)pa_to_kva(pa) = *chain;
        *chain = pa;
    }
    return n;
}

static void
give_all(paddr_t chain)
{
    while (chain != 0) {
        paddr_t pa = chain;

        chain = *(paddr_t *)pa_to_kva(pa);
        page_unref(pa);
    }
}

/*
 * Of the reserve nothing goes to others, not even what comes back to it; as
 * soon as it is full, pages are there for all.
 * mem: 64M
 */
KTEST(page_reserve)
{
    struct balance b = balance_now();
    uint64_t rest_before = b.rest;
    paddr_t most, rest, few[40];

    reserve_init(is_vital);
    b = balance_now();
    CHECK_EQ(b.rest, rest_before - 128);
    CHECK_EQ(take_all(&most), b.rest);
    CHECK_EQ(pages_alloc(1), 0);
    vital = true;
    for (unsigned i = 0; i < ARRAY_LEN(few); i++)
        CHECK_NE(few[i] = page_alloc(), 0);
    CHECK_EQ(take_all(&rest), 128 - ARRAY_LEN(few));
    vital = false;
    for (unsigned i = 0; i < ARRAY_LEN(few); i++) {
        page_unref(few[i]);
        CHECK_EQ(page_alloc(), 0);
        CHECK_EQ(page_alloc_zeroed(), 0);
    }
    vital = true;
    for (unsigned i = 0; i < ARRAY_LEN(few); i++)
        CHECK_NE(few[i] = page_alloc(), 0); /* all had gone to the reserve */
    vital = false;
    CHECK_EQ(page_alloc(), 0);
    give_all(rest);
    for (unsigned i = 0; i < ARRAY_LEN(few); i++)
        page_unref(few[i]);
    CHECK_EQ(page_alloc(), 0);
    give_all(most);
    CHECK_BALANCE(b);
    CHECK_EQ(take_all(&most), b.rest);
    give_all(most);
    CHECK_EQ(mmu_check(), 0);
}

/* page_fail_at fails the n-th allocation and only that. */
KTEST(page_fail_at)
{
    paddr_t a, b;

    page_fail_at(2);
    a = page_alloc();
    CHECK_NE(a, 0);
    CHECK_EQ(page_alloc_zeroed(), 0);
    b = page_alloc();
    CHECK_NE(b, 0);
    page_unref(a);
    page_unref(b);
    page_fail_at(1);
    CHECK_EQ(pages_alloc(2), 0);
    page_fail_at(1);
    CHECK(kmalloc(10) == NULL);
    page_fail_at(0);
}

/* panic: page_unref */
KTEST(page_double_free_panics)
{
    paddr_t pa = page_alloc();

    page_unref(pa);
    page_unref(pa);
}

/* panic: is no frame's address */
KTEST(page_wild_free_panics)
{
    page_unref(0x7ffffffff000);
}

/* A write to a page after it was freed is found when it is given out again.
 * kernel: debug
 * panic: after it was freed */
KTEST(page_use_after_free_found)
{
    paddr_t pa = page_alloc();

    page_unref(pa);
    ((uint64_t *)pa_to_kva(pa))[100] = 1;
    page_alloc();
}

/* ---- blocks ---- */

KTEST(blocks_are_aligned)
{
    struct balance b = balance_now();

    for (unsigned order = 0; order <= 10; order++) {
        paddr_t pa = pages_alloc(order);

        CHECK_NE(pa, 0);
        CHECK_EQ(pa & ((PAGE_SIZE << order) - 1), 0);
        CHECK_EQ(balance_now().used, b.used + (1ul << order));
        memset(pa_to_kva(pa), 0x11, PAGE_SIZE << order);
        pages_free(pa, order);
    }
    CHECK_BALANCE(b);
}

KTEST(blocks_too_large)
{
    CHECK_EQ(pages_alloc(MAX_ORDER + 1), 0);
    CHECK_EQ(pages_alloc(31), 0);
    CHECK_EQ(pages_alloc(32), 0);
    CHECK_EQ(pages_alloc(~0u), 0);
}

/* After everything was split into pages and freed, large blocks are back. */
KTEST(blocks_merge_again)
{
    paddr_t big = pages_alloc(9), pa, chain = 0;
    uint64_t total = 0;

    CHECK_NE(big, 0);
    pages_free(big, 9);
    while (total < 3000 && (pa = page_alloc()) != 0) {
        *(paddr_t *)pa_to_kva(pa) = chain;
        chain = pa;
        total++;
    }
    while (chain != 0) {
        pa = chain;
        chain = *(paddr_t *)pa_to_kva(pa);
        page_unref(pa);
    }
    CHECK_EQ(mmu_check(), 0); /* it knows that free buddies must be merged */
    big = pages_alloc(9);
    CHECK_NE(big, 0);
    pages_free(big, 9);
}

/* panic: freed as order 1 */
KTEST(block_wrong_order_panics)
{
    pages_free(pages_alloc(2), 1);
}

/* panic: pages_free */
KTEST(block_double_free_panics)
{
    paddr_t pa = pages_alloc(3);

    pages_free(pa, 3);
    pages_free(pa, 3);
}

/* Random blocks never overlap and the counters follow. */
/* seeds: 3 */
KTEST(blocks_random)
{
    enum {
        N = 64
    };
    static struct {
        paddr_t pa;
        unsigned order;
        uint64_t mark;
    } block[N];
    struct balance b = balance_now();
    uint64_t held = 0;

    memset(block, 0, sizeof(block));
    for (unsigned step = 0; step < 2000; step++) {
        CHECK_ROUND(step);
        unsigned i = ktest_random(&seed) % N;
        uint64_t *first = pa_to_kva(block[i].pa);

        if (block[i].pa != 0) {
            uint64_t words = (PAGE_SIZE << block[i].order) / 8;

            CHECK_EQ(first[0], block[i].mark);
            CHECK_EQ(first[words - 1], block[i].mark);
            pages_free(block[i].pa, block[i].order);
            held -= 1ul << block[i].order;
            block[i].pa = 0;
        } else {
            unsigned order = ktest_random(&seed) % 7;

            block[i].order = order;
            block[i].pa = pages_alloc(order);
            block[i].mark = ktest_random(&seed);
            if (!CHECK_NE(block[i].pa, 0))
                continue;
            first = pa_to_kva(block[i].pa);
            first[0] = block[i].mark;
            first[(PAGE_SIZE << order) / 8 - 1] = block[i].mark;
            held += 1ul << order;
        }
        if (step % 500 == 0)
            CHECK_EQ(balance_now().used, b.used + held);
    }
    for (unsigned i = 0; i < N; i++)
        if (block[i].pa != 0)
            pages_free(block[i].pa, block[i].order);
    CHECK_BALANCE(b);
}

/* Memory above 4 GiB is given out, mapped and real. */
/* mem: 6G
 * shifts: 6
 * limit: 30 */
KTEST(frames_above_4g)
{
    enum {
        MOST = 8
    };
    paddr_t block[MOST];
    unsigned n = 0, high = 0;

    while (n < MOST && (block[n] = pages_alloc(MAX_ORDER)) != 0) {
        uint64_t *w = pa_to_kva(block[n]);

        high += block[n] >= 0x100000000;
        w[0] = block[n];
        w[(PAGE_SIZE << MAX_ORDER) / 8 - 1] = ~block[n];
        n++;
    }
    CHECK_GE(high, 2);
    for (unsigned i = 0; i < n; i++) {
        uint64_t *w = pa_to_kva(block[i]);

        CHECK_EQ(w[0], block[i]);
        CHECK_EQ(w[(PAGE_SIZE << MAX_ORDER) / 8 - 1], ~block[i]);
        pages_free(block[i], MAX_ORDER);
    }
    CHECK_EQ(mmu_check(), 0);
}
