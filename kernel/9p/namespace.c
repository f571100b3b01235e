/*
 * namespace.c - what is bound where: one table for each name-space group.
 *
 * The table leads from a file, named by device, instance and qid.path, to a
 * join: the files bound there, in order.  A join never changes; bind and
 * unbind make another one and put it in the old one's place.  So who walks or
 * reads a union takes a reference and needs no lock, however long its servers
 * take to answer, and copying a name space copies pointers.
 */
#include "9p/private.h"

enum {
    BUCKETS = 32,
    MAX_BOUND = 1024, /* places of one name space */
    MAX_JOIN = 32,    /* files bound to one place */
};

struct place {
    struct place *next;
    struct chan *from; /* the file itself, not open */
    struct join *join; /* what is bound there */
    uint64_t serial;   /* counts up: the order in which places were bound */
};

struct name_space {
    uint32_t ref;         /* [a] */
    struct spinlock lock; /* RANK_NAMESPACE; guards all below */
    unsigned n;
    uint64_t serial;
    struct place *hash[BUCKETS];
};

/* ---- joins ---- */

void
join_ref(struct join *j)
{
    __atomic_add_fetch(&j->ref, 1, __ATOMIC_RELAXED);
}

void
join_drop(struct join *j, struct chan **dead)
{
    if (!j || __atomic_sub_fetch(&j->ref, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (unsigned i = 0; i < j->n; i++)
        chan_drop(j->part[i].to, dead);
    kfree(j);
}

void
join_unref(struct join *j)
{
    struct chan *dead = NULL;

    join_drop(j, &dead);
    chans_end(dead);
}

static struct join *
join_new(unsigned room)
{
    struct join *j = kmalloc(sizeof *j + room * sizeof j->part[0]);

    if (j) {
        j->ref = 1;
        j->n = 0;
    }
    return j;
}

static void
join_add(struct join *j, struct chan *c, unsigned flags)
{
    chan_ref(c);
    j->part[j->n++] = (struct join_part){ .to = c, .flags = flags };
}

/* Add `what`: if it is a union, each of its parts. */
static void
join_add_bound(struct join *j, struct chan *what, unsigned create)
{
    if (!what->join)
        join_add(j, what, create);
    else
        for (unsigned i = 0; i < what->join->n; i++)
            join_add(j, what->join->part[i].to,
                    i == 0 ? create : what->join->part[i].flags & create);
}

/* Add what is at the place now: `old`, or itself. */
static void
join_add_old(struct join *j, const struct join *old, struct chan *where)
{
    if (!old)
        join_add(j, where, 0);
    else
        for (unsigned i = 0; i < old->n; i++)
            join_add(j, old->part[i].to, old->part[i].flags);
}

/* How many parts join_bind's join has. */
static unsigned
join_parts(const struct join *old, const struct chan *what, unsigned flags)
{
    unsigned n = what->join ? what->join->n : 1;

    if (flags & (MBEFORE | MAFTER))
        n += old ? old->n : 1;
    return n;
}

/*
 * What is bound at `where` once `what` is bound there, too, and before that
 * was `old` (NULL: nothing): instead of it (MREPL), before or after it.  What
 * was there counts even if nothing was bound: then it is `where` itself.  NULL:
 * no memory, or more than MAX_JOIN parts.
 *
 * Lab 4.5
 */
static struct join *
join_bind(const struct join *old, struct chan *what, struct chan *where,
        unsigned flags)
{
    unsigned order = flags & (MBEFORE | MAFTER);
    unsigned n = join_parts(old, what, flags);
    struct join *j = n <= MAX_JOIN ? join_new(n) : NULL;

    if (!j)
        return NULL;
    if (order == MAFTER)
        join_add_old(j, old, where);
    join_add_bound(j, what, flags & MCREATE);
    if (order == MBEFORE)
        join_add_old(j, old, where);
    return j;
}

/*
 * `old` without its parts that are the same file as `what`; *gone tells how
 * many those are.  NULL: no memory.  `old` itself does not change: somebody
 * may walk through it now.
 *
 * Lab 4.5
 */
static struct join *
join_without(const struct join *old, const struct chan *what, unsigned *gone)
{
    struct join *j = join_new(old->n);

    *gone = 0;
    for (unsigned i = 0; j && i < old->n; i++)
        if (chan_same_file(old->part[i].to, what))
            ++*gone;
        else
            join_add(j, old->part[i].to, old->part[i].flags);
    return j;
}

/* ---- the table; the caller holds ns->lock ---- */

static struct place **
place_find(struct name_space *ns, const struct dev *dev, uint32_t devno,
        uint64_t path)
{
    uint64_t key = path ^ path >> 16 ^ devno * 31 ^ (uint64_t)dev->letter;
    struct place **p = &ns->hash[key % BUCKETS];

    while (*p && !((*p)->from->qid.path == path && (*p)->from->dev == dev &&
                         (*p)->from->devno == devno))
        p = &(*p)->next;
    return p;
}

static struct place **
place_of(struct name_space *ns, const struct chan *c)
{
    return place_find(ns, c->dev, c->devno, c->qid.path);
}

/* ---- looking up ---- */

struct join *
ns_joined(struct name_space *ns, const struct dev *dev, uint32_t devno,
        uint64_t path)
{
    struct join *j = NULL;
    struct place *p;

    if (__atomic_load_n(&ns->n, __ATOMIC_RELAXED) == 0)
        return NULL;
    spin_lock(&ns->lock);
    p = *place_find(ns, dev, devno, path);
    if (p) {
        j = p->join;
        join_ref(j);
    }
    spin_unlock(&ns->lock);
    return j;
}

static struct join *
joined_at(struct name_space *ns, const struct chan *c)
{
    return ns_joined(ns, c->dev, c->devno, c->qid.path);
}

/* ---- changing ---- */

/* A new place at the end of its bucket.  0, -E_MAXBIND, -E_NOMEM; ns->lock is
 * held. */
static int
place_add(struct name_space *ns, struct place **at, struct chan *from,
        struct join *join, uint64_t serial)
{
    struct place *p;

    if (ns->n == MAX_BOUND)
        return -E_MAXBIND;
    p = kzalloc(sizeof *p);
    if (!p)
        return -E_NOMEM;
    chan_ref(from);
    join_ref(join);
    p->from = from;
    p->join = join;
    p->serial = serial;
    *at = p;
    ns->n++;
    return 0;
}

/* Take the place out; what it held goes once the lock is released. */
static struct place *
place_cut(struct name_space *ns, struct place **at)
{
    struct place *p = *at;

    *at = p->next;
    ns->n--;
    return p;
}

static void
place_free(struct place *p)
{
    if (!p)
        return;
    join_unref(p->join);
    chan_close(p->from);
    kfree(p);
}

/*
 * Put `new` in the place of `old` (NULL: nothing is bound at `where` yet; new
 * NULL: nothing is from now on).  0; place_add's error; 1: another was faster,
 * and old is not what is there.  References stay the caller's.  The table has
 * one of its own to each join in it; what it lets go is closed without the
 * lock.
 *
 * Lab 4.5
 */
static int
replace(struct name_space *ns, struct chan *where, struct join *old,
        struct join *new)
{
    struct place *gone = NULL;
    struct place **at;
    int err = 0;

    spin_lock(&ns->lock);
    at = place_of(ns, where);
    if ((*at ? (*at)->join : NULL) != old) {
        err = 1;
    } else if (!new) {
        gone = place_cut(ns, at);
    } else if (!*at) {
        err = place_add(ns, at, where, new, ns->serial++);
    } else {
        join_ref(new);
        (*at)->join = new;
    }
    spin_unlock(&ns->lock);
    if (err == 0 && new &&old)
        join_unref(old); /* the place's reference */
    place_free(gone);
    return err;
}

/*
 * See 9p.h.  Nothing of what is bound already is disturbed by a failure.
 * Directories go with directories and files with files (-E_MOUNT), and files
 * cannot be in a union.
 */
int
ns_bind(struct name_space *ns, struct chan *what, struct chan *where,
        unsigned flags)
{
    unsigned order = flags & (MBEFORE | MAFTER);
    bool dir = where->qid.type & QTDIR;
    int err;

    if (flags & ~(unsigned)(MBEFORE | MAFTER | MCREATE | MCACHE) || order == 3)
        return -E_BADARG;
    if ((what->qid.type & QTDIR) != (where->qid.type & QTDIR) ||
            (!dir && order != MREPL))
        return -E_MOUNT;
    do {
        struct join *old = joined_at(ns, where);
        struct join *new = join_bind(old, what, where, flags);

        if (new)
            err = replace(ns, where, old, new);
        else
            err = join_parts(old, what, flags) > MAX_JOIN ? -E_MAXUNION
                                                          : -E_NOMEM;
        join_unref(new);
        join_unref(old);
    } while (err == 1);
    return err;
}

/* Is `where` itself all that j has? */
static bool
only_itself(const struct join *j, const struct chan *where)
{
    return j->n == 1 && chan_same_file(j->part[0].to, where);
}

/* What unmount's first name means at j: the tree mounted there, if it is its
 * server's connection (/srv/x); else itself. */
static struct chan *
meant_at(const struct join *j, struct chan *what)
{
    for (unsigned i = 0; i < j->n; i++)
        if (mnt_runs_on(j->part[i].to, what))
            return j->part[i].to;
    return what;
}

int
ns_unbind(struct name_space *ns, struct chan *what, struct chan *where)
{
    int err;

    do {
        struct join *old = joined_at(ns, where), *new = NULL;
        unsigned gone = 1;

        if (!old)
            return -E_UNMOUNT;
        if (what)
            new = join_without(old, meant_at(old, what), &gone);
        if (what && !new)
            err = -E_NOMEM;
        else if (gone == 0)
            err = -E_UNION;
        else if (!new || new->n == 0 || only_itself(new, where))
            err = replace(ns, where, old, NULL);
        else
            err = replace(ns, where, old, new);
        join_unref(new);
        join_unref(old);
    } while (err == 1);
    return err;
}

/* ---- whole name spaces ---- */

struct name_space *
ns_new(void)
{
    struct name_space *ns = kzalloc(sizeof *ns);

    if (!ns)
        return NULL;
    ns->ref = 1;
    spin_init(&ns->lock, RANK_NAMESPACE, "name space");
    return ns;
}

void
ns_ref(struct name_space *ns)
{
    __atomic_add_fetch(&ns->ref, 1, __ATOMIC_RELAXED);
}

void
ns_unref(struct name_space *ns)
{
    if (!ns || __atomic_sub_fetch(&ns->ref, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (unsigned i = 0; i < BUCKETS; i++)
        while (ns->hash[i])
            place_free(place_cut(ns, &ns->hash[i]));
    kfree(ns);
}

struct name_space *
ns_copy(struct name_space *from)
{
    struct name_space *ns = ns_new();
    int err = ns ? 0 : -E_NOMEM;

    spin_lock(&from->lock);
    for (unsigned i = 0; i < BUCKETS && err == 0; i++) {
        struct place **at = &ns->hash[i];

        for (struct place *p = from->hash[i]; p && err == 0; p = p->next) {
            err = place_add(ns, at, p->from, p->join, p->serial);
            if (err == 0)
                at = &(*at)->next;
        }
    }
    if (err == 0)
        ns->serial = from->serial;
    spin_unlock(&from->lock);
    if (err == 0)
        return ns;
    ns_unref(ns);
    return NULL;
}

/*
 * The place bound first after those with smaller serials; a reference to
 * its file and its join.  False: there is none.
 */
bool
ns_next_place(struct name_space *ns, uint64_t *serial, struct chan **from,
        struct join **join)
{
    struct place *best = NULL;

    spin_lock(&ns->lock);
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct place *p = ns->hash[i]; p; p = p->next)
            if (p->serial >= *serial && (!best || p->serial < best->serial))
                best = p;
    if (best) {
        *serial = best->serial + 1;
        *from = best->from;
        *join = best->join;
        chan_ref(best->from);
        join_ref(best->join);
    }
    spin_unlock(&ns->lock);
    return best != NULL;
}
