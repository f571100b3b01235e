/*
 * cmdline.c - the kernel command line: words `key`, `key=value` and
 * `key="a value with blanks"`.
 *
 * The text comes from a person or a test, so anything goes: a malformed
 * number falls back, a long value is cut, of equal keys the first counts, a
 * quotation that is not closed ends with the line.
 */
#include "boot/boot.h"

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of the word at p: the first blank outside quotation marks. */
static const char *
word_end(const char *p)
{
    bool quoted = false;

    for (; *p != '\0' && (quoted || !is_blank(*p)); p++)
        if (*p == '"')
            quoted = !quoted;
    return p;
}

/*
 * Find the word whose key is `key`: its value is [*value, *end).  A mark may
 * stand before the key too: GRUB quotes words with blanks as a whole.
 */
static bool
find_word(const char *key, const char **value, const char **end)
{
    size_t len = strlen(key);
    const char *p = bootinfo.cmdline;

    while (*p != '\0') {
        while (is_blank(*p))
            p++;
        *end = word_end(p);
        if (*p == '"')
            p++;
        if (strncmp(p, key, len) == 0 &&
                (p[len] == '=' || p[len] == '"' || p + len == *end)) {
            *value = p[len] == '=' ? p + len + 1 : *end;
            return true;
        }
        p = *end;
    }
    return false;
}

int
cmdline_get(const char *key, char *buf, size_t len)
{
    const char *p, *end;
    size_t n = 0;

    if (len > 0)
        buf[0] = '\0';
    if (*key == '\0' || !find_word(key, &p, &end))
        return -E_NOEXIST;
    for (; p < end && n + 1 < len; p++)
        if (*p != '"' && (*p != '\\' || p[1] != '"')) /* GRUB writes \" */
            buf[n++] = *p;
    if (len > 0)
        buf[n] = '\0';
    return n;
}

/* Value of a digit in base 10 or 16, or -1. */
static int
digit_value(char c, unsigned base)
{
    int v = -1;

    if (c >= '0' && c <= '9')
        v = c - '0';
    else if (c >= 'a' && c <= 'f')
        v = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
        v = c - 'A' + 10;
    return v < (int)base ? v : -1;
}

bool
parse_number(const char *s, uint64_t *value)
{
    unsigned base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
    uint64_t n = 0;

    if (base == 16)
        s += 2;
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++) {
        int d = digit_value(*s, base);

        if (d < 0 || n > (UINT64_MAX - (uint64_t)d) / base)
            return false;
        n = n * base + (uint64_t)d;
    }
    *value = n;
    return true;
}

uint64_t
cmdline_number(const char *key, uint64_t fallback)
{
    char text[32];
    uint64_t n;

    if (cmdline_get(key, text, sizeof(text)) < 0 || !parse_number(text, &n))
        return fallback;
    return n;
}
