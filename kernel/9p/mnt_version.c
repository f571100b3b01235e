/*
 * mnt_version.c - how a connection begins: Tversion, once, and a Tattach for
 * each tree that is mounted from it.
 */
#include "9p/mnt.h"
#include "9p/private.h"

/* Are these the two ends of one pipe? */
static bool
other_end(const struct chan *c, const void *arg)
{
    const struct chan *end = arg;

    return c->dev == &pipe_dev && end->dev == &pipe_dev && c->aux == end->aux &&
           c->qid.path != end->qid.path && c->mode != CHAN_NOT_OPEN;
}

/* What the server made of our Tversion: 0, -E_VERSION, or it lied. */
static int
version_answer(struct conn *conn, const struct fcall *r, uint32_t asked)
{
    if (strcmp(r->version, VERSION_9P) != 0)
        return -E_VERSION;
    if (r->msize > asked) {
        conn_break(conn, -E_BADMSG, "larger messages than asked for");
        return conn_error(conn);
    }
    if (r->msize < MSIZE_MIN)
        return -E_VERSION;
    conn->msize = r->msize;
    return 0;
}

/* Agree, with the version lock held; after a -E_VERSION one may try again. */
static int
negotiate(struct conn *conn, uint32_t msize, const char *version)
{
    struct rpc x = { .conn = conn,
        .f = { .type = Tversion, .msize = msize, .version = version } };
    int err = rpc_version(&x);

    if (err < 0)
        return err;
    err = version_answer(conn, &x.f, msize);
    rpc_end(&x);
    return err;
}

/* The version that was agreed is the only one that there is. */
static int64_t
agreed(const struct conn *conn, uint32_t msize, const char *version)
{
    if (strncmp(version, VERSION_9P, strlen(VERSION_9P)) != 0 ||
            (msize != 0 && msize < conn->msize))
        return -E_VERSION;
    return conn->msize;
}

/*
 * See 9p.h.  A version "9P2000.more" is offered as it is, since the server
 * must answer "9P2000" if it does not know more; what it answers is what
 * counts.
 */
int64_t
mnt_version(struct chan *chan, uint32_t msize, const char *version,
        char *answer, size_t n)
{
    struct conn *conn;
    int64_t err;

    if (fds_holds_alone(my_files()->fds, other_end, chan))
        return -E_MOUNT; /* who would answer? */
    if (!version || *version == '\0')
        version = VERSION_9P;
    if (msize > MSIZE_MAX)
        msize = MSIZE_MAX;
    if (msize != 0 && msize < MSIZE_MIN)
        return -E_VERSION;
    err = conn_get(chan, &conn); /* from here on it is no plain stream */
    if (err < 0)
        return err;
    err = qlock_noted(&conn->version_lock);
    if (err < 0)
        return err;
    if (conn->msize == 0)
        err = negotiate(conn, msize ? msize : MSIZE_DEFAULT, version);
    if (err == 0)
        err = agreed(conn, msize, version);
    qunlock(&conn->version_lock);
    if (err > 0 && answer)
        strlcpy(answer, VERSION_9P, n);
    return err;
}

/* The afid that auth is, for conn; -E_BADUSE if it is not one of conn's. */
static int
auth_fid(const struct conn *conn, const struct chan *auth, uint32_t *afid)
{
    const struct fid *f;

    *afid = NOFID;
    if (!auth)
        return 0;
    f = (const struct fid *)auth->aux;
    if (auth->dev != &mnt_dev || f->conn != conn || !(auth->qid.type & QTAUTH))
        return -E_BADUSE;
    *afid = f->number;
    return 0;
}

/* Tattach with a fresh fid; on success c is the root's channel. */
static int
attach(struct conn *conn, uint32_t afid, const char *aname, struct chan *c)
{
    struct rpc x = { .conn = conn,
        .f = { .type = Tattach,
                .afid = afid,
                .uname = my_files()->user,
                .aname = aname } };
    int err;

    x.newfid = fid_new(conn);
    if (!x.newfid)
        return -E_NOMEM;
    err = rpc_do(&x);
    if (err < 0) {
        fid_unref(x.newfid);
        return err;
    }
    c->dev = &mnt_dev;
    c->devno = conn->number;
    c->qid = x.f.qid;
    c->aux = (uint64_t)x.newfid;
    chan_ref(conn->chan);
    rpc_end(&x);
    return 0;
}

bool
mnt_runs_on(const struct chan *c, const struct chan *chan)
{
    return c->dev == &mnt_dev && ((struct fid *)c->aux)->conn->chan == chan;
}

int
mnt_attach(struct chan *chan, struct chan *auth, const char *aname,
        struct chan **root)
{
    int64_t err = mnt_version(chan, 0, NULL, NULL, 0);
    uint32_t afid = NOFID;
    struct chan *c;

    if (err > 0)
        err = auth_fid(chan->conn, auth, &afid);
    if (err < 0)
        return (int)err;
    c = chan_new();
    if (!c)
        return -E_NOMEM;
    err = attach(chan->conn, afid, aname ? aname : "", c);
    if (err < 0) {
        chan_close(c);
        return (int)err;
    }
    *root = c;
    return 0;
}
