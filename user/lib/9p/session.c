/*
 * session.c - Tversion, Tauth, Tattach, Tclunk: the beginning and the end
 * of a session and of a fid.
 */
#include "lib/9p/srv.h"

/* Does the client mean 9P2000, perhaps with an extension that we lack? */
static bool
is_9p2000(const char *version)
{
    size_t n = strlen(VERSION_9P);

    return strncmp(version, VERSION_9P, n) == 0 &&
           (version[n] == '\0' || version[n] == '.');
}

/*
 * Begin a session: whatever went before is forgotten.  version(5): the answer
 * to an unknown version is "unknown", and the client may try another.
 */
int
do_version(struct req *r)
{
    struct conn *c = r->conn;
    bool known = is_9p2000(r->t.version);

    req_drop_all(c);
    fid_drop_all(c);
    c->session = false;
    c->msize = c->own;
    if (r->t.msize < SRV_MSIZE_MIN)
        return srv_error("message size too small");
    r->r.msize = r->t.msize < c->own ? r->t.msize : c->own;
    r->r.version = known ? VERSION_9P : "unknown";
    if (known) {
        c->session = true;
        c->msize = r->r.msize;
    }
    return 0;
}

/* attach(5): a server that wants no proof says so with an error. */
int
do_auth(struct req *r)
{
    (void)r;
    return srv_error("authentication not required");
}

/* A new fid for the root, in the name of a user; "" is `none`. */
int
do_attach(struct req *r)
{
    const char *user = r->t.uname[0] != '\0' ? r->t.uname : "none";
    struct fid *f;
    int err;

    if (r->t.afid != NOFID)
        return srv_error("authentication not required");
    f = fid_new(r->conn);
    if (f == NULL)
        return r->conn->nfid < r->conn->server.fids ? -E_NOMEM : -E_REMOTE;
    err = strlcpy(f->user, user, SRV_USER) >= SRV_USER
                  ? srv_error("user name too long")
                  : r->conn->server.ops->attach(f, r->t.aname);
    if (err == 0)
        err = fid_list(f, r->t.fid);
    if (err == 0)
        r->r.qid = f->qid;
    fid_put(f);
    return err;
}

/* Forget the fid; its number may be used again. */
int
do_clunk(struct req *r)
{
    fid_unlist(r->fid);
    return 0;
}
