/*
 * kheap_debug.c - guards around heap blocks in debug builds.
 *
 * Finds, at the latest when a block is freed or allocated again: writes
 * before or behind it (red zones), writes after it was freed (its bytes must
 * still be poison), a second free, a free of an address inside a block.
 * Live blocks are on one list, which kheap_report sums up by allocator.
 */
#include "mmu/kheap.h"
#include "mmu/kasan.h"

#if DEBUG || KASAN

#define MAGIC_LIVE 0x4c6976652d2d2d3eul
#define MAGIC_FREE 0x466f72536f6d654ful
#define ZONE_WORD  0xbbbbbbbbbbbbbbbbul
enum {
    ZONE_BYTE = 0xbb,
    POISON_BYTE = 0x6b
};

static struct spinlock live_lock = SPINLOCK_INIT(RANK_HEAP, "live blocks");
static struct heap_header *live;

static void
live_add(struct heap_header *h)
{
    spin_lock(&live_lock);
    h->prev = NULL;
    h->next = live;
    if (live != NULL)
        live->prev = h;
    live = h;
    spin_unlock(&live_lock);
}

static void
live_remove(struct heap_header *h)
{
    spin_lock(&live_lock);
    if (h->prev != NULL)
        h->prev->next = h->next;
    else
        live = h->next;
    if (h->next != NULL)
        h->next->prev = h->prev;
    spin_unlock(&live_lock);
}

/* The first byte in [p, p+n) that is not `byte`, NULL: all are. */
static const uint8_t *
first_other(const void *p, uint8_t byte, size_t n)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < n; i++)
        if (b[i] != byte)
            return &b[i];
    return NULL;
}

void
heap_block_born(void *block, size_t room)
{
    struct heap_header *h = block;

    *h = (struct heap_header){ .magic = MAGIC_FREE, .zone = ZONE_WORD };
    memset(h + 1, POISON_BYTE, room - sizeof(*h));
    kasan_forbid(block, room, KASAN_FREED);
}

void *
heap_block_out(void *block, size_t n, size_t room, uint64_t site)
{
    struct heap_header *h = block;
    char *user = (char *)(h + 1);
    bool small = room < PAGE_SIZE; /* large blocks were poisoned by nobody */
    const uint8_t *bad =
            small ? first_other(user, POISON_BYTE, room - sizeof(*h)) : NULL;

    if (bad != NULL || (small && h->magic != MAGIC_FREE))
        panic("heap: block %p written at offset %ld after it was freed at %y",
                user, bad ? (long)(bad - (uint8_t *)user) : -16l, h->site);
    kasan_allow(block, room);
    h->site = site;
    h->size = n;
    h->magic = MAGIC_LIVE;
    h->zone = ZONE_WORD;
    memset(user + n, ZONE_BYTE, room - sizeof(*h) - n);
    kasan_forbid(block, room, KASAN_ZONE);
    kasan_allow(user, n);
    live_add(h);
    return user;
}

void
heap_block_in(void *block, size_t room, uint64_t site)
{
    struct heap_header *h = block;
    char *user = (char *)(h + 1);
    const uint8_t *bad;

    if (h->magic == MAGIC_FREE)
        panic("heap: double free of %p at %y; it was freed before at %y", user,
                site, h->site);
    if (h->magic != MAGIC_LIVE || h->zone != ZONE_WORD ||
            h->size > room - HEAP_EXTRA)
        panic("heap: bytes in front of %p were overwritten, found at its free "
              "at %y",
                user, site);
    bad = first_other(user + h->size, ZONE_BYTE, room - sizeof(*h) - h->size);
    if (bad != NULL)
        panic("heap: %p, %lu bytes, allocated at %y, was written at offset %ld",
                user, h->size, h->site, (long)(bad - (uint8_t *)user));
    live_remove(h);
    kasan_allow(block, room);
    h->magic = MAGIC_FREE;
    h->site = site;
    memset(user, POISON_BYTE, room - sizeof(*h));
    kasan_forbid(block, room, KASAN_FREED);
}

#if KASAN
void
heap_describe(const void *p)
{
    const struct heap_header *h = kheap_block(p);

    if (h == NULL)
        return;
    print("kasan: the block at %p has %lu bytes; the byte is at offset %ld\n",
            h + 1, h->size, (long)((const char *)p - (const char *)(h + 1)));
    print("kasan: it was %s at %y\n",
            h->magic == MAGIC_LIVE ? "allocated" : "freed", h->site);
}
#endif

/* Sum up the blocks that were allocated where `h` was, if it is the first. */
static void
report_site(const struct heap_header *h)
{
    uint64_t blocks = 0, bytes = 0;

    for (const struct heap_header *o = live; o != h; o = o->next)
        if (o->site == h->site)
            return;
    for (const struct heap_header *o = h; o != NULL; o = o->next) {
        if (o->site == h->site) {
            blocks++;
            bytes += o->size;
        }
    }
    print("%8lu blocks %10lu bytes  %y\n", blocks, bytes, h->site);
}

void
kheap_report(void)
{
    print("heap: %lu live blocks\n", kheap_live());
    spin_lock(&live_lock);
    for (const struct heap_header *h = live; h != NULL; h = h->next)
        report_site(h);
    spin_unlock(&live_lock);
}

#else

void
kheap_report(void)
{
    print("heap: %lu live blocks (DEBUG=1 builds tell whose)\n", kheap_live());
}

#endif
