/*
 * names.c - a path as its names.
 */
#include "9p/walk.h"

/*
 * Split `path`, from its first name on, in a copy in names->buf: names->at has
 * the place of each name, n their number.  Empty names and "." say nothing
 * and are left out; ".." stays.  names->dir: the path is empty or ends in '/'
 * or ".", so that only a directory will do.  0; -E_TOOBIG: no room in buf;
 * -E_NAME: name_ok forbids one of them.
 *
 * Lab 4.4
 */
int
names_split(struct names *names, const char *path)
{
    size_t len = strlcpy(names->buf, path, sizeof names->buf), at = 0;

    names->n = 0;
    names->dir = true;
    if (len >= sizeof names->buf)
        return -E_TOOBIG;
    while (at < len) {
        char *name = names->buf + at, *end = name;

        while (*end && *end != '/')
            end++;
        *end = '\0';
        at = (size_t)(end - names->buf) + 1;
        if (end == name)
            continue;
        names->dir = at <= len || strcmp(name, ".") == 0;
        if (strcmp(name, ".") == 0)
            continue;
        if (!name_ok(name))
            return -E_NAME;
        names->at[names->n++] = (uint8_t)(name - names->buf);
    }
    return 0;
}
