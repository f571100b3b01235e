/*
 * mnt_conn.c - 9P connections: charged for what they use, broken when the
 * server dies or lies, freed with the channel that they run on.
 */
#include "9p/mnt.h"

enum {
    MAX_FIDS_CONN = 1 << 17,
    MAX_TAGS = NOTAG, /* numbers below it */
    MAX_AHEAD = 256,  /* blocks of 4 KiB */
};

struct spinlock conns_lock = SPINLOCK_INIT(RANK_CONNS, "9P connections");
struct list conns = { &conns, &conns };

/* ---- what a connection costs ---- */

static const uint64_t limits[CHARGE_COUNT] = {
    [CHARGE_FIDS] = MAX_FIDS_CONN,
    [CHARGE_TAGS] = MAX_TAGS,
    [CHARGE_BYTES] = 4 * MSIZE_MAX, /* partial, and rest, have MSIZE_MAX each */
    [CHARGE_AHEAD] = MAX_AHEAD,
};

int
conn_charge(struct conn *conn, enum charge what, int64_t n)
{
    if (n > 0 && conn->used[what] + (uint64_t)n > limits[what])
        return -E_NOMEM;
    conn->used[what] += (uint64_t)n;
    return 0;
}

struct fid *
fid_new(struct conn *conn)
{
    struct fid *f = kzalloc(sizeof *f);
    int err;

    if (!f)
        return NULL;
    list_init(&f->link);
    f->conn = conn;
    f->ref = 1;
    spin_lock(&conn->lock);
    err = conn_charge(conn, CHARGE_FIDS, 1);
    if (err == 0) {
        err = idtab_take(&conn->fids, MAX_FIDS_CONN, f, &f->number);
        if (err < 0)
            conn_charge(conn, CHARGE_FIDS, -1);
    }
    spin_unlock(&conn->lock);
    if (err == 0)
        return f;
    kfree(f);
    return NULL;
}

void
fid_unref_locked(struct fid *f)
{
    if (--f->ref > 0)
        return;
    list_remove(&f->link);
    idtab_put(&f->conn->fids, f->number);
    conn_charge(f->conn, CHARGE_FIDS, -1);
    if (f->ahead) {
        block_free(f->ahead);
        conn_charge(f->conn, CHARGE_AHEAD, -1);
    }
    kfree(f);
}

void
fid_unref(struct fid *f)
{
    struct conn *conn = f->conn;

    spin_lock(&conn->lock);
    fid_unref_locked(f);
    spin_unlock(&conn->lock);
}

/* ---- making and finding ---- */

/* Connections that a message on chan goes through before it is bytes. */
static unsigned
below(const struct chan *chan)
{
    if (chan->dev != &mnt_dev)
        return 0;
    return ((const struct fid *)chan->aux)->conn->below + 1;
}

static struct conn *
conn_new(struct chan *chan)
{
    static uint32_t last_number;
    struct conn *conn = kzalloc(sizeof *conn);

    if (!conn)
        return NULL;
    conn->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
    conn->chan = chan;
    conn->below = below(chan);
    qlock_init(&conn->writing, "9P write");
    qlock_init(&conn->version_lock, "9P version");
    spin_init(&conn->lock, RANK_MNT, "9P connection");
    list_init(&conn->link);
    list_init(&conn->waiting);
    list_init(&conn->abandoned);
    list_init(&conn->spare);
    list_init(&conn->owed);
    return conn;
}

/* Is there a connection on another channel to the same stream? */
static bool
stream_taken(const struct chan *chan)
{
    LIST_EACH(&conns, node)
    {
        struct conn *conn = CONTAINER_OF(node, struct conn, link);

        if (conn->chan != chan && chan_same_file(conn->chan, chan))
            return true;
    }
    return false;
}

/*
 * The connection on chan, a new one if need be: 0; -E_BADUSE if the stream
 * already carries another's messages; -E_MOUNT if it would be one connection
 * through another, through another...
 */
int
conn_get(struct chan *chan, struct conn **out)
{
    struct conn *fresh;
    int err = 0;

    if (below(chan) > MAX_BELOW)
        return -E_MOUNT;
    fresh = chan->conn ? NULL : conn_new(chan);
    if (!chan->conn && !fresh)
        return -E_NOMEM;
    spin_lock(&conns_lock);
    if (!chan->conn && stream_taken(chan)) {
        err = -E_BADUSE;
    } else if (!chan->conn) {
        list_append(&conns, &fresh->link);
        __atomic_or_fetch(&chan->flags, CHAN_MESSAGES, __ATOMIC_RELAXED);
        chan->conn = fresh;
        fresh = NULL;
    }
    *out = chan->conn;
    spin_unlock(&conns_lock);
    kfree(fresh);
    return err;
}

void
conn_free(struct conn *conn)
{
    if (!conn)
        return;
    spin_lock(&conns_lock);
    list_remove(&conn->link);
    spin_unlock(&conns_lock);
    spin_lock(&conn->lock);
    assert(!conn->reader && list_empty(&conn->waiting));
    requests_forget(conn);
    while (!list_empty(&conn->spare)) {
        struct request *r = LIST_FIRST(&conn->spare, struct request, link);

        list_remove(&r->link);
        kfree(r);
    }
    spin_unlock(&conn->lock);
    assert(conn->fids.used == 0 && conn->tags.used == 0);
    block_free(conn->unsent);
    block_free(conn->partial);
    block_free(conn->rest);
    idtab_free(&conn->fids);
    idtab_free(&conn->tags);
    kfree(conn);
}

/* ---- breaking ---- */

void
conn_break(struct conn *conn, int err, const char *why)
{
    const struct dev *dev = conn->chan->dev;
    bool first;

    spin_lock(&conn->lock);
    first = !conn->broken;
    if (first) {
        conn->broken = err;
        conn->why = why;
        LIST_EACH(&conn->waiting, node)
        {
            struct request *r = CONTAINER_OF(node, struct request, link);

            if (r->parked)
                proc_wake(r->waiter);
        }
        requests_forget(conn);
    }
    spin_unlock(&conn->lock);
    if (first && dev->hangup) /* who reads or writes the stream now */
        dev->hangup(conn->chan);
}

int
conn_error(struct conn *conn)
{
    char text[MAX_ERR];

    if (!conn->why)
        return conn->broken;
    snprint(text, sizeof text, "mount rpc error: %s", conn->why);
    return err_from_text(text);
}
