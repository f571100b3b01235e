/*
 * chan.c - channels: files as one opener, or one walk, sees them.
 *
 * A channel lives as long as somebody refers to it: a walk under way, a file
 * descriptor, a name space, a current directory, the path of another channel.
 * The last reference tells the device, exactly once.
 */
#include "9p/9p.h"
#include "9p/private.h"

struct chan *
chan_new(void)
{
    struct chan *c = kzalloc(sizeof *c);

    if (!c)
        return NULL;
    c->ref = 1;
    c->mode = CHAN_NOT_OPEN;
    qlock_init(&c->lock, "channel");
    return c;
}

void
chan_ref(struct chan *c)
{
    __atomic_add_fetch(&c->ref, 1, __ATOMIC_RELAXED);
}

void
chan_drop(struct chan *c, struct chan **dead)
{
    if (!c || __atomic_sub_fetch(&c->ref, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    c->next_dead = *dead;
    *dead = c;
}

/*
 * What a path and a join hold are channels, which may have paths and joins
 * again: those that end with the last queue up behind it instead of in ever
 * deeper calls, since a program can make such a chain as long as it likes.
 */
void
chans_end(struct chan *dead)
{
    while (dead) {
        struct chan *c = dead;

        dead = c->next_dead;
        chan_drop(c->join_dir, &dead);
        join_drop(c->join, &dead);
        conn_free(c->conn);
        if (c->dev && c->dev->close)
            c->dev->close(c);
        path_drop(c->path, &dead);
        kfree(c);
    }
}

void
chan_close(struct chan *c)
{
    struct chan *dead = NULL;

    chan_drop(c, &dead);
    chans_end(dead);
}

/*
 * A fresh channel that stands for what is n names below c, in *to: n; or
 * 1..n-1 if only so many are there, or -E_..., both without a channel.
 */
int
chan_walk(struct chan *c, const char *const names[], unsigned n,
        struct qid qids[], struct chan **to)
{
    struct chan *new = chan_new();
    int got;

    if (!new)
        return -E_NOMEM;
    new->dev = c->dev;
    new->devno = c->devno;
    got = (c->dev->walk ? c->dev->walk : dev_walk)(c, new, names, n, qids);
    if (got == (int)n) {
        *to = new;
        return got;
    }
    new->dev = NULL; /* it stands for nothing: no device need hear */
    chan_close(new);
    return got;
}

int
chan_clone(struct chan *c, struct chan **out)
{
    int err = chan_walk(c, NULL, 0, NULL, out);

    if (err < 0)
        return err;
    (*out)->path = c->path;
    path_ref(c->path);
    return 0;
}

/* c has been opened for mode. */
void
chan_set_open(struct chan *c, unsigned mode)
{
    c->mode = (mode & 3) == OEXEC ? OREAD : mode & 3;
    c->flags |= CHAN_OPEN | (mode & OCEXEC ? CHAN_CEXEC : 0) |
                (mode & ORCLOSE ? CHAN_ORCLOSE : 0);
}

bool
chan_same_file(const struct chan *a, const struct chan *b)
{
    return a->dev == b->dev && a->devno == b->devno &&
           a->qid.path == b->qid.path &&
           (a->qid.type & QTDIR) == (b->qid.type & QTDIR);
}
