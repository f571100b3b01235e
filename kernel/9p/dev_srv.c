/*
 * dev_srv.c - #s, a board where open files are posted for others to use.
 *
 * Create a file, write the number of a file descriptor into it: from then on
 * who opens the file gets that very channel.  What is posted stays open, even
 * when the poster has ended, until the file is removed.  So that no user
 * fills the board for good, each but the system's has at most half of it, and
 * the last sixteenth is the system's.
 */
#include "9p/9p.h"

enum {
    MAX_POSTS = 1024,
    MAX_OF_USER = MAX_POSTS / 2,         /* but of the system's */
    MAX_OF_OTHERS = MAX_POSTS / 16 * 15, /* the rest is the system's */
};

struct post {
    struct list link;
    struct chan *chan; /* what is posted; NULL: nothing yet */
    uint64_t path;     /* qid.path, never used again */
    uint32_t perm;
    char name[MAX_NAME];
    char owner[MAX_NAME];
};

static struct {
    struct qlock lock; /* guards all of this */
    struct list posts;
    unsigned n;
    uint64_t last_path;
} srv;

static void
srv_init(void)
{
    qlock_init(&srv.lock, "srv");
    list_init(&srv.posts);
}

/* ---- finding; the caller holds srv.lock ---- */

static struct post *
post_by_path(uint64_t path)
{
    LIST_EACH(&srv.posts, node)
    {
        struct post *p = CONTAINER_OF(node, struct post, link);

        if (p->path == path)
            return p;
    }
    return NULL;
}

static struct post *
post_by_name(const char *name)
{
    LIST_EACH(&srv.posts, node)
    {
        struct post *p = CONTAINER_OF(node, struct post, link);

        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

static struct post *
post_nth(int i)
{
    LIST_EACH(&srv.posts, node)
    {
        if (i-- == 0)
            return CONTAINER_OF(node, struct post, link);
    }
    return NULL;
}

/* May p's owner have one more? */
static bool
room_for(const struct post *p)
{
    unsigned n = 0;

    if (strcmp(p->owner, SYSTEM_USER) == 0)
        return srv.n < MAX_POSTS;
    LIST_EACH(&srv.posts, node)
    {
        const struct post *other = CONTAINER_OF(node, struct post, link);

        n += strcmp(other->owner, p->owner) == 0;
    }
    return n < MAX_OF_USER && srv.n < MAX_OF_OTHERS;
}

/* Is the caller p's owner, or the system's? */
static bool
is_mine(const struct post *p)
{
    const char *user = my_files()->user;

    return strcmp(user, p->owner) == 0 || strcmp(user, SYSTEM_USER) == 0;
}

/* ---- the device ---- */

static int
srv_gen(struct chan *c, const char *name, int i, struct devent *e)
{
    struct post *p;

    memset(e, 0, sizeof *e);
    if (!name && (i == DEV_PARENT || (i == DEV_SELF && c->qid.path == 0))) {
        strlcpy(e->name, "srv", sizeof e->name);
        e->qid.type = QTDIR;
        e->perm = DMDIR | 0777;
        return 1;
    }
    qlock(&srv.lock);
    p = name            ? post_by_name(name)
        : i == DEV_SELF ? post_by_path(c->qid.path)
                        : post_nth(i);
    if (p) {
        strlcpy(e->name, p->name, sizeof e->name);
        strlcpy(e->user, p->owner, sizeof e->user);
        e->qid.path = p->path;
        e->perm = p->perm;
    }
    qunlock(&srv.lock);
    return p != NULL;
}

/* May p be opened for mode?  What is posted must be open for as much; and who
 * opens p gets that very channel, so the permission must be for all of it. */
static int
may_open(const struct post *p, unsigned mode)
{
    int err = perm_check(p->owner, p->owner, p->perm, mode);

    if (err < 0)
        return err;
    if (!p->chan)
        return -E_HUNGUP;
    if (mode & ~3u || (p->chan->mode != ORDWR && p->chan->mode != mode))
        return -E_PERM;
    return perm_check(p->owner, p->owner, p->perm, p->chan->mode);
}

static int
srv_open_as(struct chan *c, unsigned mode, struct chan **out)
{
    struct post *p;
    int err = -E_NOEXIST;

    if (c->qid.path == 0)
        return 0;
    qlock(&srv.lock);
    p = post_by_path(c->qid.path);
    if (p)
        err = may_open(p, mode);
    if (err == 0) {
        chan_ref(p->chan);
        *out = p->chan;
    }
    qunlock(&srv.lock);
    return err < 0 ? err : 1;
}

/* A new file of the caller's without anything posted; NULL: no memory. */
static struct post *
post_new(const char *name, uint32_t perm)
{
    struct post *p = kzalloc(sizeof *p);

    if (!p)
        return NULL;
    list_init(&p->link);
    p->perm = perm & 0777;
    strlcpy(p->name, name, sizeof p->name);
    strlcpy(p->owner, my_files()->user, sizeof p->owner);
    return p;
}

/* Put p on the board: 0, -E_EXIST, -E_MAXPOST. */
static int
post_add(struct post *p)
{
    int err = 0;

    qlock(&srv.lock);
    if (post_by_name(p->name))
        err = -E_EXIST;
    else if (!room_for(p))
        err = -E_MAXPOST;
    else {
        p->path = ++srv.last_path;
        srv.n++;
        list_append(&srv.posts, &p->link);
    }
    qunlock(&srv.lock);
    return err;
}

static int
srv_create(struct chan *c, const char *name, unsigned mode, uint32_t perm)
{
    struct post *p;
    int err;

    if (c->qid.path != 0 || (perm & DMDIR))
        return -E_PERM;
    if ((mode & 3) == OREAD || (mode & 3) == OEXEC)
        return -E_OPENMODE; /* there is nothing to read before the write */
    if (strlen(name) >= MAX_NAME)
        return -E_NAMELEN;
    p = post_new(name, perm);
    if (!p)
        return -E_NOMEM;
    err = post_add(p);
    if (err < 0)
        kfree(p);
    else
        c->qid = (struct qid){ .path = p->path };
    return err;
}

/* Take the file away and close what is posted.  Permission is checked only if
 * it was not when the file was opened for removal. */
static int
take_away(uint64_t path, bool check)
{
    struct post *p;
    int err = 0;

    qlock(&srv.lock);
    p = post_by_path(path);
    if (!p)
        err = -E_NOEXIST;
    else if (check && !is_mine(p))
        err = -E_PERM;
    else {
        list_remove(&p->link);
        srv.n--;
    }
    qunlock(&srv.lock);
    if (err < 0)
        return err;
    chan_close(p->chan); /* may be long, and may come back here */
    kfree(p);
    return 0;
}

static int
srv_remove(struct chan *c)
{
    return c->qid.path == 0 ? -E_PERM : take_away(c->qid.path, true);
}

/* A poster that ends takes away what it made with ORCLOSE. */
static void
srv_close(struct chan *c)
{
    if (c->flags & CHAN_ORCLOSE)
        take_away(c->qid.path, false);
}

static int64_t
srv_read(struct chan *c, struct io *to, uint64_t offset)
{
    return c->qid.path == 0 ? dev_read_dir(c, to, offset) : -E_BADUSE;
}

/* Hang `posted` on the board, which takes the reference: 0, or -E_... */
static int
post_chan(uint64_t path, struct chan *posted)
{
    struct post *p;
    int err = 0;

    qlock(&srv.lock);
    p = post_by_path(path);
    if (!p)
        err = -E_NOEXIST;
    else if (p->chan)
        err = -E_BADUSE;
    else
        p->chan = posted;
    qunlock(&srv.lock);
    return err;
}

/* The text is a file descriptor's number. */
static int64_t
srv_write(struct chan *c, struct io *from, uint64_t offset)
{
    int64_t n = (int64_t)from->left;
    struct chan *posted;
    uint64_t fd;
    char text[16];
    int64_t err = io_get_text(from, text, sizeof text);

    (void)offset;
    if (err < 0)
        return err;
    if (!parse_number(text, &fd) || fd > INT32_MAX)
        return -E_BADFD;
    err = fd_chan((int)fd, &posted, FD_ANY);
    if (err < 0)
        return err;
    if (posted->dev == &srv_dev || (posted->flags & CHAN_ORCLOSE))
        err = -E_BADUSE; /* it would keep itself, or vanish when closed */
    else
        err = post_chan(c->qid.path, posted);
    if (err < 0)
        chan_close(posted);
    return err < 0 ? err : n;
}

/* The new name and mode that wstat asks for: 0; -E_PERM if it asks for more. */
static int
wanted(const struct dir *d)
{
    if (d->length != UINT64_MAX || d->mtime != UINT32_MAX ||
            d->atime != UINT32_MAX || *d->uid || *d->gid || *d->muid)
        return -E_PERM;
    if (d->mode != UINT32_MAX && (d->mode & ~0777u))
        return -E_PERM;
    if (*d->name && (!name_ok(d->name) || d->name[0] == '.'))
        return -E_NAME;
    return strlen(d->name) < MAX_NAME ? 0 : -E_NAMELEN;
}

/* Check all, then change; the caller holds srv.lock. */
static int
post_change(struct post *p, const struct dir *d)
{
    struct post *other = *d->name ? post_by_name(d->name) : NULL;

    if (!is_mine(p))
        return -E_PERM;
    if (other && other != p)
        return -E_EXIST;
    if (*d->name)
        strlcpy(p->name, d->name, sizeof p->name);
    if (d->mode != UINT32_MAX)
        p->perm = d->mode;
    return 0;
}

static int
srv_wstat(struct chan *c, const uint8_t *buf, size_t n)
{
    char *strings = kmalloc(n);
    struct post *p;
    struct dir d;
    int err;

    if (!strings)
        return -E_NOMEM;
    err = dir_unpack(buf, n, &d, strings) < 0 ? -E_BADSTAT : wanted(&d);
    if (err == 0) {
        qlock(&srv.lock);
        p = post_by_path(c->qid.path);
        err = p ? post_change(p, &d) : -E_PERM;
        qunlock(&srv.lock);
    }
    kfree(strings);
    return err;
}

const struct dev srv_dev = {
    .letter = 's',
    .name = "srv",
    .gen = srv_gen,
    .init = srv_init,
    .open_as = srv_open_as,
    .create = srv_create,
    .close = srv_close,
    .read = srv_read,
    .write = srv_write,
    .remove = srv_remove,
    .wstat = srv_wstat,
};
