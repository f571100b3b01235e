/*
 * dev_root.c - #/, the root before anything is bound: directories to bind at.
 *
 * They hold no files.  The system's user may make more of them, anywhere, and
 * remove those that are empty: places for what is to be mounted.
 */
#include "9p/9p.h"

enum {
    MAX_DIRS = 256
};

struct node {
    struct list link;     /* in its parent's list */
    struct list children; /* in the order in which they were made */
    struct node *parent;  /* the root's: itself */
    uint64_t path;        /* qid.path, never used again */
    bool gone;            /* removed; freed with the last channel */
    uint32_t channels;    /* that stand for it, and removed children */
    char name[MAX_NAME];
};

static struct node root;
static struct spinlock lock = SPINLOCK_INIT(RANK_DEVICE, "root"); /* nodes */
static unsigned nnode;
static uint64_t last_path;

/* The caller holds the lock, or there is only one process yet. */
static struct node *
make(struct node *parent, const char *name)
{
    struct node *d = nnode < MAX_DIRS ? kzalloc(sizeof *d) : NULL;

    if (!d)
        return NULL;
    nnode++;
    list_init(&d->children);
    d->parent = parent;
    d->path = ++last_path;
    strlcpy(d->name, name, sizeof d->name);
    list_append(&parent->children, &d->link);
    return d;
}

/* A channel of d's is gone, and with the last one d, if it was removed; then
 * its parent has one fewer, too. */
static void
release(struct node *d)
{
    d->channels--;
    while (d->gone && d->channels == 0) {
        struct node *parent = d->parent;

        kfree(d);
        nnode--;
        d = parent;
        d->channels--;
    }
}

static void
root_init(void)
{
    static const char *const names[] = { "bin", "boot", "dev", "env", "etc",
        "fd", "lib", "mnt", "n", "proc", "srv", "tmp" };

    list_init(&root.children);
    root.parent = &root;
    strlcpy(root.name, "/", sizeof root.name);
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (!make(&root, names[i]))
            panic("root_init: no memory");
}

static struct node *
node_of(const struct chan *c)
{
    return (struct node *)c->aux;
}

static struct node *
child(const struct node *d, const char *name)
{
    LIST_EACH(&d->children, node)
    {
        struct node *c = CONTAINER_OF(node, struct node, link);

        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

static struct node *
nth_child(const struct node *d, int i)
{
    LIST_EACH(&d->children, node)
    {
        if (i-- == 0)
            return CONTAINER_OF(node, struct node, link);
    }
    return NULL;
}

static void
stand_for(struct chan *c, struct node *d)
{
    d->channels++;
    c->qid = (struct qid){ .path = d->path, .type = QTDIR };
    c->aux = (uint64_t)d;
}

static int
root_attach(const char *spec, struct chan *c)
{
    if (spec[0])
        return -E_BADSPEC;
    spin_lock(&lock);
    stand_for(c, &root);
    spin_unlock(&lock);
    return 0;
}

static int
root_walk(struct chan *from, struct chan *to, const char *const names[],
        unsigned n, struct qid qids[])
{
    struct node *d = node_of(from);
    unsigned i;

    spin_lock(&lock);
    for (i = 0; i < n; i++) {
        struct node *next =
                strcmp(names[i], "..") == 0 ? d->parent : child(d, names[i]);

        if (!next)
            break;
        d = next;
        qids[i] = (struct qid){ .path = d->path, .type = QTDIR };
    }
    if (i == n)
        stand_for(to, d);
    spin_unlock(&lock);
    return i > 0 || n == 0 ? (int)i : -E_NOEXIST;
}

static int
root_gen(struct chan *c, const char *name, int i, struct devent *e)
{
    struct node *d = node_of(c);

    (void)name; /* root_walk does not ask */
    spin_lock(&lock);
    d = i == DEV_SELF ? d : i == DEV_PARENT ? d->parent : nth_child(d, i);
    if (d) {
        strlcpy(e->name, d->name, sizeof e->name);
        e->qid = (struct qid){ .path = d->path, .type = QTDIR };
        e->perm = DMDIR | 0755;
    }
    spin_unlock(&lock);
    return d != NULL;
}

static int
root_create(struct chan *c, const char *name, unsigned mode, uint32_t perm)
{
    struct node *d = node_of(c), *new = NULL;
    int err = perm_check(SYSTEM_USER, SYSTEM_USER, 0755, OWRITE);

    if (err)
        return err;
    if (!(perm & DMDIR) || mode != OREAD)
        return -E_PERM;
    if (strlen(name) >= sizeof new->name)
        return -E_NAMELEN;
    spin_lock(&lock);
    err = d->gone ? -E_NOEXIST : child(d, name) ? -E_EXIST : 0;
    if (err == 0)
        new = make(d, name);
    if (new) {
        stand_for(c, new);
        release(d);
    } else if (err == 0) {
        err = nnode < MAX_DIRS ? -E_NOMEM : -E_MAXDIR;
    }
    spin_unlock(&lock);
    return err;
}

static int
root_remove(struct chan *c)
{
    struct node *d = node_of(c);
    int err = perm_check(SYSTEM_USER, SYSTEM_USER, 0755, OWRITE);

    if (err)
        return err;
    spin_lock(&lock);
    if (d == &root)
        err = -E_PERM;
    else if (!list_empty(&d->children))
        err = -E_NOTEMPTY;
    else if (d->gone)
        err = -E_NOEXIST;
    if (err == 0) {
        list_remove(&d->link);
        d->gone = true; /* its parent stays: it is not empty for d's sake */
        d->parent->channels++;
    }
    spin_unlock(&lock);
    return err;
}

static void
root_close(struct chan *c)
{
    spin_lock(&lock);
    release(node_of(c));
    spin_unlock(&lock);
}

const struct dev root_dev = {
    .letter = '/',
    .name = "root",
    .gen = root_gen,
    .init = root_init,
    .attach = root_attach,
    .walk = root_walk,
    .create = root_create,
    .close = root_close,
    .remove = root_remove,
};
