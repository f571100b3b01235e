/*
 * name.c - from a name to a channel, through the caller's name space.
 *
 * A walk is a channel on its way down, the path it came, and what is bound
 * where it stands.  Before each step down it goes from the place to what is
 * bound there; `..` goes back along the path.  As many names as possible are
 * one request to the device: only where something is bound must it stop.
 */
#include "9p/private.h"
#include <lux/fcall.h>

struct names {
    char buf[MAX_PATH];       /* the path, a NUL in place of each '/' */
    uint8_t at[MAX_PATH / 2]; /* where in buf each name begins */
    unsigned n;               /* names, without "." */
    bool dir;                 /* ends in '/' or ".": must be a directory */
};

struct walk {
    struct chan *c;    /* where it stands: a reference */
    struct path *path; /* how it got there: a reference */
    struct join *join; /* c is the first of these, bound there; or NULL */
};

static void
walk_end(struct walk *w)
{
    chan_close(w->c);
    path_unref(w->path);
    join_unref(w->join);
}

/* ---- names ---- */

/*
 * Split `path`, from its first name on, in a copy in names->buf: names->at has
 * the place of each name, n their number.  Empty names and "." say nothing
 * and are left out; ".." stays.  names->dir: the path is empty or ends in '/'
 * or ".", so that only a directory will do.  0; -E_TOOBIG: no room in buf;
 * -E_NAME: name_ok forbids one of them.
 *
 * Lab 4.4
 */
static int
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

static const char *
name_at(const struct names *names, unsigned i)
{
    return names->buf + names->at[i];
}

static bool
is_dotdot(const char *name)
{
    return name[0] == '.' && name[1] == '.' && name[2] == '\0';
}

/*
 * Where `path` begins: "/" at the root, "#xspec" at a device, others at the
 * current directory.  0, and *rest is what follows.
 */
static int
start(struct walk *w, const char *path, const char **rest)
{
    struct proc_files *f = my_files();
    char spec[MAX_NAME];
    size_t n = 0;
    int err;

    *w = (struct walk){ 0 };
    *rest = path;
    if (path[0] != '#') {
        w->c = path[0] == '/' ? f->root : f->dot;
        w->path = w->c->path;
        chan_ref(w->c);
        path_ref(w->path);
        return 0;
    }
    if (!path[1])
        return -E_NODEV;
    for (*rest = path + 2; **rest && **rest != '/'; ++*rest) {
        if (n == sizeof spec - 1)
            return -E_BADSPEC;
        spec[n++] = **rest;
    }
    spec[n] = '\0';
    err = dev_start(path[1], spec, &w->c);
    if (err)
        return err;
    w->path = w->c->path;
    path_ref(w->path);
    return 0;
}

/* ---- steps ---- */

/* The parts of j: is one of them this file? */
static bool
join_has(const struct join *j, const struct chan *c)
{
    for (unsigned i = 0; i < j->n; i++)
        if (chan_same_file(j->part[i].to, c))
            return true;
    return false;
}

/*
 * A walk that begins in a directory reached through a bind stands in what was
 * bound there when it was reached.  If that is still bound, find out what is
 * bound beside it now.
 */
static void
rejoin(struct walk *w)
{
    const struct chan *from = w->path->from;
    struct join *j;

    if (!from)
        return;
    j = ns_joined(my_files()->ns, from->dev, from->devno, from->qid.path);
    if (j && join_has(j, w->c)) {
        chan_close(w->c);
        w->c = j->part[0].to;
        chan_ref(w->c);
        w->join = j;
    } else {
        join_unref(j);
    }
}

/*
 * From a place to what is bound there, if anything is: w->join is that, w->c
 * its first part, and the path remembers the place, for `..`.  0, -E_NOMEM.
 */
static int
follow(struct walk *w)
{
    struct name_space *ns = my_files()->ns;
    struct path *path;
    struct join *j;

    if (w->join) /* followed already */
        return 0;
    j = ns_joined(ns, w->c->dev, w->c->devno, w->c->qid.path);
    if (!j)
        return 0;
    path = path_bound(w->path, w->c);
    if (!path) {
        join_unref(j);
        return -E_NOMEM;
    }
    w->path = path; /* and has w->c now */
    w->c = j->part[0].to;
    chan_ref(w->c);
    w->join = j;
    return 0;
}

/* The walk goes on at c, whose reference it takes, and path (as well). */
static void
move(struct walk *w, struct chan *c, struct path *path)
{
    chan_close(w->c);
    path_unref(w->path);
    join_unref(w->join);
    w->c = c;
    w->path = path;
    w->join = NULL;
}

/*
 * One step back along the path: to the directory whose name comes before.  If
 * something was bound there, that is the place itself, from which `follow`
 * goes on; if the walk stands in something bound, the place's own parent.
 * The root's parent is the root.  0, or what walk says.
 *
 * here->from is the place at which what the walk stands in was bound, NULL if
 * it came there by name alone; here->up leads to the directory before.
 *
 * Lab 4.4
 */
static int
step_up(struct walk *w)
{
    static const char *const dotdot[] = { ".." };
    struct path *here = w->path, *up = here->up, *path;
    struct qid qid;
    struct chan *c;
    int got;

    if (!up)
        return 0;
    if (!up->from) {
        got = chan_walk(here->from ? here->from : w->c, dotdot, 1, &qid, &c);
        if (got < 0)
            return got;
        path_ref(up);
        move(w, c, up);
        return 0;
    }
    path = path_new(up->up, up->name);
    if (!path)
        return -E_NOMEM;
    chan_ref(up->from);
    move(w, up->from, path);
    return 0;
}

/*
 * The first of the n names is not in w->c: look in the directories joined to
 * it (w->join, whose part 0 is w->c), in their order, and walk down as many of
 * the names as there are in the first that has it, which goes to *part.  As
 * chan_walk; -E_NOEXIST if none has it.
 *
 * Lab 4.5
 */
static int
union_walk(struct walk *w, const char *const names[], unsigned n,
        struct qid qids[], struct chan **part, struct chan **to)
{
    int got = -E_NOEXIST;

    for (unsigned i = 1; got < 0 && i < w->join->n; i++) {
        *part = w->join->part[i].to;
        got = chan_walk(*part, names, n, qids, to);
    }
    return got;
}

/*
 * Of the first n files of a walk of `of` names, whose qids are known: how many
 * steps lead to the first at which something is bound, if that is not the very
 * end (where the next step, or nobody, will look).  n if there is none.
 */
static unsigned
steps_to_place(const struct chan *c, const struct qid qids[], unsigned n)
{
    struct name_space *ns = my_files()->ns;

    for (unsigned i = 0; i + 1 < n; i++) {
        struct join *j = ns_joined(ns, c->dev, c->devno, qids[i].path);

        join_unref(j);
        if (j)
            return i + 1;
    }
    return n;
}

static struct path *
path_append(struct path *p, const char *const names[], unsigned n)
{
    path_ref(p);
    for (unsigned i = 0; i < n && p; i++) {
        struct path *next = path_new(p, names[i]);

        path_unref(p);
        p = next;
    }
    return p;
}

/*
 * Down some of the n names (1 to MAXWELEM, no `..`): the walk then stands
 * behind the last of them, or at a place where something is bound, or before
 * a name that is not there.  How many steps it took, at least 1; or -E_...
 *
 * First to what is bound here (follow).  Then all the names are one request
 * (chan_walk); if the first is not in this directory, and others are joined
 * to it, union_walk asks those.  If something is bound on the way
 * (steps_to_place), or a name was not there, there is no channel yet for where
 * the walk stops: walk once more, so many steps.
 *
 * Lab 4.4
 */
static int
step_down(struct walk *w, const char *const names[], unsigned n)
{
    struct qid qids[MAXWELEM];
    struct chan *part, *to = NULL;
    struct path *path;
    int got = follow(w), first;
    unsigned steps;

    if (got < 0)
        return got;
    part = w->c;
    got = first = chan_walk(part, names, n, qids, &to);
    if (got < 0 && w->join && w->join->n > 1)
        got = union_walk(w, names, n, qids, &part, &to);
    if (got < 0)
        return first;
    steps = steps_to_place(part, qids, (unsigned)got);
    if (steps < n) { /* `to` went too far, or is not there: once more */
        chan_close(to);
        got = chan_walk(part, names, steps, qids, &to);
        if (got < (int)steps)
            return got < 0 ? got : -E_NOEXIST;
    }
    path = path_append(w->path, names, steps);
    if (!path) {
        chan_close(to);
        return -E_NOMEM;
    }
    move(w, to, path);
    return (int)steps;
}

/*
 * Walk names number i to n-1: each `..` by step_up, the others by step_down,
 * as many at once as follow each other, up to MAXWELEM.  0, or the error of
 * the first step that failed.
 *
 * Lab 4.4
 */
static int
walk_names(struct walk *w, const struct names *names, unsigned i, unsigned n)
{
    const char *run[MAXWELEM];

    while (i < n) {
        unsigned k = 0;
        int got;

        if (is_dotdot(name_at(names, i))) {
            got = step_up(w);
            if (got < 0)
                return got;
            i++;
            continue;
        }
        while (k < MAXWELEM && i + k < n && !is_dotdot(name_at(names, i + k))) {
            run[k] = name_at(names, i + k);
            k++;
        }
        got = step_down(w, run, k);
        if (got < 0)
            return got;
        i += (unsigned)got;
    }
    return 0;
}

/* ---- what the name is for ---- */

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

/*
 * Open what the walk has reached: w->c becomes the open channel, or another
 * one that the file stands for.
 */
static int
open_walked(struct walk *w, unsigned mode)
{
    unsigned how = mode & ~(unsigned)OCEXEC;
    struct chan *other;
    int err = settle(w);

    if (err)
        return err;
    if (w->c->qid.type & QTDIR && how & ~(unsigned)ORCLOSE)
        return -E_ISDIR;
    if (w->c->dev->open_as) {
        err = w->c->dev->open_as(w->c, how, &other);
        if (err < 0)
            return err;
        if (err > 0) {
            chan_close(w->c);
            w->c = other;
            return 0;
        }
    }
    return chan_open(w->c, mode);
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
    int err = !path ? -E_NOMEM : dir ? 0 : -E_NOCREATE;

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
    move(w, c, NULL);
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
        err = follow(w);
    for (int tries = 0; err == 0 && tries < 2; tries++) {
        int got = step_down(w, &last, 1);

        if (got > 0 && (mode & OEXCL || perm & DMDIR))
            return -E_EXIST;
        if (got > 0)
            got = follow(w);
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
        err = follow(w);
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

int
name_open(const char *path, enum name_for why, unsigned mode, uint32_t perm,
        struct chan **out)
{
    struct names names;
    struct walk w;
    const char *rest;
    int err;

    if (!good_mode(why, mode))
        return -E_OPENMODE;
    if (!path[0])
        return -E_NOEXIST;
    err = start(&w, path, &rest);
    if (err)
        return err;
    err = names_split(&names, rest);
    if (err == 0) {
        rejoin(&w);
        if (why == NAME_CREATE)
            err = create_walked(&w, &names, mode, perm);
        else
            err = walk_names(&w, &names, 0, names.n);
        if (err == 0 && why != NAME_CREATE)
            err = finish(&w, &names, why, mode);
    }
    if (err == 0) {
        *out = w.c;
        w.c = NULL;
    }
    walk_end(&w);
    return err;
}
