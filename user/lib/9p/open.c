/*
 * open.c - Topen, Tcreate, Tremove.
 */
#include "lib/9p/srv.h"

/* Is it a mode that open(5) knows, and one that a directory may have? */
static int
check_mode(unsigned mode, bool directory)
{
    if (mode & ~(3u | OTRUNC | OCEXEC | ORCLOSE))
        return -E_OPENMODE;
    if (directory && (mode & ~OCEXEC) != OREAD)
        return -E_ISDIR;
    return 0;
}

/* The fid is open now: what the client is to know. */
static void
opened(struct req *r)
{
    r->fid->mode = r->t.mode & ~OCEXEC;
    r->r.qid = r->fid->qid;
    r->r.iounit = r->conn->msize - IOHDRSZ;
}

/* Open the fid's file; a fid is opened once. */
int
do_open(struct req *r)
{
    struct fid *f = r->fid;
    int err;

    if (f->mode != NOT_OPEN)
        return -E_ISOPEN;
    err = check_mode(r->t.mode, f->qid.type & QTDIR);
    if (err == 0)
        err = r->conn->server.ops->open(f, r->t.mode & ~OCEXEC);
    if (err == 0)
        opened(r);
    return err;
}

/* May a file be called so? */
static int
check_name(const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return -E_NAME;
    return 0;
}

/* Can a file be made with these bits? */
static int
check_perm(uint32_t perm)
{
    if (perm & ~(DMDIR | DMAPPEND | DMEXCL | DMTMP | 0777u))
        return srv_error("bad permission bits");
    return 0;
}

/* Make a file in the fid's directory and open it: the fid moves to it. */
int
do_create(struct req *r)
{
    struct fid *f = r->fid;
    int err;

    if (f->mode != NOT_OPEN)
        return -E_ISOPEN;
    if (!(f->qid.type & QTDIR))
        return -E_NOTDIR;
    if (r->conn->server.ops->create == NULL)
        return -E_PERM;
    err = check_name(r->t.name);
    if (err == 0)
        err = check_perm(r->t.perm);
    if (err == 0)
        err = check_mode(r->t.mode, r->t.perm & DMDIR);
    if (err == 0)
        err = r->conn->server.ops->create(
                f, r->t.name, r->t.mode & ~OCEXEC, r->t.perm);
    if (err == 0)
        opened(r);
    return err;
}

/* Remove the fid's file; whether that works or not, the fid is clunked. */
int
do_remove(struct req *r)
{
    int err = -E_PERM;

    if (r->conn->server.ops->remove != NULL)
        err = r->conn->server.ops->remove(r->fid);
    if (r->fid->mode != NOT_OPEN)
        r->fid->mode &= ~ORCLOSE; /* tried once is enough */
    fid_unlist(r->fid);
    return err;
}
