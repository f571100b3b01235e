/*
 * frame_init.c - how frames come to life, and why boot does not touch most.
 *
 *   loader's map -> spans (mem_map.c) -> early_alloc takes some for good
 *                -> frame table -> blocks in the buddy lists -> page_alloc
 *
 * The frame table has one entry for each frame number up to the end of RAM,
 * but at boot only the heads of blocks get theirs written: one a GiB.  The
 * rest of the table holds whatever the RAM held.  No one may read such an
 * entry, and no one does:
 *
 *   Only the merge in buddy_free reads an entry that its caller does not own:
 *   the head of the buddy of a block (p, k) that is being freed.  Let (P, K)
 *   be the seeded block around it.
 *   - k < K: (p, k) came from a split of its parent, and that split wrote the
 *     heads of both halves.  What is written stays written: later splits and
 *     merges only write it again.
 *   - k = K: the buddy lies outside (P, K).  If it is the first frame of a
 *     seeded block, seeding wrote it.  If not, then no seeded block contains
 *     it: one of a smaller order would, aligned as it is, start there; one of
 *     a larger order would contain (P, K) too.  buddy_fence wrote
 *     FRAME_RESERVED there, before any seeding, so merging stops.
 *
 * frame_of callers read entries of frames they own, which are heads.
 */
#include "mmu/kasan.h"

enum {
    LOW_FRAMES = 256
}; /* the first MiB: firmware's, and AP_BOOT_PA */

static struct spans free_spans;   /* usable and not taken */
static struct spans kernel_spans; /* usable and taken before seeding */
static uint64_t early_end;        /* after the highest frame so taken */
uint64_t frames_total, frames_kernel;

/* Take frames [first, end) for good, as far as they are usable. */
static void
reserve(uint64_t first, uint64_t end)
{
    for (unsigned i = 0; i < free_spans.n; i++) {
        const struct span *s = &free_spans.span[i];
        uint64_t from = s->first > first ? s->first : first;
        uint64_t to = s->end < end ? s->end : end;

        spans_add(&kernel_spans, from, to); /* nothing if from >= to */
    }
    spans_cut(&free_spans, first, end);
}

static void
reserve_bytes(paddr_t start, paddr_t end)
{
    reserve(pfn_of(start), pfn_of(ROUND_UP(end, PAGE_SIZE)));
}

/* Find n frames in a row below frame number `below`, highest first. */
static uint64_t
early_find(uint64_t n, uint64_t below)
{
    for (unsigned i = free_spans.n; i-- > 0;) {
        const struct span *s = &free_spans.span[i];
        uint64_t end = s->end < below ? s->end : below;

        if (s->first + n <= end)
            return end - n;
    }
    return 0;
}

paddr_t
early_alloc(uint64_t n, paddr_t below)
{
    uint64_t first = early_find(n, pfn_of(below));

    if (first == 0)
        panic("early_alloc: no %lu frames below %#lx; this machine has too "
              "little memory",
                n, below);
    reserve(first, first + n);
    if (first + n > early_end)
        early_end = first + n;
    return first << PAGE_SHIFT;
}

/*
 * Read the loader's map and keep out what is already in use.  The first MiB
 * goes as a whole: firmware scribbles there, and sched starts CPUs from it.
 */
void
frames_init(void)
{
    mem_map_spans(&free_spans, bootinfo.mem, bootinfo.nmem, PFN_LIMIT);
    spans_cut(&free_spans, 0, LOW_FRAMES);
    frames_total = spans_total(&free_spans);
    reserve_bytes((vaddr_t)kernel_start - KERNEL_BASE,
            (vaddr_t)kernel_end - KERNEL_BASE);
    for (unsigned i = 0; i < bootinfo.nmodule; i++)
        reserve_bytes(bootinfo.modules[i].start, bootinfo.modules[i].end);
}

uint64_t
frames_end(void)
{
    return free_spans.n ? free_spans.span[free_spans.n - 1].end : 0;
}

/*
 * Frames that the table itself needs to describe the highest span, and what
 * early_alloc took above it: page tables, whose records count their entries.
 */
static uint64_t
table_frames(void)
{
    uint64_t end = frames_end() > early_end ? frames_end() : early_end;

    return ROUND_UP(end * sizeof(struct frame), PAGE_SIZE) >> PAGE_SHIFT;
}

/*
 * Place the frame table.  A map with a little RAM at a huge address would
 * need a table larger than RAM: then the highest span is given up.
 */
static void
table_place(void)
{
    uint64_t need;

    while (need = table_frames(),
            free_spans.n != 0 && !early_find(need, ~0ul)) {
        const struct span *top = &free_spans.span[free_spans.n - 1];

        frames_total -= top->end - top->first;
        spans_cut(&free_spans, top->first, top->end);
    }
    ram.nframes = need * PAGE_SIZE / sizeof(struct frame);
    ram.frames = pa_to_kva(early_alloc(need, ~0ul));
}

static void
seed(const struct span *s)
{
    buddy_seed(&ram, s->first, s->end);
    kasan_forbid(pa_to_kva(s->first << PAGE_SHIFT),
            (s->end - s->first) << PAGE_SHIFT, KASAN_PAGE);
}

/* Build the frame table and hand every free span to the buddy lists. */
void
frames_seed(void)
{
    table_place();
    frames_kernel = spans_total(&kernel_spans);
    for (unsigned i = 0; i < kernel_spans.n; i++) {
        const struct span *s = &kernel_spans.span[i];

        for (uint64_t pfn = s->first; pfn < s->end && pfn < ram.nframes; pfn++)
            ram.frames[pfn] = (struct frame){ .state = FRAME_KERNEL };
    }
    for (unsigned i = 0; i < free_spans.n; i++)
        buddy_fence(&ram, free_spans.span[i].first, free_spans.span[i].end);
    for (unsigned i = 0; i < free_spans.n; i++)
        seed(&free_spans.span[i]);
}
