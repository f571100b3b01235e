/*
 * io.c - Tread, Twrite, Tstat, Twstat.
 */
#include "lib/9p/srv.h"

/* Was f opened so that it may be read, or written? */
static int
check_access(const struct fid *f, bool write)
{
    unsigned access = f->mode & 3;

    if (f->mode == NOT_OPEN)
        return -E_BADUSE;
    if (access == ORDWR || (access == OWRITE) == write)
        return 0;
    return -E_BADUSE;
}

/* Do [offset, offset+count) lie where files can have bytes? */
static int
check_range(uint64_t offset, uint32_t count)
{
    return offset > (uint64_t)INT64_MAX - count ? -E_OFFSET : 0;
}

/* A directory is read from its beginning, or on from where we were. */
static int
check_dirpos(const struct fid *f, uint64_t offset)
{
    return offset != 0 && offset != f->dirpos ? -E_DIROFFSET : 0;
}

/*
 * Not even one entry of the directory fits into r->t.count.  Linux's v9fs
 * repeats a read with the bytes that its last answer left free, and takes
 * 0 bytes for "ask again with more room": the position stays.  A read from the
 * start, or of as much as a client may ask for, can only fail.
 */
static int
entry_too_long(struct req *r)
{
    if (r->t.offset == 0 || r->t.count >= r->conn->msize - IOHDRSZ)
        return srv_error("directory entry does not fit");
    r->r.count = 0;
    r->r.data = req_room(r);
    return 0;
}

/* Read the fid's file, as much as fits into an answer. */
int
do_read(struct req *r)
{
    struct fid *f = r->fid;
    uint32_t room = r->conn->msize - FCALL_DATA;
    bool directory = f->qid.type & QTDIR;
    int err = check_access(f, false);

    if (err == 0)
        err = check_range(r->t.offset, r->t.count);
    if (err == 0 && directory)
        err = check_dirpos(f, r->t.offset);
    if (err == 0 && r->conn->server.ops->read == NULL)
        err = -E_PERM;
    if (err < 0)
        return err;
    if (r->t.count > room)
        r->t.count = room;
    err = r->conn->server.ops->read(r, f);
    if (err == -E_SHORTSTAT && directory)
        err = entry_too_long(r);
    if (err == 0 && directory)
        f->dirpos = r->t.offset + r->r.count;
    return err;
}

/* Write to the fid's file. */
int
do_write(struct req *r)
{
    struct fid *f = r->fid;
    int err = check_access(f, true);

    if (err == 0 && f->qid.type & QTDIR)
        err = -E_ISDIR;
    if (err == 0)
        err = check_range(r->t.offset, r->t.count);
    if (err == 0 && r->conn->server.ops->write == NULL)
        err = -E_PERM;
    return err == 0 ? r->conn->server.ops->write(r, f) : err;
}

/* Describe the fid's file. */
int
do_stat(struct req *r)
{
    uint8_t *packed = req_stat_room(r);
    char strs[STAT_MAX];
    struct dir d;
    int64_t n;
    int err = -E_PERM;

    if (r->conn->server.ops->stat != NULL)
        err = r->conn->server.ops->stat(r->fid, &d, strs);
    if (err < 0)
        return err;
    n = dir_pack(&d, packed, STAT_MAX);
    if (n < 0)
        return (int)n;
    r->r.stat = packed;
    r->r.nstat = (uint16_t)n;
    return 0;
}

/* Does it leave all of a file alone?  Then it asks that what was written be
 * kept safe (wstat(5)); nothing is held back here. */
static bool
changes_nothing(const struct dir *d)
{
    return d->type == UINT16_MAX && d->dev == UINT32_MAX &&
           d->qid.path == UINT64_MAX && d->qid.vers == UINT32_MAX &&
           d->qid.type == UINT8_MAX && d->mode == UINT32_MAX &&
           d->atime == UINT32_MAX && d->mtime == UINT32_MAX &&
           d->length == UINT64_MAX && d->name[0] == '\0' && d->uid[0] == '\0' &&
           d->gid[0] == '\0' && d->muid[0] == '\0';
}

/* Change what the entry in the message does not leave alone. */
int
do_wstat(struct req *r)
{
    char strs[STAT_MAX];
    struct dir d;

    if (r->conn->server.ops->wstat == NULL)
        return -E_PERM;
    if (r->t.nstat > STAT_MAX ||
            dir_unpack(r->t.stat, r->t.nstat, &d, strs) != r->t.nstat)
        return -E_BADSTAT;
    if (d.name[0] != '\0' && strcmp(d.name, "/") != 0 && !name_ok(d.name))
        return -E_NAME;
    /* Linux puts its own name there in each rename; that will be true anyway. */
    if (strcmp(d.muid, r->fid->user) == 0)
        d.muid = "";
    return changes_nothing(&d) ? 0 : r->conn->server.ops->wstat(r->fid, &d);
}
