/*
 * fid.c - the fids of a connection.
 *
 * A fid is alive while the table or a request holds a reference; a Tclunk
 * only takes it out of the table, so that a request that still runs on it
 * (in another process) never sees it vanish.
 */
#include "lib/9p/srv.h"

/*
 * A fid in no table, with one reference, which fid_put gives back.  NULL: no
 * memory, or the connection has as many as it may (errstr says which).
 */
struct fid *
fid_new(struct conn *c)
{
    struct fid *f = NULL;

    qlock(&c->lock);
    if (c->nfid >= c->server.fids)
        srv_error("too many fids");
    else if ((f = calloc(1, sizeof(*f))) != NULL)
        c->nfid++;
    qunlock(&c->lock);
    if (f == NULL)
        return NULL;
    f->conn = c;
    f->ref = 1;
    f->mode = NOT_OPEN;
    return f;
}

/*
 * *out = the fid of this number, with a reference for the caller.  0; there
 * is none ("unknown fid"), or another request is about to change it ("fid is
 * busy"): an error.
 *
 * Lab 4.10
 */
int
fid_get(struct conn *c, uint32_t number, struct fid **out)
{
    struct fid *f;
    struct slot *s;
    int err = 0;

    qlock(&c->lock);
    s = table_find(&c->fids, number);
    f = s != NULL ? CONTAINER_OF(s, struct fid, slot) : NULL;
    if (f == NULL)
        err = srv_error("unknown fid");
    else if (f->changing)
        err = srv_error("fid is busy");
    else
        f->ref++;
    qunlock(&c->lock);
    if (err == 0)
        *out = f;
    return err;
}

bool
fid_listed(struct conn *c, uint32_t number)
{
    bool listed;

    qlock(&c->lock);
    listed = table_find(&c->fids, number) != NULL;
    qunlock(&c->lock);
    return listed;
}

/*
 * Make f, which is in no table, the fid of this number; the table gets a
 * reference of its own.  0; the number is in use ("fid in use"), or is NOFID
 * ("bad fid"): an error, and f is as it was.
 *
 * Lab 4.10
 */
int
fid_list(struct fid *f, uint32_t number)
{
    struct conn *c = f->conn;
    int err;

    if (number == NOFID)
        return srv_error("bad fid");
    qlock(&c->lock);
    f->slot.key = number;
    if (table_find(&c->fids, number) != NULL)
        err = srv_error("fid in use");
    else
        err = table_add(&c->fids, &f->slot);
    if (err == 0) {
        f->listed = true;
        f->ref++;
    }
    qunlock(&c->lock);
    return err;
}

/*
 * Its number is free again, and the table's reference goes; who holds another
 * may go on with f.  A fid that is not listed stays as it is.
 *
 * Lab 4.10
 */
void
fid_unlist(struct fid *f)
{
    struct conn *c = f->conn;
    bool listed;

    qlock(&c->lock);
    listed = f->listed;
    if (listed)
        table_remove(&c->fids, &f->slot);
    f->listed = false;
    qunlock(&c->lock);
    if (listed)
        fid_put(f);
}

/*
 * The number is free again, as by fid_unlist, even if a request is changing
 * the fid at this moment: it goes on with one that nobody can reach.  False:
 * it was free.
 */
bool
fid_forget(struct conn *c, uint32_t number)
{
    struct fid *f = NULL;
    struct slot *s;

    qlock(&c->lock);
    s = table_find(&c->fids, number);
    if (s != NULL) {
        f = CONTAINER_OF(s, struct fid, slot);
        table_remove(&c->fids, s);
        f->listed = false;
    }
    qunlock(&c->lock);
    if (f != NULL)
        fid_put(f);
    return f != NULL;
}

/*
 * May the caller's request, which holds a reference, change f?  Only if no
 * other request uses it: then there is that reference and the table's.
 * Until fid_unclaim nobody else gets f.
 */
bool
fid_claim(struct fid *f)
{
    qlock(&f->conn->lock);
    if (f->ref == 2 && f->listed)
        f->changing = true;
    qunlock(&f->conn->lock);
    return f->changing;
}

/* The change that fid_claim allowed is done. */
void
fid_unclaim(struct fid *f)
{
    qlock(&f->conn->lock);
    f->changing = false;
    qunlock(&f->conn->lock);
}

/*
 * Give back a reference.  With the last one the file is removed if f was
 * opened with ORCLOSE (ops->remove), the server releases what f stands for
 * (ops->release), and f is freed and no longer counted in c->nfid.  Callbacks
 * are called without c->lock, and may be missing.
 *
 * Lab 4.10
 */
void
fid_put(struct fid *f)
{
    struct conn *c = f->conn;
    bool last;

    qlock(&c->lock);
    last = --f->ref == 0;
    qunlock(&c->lock);
    if (!last)
        return;
    if (f->mode != NOT_OPEN && f->mode & ORCLOSE && c->server.ops->remove)
        c->server.ops->remove(f);
    if (c->server.ops->release != NULL)
        c->server.ops->release(f);
    free(f);
    qlock(&c->lock);
    c->nfid--;
    qunlock(&c->lock);
}

/* Clunk every fid: the session is over. */
void
fid_drop_all(struct conn *c)
{
    unsigned from = 0;
    struct slot *s;
    struct fid *f;

    for (;;) {
        qlock(&c->lock);
        s = table_take(&c->fids, &from);
        f = s != NULL ? CONTAINER_OF(s, struct fid, slot) : NULL;
        if (f != NULL)
            f->listed = false;
        qunlock(&c->lock);
        if (f == NULL)
            return;
        fid_put(f);
    }
}
