/*
 * mem_map.c - from the loader's memory map to whole frames that can be used.
 *
 * The loader's ranges come in any order, overlap, and start in mid-page.
 * The rule: a frame is usable only if a usable range covers it whole and no
 * range of another kind touches it.  The answer is a list of spans, sorted,
 * disjoint and never touching, so that every later step may rely on it.
 */
#include "mmu/private.h"

/* Open a hole for one span at index i. */
static void
spans_insert(struct spans *l, unsigned i, uint64_t first, uint64_t end)
{
    assert(l->n < MAX_SPANS);
    memmove(&l->span[i + 1], &l->span[i], (l->n - i) * sizeof(l->span[0]));
    l->span[i] = (struct span){ first, end };
    l->n++;
}

static void
spans_delete(struct spans *l, unsigned i)
{
    l->n--;
    memmove(&l->span[i], &l->span[i + 1], (l->n - i) * sizeof(l->span[0]));
}

/*
 * Add frames [first, end) to l, which is sorted, disjoint and never touching,
 * and so it stays: every span that overlaps the new frames or only touches
 * them becomes one with them.  Nothing happens if first >= end.
 *
 * Lab 2.1
 */
void
spans_add(struct spans *l, uint64_t first, uint64_t end)
{
    unsigned i = 0;

    if (first >= end)
        return;
    while (i < l->n && l->span[i].end < first)
        i++;
    while (i < l->n && l->span[i].first <= end) {
        if (l->span[i].first < first)
            first = l->span[i].first;
        if (l->span[i].end > end)
            end = l->span[i].end;
        spans_delete(l, i);
    }
    spans_insert(l, i, first, end);
}

/* Take frames [first, end) out; a span across both ends becomes two. */
void
spans_cut(struct spans *l, uint64_t first, uint64_t end)
{
    for (unsigned i = 0; i < l->n && first < end;) {
        struct span *s = &l->span[i];
        struct span old = *s;

        if (old.end <= first || old.first >= end) {
            i++;
        } else if (old.first < first) {
            s->end = first;
            if (old.end > end)
                spans_insert(l, i + 1, end, old.end);
            i++;
        } else if (old.end > end) {
            s->first = end;
        } else {
            spans_delete(l, i);
        }
    }
}

/* Number of frames in all spans. */
uint64_t
spans_total(const struct spans *l)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < l->n; i++)
        total += l->span[i].end - l->span[i].first;
    return total;
}

/*
 * Fill l with the usable frames below pfn_limit, by the rule above, and with
 * nothing else: what l held before is gone.  A frame that a usable range
 * covers only in part is not usable, one that another range touches with a
 * single byte is not either, in whatever order the ranges come.  Kinds nobody
 * knows are not usable.  Empty and backward ranges are ignored; an end near
 * 2^64 must not wrap when it is rounded.  At most 128 ranges come in, each
 * adds at most one span, so MAX_SPANS leaves room for later cuts.
 *
 * Lab 2.1
 */
void
mem_map_spans(struct spans *l, const struct mem_range *mem, unsigned n,
        uint64_t pfn_limit)
{
    paddr_t limit = pfn_limit << PAGE_SHIFT;

    l->n = 0;
    for (unsigned i = 0; i < n; i++) {
        paddr_t end = mem[i].end < limit ? mem[i].end : limit;

        if (mem[i].kind == MEM_USABLE && mem[i].start < end)
            spans_add(l, ROUND_UP(mem[i].start, PAGE_SIZE) >> PAGE_SHIFT,
                    end >> PAGE_SHIFT);
    }
    for (unsigned i = 0; i < n; i++) {
        paddr_t end = mem[i].end < limit ? mem[i].end : limit;

        if (mem[i].kind != MEM_USABLE && mem[i].start < end)
            spans_cut(l, mem[i].start >> PAGE_SHIFT,
                    ROUND_UP(end, PAGE_SIZE) >> PAGE_SHIFT);
    }
}
