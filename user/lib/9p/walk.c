/*
 * walk.c - Twalk: from a fid along names to another fid.
 *
 * The walk is made by a fid that nobody sees yet.  Only when all names were
 * there does it get its number, or change places with the old fid if they
 * are the same; until then the client's fids are as they were.
 */
#include "lib/9p/srv.h"

/* One step of walking f.  0, or why there is no such file. */
static int
walk_name(struct fid *f, const char *name)
{
    if (!(f->qid.type & QTDIR))
        return -E_NOTDIR;
    if (strcmp(name, ".") == 0)
        return -E_NAME; /* walk(5): not in 9P */
    return f->conn->server.ops->walk(f, name);
}

/*
 * Walk f along r's names as far as they go (walk_name), noting the qid of each
 * in r->r.  The error of the name that failed, or 0.
 *
 * Lab 4.10
 */
static int
walk_names(struct req *r, struct fid *f)
{
    for (unsigned i = 0; i < r->t.nwname; i++) {
        int err = walk_name(f, r->t.wname[i]);

        if (err < 0)
            return err;
        r->r.wqid[r->r.nwqid++] = f->qid;
    }
    return 0;
}

/* f, which is listed, and g, which is not, change what they stand for. */
static void
fid_swap(struct fid *f, struct fid *g)
{
    struct qid qid = f->qid;
    void *aux = f->aux;

    f->qid = g->qid;
    f->aux = g->aux;
    g->qid = qid;
    g->aux = aux;
}

/* A fid in no table that stands for the same file.  0, or -E_... */
static int
fid_copy(struct fid *from, struct fid **out)
{
    struct conn *c = from->conn;
    struct fid *f = fid_new(c);
    int err;

    if (f == NULL)
        return c->nfid < c->server.fids ? -E_NOMEM : -E_REMOTE;
    f->qid = from->qid;
    f->aux = from->aux;
    memcpy(f->user, from->user, sizeof(f->user));
    err = c->server.ops->clone(from, f);
    if (err < 0) {
        f->aux = NULL;
        fid_put(f);
        return err;
    }
    *out = f;
    return 0;
}

/* All names were walked: newfid stands for the file. */
static int
walk_done(struct req *r, struct fid *f)
{
    if (r->t.newfid != r->t.fid)
        return fid_list(f, r->t.newfid);
    fid_swap(r->fid, f);
    return 0;
}

/*
 * May r's walk begin?  Not from a fid that is open (-E_ISOPEN).  If newfid is
 * fid itself, only if no other request uses it ("fid is busy"): fid_claim, and
 * r->claimed has the answer end that.  Else newfid must be free ("fid in use").
 * 0, or an error.
 *
 * Lab 4.10
 */
static int
walk_check(struct req *r)
{
    if (r->fid->mode != NOT_OPEN)
        return -E_ISOPEN;
    if (r->t.newfid == r->t.fid) {
        r->claimed = fid_claim(r->fid);
        return r->claimed ? 0 : srv_error("fid is busy");
    }
    return fid_listed(r->conn, r->t.newfid) ? srv_error("fid in use") : 0;
}

/*
 * Walk from r->fid along r->t.wname[0..nwname-1], at most MAXWELEM, each in
 * the directory before it; no names: a copy.  r->r gets a qid for each name
 * that was there.  If all were, newfid stands for the last; it must be free,
 * or fid itself, which then moves.  If some were, no fid changes and that is
 * no error; if the first was not, its error.
 *
 * The names are walked by a fid that nobody sees yet (fid_copy), and walk_done
 * makes it the client's.
 *
 * Lab 4.10
 */
int
do_walk(struct req *r)
{
    struct fid *f = NULL;
    int err = walk_check(r);

    if (err == 0)
        err = fid_copy(r->fid, &f);
    if (err < 0)
        return err;
    err = walk_names(r, f);
    if (err == 0)
        err = walk_done(r, f);
    else if (r->r.nwqid > 0)
        err = 0; /* part of the way: an answer, but no fid */
    fid_put(f);
    return err;
}
