/*
 * dev_pipe.c - #|, pipes: each attach makes a new one, a directory with the
 * two ends `data` and `data1`.  What is written to one end is read from the
 * other, and every write is one read's worth (queue.h).
 *
 *      end 0, data  --- write ---> queue[1] --- read ---> end 1, data1
 *                   <-- read ----- queue[0] <-- write ---
 *
 * When the last channel to an end closes, the other end reads what is left
 * and then 0 bytes; writing there is an error, and a note, since programs
 * at the left of a shell's `|` rarely look at errors.  When both ends are
 * closed the pipe is as new.
 */
#include "9p/9p.h"

struct pipe {
    uint32_t ref; /* [a] channels, open or not */
    uint32_t number;
    struct qlock lock; /* `open`, and what its changes to 0 bring */
    uint32_t open[2];  /* open channels of each end */
    struct queue queue[2];
    char user[MAX_NAME];
};

enum {
    PATH_DATA = 1, /* qid.path: the pipe's number above these two bits */
    PATH_MASK = 3
};

static struct pipe *
pipe_of(const struct chan *c)
{
    return (struct pipe *)c->aux;
}

/* The end that c is, 0 or 1; -1: the directory. */
static int
end_of(const struct chan *c)
{
    return (int)(c->qid.path & PATH_MASK) - PATH_DATA;
}

static int
pipe_attach(const char *spec, struct chan *c)
{
    static uint32_t last_number;
    struct pipe *p;

    if (*spec != '\0')
        return -E_BADSPEC;
    p = kzalloc(sizeof *p);
    if (!p)
        return -E_NOMEM;
    p->ref = 1;
    p->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
    qlock_init(&p->lock, "pipe");
    queue_init(&p->queue[0], "pipe");
    queue_init(&p->queue[1], "pipe");
    p->queue[0].back = &p->queue[1];
    p->queue[1].back = &p->queue[0];
    strlcpy(p->user, my_files()->user, sizeof p->user);
    c->qid = (struct qid){ .path = (uint64_t)p->number << 2, .type = QTDIR };
    c->aux = (uint64_t)p;
    return 0;
}

/* Entry of the file `path`: 0 directory, 1 and 2 the ends. */
static int
pipe_entry(const struct pipe *p, unsigned path, struct devent *e)
{
    static const char *const names[] = { "pipe", "data", "data1" };

    memset(e, 0, sizeof *e);
    strlcpy(e->name, names[path], sizeof e->name);
    e->qid.path = (uint64_t)p->number << 2 | path;
    e->perm = path == 0 ? DMDIR | 0500 : 0600;
    e->qid.type = path == 0 ? QTDIR : QTFILE;
    strlcpy(e->user, p->user, sizeof e->user);
    if (path != 0)
        e->length = queue_len((struct queue *)&p->queue[path - PATH_DATA]);
    return 1;
}

static int
pipe_gen(struct chan *c, const char *name, int i, struct devent *e)
{
    const struct pipe *p = pipe_of(c);

    if (name)
        i = strcmp(name, "data") == 0 ? 0 : strcmp(name, "data1") == 0 ? 1 : 2;
    else if (i == DEV_SELF)
        return pipe_entry(p, c->qid.path & PATH_MASK, e);
    else if (i == DEV_PARENT)
        return pipe_entry(p, 0, e);
    return i < 2 ? pipe_entry(p, (unsigned)i + PATH_DATA, e) : 0;
}

static int
pipe_walk(struct chan *from, struct chan *to, const char *const names[],
        unsigned n, struct qid qids[])
{
    int done = dev_walk(from, to, names, n, qids);

    if (done == (int)n) {
        to->aux = from->aux;
        __atomic_add_fetch(&pipe_of(to)->ref, 1, __ATOMIC_RELAXED);
    }
    return done;
}

static int
pipe_open(struct chan *c, unsigned mode)
{
    struct pipe *p = pipe_of(c);
    int err = dev_open(c, mode);

    if (err < 0 || end_of(c) < 0)
        return err;
    qlock(&p->lock);
    p->open[end_of(c)]++;
    qunlock(&p->lock);
    return err;
}

/* One channel to an end is gone. */
static void
end_close(struct pipe *p, int end)
{
    qlock(&p->lock);
    if (--p->open[end] == 0) {
        queue_hangup(&p->queue[0]);
        queue_hangup(&p->queue[1]);
        if (p->open[!end] == 0) {
            queue_reset(&p->queue[0]);
            queue_reset(&p->queue[1]);
        }
    }
    qunlock(&p->lock);
}

static void
pipe_close(struct chan *c)
{
    struct pipe *p = pipe_of(c);

    if (!p)
        return;
    if ((c->flags & CHAN_OPEN) && end_of(c) >= 0)
        end_close(p, end_of(c));
    if (__atomic_sub_fetch(&p->ref, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    queue_reset(&p->queue[0]);
    queue_reset(&p->queue[1]);
    kfree(p);
}

static int64_t
pipe_read(struct chan *c, struct io *to, uint64_t offset)
{
    if (end_of(c) < 0)
        return dev_read_dir(c, to, offset);
    return queue_read(&pipe_of(c)->queue[end_of(c)], to);
}

/* The other end is closed: who does not look at errors hears it by a note,
 * which the mount driver need not. */
static int64_t
write_result(const struct chan *c, int64_t n)
{
    if (n == -E_HUNGUP && !(c->flags & CHAN_MESSAGES))
        note_post(proc_current(), "sys: write on closed pipe");
    return n;
}

static int64_t
pipe_write(struct chan *c, struct io *from, uint64_t offset)
{
    (void)offset;
    return write_result(c, queue_write(&pipe_of(c)->queue[!end_of(c)], from));
}

static int64_t
pipe_bread(struct chan *c, size_t max, struct block **out)
{
    return queue_bread(&pipe_of(c)->queue[end_of(c)], max, out);
}

static int64_t
pipe_bwrite(struct chan *c, struct block *b)
{
    return write_result(c, queue_bwrite(&pipe_of(c)->queue[!end_of(c)], b));
}

static bool
pipe_bfull(struct chan *c)
{
    return queue_full(&pipe_of(c)->queue[end_of(c)]);
}

static void
pipe_hangup(struct chan *c)
{
    queue_hangup(&pipe_of(c)->queue[0]);
    queue_hangup(&pipe_of(c)->queue[1]);
}

const struct dev pipe_dev = {
    .letter = '|',
    .name = "pipe",
    .gen = pipe_gen,
    .attach = pipe_attach,
    .walk = pipe_walk,
    .open = pipe_open,
    .close = pipe_close,
    .read = pipe_read,
    .write = pipe_write,
    .bread = pipe_bread,
    .bwrite = pipe_bwrite,
    .bfull = pipe_bfull,
    .hangup = pipe_hangup,
};
