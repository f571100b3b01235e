/*
 * glob.c - patterns of file names: * for any characters, ? for one,
 * [a-z] and [^a-z] for one of a set.  No pattern fits a '/', and a name that
 * begins with a dot only one that begins with it, too.
 */
#include "cmd/sh/sh.h"

static bool
is_special(const char *p)
{
    return *p == '*' || *p == '?' || *p == '[';
}

/* Is c in the set behind p's `[`?  *end: behind its `]`, NULL if none. */
static bool
in_set(const char *p, char c, const char **end)
{
    bool not = *p == '^' || *p == '!';
    bool found = false;
    const char *first = p += not ;

    for (; *p != '\0' && (*p != ']' || p == first); p++) {
        char low, high;

        if (*p == LITERAL && p[1] != '\0')
            p++;
        low = high = *p;
        if (p[1] == '-' && p[2] != '\0' && p[2] != ']') {
            p += 2;
            if (*p == LITERAL && p[1] != '\0')
                p++;
            high = *p;
        }
        found |= (uint8_t)c >= (uint8_t)low && (uint8_t)c <= (uint8_t)high;
    }
    *end = *p == ']' ? p + 1 : NULL;
    return found != not ;
}

/*
 * Does the pattern up to pend fit all of name?  After a `*`, a mistake
 * further on only means that the star takes one character more; it is enough
 * to go back to the last star.
 */
static bool
fits(const char *p, const char *pend, const char *name)
{
    const char *star = NULL, *from = NULL, *set_end;

    while (*name != '\0' || p < pend) {
        if (p < pend && *p == '*') {
            star = ++p;
            from = name;
            continue;
        }
        if (p < pend && *name != '\0') {
            if (*p == '[' && in_set(p + 1, *name, &set_end)) {
                p = set_end != NULL && set_end <= pend ? set_end : pend;
                name++;
                continue;
            }
            if (*p == LITERAL ? p[1] == *name : *p == *name || *p == '?') {
                p += *p == LITERAL ? 2 : 1;
                name++;
                continue;
            }
        }
        if (star == NULL || *from == '\0')
            return false;
        p = star;
        name = ++from;
    }
    return true;
}

/* The end of the path's element at p; *special: it is a pattern. */
static const char *
element_end(const char *p, bool *special)
{
    *special = false;
    for (; *p != '\0' && *p != '/'; p++) {
        if (*p == LITERAL && p[1] != '\0')
            p++;
        else
            *special |= is_special(p);
    }
    return p;
}

static void glob_from(struct text *path, const char *p, struct list *out);

/* Go on behind path and name, which fit, with the pattern at p. */
static void
glob_name(struct text *path, const char *name, const char *p, struct list *out)
{
    size_t n = path->n;

    text_add(path, name, strlen(name));
    for (; *p == '/'; p++)
        text_put(path, '/');
    glob_from(path, p, out);
    path->n = n;
    path->s[n] = '\0';
}

/* The pattern at p, whose first element is special, in directory path. */
static void
glob_dir(struct text *path, const char *p, const char *end, struct list *out)
{
    struct dir *entries;
    bool dot = *p == '.' || (*p == LITERAL && p[1] == '.');
    int64_t n = dir_list(path->n > 0 ? path->s : ".", &entries);

    for (int64_t i = 0; i < n; i++) {
        const char *name = entries[i].name;

        if ((*name != '.' || dot) && fits(p, end, name) &&
                (*end == '\0' || (entries[i].mode & DMDIR)))
            glob_name(path, name, end, out);
    }
    free(entries);
}

/* All files whose names begin with path and go on as the pattern at p. */
static void
glob_from(struct text *path, const char *p, struct list *out)
{
    bool special;
    const char *end = element_end(p, &special);
    char *name;

    if (*p == '\0') {
        if (access(path->s, AEXIST) == 0)
            list_add(out, mem_copy(path->s, path->n));
        return;
    }
    if (special) {
        glob_dir(path, p, end, out);
        return;
    }
    name = mem_alloc((size_t)(end - p) + 1);
    for (char *to = name; p < end; p++) {
        p += *p == LITERAL && p + 1 < end;
        *to++ = *p;
    }
    glob_name(path, name, end, out);
}

void
glob(const char *pattern, struct list *out)
{
    struct text path = { 0 };
    int before = out->n;
    char *plain, *to;

    text_add(&path, "", 0);
    for (; *pattern == '/'; pattern++)
        text_put(&path, '/');
    glob_from(&path, pattern, out);
    if (out->n == before) { /* nothing fits: the word is meant as it is */
        text_add(&path, pattern, strlen(pattern));
        plain = to = text_done(&path);
        for (const char *p = plain; *p != '\0'; p++) {
            p += *p == LITERAL && p[1] != '\0';
            *to++ = *p;
        }
        *to = '\0';
        list_add(out, plain);
    }
    free(path.s);
}
