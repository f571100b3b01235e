/*
 * test_mmu_buddy.c - the buddy lists alone: a small table of frames that are
 * only numbers, so that every list can be looked at.
 */
#include "mmu_test.h"

enum {
    FRAMES = 256
};

static struct frame table[FRAMES];
static struct buddy lists;

/* Frames [first, end) are free, all others reserved. */
static void
begin(uint64_t first, uint64_t end)
{
    memset(table, 0, sizeof(table)); /* FRAME_RESERVED */
    lists = (struct buddy){ .frames = table, .nframes = FRAMES };
    buddy_fence(&lists, first, end);
    buddy_seed(&lists, first, end);
}

/* Blocks in the list of that order; a list that is not sound gives 0. */
static unsigned
blocks(unsigned order)
{
    uint64_t prev = 0;
    unsigned n = 0;

    for (uint64_t pfn = lists.head[order]; pfn != 0; pfn = table[pfn].next) {
        bool ok = CHECK_EQ(table[pfn].state, FRAME_FREE);

        ok &= CHECK_EQ(table[pfn].order, order);
        ok &= CHECK_EQ(table[pfn].prev, prev);
        ok &= CHECK_EQ(pfn & ((1ul << order) - 1), 0);
        if (!ok || ++n > FRAMES)
            return 0;
        prev = pfn;
    }
    CHECK_EQ(lists.orders >> order & 1, n > 0);
    return n;
}

/* The number of free frames, by list and by count. */
static void
free_is(uint64_t want)
{
    uint64_t n = 0;

    for (unsigned order = 0; order <= MAX_ORDER; order++)
        n += (uint64_t)blocks(order) << order;
    CHECK_EQ(n, want);
    CHECK_EQ(lists.free, want);
}

/* A block of 16 split for one frame leaves one of 1, 2, 4 and 8. */
KTEST(buddy_splits)
{
    uint64_t pfn;

    begin(16, 32);
    pfn = buddy_alloc(&lists, 0);
    CHECK(pfn >= 16 && pfn < 32);
    CHECK_EQ(table[pfn].state, FRAME_USED);
    CHECK_EQ(table[pfn].order, 0);
    for (unsigned order = 0; order < 4; order++)
        CHECK_EQ(blocks(order), 1);
    CHECK_EQ(blocks(4), 0);
    free_is(15);
}

/* The smallest block that is large enough is taken, not the first. */
KTEST(buddy_takes_the_smallest)
{
    begin(8, 8 + 8 + 4); /* a block of 8 and one of 4 */
    CHECK_EQ(buddy_alloc(&lists, 1) & ~3ul, 16);
    CHECK_EQ(blocks(3), 1);
    CHECK_EQ(buddy_alloc(&lists, 3), 8);
    CHECK_EQ(blocks(3), 0);
    CHECK_EQ(buddy_alloc(&lists, 2), 0); /* only 2 frames are left */
    free_is(2);
}

/* Every frame can be had once, then there are none. */
KTEST(buddy_gives_all)
{
    uint8_t seen[FRAMES] = { 0 };
    uint64_t pfn;
    unsigned n = 0;

    begin(5, 101);
    while (n < FRAMES && (pfn = buddy_alloc(&lists, 0)) != 0) {
        CHECK(pfn >= 5 && pfn < 101);
        CHECK_EQ(seen[pfn % FRAMES]++, 0);
        n++;
    }
    CHECK_EQ(n, 96);
    CHECK_EQ(lists.orders, 0);
    free_is(0);
}

/* Blocks too large are refused, without a shift that means nothing. */
KTEST(buddy_refuses_too_large)
{
    begin(64, 128);
    CHECK_EQ(buddy_alloc(&lists, 7), 0);
    CHECK_EQ(buddy_alloc(&lists, MAX_ORDER + 1), 0);
    CHECK_EQ(buddy_alloc(&lists, 32), 0);
    CHECK_EQ(buddy_alloc(&lists, 38), 0);
    CHECK_EQ(buddy_alloc(&lists, ~0u), 0);
    free_is(64);
    CHECK_EQ(buddy_alloc(&lists, 6), 64);
    free_is(0);
}

/* Freed in any order, 16 frames become one block again. */
KTEST(buddy_merges)
{
    static const uint8_t orders[][8] = { { 0, 1, 2, 3, 4, 5, 6, 7 },
        { 7, 6, 5, 4, 3, 2, 1, 0 }, { 0, 2, 4, 6, 7, 5, 3, 1 } };

    for (unsigned i = 0; i < ARRAY_LEN(orders); i++) {
        uint64_t pfn[8];

        begin(16, 32);
        for (unsigned j = 0; j < 8; j++)
            pfn[j] = buddy_alloc(&lists, 1);
        for (unsigned j = 0; j < 8; j++)
            buddy_free(&lists, pfn[orders[i][j]], 1);
        CHECK_EQ(blocks(4), 1);
        free_is(16);
        CHECK_EQ(lists.head[4], 16);
    }
}

/* A buddy in use is not merged, nor is one of which only a part is free. */
KTEST(buddy_merges_only_equals)
{
    uint64_t four, one, other;

    begin(16, 24);
    four = buddy_alloc(&lists, 2);
    one = buddy_alloc(&lists, 0); /* the other half is split for it */
    other = buddy_alloc(&lists, 0);
    buddy_free(&lists, one & other, 0); /* free, the head of that half */
    buddy_free(&lists, four, 2);
    CHECK_EQ(blocks(2), 1);
    CHECK_EQ(blocks(3), 0);
    free_is(7);
    buddy_free(&lists, one | other, 0);
    CHECK_EQ(blocks(3), 1);
    free_is(8);
}

/* Merging stops at reserved frames, at the table's end, at MAX_ORDER. */
KTEST(buddy_merges_inside_its_span)
{
    begin(16, 24);
    buddy_free(&lists, buddy_alloc(&lists, 3), 3); /* 24.. is reserved */
    CHECK_EQ(blocks(3), 1);
    free_is(8);
    begin(192, 256);
    lists.nframes = 200; /* the rest is not in the table any more */
    lists.head[6] = 0;
    lists.orders = 0;
    lists.free = 0;
    table[200] = (struct frame){ .state = FRAME_FREE, .order = 3 };
    buddy_free(&lists, 192, 3);
    CHECK_EQ(blocks(3), 1);
    free_is(8);
}

/* Random blocks against a map of the owner of each frame. */
/* seeds: 3 */
KTEST(buddy_random)
{
    enum {
        HELD = 40
    };
    static struct {
        uint64_t pfn;
        unsigned order;
    } held[HELD];
    static uint8_t owner[FRAMES];
    uint64_t taken = 0;

    begin(3, 250);
    memset(held, 0, sizeof(held));
    memset(owner, 0, sizeof(owner));
    for (unsigned step = 0; step < 4000; step++) {
        CHECK_ROUND(step);
        unsigned i = ktest_random(&seed) % HELD;
        uint64_t n;

        if (held[i].pfn == 0) {
            held[i].order = ktest_random(&seed) % 5;
            held[i].pfn = buddy_alloc(&lists, held[i].order);
            if (held[i].pfn == 0)
                continue;
        }
        n = 1ul << held[i].order;
        if (!CHECK(held[i].pfn >= 3 && held[i].pfn + n <= 250) ||
                !CHECK_EQ(held[i].pfn & (n - 1), 0))
            return;
        if (owner[held[i].pfn] == i + 1) {
            memset(&owner[held[i].pfn], 0, n);
            buddy_free(&lists, held[i].pfn, held[i].order);
            held[i].pfn = 0;
            taken -= n;
        } else {
            for (uint64_t f = held[i].pfn; f < held[i].pfn + n; f++)
                if (!CHECK_EQ(owner[f], 0)) /* two blocks overlap */
                    return;
            memset(&owner[held[i].pfn], i + 1, n);
            taken += n;
        }
        if (step % 100 == 0)
            free_is(247 - taken);
    }
    for (unsigned i = 0; i < HELD; i++)
        if (held[i].pfn != 0)
            buddy_free(&lists, held[i].pfn, held[i].order);
    free_is(247);
    CHECK_EQ(blocks(6), 2); /* 64..127, 128..191: all merged */
}
