/*
 * name.c - from a name to a channel: walk there, then what is wanted of it.
 */
#include "9p/walk.h"

/* Make w->c the walk's own, and give it path and join.  0, what walk says. */
static int
settle(struct walk *w)
{
    struct chan *c = w->c;
    int err;

    if (__atomic_load_n(&c->ref, __ATOMIC_ACQUIRE) != 1) {
        err = chan_walk(c, NULL, 0, NULL, &c);
        if (err < 0)
            return err;
        chan_close(w->c);
        w->c = c;
    } else {
        path_unref(c->path);
    }
    c->path = w->path;
    c->join = w->join;
    w->path = NULL;
    w->join = NULL;
    return 0;
}

/* Open *c, which no other code has: it is then the open channel, or another one
 * that the file stands for. */
static int
open_own(struct chan **c, unsigned mode)
{
    unsigned how = mode & ~(unsigned)OCEXEC;
    struct chan *other;
    int err;

    if ((*c)->qid.type & QTDIR && how & ~(unsigned)ORCLOSE)
        return -E_ISDIR;
    if ((*c)->dev->open_as) {
        err = (*c)->dev->open_as(*c, how, &other);
        if (err < 0)
            return err;
        if (err > 0) {
            chan_close(*c);
            *c = other;
            return 0;
        }
    }
    return chan_open(*c, mode);
}

/* Open what the walk has reached. */
static int
open_walked(struct walk *w, unsigned mode)
{
    int err = settle(w);

    return err ? err : open_own(&w->c, mode);
}

/*
 * Where a new file goes: of what is joined where the walk stands, the first
 * that was bound with MCREATE; w->c itself if nothing is.  Not a new
 * reference; NULL: none takes new files.
 *
 * Lab 4.5
 */
static struct chan *
create_place(struct walk *w)
{
    if (!w->join)
        return w->c;
    for (unsigned i = 0; i < w->join->n; i++)
        if (w->join->part[i].flags & MCREATE)
            return w->join->part[i].to;
    return NULL;
}

/* Make `name` where the walk stands, and open it. */
static int
create_here(struct walk *w, const char *name, unsigned mode, uint32_t perm)
{
    struct chan *dir = create_place(w), *c;
    struct path *path = path_new(w->path, name);
    int err = !path ? path_error(w->path, 1) : dir ? 0 : -E_NOCREATE;

    if (err == 0)
        err = chan_walk(dir, NULL, 0, NULL, &c);
    if (err < 0) {
        path_unref(path);
        return err;
    }
    c->path = path;
    err = chan_create(c, name, mode, perm);
    if (err < 0) {
        chan_close(c);
        return err;
    }
    walk_move(w, c, NULL);
    return 0;
}

/*
 * Create: a file that is there is emptied and opened, unless OEXCL or DMDIR
 * forbids; else it is made.  If somebody makes it in between, once more.
 */
static int
create_walked(
        struct walk *w, const struct names *names, unsigned mode, uint32_t perm)
{
    const char *last;
    int err;

    if (names->n == 0)
        return -E_EXIST;
    last = name_at(names, names->n - 1);
    if (is_dotdot(last))
        return -E_EXIST;
    if (names->dir && !(perm & DMDIR))
        return -E_ISDIR;
    err = walk_names(w, names, 0, names->n - 1);
    if (err == 0)
        err = walk_follow(w);
    for (int tries = 0; err == 0 && tries < 2; tries++) {
        int got = step_down(w, &last, 1);

        if (got > 0 && (mode & OEXCL || perm & DMDIR))
            return -E_EXIST;
        if (got > 0)
            got = walk_follow(w);
        if (got == 0)
            return open_walked(w, mode | OTRUNC);
        if (got != -E_NOEXIST && got != -E_REMOTE)
            return got;
        got = create_here(w, last, mode, perm);
        if (got != -E_EXIST || mode & OEXCL)
            return got;
    }
    return err ? err : -E_EXIST;
}

static bool
good_mode(enum name_for why, unsigned mode)
{
    unsigned known = 3 | OTRUNC | OCEXEC | ORCLOSE;

    if (why == NAME_CREATE)
        known |= OEXCL;
    return !(mode & ~known) && !((mode & 3) == OEXEC && mode & OTRUNC);
}

/* The walk stands at the last name; `why` says what is wanted of it. */
static int
finish(struct walk *w, const struct names *names, enum name_for why,
        unsigned mode)
{
    int err = 0;

    if (why != NAME_REMOVE && why != NAME_BIND_OLD) {
        err = walk_follow(w);
    } else { /* the file itself, whatever is joined to it */
        join_unref(w->join);
        w->join = NULL;
    }
    if (err)
        return err;
    if ((names->dir || why == NAME_DIR) && !(w->c->qid.type & QTDIR))
        return -E_NOTDIR;
    return why == NAME_OPEN ? open_walked(w, mode) : settle(w);
}

/* The walk has begun: go on along `rest`, and end it.  As name_open. */
static int
walk_on(struct walk *w, const char *rest, enum name_for why, unsigned mode,
        uint32_t perm, struct chan **out)
{
    struct names names;
    int err = names_split(&names, rest);

    if (err == 0) {
        walk_rejoin(w);
        if (why == NAME_CREATE)
            err = create_walked(w, &names, mode, perm);
        else
            err = walk_names(w, &names, 0, names.n);
        if (err == 0 && why != NAME_CREATE)
            err = finish(w, &names, why, mode);
    }
    if (err == 0) {
        *out = w->c;
        w->c = NULL;
    }
    walk_end(w);
    return err;
}

int
name_open(const char *path, enum name_for why, unsigned mode, uint32_t perm,
        struct chan **out)
{
    struct walk w;
    const char *rest;
    int err;

    if (!good_mode(why, mode))
        return -E_OPENMODE;
    if (!path[0])
        return -E_NOEXIST;
    err = walk_start(&w, path, &rest);
    return err ? err : walk_on(&w, rest, why, mode, perm, out);
}

int
name_open_from(struct chan *at, const char *path, enum name_for why,
        unsigned mode, uint32_t perm, struct chan **out)
{
    struct walk w = { .c = at, .path = at->path };

    if (!good_mode(why, mode))
        return -E_OPENMODE;
    chan_ref(at);
    path_ref(at->path);
    return walk_on(&w, path, why, mode, perm, out);
}

int
name_again(struct chan *at, struct chan **out)
{
    int err = chan_clone(at, out);

    if (err)
        return err;
    (*out)->join = at->join;
    if (at->join)
        join_ref(at->join);
    return 0;
}

int
name_reopen(struct chan *at, unsigned mode, struct chan **out)
{
    struct chan *c;
    int err;

    if (!good_mode(NAME_OPEN, mode))
        return -E_OPENMODE;
    err = name_again(at, &c);
    if (err)
        return err;
    err = open_own(&c, mode);
    if (err)
        chan_close(c);
    else
        *out = c;
    return err;
}
