/*
 * regex.c - regular expressions without brackets and alternatives: each item
 * of the pattern fits one character, and may be repeated.
 *
 * A match is a walk through the items while the text goes by.  Not one walk
 * is tried after the other, all are made at once: states[i] says that some
 * walk is in front of item i.  So no pattern takes longer than its items
 * times the characters, for each place where a match may begin.
 */
#include "lib/lux.h"
#include "lib/file.h"

enum {
    MAX_ITEMS = 2 * MAX_PATH + 1 /* x+ takes two of them */
};

struct item {
    const char *p; /* a character, `.`, \c, [set], or $ at the end */
    bool skip;     /* the walk may leave it out */
    bool stay;     /* and may stay there for more */
    bool last;     /* $: fits no character, but the end of the text */
};

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

    if (strlen(pattern) >= MAX_PATH)
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

/* Does the item at p fit the character c, which is not NUL? */
static bool
fits(const char *p, char c)
{
    switch (*p) {
    case '.': return true;
    case '[': return in_set(p + 1, c);
    case '\\': return p[1] == c;
    default: return *p == c;
    }
}

/* The items of a good pattern; how many.  x+ is x x*. */
static size_t
read_items(const char *p, struct item *items)
{
    size_t n = 0;

    while (*p != '\0') {
        const char *end = item_end(p);

        if (*end == '+')
            items[n++] = (struct item){ .p = p };
        items[n++] = (struct item){
            .p = p,
            .skip = is_repeat(*end),
            .stay = *end == '*' || *end == '+',
            .last = p[0] == '$' && p[1] == '\0',
        };
        p = end + is_repeat(*end);
    }
    return n;
}

/* Walks in front of what may be left out are behind it, too. */
static void
skip_items(bool *states, const struct item *items, size_t n, bool end)
{
    for (size_t i = 0; i < n; i++)
        if (states[i] && (items[i].skip || (items[i].last && end)))
            states[i + 1] = true;
}

/* All walks over one character; is any left? */
static bool
step(bool *states, const struct item *items, size_t n, char c)
{
    bool any = false;

    states[n] = false;
    for (size_t i = n; i-- > 0;) { /* each moves to where we have been */
        bool fit = states[i] && !items[i].last && fits(items[i].p, c);

        if (fit && !items[i].stay)
            states[i + 1] = true;
        states[i] = fit && items[i].stay;
        any |= fit;
    }
    return any;
}

/* The end of the longest match that begins at text, or NULL. */
static const char *
match_here(const struct item *items, size_t n, const char *text)
{
    static bool states[MAX_ITEMS + 1];
    const char *longest = NULL;

    memset(states, 0, sizeof(states));
    states[0] = true;
    for (;; text++) {
        skip_items(states, items, n, *text == '\0');
        if (states[n])
            longest = text;
        if (*text == '\0' || !step(states, items, n, *text))
            return longest;
    }
}

bool
regex_match(const char *pattern, const char *text, bool line, size_t *start,
        size_t *end)
{
    static struct item items[MAX_ITEMS];
    bool fixed = *pattern == '^';
    size_t n = read_items(pattern + fixed, items);
    const char *at = text, *found;

    if (fixed && !line)
        return false;
    do {
        found = match_here(items, n, at);
        if (found != NULL) {
            *start = (size_t)(at - text);
            *end = (size_t)(found - text);
            return true;
        }
    } while (*at++ != '\0' && !fixed);
    return false;
}
