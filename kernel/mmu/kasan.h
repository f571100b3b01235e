/*
 * kasan.h - what the allocators tell the address checker (SAN=kasan); nothing
 * in other builds.
 */
#pragma once

#include "mmu/private.h"

/* Why an address must not be touched: values of a shadow byte. */
enum kasan_why {
    KASAN_PAGE = 0xf1, /* a page that belongs to nobody */
    KASAN_ZONE = 0xf2, /* around a heap block */
    KASAN_FREED = 0xf3 /* a heap block that was freed */
};

#if KASAN

void kasan_init(void); /* between kmap_init and frames_seed */

/* Forbid [p, p+n), whole units of 8 bytes; allow it, any n. */
void kasan_forbid(const void *p, size_t n, enum kasan_why why);
void kasan_allow(const void *p, size_t n);

/* Report it if any byte of [p, p+n) is forbidden. */
void kasan_check(const void *p, size_t n, bool write);

/* kheap_debug.c: print whose heap block va is in, or was. */
void heap_describe(const void *p);

#else

static inline void
kasan_init(void)
{
}

static inline void
kasan_forbid(const void *p, size_t n, enum kasan_why why)
{
    (void)p, (void)n, (void)why;
}

static inline void
kasan_allow(const void *p, size_t n)
{
    (void)p, (void)n;
}

static inline void
kasan_check(const void *p, size_t n, bool write)
{
    (void)p, (void)n, (void)write;
}

#endif
