/*
 * kheap.h - the seam between the heap and the guards of debug builds: what
 * surrounds a block, and the moments at which it changes hands.
 */
#pragma once

#include "mmu/private.h"

#if DEBUG || KASAN

/*
 *     block                                            block + room
 *     | header  | the caller's n bytes | red zone ...  |
 *     0         48                     48 + n
 *
 * The header tells who allocated the block; it and the rest of the room are
 * filled with known bytes, checked when the block comes back.
 */
struct heap_header {
    struct heap_header *next, *prev; /* live blocks; free: next in the slab */
    uint64_t site;                   /* who allocated it, or freed it */
    uint64_t size;                   /* bytes asked for */
    uint64_t magic;
    uint64_t zone; /* red zone in front */
};
enum {
    HEAP_FRONT = sizeof(struct heap_header),
    HEAP_TAIL = 16
};

/* kheap.c: the block around an address, NULL: none. */
const struct heap_header *kheap_block(const void *p);

/* A block of a new slab, never given out. */
void heap_block_born(void *block, size_t room);
/* A block goes to a caller, who gets the result; or comes back, checked. */
void *heap_block_out(void *block, size_t n, size_t room, uint64_t site);
void heap_block_in(void *block, size_t room, uint64_t site);

#else

enum {
    HEAP_FRONT = 0,
    HEAP_TAIL = 0
};

static inline void
heap_block_born(void *block, size_t room)
{
    (void)block, (void)room;
}

static inline void *
heap_block_out(void *block, size_t n, size_t room, uint64_t site)
{
    (void)n, (void)room, (void)site;
    return block;
}

static inline void
heap_block_in(void *block, size_t room, uint64_t site)
{
    (void)block, (void)room, (void)site;
}

#endif

enum {
    HEAP_EXTRA = HEAP_FRONT + HEAP_TAIL
};

/* ---- kheap_magazine.c: free blocks at hand for each CPU ---- */

enum {
    HEAP_CLASSES = 14,
    HEAP_PAIRS = HEAP_CLASSES, /* two pages: room for a message of 9P */
    HEAP_MAGAZINES
};

/* A block of a class or of HEAP_PAIRS; NULL: this CPU has none at hand. */
void *magazine_take(unsigned class);
/* Keep a free block; false: there is no room. */
bool magazine_put(unsigned class, void *block);
/* Blocks that all magazines hold; exact while nothing is allocated or freed. */
uint64_t magazine_blocks(void);
/* Empty the magazines of all CPUs. */
void magazine_drain(void (*give_back)(void *block));

/* kheap.c: bytes of a class's blocks */
unsigned kheap_class_size(unsigned class);
