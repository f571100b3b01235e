/*
 * mnt.c - #M, the mount driver: a device whose files are those of a 9P server
 * at the other end of a channel.  Each operation is one message.
 *
 * A channel's aux is its fid (mnt.h), and with it goes a reference to the
 * channel that the connection runs on.  Whatever the server answers has been
 * checked when it gets here: its form (fcall.c) and its numbers (mnt_rpc.c).
 */
#include "9p/mnt.h"

static struct fid *
fid_of(const struct chan *c)
{
    return (struct fid *)c->aux;
}

static void
begin(struct rpc *x, const struct chan *c, uint8_t type)
{
    rpc_begin(x, fid_of(c)->conn, fid_of(c), type);
    x->path = c->path;
}

/* Trees of #M are mounted, by mnt_attach, from channels that one has. */
static int
mnt_refuse(const char *spec, struct chan *c)
{
    (void)spec;
    (void)c;
    return -E_PERM;
}

/*
 * The walk from `from` along n names has been answered: x->f is the Rwalk, and
 * x is ended here.  All n steps done (n may be 0): `to` stands for the last,
 * has x->newfid, and a reference to the stream; n.  Fewer: there is no such
 * fid at the server, so x->newfid goes; the number of steps done.  qids[] gets
 * the qids of all steps done.
 *
 * Lab 4.8
 */
static int
walked(struct rpc *x, struct chan *from, struct chan *to, unsigned n,
        struct qid qids[])
{
    unsigned done = x->f.nwqid;

    for (unsigned i = 0; i < done; i++)
        qids[i] = x->f.wqid[i];
    rpc_end(x);
    if (done < n) {
        fid_unref(x->newfid);
        return (int)done;
    }
    to->qid = n > 0 ? qids[n - 1] : from->qid;
    to->aux = (uint64_t)x->newfid;
    chan_ref(x->conn->chan);
    return (int)n;
}

/*
 * See struct dev.  One Twalk with a new fid, which ends by `walked`, or if the
 * server refuses, here.
 *
 * Lab 4.8
 */
static int
mnt_walk(struct chan *from, struct chan *to, const char *const names[],
        unsigned n, struct qid qids[])
{
    struct rpc x;
    int err;

    assert(n <= MAXWELEM);
    begin(&x, from, Twalk);
    x.newfid = fid_new(x.conn);
    if (!x.newfid)
        return -E_NOMEM;
    x.f.nwname = (uint16_t)n;
    for (unsigned i = 0; i < n; i++)
        x.f.wname[i] = names[i];
    err = rpc_do(&x);
    if (err < 0) {
        fid_unref(x.newfid);
        return err;
    }
    return walked(&x, from, to, n, qids);
}

/* In a packed entry, whose file it is: the kernel says, not the server. */
static void
stamp(uint8_t *entry, const struct chan *c)
{
    entry[2] = (uint8_t)mnt_dev.letter;
    entry[3] = 0;
    for (unsigned i = 0; i < 4; i++)
        entry[4 + i] = (uint8_t)(c->devno >> 8 * i);
}

static int64_t
mnt_stat(struct chan *c, uint8_t *buf, size_t n)
{
    struct rpc x;
    int64_t got;

    begin(&x, c, Tstat);
    got = rpc_do(&x);
    if (got < 0)
        return got;
    got = x.f.nstat <= n ? x.f.nstat : -E_SHORTSTAT;
    if (got > 0) {
        memcpy(buf, x.f.stat, x.f.nstat);
        stamp(buf, c);
    }
    rpc_end(&x);
    return got;
}

/* Topen and Tcreate have the same answer.  A directory must not become a file
 * by being opened: what is read from it would not be checked.  That need not
 * be a lie, since somebody may have put a file in its place. */
static int
opened(struct chan *c, struct rpc *x)
{
    bool dir = c->qid.type & QTDIR;
    int err = rpc_do(x);

    if (err < 0)
        return err;
    if (x->f.type == Ropen && dir && !(x->f.qid.type & QTDIR)) {
        rpc_end(x);
        return -E_NOTDIR;
    }
    c->qid = x->f.qid;
    fid_of(c)->iounit = x->f.iounit;
    rpc_end(x);
    return 0;
}

static int
mnt_open(struct chan *c, unsigned mode)
{
    struct rpc x;

    begin(&x, c, Topen);
    x.f.mode = mode & (3 | OTRUNC | ORCLOSE);
    return opened(c, &x);
}

static int
mnt_create(struct chan *c, const char *name, unsigned mode, uint32_t perm)
{
    struct rpc x;

    begin(&x, c, Tcreate);
    x.f.name = name;
    x.f.mode = mode & (3 | OTRUNC | ORCLOSE);
    x.f.perm = perm;
    return opened(c, &x);
}

/*
 * Clunk, and wait for the answer, so that what follows finds the file closed;
 * but not for a server that has left something unanswered already, and not
 * in a process that has a note to look at.
 */
static void
mnt_close(struct chan *c)
{
    struct fid *f = fid_of(c);
    struct chan *stream;

    if (!f)
        return;
    stream = f->conn->chan;
    fid_clunk(f, list_empty(&f->conn->abandoned) ? CLUNK_WAIT : CLUNK_ALONE);
    chan_close(stream);
}

/* Any answer has clunked the fid (fid->gone); only if the request was flushed,
 * or never sent, is it still there. */
static int
mnt_remove(struct chan *c)
{
    struct rpc x;
    int err;

    begin(&x, c, Tremove);
    err = rpc_do(&x);
    if (err == 0)
        rpc_end(&x);
    return err;
}

static int
mnt_wstat(struct chan *c, const uint8_t *buf, size_t n)
{
    struct rpc x;
    int err;

    begin(&x, c, Twstat);
    x.f.stat = buf;
    x.f.nstat = (uint16_t)n;
    err = rpc_do(&x);
    if (err == 0)
        rpc_end(&x);
    return err;
}

/* ---- reading and writing ---- */

/* Bytes that one message can carry.  An iounit is about the bytes of files:
 * a directory's entries would not fit into a small one. */
static size_t
largest(const struct chan *c)
{
    const struct fid *f = fid_of(c);
    uint32_t n = f->conn->msize - IOHDRSZ;

    if (c->qid.type & QTDIR)
        return n;
    return f->iounit > 0 && f->iounit < n ? f->iounit : n;
}

/* A name that no entry may have: a program that goes down a tree by names, to
 * remove it, must not be led out of it. */
static bool
leads_out(const uint8_t *entry)
{
    const uint8_t *name = entry + 43; /* s[2] is before it */
    size_t n = (size_t)(entry[41] | entry[42] << 8);

    return n == 0 || name[0] == '/' ||
           (name[0] == '.' && (n == 1 || (n == 2 && name[1] == '.')));
}

/*
 * The entries that a directory's read has given: whole ones, with names that
 * a directory may have; each is stamped.  NULL, or the lie.
 */
static const char *
check_entries(struct chan *c, uint8_t *buf, size_t n)
{
    while (n > 0) {
        int64_t size = dir_check(buf, n);

        if (size < 0 || leads_out(buf))
            return "malformed directory";
        stamp(buf, c);
        buf += size;
        n -= (size_t)size;
    }
    return NULL;
}

/*
 * One Tread of n bytes at offset: how many went to `to`; fewer than n means: no
 * more now.  What is read from a directory is checked first, and stamped
 * (check_entries): a lie breaks the connection, and its error is ours.
 *
 * Lab 4.8
 */
static int64_t
read_once(struct chan *c, struct io *to, uint64_t offset, size_t n)
{
    struct rpc x;
    const char *lie = NULL;
    int64_t got;

    begin(&x, c, Tread);
    x.f.offset = offset;
    x.f.count = (uint32_t)n;
    got = rpc_do(&x);
    if (got < 0)
        return got;
    if (c->qid.type & QTDIR)
        lie = check_entries(c, (uint8_t *)x.f.data, x.f.count);
    if (lie) {
        conn_break(x.conn, -E_BADMSG, lie);
        got = conn_error(x.conn);
    } else {
        got = io_put(to, x.f.data, x.f.count);
        got = got < 0 ? got : x.f.count;
    }
    rpc_end(&x);
    return got;
}

/*
 * As many Treads as it takes, up to the first that brings less than it could.
 * A directory is read by one at a time, since a message ends between entries.
 * Bytes; an error only if there are none: what was read is not lost.
 *
 * Lab 4.8
 */
static int64_t
mnt_read(struct chan *c, struct io *to, uint64_t offset)
{
    size_t most = largest(c);
    int64_t done = 0;

    while (to->left > 0) {
        size_t n = to->left < most ? to->left : most;
        int64_t got = read_once(c, to, offset + (uint64_t)done, n);

        if (got < 0)
            return done > 0 ? done : got;
        done += got;
        if (got < (int64_t)n || (c->qid.type & QTDIR))
            break;
    }
    return done;
}

/* See struct dev: mnt_read, except for directories. */
static int64_t
read_any(struct chan *c, struct io *to, uint64_t offset)
{
    if (c->qid.type & QTDIR)
        return mnt_read_dir(c, to, offset, largest(c), mnt_read);
    return mnt_read(c, to, offset);
}

/* One Twrite: the bytes that the server took. */
static int64_t
write_once(struct chan *c, struct io *from, uint64_t offset, size_t n)
{
    struct rpc x;
    int64_t got;

    begin(&x, c, Twrite);
    x.f.offset = offset;
    x.f.count = (uint32_t)n;
    x.from = from;
    got = rpc_do(&x);
    if (got < 0)
        return got;
    got = x.f.count;
    rpc_end(&x);
    return got;
}

/* The same for writing; what a server takes less of is not sent again. */
static int64_t
mnt_write(struct chan *c, struct io *from, uint64_t offset)
{
    size_t most = largest(c), n;
    int64_t done = 0, got;

    do {
        n = from->left < most ? from->left : most;
        got = write_once(c, from, offset + (uint64_t)done, n);
        if (got < 0)
            return done > 0 ? done : got;
        done += got;
    } while (from->left > 0 && got == (int64_t)n);
    return done;
}

const struct dev mnt_dev = {
    .letter = 'M',
    .name = "mnt",
    .attach = mnt_refuse,
    .walk = mnt_walk,
    .stat = mnt_stat,
    .open = mnt_open,
    .create = mnt_create,
    .close = mnt_close,
    .read = read_any,
    .write = mnt_write,
    .remove = mnt_remove,
    .wstat = mnt_wstat,
};
