/*
 * walk.c - along the names of a path, through the caller's name space.
 *
 * A walk is a channel on its way down, the path it came, and what is bound
 * where it stands.  Before each step down it goes from the place to what is
 * bound there; `..` goes back along the path.  As many names as possible are
 * one request to the device: only where something is bound must it stop.
 */
#include "9p/walk.h"
#include <lux/fcall.h>

void
walk_end(struct walk *w)
{
    chan_close(w->c);
    path_unref(w->path);
    join_unref(w->join);
}

/*
 * Where `path` begins: "/" at the root, "#xspec" at a device, others at the
 * current directory.  0, and *rest is what follows.
 */
int
walk_start(struct walk *w, const char *path, const char **rest)
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
void
walk_rejoin(struct walk *w)
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
int
walk_follow(struct walk *w)
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
void
walk_move(struct walk *w, struct chan *c, struct path *path)
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
 * something was bound there, that is the place itself, from which `walk_follow`
 * goes on; if the walk stands in something bound, the place's own parent.
 * The root's parent is the root.  0, or what walk says.
 *
 * w->path->from is the place at which what the walk stands in was bound, NULL
 * if it came there by name alone; w->path->up leads to the directory before.
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
        walk_move(w, c, up);
        return 0;
    }
    path = path_new(up->up, up->name);
    if (!path)
        return -E_NOMEM;
    chan_ref(up->from);
    walk_move(w, up->from, path);
    return 0;
}

/*
 * The first of the n names is not in w->c: look in the directories joined to
 * it (w->join, whose part 0 is w->c), in their order, and walk down as many of
 * the names as there are in the first that has it, which goes to *part (no
 * reference: w->join has one).  As chan_walk; an error if none has it.
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

/* The way n names down from p; NULL: path_error says why. */
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
 * Down some of the n names (1 to MAXWELEM, no `..`), from what is bound where
 * the walk stands (walk_follow).
 *
 * Returns how many steps it took, at least 1, or -E_...  Afterwards the walk
 * stands behind the last name, or at the first place on the way where something
 * is bound (steps_to_place), or before a name that is not there; its path says
 * the same.  After an error it stands where walk_follow left it.
 * Cost: one request (chan_walk) if all names are there and nothing is bound on
 * the way; else at most one more, since a channel for a place in between has
 * to be asked for, and what union_walk asks.
 * The first name may be in any part of a union (union_walk); if it is in none,
 * the error is that of the directory itself, not of the part that was asked
 * last.  A path that cannot be made has path_error's error.
 * Ownership: a channel that the walk does not keep is closed.
 *
 * Lab 4.4
 */
int
step_down(struct walk *w, const char *const names[], unsigned n)
{
    struct qid qids[MAXWELEM];
    struct chan *part, *to = NULL;
    struct path *path;
    int got = walk_follow(w), first;
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
        return path_error(w->path, steps);
    }
    walk_move(w, to, path);
    return (int)steps;
}

/*
 * Walk names number i to n-1: each `..` by step_up, the others by step_down,
 * as many at once as follow each other, up to MAXWELEM.  0, or the error of
 * the first step that failed.
 *
 * Lab 4.4
 */
int
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
