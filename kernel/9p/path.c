/*
 * path.c - how a channel was reached: the names of the way, as a chain from
 * the last to the first.
 *
 * Two things need it: fd2path tells it, and `..` goes back along it, which is
 * not always the parent that a file server knows, for at mount points the way
 * led from one server to another.  Chains share their beginnings.
 */
#include "9p/private.h"

enum {
    MAX_DEPTH = 1024 /* names of one way; a program may go down for ever */
};

struct path *
path_new(struct path *up, const char *name)
{
    size_t n = strlen(name) + 1;
    uint32_t depth = up ? up->depth + 1 : 0;
    struct path *p = depth < MAX_DEPTH ? kmalloc(sizeof *p + n) : NULL;

    if (!p)
        return NULL;
    p->depth = depth;
    p->ref = 1;
    p->up = up;
    p->from = NULL;
    memcpy(p->name, name, n);
    if (up)
        path_ref(up);
    return p;
}

int
path_error(const struct path *up, unsigned n)
{
    return up && up->depth + n >= MAX_DEPTH ? -E_DEPTH : -E_NOMEM;
}

struct path *
path_bound(struct path *p, struct chan *from)
{
    struct path *bound = p;

    if (p->from || __atomic_load_n(&p->ref, __ATOMIC_ACQUIRE) != 1) {
        bound = path_new(p->up, p->name);
        if (!bound)
            return NULL;
        path_unref(p);
    }
    bound->from = from;
    return bound;
}

void
path_ref(struct path *p)
{
    if (p)
        __atomic_add_fetch(&p->ref, 1, __ATOMIC_RELAXED);
}

void
path_drop(struct path *p, struct chan **dead)
{
    while (p && __atomic_sub_fetch(&p->ref, 1, __ATOMIC_ACQ_REL) == 0) {
        struct path *up = p->up;

        chan_drop(p->from, dead);
        kfree(p);
        p = up;
    }
}

void
path_unref(struct path *p)
{
    struct chan *dead = NULL;

    path_drop(p, &dead);
    chans_end(dead);
}

/* A '/' goes before a name, unless it follows one. */
static bool
slash_before(const struct path *p)
{
    return p->up && strcmp(p->up->name, "/") != 0;
}

size_t
path_text(const struct path *p, char *buf, size_t n)
{
    size_t total = 0, at;

    for (const struct path *q = p; q; q = q->up)
        total += strlen(q->name) + slash_before(q);
    if (n == 0)
        return total;
    at = total;
    buf[total < n ? total : n - 1] = '\0';
    for (; p; p = p->up) {
        size_t len = strlen(p->name);

        at -= len;
        for (size_t i = 0; i < len && at + i + 1 < n; i++)
            buf[at + i] = p->name[i];
        if (slash_before(p) && --at + 1 < n)
            buf[at] = '/';
    }
    return total;
}

const char *
path_last(const struct path *p)
{
    return p->name;
}
