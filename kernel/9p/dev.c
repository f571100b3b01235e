/*
 * dev.c - the device switch, and what a device does that says nothing else.
 *
 * The defaults need only the tree: either a table of files, or a function
 * that makes up entries.  From it they walk, list, stat and check permission,
 * so that most devices consist of their reads and writes.
 */
#include "9p/private.h"

static const struct dev *const devtab[] = {
    &root_dev,
    &boot_dev,
    &dup_dev,
    &pipe_dev,
    &cons_dev,
    &env_dev,
    &srv_dev,
    &proc_dev,
    &trace_dev,
    &uart_dev,
    &mnt_dev,
};

const struct dev *
dev_find(char letter)
{
    for (unsigned i = 0; i < ARRAY_LEN(devtab); i++)
        if (devtab[i]->letter == letter)
            return devtab[i];
    return NULL;
}

void
dev_init(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(devtab); i++)
        if (devtab[i]->init)
            devtab[i]->init();
}

int
dev_start(char letter, const char *spec, struct chan **out)
{
    const struct dev *dev = dev_find(letter);
    char name[3] = { '#', letter };
    struct chan *c;
    int err;

    if (!dev)
        return -E_NODEV;
    c = chan_new();
    if (!c)
        return -E_NOMEM;
    c->path = path_new(NULL, letter == '/' ? "/" : name);
    err = c->path ? (dev->attach ? dev->attach : dev_attach)(spec, c)
                  : -E_NOMEM;
    if (err) {
        chan_close(c); /* which has no device yet */
        return err;
    }
    c->dev = dev;
    *out = c;
    return 0;
}

/*
 * Owner, group and others each have three bits of perm.  The group of a file
 * is a user's name: its only member.  A user owns what this user made, whoever
 * it is: `none` may use its own pipes.  A process without files of its own is
 * the kernel's.
 */
int
perm_check(const char *owner, const char *group, uint32_t perm, unsigned mode)
{
    static const uint8_t need[] = {
        [OREAD] = 4, [OWRITE] = 2, [ORDWR] = 6, [OEXEC] = 1
    };
    unsigned bits = need[mode & 3] | (mode & OTRUNC ? 2 : 0);
    const char *user = my_files() ? my_files()->user : SYSTEM_USER;

    if (strcmp(user, owner) == 0)
        perm |= perm >> 6 | perm >> 3;
    else if (strcmp(user, group) == 0)
        perm |= perm >> 3;
    return (perm & bits) == bits ? 0 : -E_PERM;
}

/* ---- the tree: a table, or gen ---- */

static const struct devfile *
file_of(const struct chan *c)
{
    for (unsigned i = 0; i < c->dev->nfile; i++)
        if (c->dev->files[i].path == c->qid.path)
            return &c->dev->files[i];
    return NULL;
}

static void
fill_entry(struct devent *e, const char *name, uint64_t path, uint32_t perm,
        uint64_t length)
{
    memset(e, 0, sizeof *e);
    strlcpy(e->name, name, sizeof e->name);
    e->qid = (struct qid){ .path = path, .type = (uint8_t)(perm >> 24) };
    e->perm = perm;
    e->length = length;
}

/* gen for a tree of one level out of dev->files, some of them directories
 * that are empty. */
static int
table_gen(struct chan *c, const char *name, int i, struct devent *e)
{
    const struct dev *dev = c->dev;
    const struct devfile *f = NULL;

    if (i == DEV_PARENT || (i == DEV_SELF && c->qid.path == 0)) {
        fill_entry(e, "/", 0, DMDIR | 0555, 0);
        return 1;
    }
    if (i == DEV_SELF)
        f = file_of(c);
    else if (c->qid.path != 0)
        return 0;
    else if (!name)
        f = (unsigned)i < dev->nfile ? &dev->files[i] : NULL;
    else
        for (unsigned n = 0; n < dev->nfile && !f; n++)
            if (strcmp(dev->files[n].name, name) == 0)
                f = &dev->files[n];
    if (!f)
        return 0;
    fill_entry(e, f->name, f->path, f->perm, f->length);
    return 1;
}

/* Whichever it is.  name: that entry; else the i-th, DEV_SELF, DEV_PARENT. */
static int
entry(struct chan *c, const char *name, int i, struct devent *e)
{
    if (!c->dev->gen)
        return table_gen(c, name, i, e);
    memset(e, 0, sizeof *e);
    return c->dev->gen(c, name, i, e);
}

static int
self(struct chan *c, struct devent *e)
{
    int got = entry(c, NULL, DEV_SELF, e);

    return got == 1 ? 0 : got < 0 ? got : -E_NOEXIST;
}

static const char *
owner_of(const struct devent *e)
{
    return e->user[0] ? e->user : SYSTEM_USER;
}

static int
permitted(const struct devent *e, unsigned mode)
{
    return perm_check(owner_of(e), owner_of(e), e->perm, mode);
}

/* ---- the operations ---- */

int
dev_attach(const char *spec, struct chan *c)
{
    c->qid = (struct qid){ .type = QTDIR };
    return spec[0] ? -E_BADSPEC : 0;
}

/* One step from the directory `at`, whose qid becomes the entry's. */
static int
step(struct chan *at, const char *name)
{
    bool up = strcmp(name, "..") == 0;
    struct devent e;
    int got;

    if (!(at->qid.type & QTDIR))
        return -E_NOTDIR;
    got = self(at, &e);
    if (got == 0)
        got = permitted(&e, OEXEC);
    if (got < 0)
        return got;
    got = up ? entry(at, NULL, DEV_PARENT, &e) : entry(at, name, 0, &e);
    if (got == 1)
        at->qid = e.qid;
    return got == 1 ? 0 : got < 0 ? got : -E_NOEXIST;
}

/*
 * See struct dev: for trees in which qid and aux say all, and all files of an
 * instance have the same aux.
 */
int
dev_walk(struct chan *from, struct chan *to, const char *const names[],
        unsigned n, struct qid qids[])
{
    struct chan at = { .dev = from->dev,
        .devno = from->devno,
        .qid = from->qid,
        .aux = from->aux };
    unsigned i;
    int err = 0;

    for (i = 0; i < n && err == 0; i++) {
        err = step(&at, names[i]);
        if (err == 0)
            qids[i] = at.qid;
        else if (i > 0)
            return (int)i;
    }
    if (err)
        return err;
    to->qid = at.qid;
    to->aux = at.aux;
    return (int)n;
}

int64_t
dev_pack(struct chan *c, const struct devent *e, uint8_t *buf, size_t n)
{
    struct dir d = { .type = (uint8_t)c->dev->letter,
        .dev = c->devno,
        .qid = e->qid,
        .mode = e->perm,
        .length = e->length,
        .name = e->name,
        .uid = owner_of(e),
        .gid = owner_of(e),
        .muid = owner_of(e) };
    int64_t got = dir_pack(&d, buf, n);

    return got == -E_TOOBIG ? -E_SHORTSTAT : got;
}

int64_t
dev_stat(struct chan *c, uint8_t *buf, size_t n)
{
    struct devent e;
    int err = self(c, &e);

    return err ? err : dev_pack(c, &e, buf, n);
}

int
dev_open(struct chan *c, unsigned mode)
{
    struct devent e;
    int err = self(c, &e);

    if (err)
        return err;
    if (c->qid.type & QTDIR && mode != OREAD)
        return mode & ORCLOSE ? -E_PERM : -E_ISDIR;
    if (mode & ORCLOSE)
        return -E_PERM; /* nothing here can be removed */
    return permitted(&e, mode);
}

/*
 * Whole entries from number c->dir_next on, as many as fit.  Offset 0 starts
 * over; any other offset is where the last read ended, which the caller has
 * checked.  The caller holds c->lock.
 */
int64_t
dev_read_dir(struct chan *c, struct io *to, uint64_t offset)
{
    uint8_t buf[DIR_FIXED + 4 * MAX_NAME];
    struct devent e;
    int64_t total = 0;
    int got;

    if (offset == 0)
        c->dir_next = 0;
    while ((got = entry(c, NULL, (int)c->dir_next, &e)) == 1) {
        int64_t n = dev_pack(c, &e, buf, sizeof buf);

        if (n < 0)
            return n;
        if ((size_t)n > to->left)
            return total > 0 ? total : -E_SHORTSTAT;
        if (io_put(to, buf, (size_t)n) < 0)
            return -E_BADADDR;
        total += n;
        c->dir_next++;
    }
    return got < 0 && total == 0 ? got : total;
}

int64_t
dev_read(struct chan *c, struct io *to, uint64_t offset)
{
    const struct devfile *f;

    if (c->qid.type & QTDIR)
        return dev_read_dir(c, to, offset);
    f = file_of(c);
    return f && f->read ? f->read(c, to, offset) : -E_PERM;
}

int64_t
dev_write(struct chan *c, struct io *from, uint64_t offset)
{
    const struct devfile *f = file_of(c);

    return f && f->write ? f->write(c, from, offset) : -E_PERM;
}

/* ---- for one channel: its device's own, or the default ---- */

int64_t
chan_stat(struct chan *c, uint8_t *buf, size_t n)
{
    return (c->dev->stat ? c->dev->stat : dev_stat)(c, buf, n);
}

/* The channel is open after it, if it succeeds. */
int
chan_open(struct chan *c, unsigned mode)
{
    unsigned how = mode & ~(unsigned)OCEXEC;
    int err = (c->dev->open ? c->dev->open : dev_open)(c, how);

    if (err == 0)
        chan_set_open(c, mode);
    return err;
}

int
chan_create(struct chan *c, const char *name, unsigned mode, uint32_t perm)
{
    unsigned how = mode & ~(unsigned)(OCEXEC | OEXCL);
    int err = c->dev->create ? c->dev->create(c, name, how, perm) : -E_PERM;

    if (err == 0)
        chan_set_open(c, mode);
    return err;
}

int64_t
chan_read(struct chan *c, struct io *to, uint64_t offset)
{
    return (c->dev->read ? c->dev->read : dev_read)(c, to, offset);
}

int64_t
chan_write(struct chan *c, struct io *from, uint64_t offset)
{
    return (c->dev->write ? c->dev->write : dev_write)(c, from, offset);
}

int
chan_remove(struct chan *c)
{
    return c->dev->remove ? c->dev->remove(c) : -E_PERM;
}

int
chan_wstat(struct chan *c, const uint8_t *buf, size_t n)
{
    return c->dev->wstat ? c->dev->wstat(c, buf, n) : -E_PERM;
}
