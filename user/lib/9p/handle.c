/*
 * handle.c - from a message to the function that does it.
 *
 * What can be said about a message without the server is said here, from one
 * table: is there a session, is the tag free, is the fid known, may it be
 * changed now.
 */
#include "lib/9p/srv.h"

enum {
    ANYTIME = 1, /* before a session, too */
    FID = 2,     /* has a fid that must be known */
    CHANGES = 4, /* makes it stand for something else, or opens it */
    HERE = 8,    /* never in a process of its own: it is about others */
};

static const struct handler {
    int (*run)(struct req *r);
    unsigned flags;
} handlers[] = {
    [Tversion - Tversion] = { do_version, ANYTIME | HERE },
    [Tauth - Tversion] = { do_auth, HERE },
    [Tattach - Tversion] = { do_attach, 0 },
    [Tflush - Tversion] = { do_flush, HERE },
    [Twalk - Tversion] = { do_walk, FID },
    [Topen - Tversion] = { do_open, FID | CHANGES },
    [Tcreate - Tversion] = { do_create, FID | CHANGES },
    [Tread - Tversion] = { do_read, FID },
    [Twrite - Tversion] = { do_write, FID },
    [Tclunk - Tversion] = { do_clunk, FID },
    [Tremove - Tversion] = { do_remove, FID },
    [Tstat - Tversion] = { do_stat, FID },
    [Twstat - Tversion] = { do_wstat, FID },
};

/* The handler of r's message, or NULL: clients do not send such a one. */
static const struct handler *
handler_of(const struct req *r)
{
    unsigned n = (unsigned)r->t.type - Tversion;

    if (n >= ARRAY_LEN(handlers) || handlers[n].run == NULL)
        return NULL;
    return &handlers[n];
}

/* Does another request that waits have r's tag? */
static bool
tag_in_use(struct req *r)
{
    bool found;

    if (!r->conn->server.parallel && r->conn->tags.count == 0)
        return false;
    qlock(&r->conn->lock);
    found = req_find(r->conn, r->t.tag) != NULL;
    qunlock(&r->conn->lock);
    return found;
}

/* Find r's fid and, if the message changes it, claim it.  0, or an error. */
static int
find_fid(struct req *r, unsigned flags)
{
    int err = fid_get(r->conn, r->t.fid, &r->fid);

    if (err < 0 || !(flags & CHANGES))
        return err;
    r->claimed = fid_claim(r->fid);
    return r->claimed ? 0 : srv_error("fid is busy");
}

/* What forbids the message before its handler sees it, or 0. */
static int
check(struct req *r, const struct handler *h)
{
    if (h == NULL)
        return -E_BADMSG;
    if (h->flags & ANYTIME)
        return 0;
    if (!r->conn->session)
        return srv_error("no session: Tversion comes first");
    if (tag_in_use(r))
        return srv_error("tag in use");
    return h->flags & FID ? find_fid(r, h->flags) : 0;
}

/* Do what r, which passed check, asks for. */
void
req_handle(struct req *r)
{
    int err = handler_of(r)->run(r);

    if (err != REQ_LATER)
        req_answer(r, err);
}

/*
 * r cannot be done: its fid is being changed, too many others wait...  But the
 * client will use the number of a fid again that it has clunked or removed,
 * whatever the answer says: so the fid is forgotten, and a Tclunk wants no
 * more than that.
 */
static void
req_refuse(struct req *r, int err)
{
    bool clunk = r->t.type == Tclunk, remove = r->t.type == Tremove;

    if ((clunk || remove) && r->conn->session &&
            fid_forget(r->conn, r->t.fid) && clunk)
        err = 0;
    req_answer(r, err);
}

/* A message is there: refuse it, do it, or have it done. */
void
req_run(struct req *r)
{
    const struct handler *h = handler_of(r);
    int err = check(r, h);

    if (err == 0 && r->conn->server.parallel && !(h->flags & HERE))
        err = work_add(r);
    else if (err == 0)
        return req_handle(r);
    if (err < 0)
        req_refuse(r, err);
}
