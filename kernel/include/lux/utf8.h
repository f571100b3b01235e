/*
 * utf8.h - characters of a text in UTF-8 (RFC 3629), for kernel, programs and
 * host alike.  Any bytes may be looked at; none behind the n that are there is.
 */
#pragma once

#include <lux/types.h>

/* Bytes of a character that begins with this one; 0: none does. */
static inline unsigned
utf8_size(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* May this byte be in a character, behind its first? */
static inline bool
utf8_follows(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/*
 * Bytes of the character that begins at s, of which n bytes, at least 1, are
 * there; 0: none begins there (a stray or missing byte, a longer form than
 * needed, half of a surrogate pair, beyond U+10FFFF).
 */
static inline unsigned
utf8_bytes(const uint8_t *s, size_t n)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned len = utf8_size(s[0]);
    uint32_t c;

    if (len <= 1 || len > n)
        return len == 1;
    c = s[0] & (0x7fu >> len);
    for (unsigned i = 1; i < len; i++) {
        if (!utf8_follows(s[i]))
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return len;
}

/*
 * Bytes of the last character of the n at s; 0 if n is.  A byte that is part
 * of none counts as one, so that an editor can take it back.
 */
static inline unsigned
utf8_last(const uint8_t *s, size_t n)
{
    for (unsigned len = 1; len <= 4 && len <= n; len++)
        if (utf8_bytes(s + n - len, len) == len)
            return len;
    return n > 0;
}
