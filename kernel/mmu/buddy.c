/*
 * buddy.c - free blocks of 2^order frames, one list an order.
 *
 * A block is aligned to its size, so its buddy, the block it was split from
 * and may merge with again, is found by flipping one bit of its number.
 * Only the head frame of a block says anything; frame_init.c proves that no
 * other entry is ever read.  The caller holds RANK_FRAMES.
 */
#include "mmu/private.h"

/* Make pfn the head of a block: every field set, nothing of old times left. */
static struct frame *
block_head(
        struct buddy *b, uint64_t pfn, enum frame_state state, unsigned order)
{
    struct frame *f = &b->frames[pfn];

    *f = (struct frame){ .state = state, .order = order };
    return f;
}

/* Put a block at the front of its order's list. */
static void
list_push(struct buddy *b, uint64_t pfn, unsigned order)
{
    struct frame *f = block_head(b, pfn, FRAME_FREE, order);

    f->next = b->head[order];
    if (f->next != 0)
        b->frames[f->next].prev = pfn;
    b->head[order] = pfn;
    b->orders |= 1u << order;
}

/*
 * Take the block at pfn out of its order's list, wherever it stands there.
 * The list that is empty now loses its bit in b->orders.
 *
 * Lab 2.2
 */
static void
list_remove(struct buddy *b, uint64_t pfn, unsigned order)
{
    struct frame *f = &b->frames[pfn];

    if (f->prev != 0)
        b->frames[f->prev].next = f->next;
    else
        b->head[order] = f->next;
    if (f->next != 0)
        b->frames[f->next].prev = f->prev;
    if (b->head[order] == 0)
        b->orders &= ~(1u << order);
}

/* The largest block that starts at pfn, is aligned and ends by `end`. */
static unsigned
seed_order(uint64_t pfn, uint64_t end)
{
    unsigned order = 0;

    while (order < MAX_ORDER && !(pfn & (1ul << order)) &&
            pfn + (2ul << order) <= end)
        order++;
    return order;
}

/*
 * Declare the buddies of a span's blocks reserved: first half of seeding.
 * To be called for all spans before buddy_seed is called for any.
 */
void
buddy_fence(struct buddy *b, uint64_t first, uint64_t end)
{
    while (first < end) {
        unsigned order = seed_order(first, end);
        uint64_t buddy = first ^ (1ul << order);

        if (buddy < b->nframes)
            block_head(b, buddy, FRAME_RESERVED, 0);
        first += 1ul << order;
    }
}

/* Add the frames of a span, as few blocks as alignment permits. */
void
buddy_seed(struct buddy *b, uint64_t first, uint64_t end)
{
    while (first < end) {
        unsigned order = seed_order(first, end);

        list_push(b, first, order);
        b->free += 1ul << order;
        first += 1ul << order;
    }
}

/*
 * Take a block of 2^order frames: the smallest that is large enough, its
 * upper halves going back.  Returns the number of its head, or 0 if there is
 * none or if order is above MAX_ORDER (shifts by 32 and more mean nothing).
 * The head is FRAME_USED with its order, all its other fields 0.  b->orders
 * tells which lists are not empty, b->free counts the frames in all lists:
 * both stay true.
 *
 * Lab 2.2
 */
uint64_t
buddy_alloc(struct buddy *b, unsigned order)
{
    uint32_t fit = order <= MAX_ORDER ? b->orders >> order << order : 0;
    unsigned have;
    uint64_t pfn;

    if (fit == 0)
        return 0;
    have = __builtin_ctz(fit);
    pfn = b->head[have];
    list_remove(b, pfn, have);
    while (have > order) {
        have--;
        list_push(b, pfn + (1ul << have), have);
    }
    block_head(b, pfn, FRAME_USED, order);
    b->free -= 1ul << order;
    return pfn;
}

/*
 * Give the block of 2^order frames at pfn back.  As long as its buddy lies
 * inside the frame table and is the head of a free block of the same order,
 * both become one block of the next order, up to MAX_ORDER.  A buddy that is
 * used, reserved, or split into smaller blocks stays what it is.  b->orders
 * and b->free stay true.
 *
 * Lab 2.2
 */
void
buddy_free(struct buddy *b, uint64_t pfn, unsigned order)
{
    assert(pfn != 0 && !(pfn & ((1ul << order) - 1)));
    b->frames[pfn].state = FRAME_FREE; /* a second free finds it so */
    b->free += 1ul << order;
    for (; order < MAX_ORDER; order++) {
        uint64_t buddy = pfn ^ (1ul << order);
        const struct frame *f = &b->frames[buddy];

        if (buddy >= b->nframes || f->state != FRAME_FREE || f->order != order)
            break;
        list_remove(b, buddy, order);
        pfn &= ~(1ul << order);
    }
    list_push(b, pfn, order);
}
