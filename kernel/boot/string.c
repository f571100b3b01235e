/*
 * string.c - memory and strings, as in C.
 *
 * Large blocks go by `rep movsq` and `rep stosq`: eight bytes an iteration,
 * and an iteration is what the instruction clock counts.  gcc and clang emit
 * calls of the first four on their own, so they must not call themselves.
 */
#include "boot/boot.h"

void *
memset(void *dst, int c, size_t n)
{
    void *p = dst;
    size_t words = n / 8, rest = n % 8;
    uint64_t pattern = (uint8_t)c * 0x0101010101010101ul;

    __asm__ volatile("rep stosq; mov %[rest], %%rcx; rep stosb"
                     : "+D"(p), "+c"(words)
                     : "a"(pattern), [rest] "r"(rest)
                     : "memory");
    return dst;
}

void *
memcpy(void *dst, const void *src, size_t n)
{
    void *to = dst;
    size_t words = n / 8, rest = n % 8;

    __asm__ volatile("rep movsq; mov %[rest], %%rcx; rep movsb"
                     : "+D"(to), "+S"(src), "+c"(words)
                     : [rest] "r"(rest)
                     : "memory");
    return dst;
}

/* From the last byte down, for a destination that overlaps the source's end */
static void
copy_down(char *dst, const char *src, size_t n)
{
    const char *from = src + n - 1;
    char *to = dst + n - 1;
    size_t rest = n % 8, words = n / 8;

    __asm__ volatile("std; rep movsb; sub $7, %%rsi; sub $7, %%rdi;"
                     "mov %[words], %%rcx; rep movsq; cld"
                     : "+D"(to), "+S"(from), "+c"(rest)
                     : [words] "r"(words)
                     : "memory", "cc");
}

void *
memmove(void *dst, const void *src, size_t n)
{
    if ((uintptr_t)dst - (uintptr_t)src >= n)
        return memcpy(dst, src, n);
    copy_down(dst, src, n);
    return dst;
}

int
memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;

    for (size_t i = 0; i < n; i++)
        if (p[i] != q[i])
            return p[i] - q[i];
    return 0;
}

size_t
strlen(const char *s)
{
    size_t n = 0;

    while (s[n] != '\0')
        n++;
    return n;
}

size_t
strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0')
        n++;
    return n;
}

int
strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

int
strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] || a[i] == '\0')
            return (uint8_t)a[i] - (uint8_t)b[i];
    return 0;
}

size_t
strlcpy(char *dst, const char *src, size_t len)
{
    size_t n = strlen(src), take = n < len ? n : len - 1;

    memcpy(dst, src, take);
    dst[take] = '\0';
    return n;
}
