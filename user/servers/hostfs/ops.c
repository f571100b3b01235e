/*
 * ops.c - what our clients ask, in terms of 9P2000.L.
 *
 * Each of our fids has a fid of the server's own, and its path below the
 * root, which the names of directory entries and the way to the parent come
 * from.  Requests run at the same time, each in a process of its own; a fid is
 * another's only in host_stat, host_read, host_write, host_wstat, host_remove.
 */
#include "servers/hostfs/hostfs.h"

enum { /* Linux's numbers */
    L_TRUNC = 01000,
    L_EXCL = 0200,
};

void
node_path(struct node *n, char *path)
{
    qlock(&n->lock);
    strlcpy(path, n->path, HOST_PATH);
    qunlock(&n->lock);
}

int
node_set_path(struct node *n, const char *path)
{
    char *new = strdup(path), *old;

    if (new == NULL)
        return -E_NOMEM;
    qlock(&n->lock);
    old = n->path;
    n->path = new;
    qunlock(&n->lock);
    free(old);
    return 0;
}

int
path_of(char path[HOST_PATH], const char *dir, const char *name)
{
    if (strlen(name) >= HOST_NAME || !path_join(path, HOST_PATH, dir, name))
        return -E_NAMELEN;
    return 0;
}

static void
node_free(struct node *n)
{
    free(n->path);
    free(n);
}

/* A node at path, which leads to a number of its own. */
static int
node_new(struct fid *f, const char *path)
{
    struct node *n = calloc(1, sizeof(*n));
    int err;

    if (n == NULL)
        return -E_NOMEM;
    n->fid = l_new_fid();
    err = node_set_path(n, path);
    if (err == 0)
        err = l_walk_path(path, n->fid, &f->qid);
    if (err < 0)
        node_free(n);
    else
        f->aux = n;
    return err;
}

static int
host_attach(struct fid *f, const char *aname)
{
    char strs[STAT_MAX];
    struct dir d;
    int err = aname[0] == '\0' ? node_new(f, "/") : -E_BADSPEC;

    if (err == 0)
        err = l_stat(((struct node *)f->aux)->fid, "/", &d, strs);
    if (err == 0)
        f->qid = d.qid;
    return err;
}

static int
host_clone(struct fid *from, struct fid *to)
{
    struct node *n = from->aux, *copy = calloc(1, sizeof(*copy));
    char path[HOST_PATH];
    struct qid same;
    int err;

    if (copy == NULL)
        return -E_NOMEM;
    node_path(n, path);
    copy->fid = l_new_fid();
    err = node_set_path(copy, path);
    if (err == 0)
        err = l_walk(n->fid, copy->fid, NULL, &same);
    if (err < 0)
        node_free(copy);
    else
        to->aux = copy;
    return err;
}

void
path_up(char *path)
{
    char *slash = strrchr(path, '/');

    slash[slash == path] = '\0';
}

static int
walk_up(struct fid *f, struct node *n)
{
    char strs[STAT_MAX];
    struct dir d;
    int err;

    path_up(n->path);
    l_clunk(n->fid);
    err = l_walk_path(n->path, n->fid, &f->qid);
    if (err == 0)
        err = l_stat(n->fid, name_of(n->path), &d, strs);
    if (err == 0)
        f->qid = d.qid;
    return err;
}

static int
host_walk(struct fid *f, const char *name)
{
    struct node *n = f->aux;
    char path[HOST_PATH];
    int err;

    if (strcmp(name, "..") == 0)
        return walk_up(f, n);
    err = path_of(path, n->path, name);
    if (err == 0)
        err = node_set_path(n, path);
    return err == 0 ? l_walk(n->fid, n->fid, name, &f->qid) : err;
}

/* Plan 9's modes 0..2 are Linux's; to execute is to read. */
static uint32_t
flags_of(unsigned mode)
{
    return ((mode & 3) == OEXEC ? (unsigned)OREAD : mode & 3) |
           (mode & OTRUNC ? L_TRUNC : 0);
}

static int
host_open(struct fid *f, unsigned mode)
{
    struct node *n = f->aux;

    return l_open(n->fid, flags_of(mode), &f->qid);
}

/* A directory is made, then walked to, then opened. */
static int
create_dir(struct fid *f, const char *name, uint32_t perm)
{
    struct node *n = f->aux;
    struct msg m;
    int err;

    msg_begin(&m, Tmkdir);
    put(&m, 4, n->fid);
    put_str(&m, name);
    put(&m, 4, perm & 0777);
    put(&m, 4, 0);
    err = link_rpc(&m);
    if (err == 0)
        err = l_walk(n->fid, n->fid, name, &f->qid);
    return err == 0 ? host_open(f, OREAD) : err;
}

static int
host_create(struct fid *f, const char *name, unsigned mode, uint32_t perm)
{
    struct node *n = f->aux;
    char path[HOST_PATH];
    struct msg m;
    int err = path_of(path, n->path, name);

    if (err < 0)
        return err;
    if (perm & DMDIR) {
        err = create_dir(f, name, perm);
    } else {
        msg_begin(&m, Tlcreate);
        put(&m, 4, n->fid);
        put_str(&m, name);
        put(&m, 4, flags_of(mode) | L_EXCL);
        put(&m, 4, perm & 0777);
        put(&m, 4, 0);
        err = link_rpc(&m);
        if (err == 0)
            f->qid = get_qid(&m);
    }
    return err == 0 ? node_set_path(n, path) : err;
}

static int
host_read(struct req *r, struct fid *f)
{
    struct node *n = f->aux;
    const uint8_t *data;
    struct msg m;
    int err;

    if (f->qid.type & QTDIR)
        return host_read_dir(r, n);
    if (r->t.count > LINK_MSIZE - IOHDRSZ)
        r->t.count = LINK_MSIZE - IOHDRSZ;
    msg_begin(&m, Tread);
    put(&m, 4, n->fid);
    put(&m, 8, r->t.offset);
    put(&m, 4, r->t.count);
    err = link_rpc(&m);
    if (err < 0)
        return err;
    r->r.count = (uint32_t)get(&m, 4);
    data = get_bytes(&m, r->r.count);
    if (data == NULL || r->r.count > r->t.count)
        return -E_BADMSG;
    r->r.data = memcpy(req_room(r), data, r->r.count);
    return 0;
}

/* Our messages may be longer than the server's: write piece after piece. */
static int
host_write(struct req *r, struct fid *f)
{
    struct node *n = f->aux;

    while (r->r.count < r->t.count) {
        int64_t done = l_write(n->fid, r->t.data + r->r.count,
                r->t.count - r->r.count, r->t.offset + r->r.count);

        if (done < 0 && r->r.count == 0)
            return (int)done;
        if (done <= 0)
            break;
        r->r.count += (uint32_t)done;
    }
    return 0;
}

static int
host_stat(struct fid *f, struct dir *d, char *strs)
{
    struct node *n = f->aux;
    char path[HOST_PATH], *name = strs + STAT_MAX - HOST_NAME;

    node_path(n, path);
    strlcpy(name, name_of(path), HOST_NAME);
    return l_stat(n->fid, name, d, strs);
}

static void
host_release(struct fid *f)
{
    struct node *n = f->aux;

    if (n == NULL)
        return;
    l_clunk(n->fid);
    node_free(n);
}

const struct srv_ops host_ops = {
    .attach = host_attach,
    .clone = host_clone,
    .walk = host_walk,
    .open = host_open,
    .create = host_create,
    .read = host_read,
    .write = host_write,
    .stat = host_stat,
    .wstat = host_wstat,
    .remove = host_remove,
    .release = host_release,
};
