/*
 * malloc.c - the heap: two-level segregated fit on memory from brk, whole
 * mappings for big blocks.
 *
 *     | prev_size | size, flags, tag | payload ...              |
 *     8           8                  16-aligned
 *
 * Blocks lie side by side; prev_size finds the left neighbour, size the
 * right one, so that free joins all three in constant time: two free blocks
 * never touch.  Free blocks hang in bins by size, four to each power of two,
 * and a bitmap finds the first bin that surely fits: good fit, no search.
 *
 * The upper 16 bits of `size` are a tag mixed with the block's address: LIVE
 * while the program has it.  A second free, or one of a pointer into the
 * middle of something, finds another value there and ends the program.
 */
#include "lib/lux.h"

struct block {
    uint64_t prev_size;        /* of the left neighbour; 0: this is the first */
    uint64_t word;             /* size | kind << 48 */
    struct block *next, *prev; /* only in free blocks */
};

enum {
    HEADER = 16,
    GRAIN = 16,
    SMALLEST = sizeof(struct block),
    BIG = 256 << 10,   /* from here on a mapping of its own */
    GROWTH = 64 << 10, /* brk moves by multiples of this */
    BINS = 4 * 48,
};

enum kind {
    LIVE = 0xa11c,
    FREE = 0xf4ee,
    MAPPED = 0x3a99,
    END = 0xe4d0
};

#define SIZE_MASK 0x0000ffffffffffffull

static struct block *bins[BINS];
static uint64_t bin_map[BINS / 64];    /* bit b: bins[b] is not empty */
static struct block *first, *heap_end; /* heap_end: the END block */
static uint64_t live;
static struct qlock heap_lock;

/* ---- headers ---- */

/* The tag that makes b a block of this kind, in place in `word`. */
static uint64_t
tag_of(const struct block *b, enum kind kind)
{
    return ((uint64_t)kind ^ ((uintptr_t)b >> 4 & 0xffff)) << 48;
}

/* Does b carry that tag? */
static bool
is_kind(const struct block *b, enum kind kind)
{
    return (b->word & ~SIZE_MASK) == tag_of(b, kind);
}

/* Bytes of b, its header included. */
static uint64_t
size_of(const struct block *b)
{
    return b->word & SIZE_MASK;
}

/* The neighbour above; b is not the END block. */
static struct block *
right_of(struct block *b)
{
    return (struct block *)((char *)b + size_of(b));
}

/* The neighbour below; b->prev_size is not 0. */
static struct block *
left_of(struct block *b)
{
    return (struct block *)((char *)b - b->prev_size);
}

/* Write b's header and tell its right neighbour. */
static void
set_block(struct block *b, uint64_t size, enum kind kind)
{
    b->word = size | tag_of(b, kind);
    if (kind == LIVE || kind == FREE)
        right_of(b)->prev_size = size;
}

/* ---- bins ---- */

/* The bin whose blocks have sizes from this one's two top bits up. */
static unsigned
bin_of(uint64_t size)
{
    unsigned top = 63 - (unsigned)__builtin_clzl(size);

    return (top - 4) * 4 + (size >> (top - 2) & 3);
}

/* Hang free b into the bin of its size. */
static void
bin_insert(struct block *b)
{
    unsigned n = bin_of(size_of(b));

    b->prev = NULL;
    b->next = bins[n];
    if (b->next != NULL)
        b->next->prev = b;
    bins[n] = b;
    bin_map[n / 64] |= 1ul << n % 64;
}

/* Take free b out of its bin, before its size changes. */
static void
bin_remove(struct block *b)
{
    unsigned n = bin_of(size_of(b));

    if (b->next != NULL)
        b->next->prev = b->prev;
    if (b->prev != NULL)
        b->prev->next = b->next;
    else
        bins[n] = b->next;
    if (bins[n] == NULL)
        bin_map[n / 64] &= ~(1ul << n % 64);
}

/*
 * Take a free block of at least `size` off its bin, or NULL.  Rounding up
 * to the next bin's lower bound makes every block found there large enough.
 */
static struct block *
bin_take(uint64_t size)
{
    unsigned top = 63 - (unsigned)__builtin_clzl(size);
    unsigned n = bin_of(size + (1ul << (top - 2)) - 1);

    for (unsigned w = n / 64; w < ARRAY_LEN(bin_map); w++) {
        uint64_t map = bin_map[w];

        if (w == n / 64)
            map &= ~0ul << n % 64;
        if (map != 0) {
            struct block *b = bins[w * 64 + (unsigned)__builtin_ctzl(map)];

            bin_remove(b);
            return b;
        }
    }
    return NULL;
}

/* ---- free blocks: make, join, cut ---- */

/* Make b free and join it with free neighbours. */
static void
give_back(struct block *b)
{
    uint64_t size = size_of(b);
    struct block *right = right_of(b);

    if (is_kind(right, FREE)) {
        bin_remove(right);
        size += size_of(right);
    }
    b->word = tag_of(b, FREE); /* it stays recognisable inside a larger one */
    if (b->prev_size != 0 && is_kind(left_of(b), FREE)) {
        b = left_of(b);
        bin_remove(b);
        size += size_of(b);
    }
    set_block(b, size, FREE);
    bin_insert(b);
}

/* Make the first `size` bytes of b live and free the rest, if any use. */
static void
cut(struct block *b, uint64_t size)
{
    uint64_t rest = size_of(b) - size;

    if (rest < SMALLEST) {
        set_block(b, size_of(b), LIVE);
        return;
    }
    set_block(b, size, LIVE);
    set_block(right_of(b), rest, LIVE);
    give_back(right_of(b));
}

/*
 * More memory at the end of the heap: at least one free block of `size`.
 * What lies between, if someone else moved brk, starts a heap of its own.
 * false: no memory.
 */
static bool
grow(uint64_t size)
{
    int64_t now = brk(0);
    uint64_t from = ROUND_UP((uint64_t)now, GRAIN);
    uint64_t want = ROUND_UP(size + 2 * HEADER, GROWTH);
    struct block *b = (struct block *)from;

    if (now < 0 || brk(ROUND_UP(from + want, PAGE_SIZE)) < 0)
        return false;
    want = ROUND_UP(from + want, PAGE_SIZE) - from;
    if (heap_end != NULL && (uint64_t)heap_end + HEADER == from) {
        b = heap_end;
        want += HEADER;
    } else {
        b->prev_size = 0;
        if (first == NULL)
            first = b;
    }
    heap_end = (struct block *)((char *)b + want - HEADER);
    set_block(heap_end, 0, END);
    set_block(b, want - HEADER, LIVE);
    give_back(b);
    return true;
}

/* ---- big blocks ---- */

/* A mapping of its own for n bytes; NULL: no memory. */
static void *
map_big(size_t n)
{
    uint64_t len = ROUND_UP(n + HEADER, PAGE_SIZE);
    int64_t at = mem_map(0, len, MEM_READ | MEM_WRITE);
    struct block *b = (struct block *)at;

    if (at < 0)
        return NULL;
    b->prev_size = 0;
    set_block(b, len, MAPPED);
    return (char *)b + HEADER;
}

/* ---- the calls ---- */

/* The block's size for a request of n bytes. */
static uint64_t
block_size(size_t n)
{
    return n <= SMALLEST - HEADER ? SMALLEST : ROUND_UP(n + HEADER, GRAIN);
}

/* The heap is damaged, or the program about to: end it. */
static NORETURN void
bad_pointer(const char *what)
{
    exits(what);
}

/* The live block of p; anything else ends the program. */
static struct block *
block_of(void *p)
{
    struct block *b = (struct block *)((char *)p - HEADER);

    if ((uintptr_t)p % GRAIN != 0)
        bad_pointer("malloc: free of a wrong pointer");
    if (is_kind(b, FREE))
        bad_pointer("malloc: double free");
    if (!is_kind(b, LIVE) && !is_kind(b, MAPPED))
        bad_pointer("malloc: wrong pointer or overwritten block");
    if (is_kind(b, LIVE) && right_of(b)->prev_size != size_of(b))
        bad_pointer("malloc: block overwritten past its end");
    return b;
}

/* From the bins, else from brk; NULL and errstr if neither has it. */
void *
malloc(size_t n)
{
    struct block *b;

    if (n > PTRDIFF_MAX / 2) {
        error_set(-E_NOMEM);
        return NULL;
    }
    if (n >= BIG)
        return map_big(n);
    qlock(&heap_lock);
    n = block_size(n);
    b = bin_take(n);
    if (b == NULL && grow(2 * n)) /* twice: whatever bin_take rounds up to */
        b = bin_take(n);
    if (b != NULL) {
        cut(b, n);
        live++;
    }
    qunlock(&heap_lock);
    return b != NULL ? (char *)b + HEADER : NULL;
}

/* Check p hard, then join its block with free neighbours. */
void
free(void *p)
{
    struct block *b;

    if (p == NULL)
        return;
    b = block_of(p);
    if (is_kind(b, MAPPED)) {
        mem_unmap((uint64_t)b, size_of(b));
        return;
    }
    qlock(&heap_lock);
    give_back(b);
    live--;
    qunlock(&heap_lock);
}

/* malloc, zeroed; count * size may overflow. */
void *
calloc(size_t count, size_t size)
{
    size_t n;
    void *p;

    if (__builtin_mul_overflow(count, size, &n))
        n = SIZE_MAX;
    p = malloc(n);
    return p != NULL && n < BIG ? memset(p, 0, n) : p; /* mappings are zero */
}

/* Grow or shrink live b where it is, if its right neighbour permits. */
static bool
resize(struct block *b, uint64_t size)
{
    struct block *right = right_of(b);
    uint64_t have = size_of(b);

    if (have < size && is_kind(right, FREE) && have + size_of(right) >= size) {
        bin_remove(right);
        set_block(b, have + size_of(right), LIVE);
    }
    if (size_of(b) < size)
        return false;
    cut(b, size);
    return true;
}

/* In place if the right neighbour permits, else move. */
void *
realloc(void *p, size_t n)
{
    struct block *b;
    void *q;
    size_t have;
    bool done = false;

    if (p == NULL)
        return malloc(n);
    if (n == 0) {
        free(p);
        return NULL;
    }
    b = block_of(p);
    have = size_of(b) - HEADER;
    if (is_kind(b, MAPPED)) {
        done = n <= have && n > have / 2;
    } else if (n < BIG) {
        qlock(&heap_lock);
        done = resize(b, block_size(n));
        qunlock(&heap_lock);
    }
    if (done)
        return p;
    q = malloc(n);
    if (q != NULL) {
        memcpy(q, p, n < have ? n : have);
        free(p);
    }
    return q;
}

/* From the first block to END: sizes, tags and joins agree. */
int64_t
malloc_check(void)
{
    uint64_t count = 0, left = 0;
    bool left_free = false;

    qlock(&heap_lock);
    for (struct block *b = first; b != NULL && !is_kind(b, END);
            b = right_of(b)) {
        bool is_free = is_kind(b, FREE);

        if (b->prev_size != left || (is_free && left_free) ||
                (!is_free && !is_kind(b, LIVE)) || size_of(b) < SMALLEST) {
            qunlock(&heap_lock);
            return -1;
        }
        count += !is_free;
        left = size_of(b);
        left_free = is_free;
    }
    qunlock(&heap_lock);
    return (int64_t)count;
}
