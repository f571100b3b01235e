/*
 * string.c - NUL-terminated strings, and splitting a line into words.
 */
#include "lib/lux.h"

/*
 * Words of 8 bytes, aligned so that none reaches into the next page: a byte
 * of w is zero exactly if subtracting 1 from it borrows into its top bit and
 * that bit was clear before.  What lies behind the NUL is read, not used.
 */
__attribute__((no_sanitize_address)) size_t
strlen(const char *s)
{
    typedef uint64_t __attribute__((may_alias)) word;
    const char *p = s;

    for (; (uintptr_t)p % 8 != 0; p++)
        if (*p == '\0')
            return (size_t)(p - s);
    for (;; p += 8) {
        uint64_t w = *(const word *)p;
        uint64_t zero = (w - 0x0101010101010101ul) & ~w & 0x8080808080808080ul;

        if (zero != 0)
            return (size_t)(p - s) + (size_t)__builtin_ctzl(zero) / 8;
    }
}

/* strlen(s), but never look past s[max - 1]. */
size_t
strnlen(const char *s, size_t max)
{
    const char *end = memchr(s, 0, max);

    return end != NULL ? (size_t)(end - s) : max;
}

/* Less than, equal to, greater than 0; bytes unsigned. */
int
strcmp(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

/* strcmp of at most n bytes. */
int
strncmp(const char *a, const char *b, size_t n)
{
    for (; n > 0; n--, a++, b++)
        if (*a != *b || *a == '\0')
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

/* The first c of s, whose NUL counts; or NULL. */
char *
strchr(const char *s, int c)
{
    for (; *s != (char)c; s++)
        if (*s == '\0')
            return NULL;
    return (char *)s;
}

/* The last c of s, whose NUL counts; or NULL. */
char *
strrchr(const char *s, int c)
{
    const char *found = NULL;

    do {
        if (*s == (char)c)
            found = s;
    } while (*s++ != '\0');
    return (char *)found;
}

/* The first place where what begins; an empty one begins at once. */
char *
strstr(const char *s, const char *what)
{
    size_t len = strlen(what);

    if (len == 0)
        return (char *)s;
    for (; (s = strchr(s, what[0])) != NULL; s++)
        if (strncmp(s, what, len) == 0)
            return (char *)s;
    return NULL;
}

/* Bytes at the start that are all in set. */
size_t
strspn(const char *s, const char *set)
{
    size_t n = 0;

    while (s[n] != '\0' && strchr(set, s[n]) != NULL)
        n++;
    return n;
}

/* Bytes at the start that are all not in set. */
size_t
strcspn(const char *s, const char *set)
{
    size_t n = 0;

    while (s[n] != '\0' && strchr(set, s[n]) == NULL)
        n++;
    return n;
}

/* Copy with the NUL; dst has the room. */
char *
strcpy(char *dst, const char *src)
{
    return memcpy(dst, src, strlen(src) + 1);
}

/* Append with the NUL; dst has the room. */
char *
strcat(char *dst, const char *src)
{
    strcpy(dst + strlen(dst), src);
    return dst;
}

/* Cut to len; a result >= len says that it was. */
size_t
strlcpy(char *dst, const char *src, size_t len)
{
    size_t n = strlen(src);
    size_t copy = n < len ? n : len - 1;

    if (len == 0)
        return n;
    memcpy(dst, src, copy);
    dst[copy] = '\0';
    return n;
}

/* Append, cut to len in all; a result >= len says that it was. */
size_t
strlcat(char *dst, const char *src, size_t len)
{
    size_t used = strnlen(dst, len);

    if (used == len)
        return len + strlen(src);
    return used + strlcpy(dst + used, src, len - used);
}

/* A copy for the caller to free; NULL: no memory. */
char *
strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = malloc(n);

    return copy != NULL ? memcpy(copy, s, n) : NULL;
}

/*
 * Take one word off *s, which starts at it: unquote in place, end it with a
 * NUL, step *s past it.  false: a quote is left open.
 */
static bool
take_word(char **s)
{
    char *in = *s, *out = *s;
    bool quoted = false;

    for (; *in != '\0' && (quoted || !isspace(*in)); in++) {
        if (*in != '\'')
            *out++ = *in;
        else if (quoted && in[1] == '\'')
            *out++ = *in++; /* '' inside quotes is one quote */
        else
            quoted = !quoted;
    }
    *s = *in != '\0' ? in + 1 : in; /* before out's NUL may overwrite *in */
    *out = '\0';
    return !quoted;
}

/* Words past max are counted and checked, not kept. */
int
tokenize(char *s, char **words, int max)
{
    int n = 0;

    for (;;) {
        while (isspace(*s))
            s++;
        if (*s == '\0')
            return n;
        if (n < max)
            words[n] = s;
        n++;
        if (!take_word(&s))
            return -1;
    }
}
