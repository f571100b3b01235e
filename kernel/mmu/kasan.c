/*
 * kasan.c - every memory access checked, in kernels built with SAN=kasan.
 *
 * The compiler puts a call before each load and store.  For each 8 bytes of
 * the direct map there is one shadow byte:
 *
 *     0          all 8 may be touched
 *     1 .. 7     the first so many
 *     0xf1 ..    none; the value says why (enum kasan_why)
 *
 * Pages are forbidden while they are free, heap blocks while they are not
 * given out, and the room around them always.  What lies elsewhere (the
 * image, stacks, devices) is not checked.  This file, the allocators and
 * string.c are compiled without the calls (Makefile).
 */
#include "mmu/kasan.h"

enum {
    UNIT = 8
};

/* string.c's own, past the wrapper below (the linker's --wrap) */
void *__real_memset(void *dst, int c, size_t n);

static int8_t *shadow; /* NULL: too early to check */
static vaddr_t end;    /* of what it covers */
static bool reporting;

static int8_t *
shadow_of(vaddr_t va)
{
    return &shadow[(va - DIRECT_BASE) / UNIT];
}

static bool
covered(vaddr_t va, size_t n)
{
    return shadow != NULL && !reporting && va >= DIRECT_BASE && va < end &&
           n <= end - va;
}

void
kasan_init(void)
{
    uint64_t bytes = frames_end() * (PAGE_SIZE / UNIT);
    paddr_t pa = early_alloc(ROUND_UP(bytes, PAGE_SIZE) >> PAGE_SHIFT, ~0ul);

    fill_words(pa_to_kva(pa), 0, bytes / 8);
    end = DIRECT_BASE + (frames_end() << PAGE_SHIFT);
    shadow = pa_to_kva(pa);
}

static void
fill(vaddr_t va, size_t n, int8_t value)
{
    __real_memset(shadow_of(va), value, n / UNIT);
}

void
kasan_forbid(const void *p, size_t n, enum kasan_why why)
{
    if (covered((vaddr_t)p, n))
        fill((vaddr_t)p, n, (int8_t)why);
}

void
kasan_allow(const void *p, size_t n)
{
    if (!covered((vaddr_t)p, n))
        return;
    fill((vaddr_t)p, n, 0);
    if (n % UNIT != 0)
        *shadow_of((vaddr_t)p + n) = n % UNIT;
}

/* May the byte at va be touched? */
static bool
byte_allowed(vaddr_t va)
{
    int8_t s = *shadow_of(va);

    return s == 0 || (s > 0 && (int8_t)(va % UNIT) < s);
}

static const char *
why_text(vaddr_t va)
{
    switch ((uint8_t)*shadow_of(va)) {
    case KASAN_PAGE: return "a page that is free";
    case KASAN_FREED: return "a heap block that was freed";
    default: return "memory around a heap block";
    }
}

static void __attribute__((noreturn))
report(vaddr_t va, vaddr_t bad, size_t n, bool write, uint64_t rip)
{
    reporting = true;
    print("kasan: %lu-byte %s at %#lx; the byte at %#lx is in %s\n", n,
            write ? "write" : "read", va, bad, why_text(bad));
    if ((uint8_t)*shadow_of(bad) == KASAN_PAGE)
        print("kasan: the page was allocated last at %y\n",
                frame_of(kva_to_pa((void *)bad))->tag);
    else
        heap_describe((void *)bad);
    panic("kasan: %y %s %s", rip, write ? "writes to" : "reads", why_text(bad));
}

/* Check [va, va+n), accessed by the code at rip. */
static inline void
check(vaddr_t va, size_t n, bool write, uint64_t rip)
{
    vaddr_t last = va + n - 1;

    if (n == 0 || !covered(va, n))
        return;
    if (va / UNIT == last / UNIT && *shadow_of(va) == 0)
        return; /* by far the most */
    for (vaddr_t at = va; at < last; at = (at | (UNIT - 1)) + 1)
        if (!byte_allowed(at))
            report(va, at, n, write, rip);
    if (!byte_allowed(last))
        report(va, last, n, write, rip);
}

void
kasan_check(const void *p, size_t n, bool write)
{
    check((vaddr_t)p, n, write, (uint64_t)__builtin_return_address(0));
}

/* ---- what the compiler calls: its names, one for each size ---- */

#define CALLER ((uint64_t)__builtin_return_address(0))

#define ACCESS(size)                                                           \
    void __asan_load##size##_noabort(vaddr_t va);                              \
    void __asan_store##size##_noabort(vaddr_t va);                             \
    void __asan_load##size##_noabort(vaddr_t va)                               \
    {                                                                          \
        check(va, size, false, CALLER);                                        \
    }                                                                          \
    void __asan_store##size##_noabort(vaddr_t va)                              \
    {                                                                          \
        check(va, size, true, CALLER);                                         \
    }

ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __asan_loadN_noabort(vaddr_t va, size_t n);
void __asan_storeN_noabort(vaddr_t va, size_t n);
void __asan_handle_no_return(void);

void
__asan_loadN_noabort(vaddr_t va, size_t n)
{
    check(va, n, false, CALLER);
}

void
__asan_storeN_noabort(vaddr_t va, size_t n)
{
    check(va, n, true, CALLER);
}

/* About stack frames that a panic leaves behind; they are not checked. */
void
__asan_handle_no_return(void)
{
}

/* ---- memset and its like: the linker's --wrap sends callers here ---- */

void *__real_memcpy(void *dst, const void *src, size_t n);
void *__real_memmove(void *dst, const void *src, size_t n);
void *__wrap_memset(void *dst, int c, size_t n);
void *__wrap_memcpy(void *dst, const void *src, size_t n);
void *__wrap_memmove(void *dst, const void *src, size_t n);

void *
__wrap_memset(void *dst, int c, size_t n)
{
    check((vaddr_t)dst, n, true, CALLER);
    return __real_memset(dst, c, n);
}

void *
__wrap_memcpy(void *dst, const void *src, size_t n)
{
    check((vaddr_t)src, n, false, CALLER);
    check((vaddr_t)dst, n, true, CALLER);
    return __real_memcpy(dst, src, n);
}

void *
__wrap_memmove(void *dst, const void *src, size_t n)
{
    check((vaddr_t)src, n, false, CALLER);
    check((vaddr_t)dst, n, true, CALLER);
    return __real_memmove(dst, src, n);
}

/* clang's names for the same in instrumented code */
void *__asan_memset(void *dst, int c, size_t n)
        __attribute__((alias("__wrap_memset")));
void *__asan_memcpy(void *dst, const void *src, size_t n)
        __attribute__((alias("__wrap_memcpy")));
void *__asan_memmove(void *dst, const void *src, size_t n)
        __attribute__((alias("__wrap_memmove")));
