/*
 * regex.c - regular expressions without brackets and alternatives: each item
 * of the pattern fits one character, and may be repeated.
 *
 * match_here recurs once for each item, so the stack it needs depends on the
 * pattern alone; a repeated item is tried with many characters first.
 */
#include "lib/lux.h"

/* Behind the item at p: a character, \c, or a set; NULL: it has no end. */
static const char *
item_end(const char *p)
{
    if (*p == '\\')
        return p[1] != '\0' ? p + 2 : NULL;
    if (*p != '[')
        return p + 1;
    p += p[1] == '^' ? 2 : 1;
    do { /* a ] that comes first is one of the set */
        if (*p == '\0')
            return NULL;
        p++;
    } while (*p != ']');
    return p + 1;
}

static bool
is_repeat(char c)
{
    return c == '*' || c == '+' || c == '?';
}

const char *
regex_check(const char *pattern)
{
    const char *p = pattern + (*pattern == '^');

    if (strlen(pattern) > MAX_PATH)
        return "the pattern is too long";
    while (*p != '\0') {
        if (is_repeat(*p))
            return "nothing before * + or ?";
        p = item_end(p);
        if (p == NULL)
            return "[ or \\ without an end";
        if (is_repeat(*p))
            p++;
    }
    return NULL;
}

/* Is c in the set behind `[`? */
static bool
in_set(const char *p, char c)
{
    bool not = *p == '^';
    bool found = false;
    const char *first = p += not ;

    for (; *p != ']' || p == first; p++) {
        char low = *p;

        if (p[1] == '-' && p[2] != ']')
            p += 2;
        found |= (uint8_t)c >= (uint8_t)low && (uint8_t)c <= (uint8_t)*p;
    }
    return found != not ;
}

/* Does the item at p fit the character c? */
static bool
fits(const char *p, char c)
{
    switch (*p) {
    case '.': return c != '\0';
    case '[': return c != '\0' && in_set(p + 1, c);
    case '\\': return p[1] == c;
    default: return *p == c;
    }
}

/* The end of a match of p at text, or NULL. */
static const char *
match_here(const char *p, const char *text)
{
    const char *next, *end;
    size_t most = 0, least = 1;

    if (*p == '\0')
        return text;
    if (p[0] == '$' && p[1] == '\0')
        return *text == '\0' ? text : NULL;
    next = item_end(p);
    while (text[most] != '\0' && fits(p, text[most]) &&
            (most == 0 || *next == '*' || *next == '+'))
        most++;
    if (*next == '*' || *next == '?')
        least = 0;
    next += is_repeat(*next);
    for (size_t n = most + 1; n-- > least;) {
        end = match_here(next, text + n);
        if (end != NULL)
            return end;
    }
    return NULL;
}

bool
regex_match(const char *pattern, const char *text, bool line, size_t *start,
        size_t *end)
{
    bool fixed = *pattern == '^';
    const char *at = text, *found;

    if (fixed && !line)
        return false;
    do {
        found = match_here(pattern + fixed, at);
        if (found != NULL) {
            *start = (size_t)(at - text);
            *end = (size_t)(found - text);
            return true;
        }
    } while (*at++ != '\0' && !fixed);
    return false;
}
