/*
 * memory.c - move, fill and compare bytes, 16 at a time.
 *
 * `struct chunk` is the compiler's name for an unaligned SSE register; x86-64
 * has SSE2 on every CPU.  The tail is done by a chunk that overlaps what was
 * done already, so that no loop over single bytes is left for n >= 16.  The
 * string instructions are not used: under QEMU, which counts each
 * repetition, and on short blocks of real machines they are slower.
 */
#include "lib/lux.h"

typedef uint8_t chunk __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t word __attribute__((aligned(1), may_alias));

enum {
    CHUNK = sizeof(chunk)
};

#define CHUNK_AT(p) (*(chunk *)(p))
#define WORD_AT(p)  (*(word *)(p))

/* n < 16 bytes that may overlap: read all before writing any. */
static void
move_short(char *d, const char *s, size_t n)
{
    if (n >= 8) {
        uint64_t first = WORD_AT(s), last = WORD_AT(s + n - 8);

        WORD_AT(d) = first;
        WORD_AT(d + n - 8) = last;
    } else if (d <= s) {
        for (size_t i = 0; i < n; i++)
            d[i] = s[i];
    } else {
        while (n-- > 0)
            d[n] = s[n];
    }
}

/* Upwards, 64 bytes a turn; dst below src may overlap it. */
void *
memcpy(void *dst, const void *src, size_t n)
{
    char *d = dst;
    const char *s = src;

    if (n < CHUNK) {
        move_short(d, s, n);
        return dst;
    }
    for (; n >= 4 * CHUNK; n -= 4 * CHUNK, d += 4 * CHUNK, s += 4 * CHUNK) {
        chunk a = CHUNK_AT(s), b = CHUNK_AT(s + CHUNK);
        chunk c = CHUNK_AT(s + 2 * CHUNK), e = CHUNK_AT(s + 3 * CHUNK);

        CHUNK_AT(d) = a;
        CHUNK_AT(d + CHUNK) = b;
        CHUNK_AT(d + 2 * CHUNK) = c;
        CHUNK_AT(d + 3 * CHUNK) = e;
    }
    for (; n >= CHUNK; n -= CHUNK, d += CHUNK, s += CHUNK)
        CHUNK_AT(d) = CHUNK_AT(s);
    move_short(d, s, n);
    return dst;
}

/* Upwards overlap: from the end down, so that nothing is read too late. */
static void
move_down(char *d, const char *s, size_t n)
{
    for (; n >= CHUNK; n -= CHUNK)
        CHUNK_AT(d + n - CHUNK) = CHUNK_AT(s + n - CHUNK);
    move_short(d, s, n);
}

/* memcpy if that reads every byte before it is overwritten. */
void *
memmove(void *dst, const void *src, size_t n)
{
    if ((uintptr_t)dst - (uintptr_t)src >= n)
        return memcpy(dst, src, n); /* reads each chunk before it is written */
    move_down(dst, src, n);
    return dst;
}

/* The last chunk overlaps the one before: no odd bytes are left. */
void *
memset(void *dst, int c, size_t n)
{
    uint64_t w = (uint8_t)c * 0x0101010101010101ul;
    char *d = dst;

    if (n >= CHUNK) {
        chunk v = { 0 };

        v += (uint8_t)c;
        for (size_t i = 0; i + CHUNK <= n; i += CHUNK)
            CHUNK_AT(d + i) = v;
        CHUNK_AT(d + n - CHUNK) = v;
    } else if (n >= 8) {
        WORD_AT(d) = w;
        WORD_AT(d + n - 8) = w;
    } else {
        for (size_t i = 0; i < n; i++)
            d[i] = (char)c;
    }
    return dst;
}

/* Words while equal; the first difference decides, unsigned. */
int
memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;

    while (n >= 8 && WORD_AT(p) == WORD_AT(q)) {
        p += 8;
        q += 8;
        n -= 8;
    }
    for (; n > 0; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

/* The first byte c of s[0..n), or NULL. */
void *
memchr(const void *s, int c, size_t n)
{
    const uint8_t *p = s;

    for (; n > 0; n--, p++)
        if (*p == (uint8_t)c)
            return (void *)p;
    return NULL;
}
