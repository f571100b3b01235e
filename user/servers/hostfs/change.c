/*
 * change.c - a file's name, facts and end.
 */
#include "servers/hostfs/hostfs.h"

enum { /* Linux's numbers: what a Tsetattr sets */
    SET_MODE = 1,
    SET_SIZE = 8,
    SET_ATIME = 0x10,
    SET_MTIME = 0x20,
    SET_ATIME_TO = 0x80,
    SET_MTIME_TO = 0x100,
};

/* Mode, length, times: one message, so all or nothing. */
static int
set_attr(const struct node *n, const struct dir *d)
{
    uint32_t valid = (d->mode != UINT32_MAX ? SET_MODE : 0) |
                     (d->length != UINT64_MAX ? SET_SIZE : 0) |
                     (d->atime != UINT32_MAX ? SET_ATIME | SET_ATIME_TO : 0) |
                     (d->mtime != UINT32_MAX ? SET_MTIME | SET_MTIME_TO : 0);
    struct msg m;

    if (valid == 0)
        return 0;
    msg_begin(&m, Tsetattr);
    put(&m, 4, n->fid);
    put(&m, 4, valid);
    put(&m, 4, d->mode & 0777);
    put(&m, 4, 0);
    put(&m, 4, 0);
    put(&m, 8, d->length);
    put(&m, 8, d->atime);
    put(&m, 8, 0);
    put(&m, 8, d->mtime);
    put(&m, 8, 0);
    return link_rpc(&m);
}

/* Call n's file, which is in dir, `name`. */
static int
l_rename(const struct node *n, const char *dir, const char *name)
{
    uint32_t fid = l_new_fid();
    struct qid qid;
    struct msg m;
    int err;

    err = l_walk_path(dir, fid, &qid);
    if (err < 0)
        return err;
    msg_begin(&m, Trename);
    put(&m, 4, n->fid);
    put(&m, 4, fid);
    put_str(&m, name);
    err = link_rpc(&m);
    l_clunk(fid);
    return err;
}

/* Rename n, which is at `old`, unless that would replace another file. */
static int
rename_to(struct node *n, const char *old, const char *name)
{
    char path[HOST_PATH], dir[HOST_PATH];
    uint32_t fid = l_new_fid();
    struct qid qid;
    int err;

    strlcpy(dir, old, sizeof(dir));
    path_up(dir);
    if (strchr(name, '/') != NULL || strcmp(old, "/") == 0)
        return -E_PERM;
    if (path_of(path, dir, name) < 0)
        return -E_NAMELEN;
    if (l_walk_path(path, fid, &qid) == 0) {
        l_clunk(fid);
        return -E_EXIST;
    }
    err = l_rename(n, dir, name);
    return err == 0 ? node_set_path(n, path) : err;
}

int
host_wstat(struct fid *f, const struct dir *d)
{
    struct node *n = f->aux;
    char path[HOST_PATH];
    bool rename;
    int err;

    node_path(n, path);
    rename = d->name[0] != '\0' && strcmp(d->name, name_of(path)) != 0;
    if (d->gid[0] != '\0' || d->uid[0] != '\0')
        return -E_PERM;
    err = set_attr(n, d);
    return err == 0 && rename ? rename_to(n, path, d->name) : err;
}

/* Tremove clunks its fid, and we need ours: so it gets another. */
int
host_remove(struct fid *f)
{
    char path[HOST_PATH];
    uint32_t fid = l_new_fid();
    struct qid qid;
    struct msg m;
    int err;

    node_path(f->aux, path);
    if (strcmp(path, "/") == 0)
        return -E_PERM;
    err = l_walk_path(path, fid, &qid);
    if (err < 0)
        return err;
    msg_begin(&m, Tremove);
    put(&m, 4, fid);
    return link_rpc(&m);
}
