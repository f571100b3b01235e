/*
 * mnt_dir.c - directories of a 9P server, read with little room.
 *
 * A server answers 0 bytes both at the end of a directory and when the next
 * entry does not fit into the count (v9fs expects that).  A program must not
 * take the second for the first, and a union must not go on to its next part.
 * So no Tread asks for less than the largest entry.  What a reader has no room
 * for is kept at the fid (fid->ahead), and the next reads get it from there.
 */
#include "9p/mnt.h"

enum {
    ENTRY_MAX = 4096 /* no entry is larger (sys_file.c: MAX_STAT) */
};

/* n blocks more that fids keep: 0, -E_NOMEM. */
static int
charge(struct fid *f, int n)
{
    int err;

    spin_lock(&f->conn->lock);
    err = conn_charge(f->conn, CHARGE_AHEAD, n);
    spin_unlock(&f->conn->lock);
    return err;
}

static void
drop_ahead(struct fid *f)
{
    if (!f->ahead)
        return;
    block_free(f->ahead);
    f->ahead = NULL;
    charge(f, -1);
}

/* One read of n bytes, whose answer c's fid keeps; the charge for it is taken.
 * Bytes; 0: the end of the directory; -E_... */
static int64_t
read_ahead(struct chan *c, uint64_t offset, size_t n, read_op *read)
{
    struct fid *f = (struct fid *)c->aux;
    struct io to;
    int64_t got;

    f->ahead = block_new(n);
    if (!f->ahead) {
        charge(f, -1);
        return -E_NOMEM;
    }
    to = io_kernel(f->ahead->data, n);
    got = read(c, &to, offset);
    if (got > 0)
        f->ahead->len = (size_t)got;
    else
        drop_ahead(f);
    return got;
}

/* Whole entries of fid->ahead, as many as `to` has room for.  Bytes;
 * -E_SHORTSTAT: not even one fits; -E_BADADDR. */
static int64_t
take_ahead(struct fid *f, struct io *to)
{
    struct block *b = f->ahead;
    size_t n = 0;
    int err;

    while (n < b->len) { /* whole entries: checked when they came */
        size_t size = (size_t)dir_check(b->data + n, b->len - n);

        if (n + size > to->left)
            break;
        n += size;
    }
    if (n == 0)
        return -E_SHORTSTAT;
    err = io_put(to, b->data, n);
    if (err < 0)
        return err;
    b->data += n;
    b->len -= n;
    if (b->len == 0)
        drop_ahead(f);
    return (int64_t)n;
}

int64_t
mnt_read_dir(struct chan *c, struct io *to, uint64_t offset, size_t most,
        read_op *read)
{
    struct fid *f = (struct fid *)c->aux;
    size_t enough = most < ENTRY_MAX ? most : ENTRY_MAX;
    int64_t got;

    if (to->left == 0)
        return 0;
    if (offset == 0)
        drop_ahead(f);
    if (!f->ahead) {
        if (to->left >= enough || charge(f, 1) < 0)
            return read(c, to, offset);
        got = read_ahead(c, offset, enough, read);
        if (got <= 0)
            return got;
    }
    return take_ahead(f, to);
}
