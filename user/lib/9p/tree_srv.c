/*
 * tree_srv.c - a tree's answers to the callbacks of srv.h.
 *
 * fid->aux is the file, and the fid counts as one of its uses.
 */
#include "lib/9p/tree.h"

/* The file that fid stands for, if it is in the tree; NULL: it was removed, so
 * it has no name, no directory and, if it is one, nothing can be in it. */
static struct file *
listed_file(const struct fid *fid)
{
    struct file *f = fid->aux;

    return f->parent != NULL ? f : NULL;
}

/* fid stands for f from now on, and for nothing else. */
static void
stand_for(struct fid *fid, struct file *f)
{
    struct file *before = fid->aux;

    file_ref(f);
    fid->aux = f;
    fid->qid = f->qid;
    if (before != NULL)
        file_unref(before);
}

static int
tree_attach(struct fid *fid, const char *aname)
{
    struct tree *t = fid->conn->server.aux;

    if (aname[0] != '\0' && strcmp(aname, "/") != 0)
        return -E_BADSPEC;
    stand_for(fid, t->root);
    return 0;
}

static int
tree_clone(struct fid *from, struct fid *to)
{
    (void)from;
    file_ref(to->aux);
    return 0;
}

/* One name: the directory must be there still, and let the user pass. */
static int
tree_walk(struct fid *fid, const char *name)
{
    struct file *dir = listed_file(fid), *f;

    if (dir == NULL)
        return -E_NOEXIST;
    if (!file_permits(dir, fid->user, AEXEC))
        return -E_PERM;
    f = strcmp(name, "..") == 0 ? dir->parent : tree_find(dir, name);
    if (f == NULL)
        return -E_NOEXIST;
    stand_for(fid, f);
    return 0;
}

/* What opening a file as `mode` says needs. */
static unsigned
wanted(unsigned mode)
{
    static const unsigned by_access[] = { AREAD, AWRITE, AREAD | AWRITE,
        AEXEC };

    return by_access[mode & 3] | (mode & OTRUNC ? AWRITE : 0);
}

/* May fid open f so? */
static int
check_open(const struct fid *fid, const struct file *f, unsigned mode)
{
    if (!file_permits(f, fid->user, wanted(mode)))
        return -E_PERM;
    if (mode & ORCLOSE && f->parent == NULL)
        return -E_NOEXIST;
    if (mode & ORCLOSE && (f->parent == f || !f->tree->ops->may_create ||
                                  !file_permits(f->parent, fid->user, AWRITE)))
        return -E_PERM;
    if (f->mode & DMEXCL && f->opens > 0)
        return -E_EXCL;
    return 0;
}

/* Empty f if mode says so; a file that only grows stays: open(5). */
static int
truncate(struct file *f, unsigned mode, const char *user)
{
    int err;

    if (!(mode & OTRUNC) || f->mode & DMAPPEND || f->tree->ops->resize == NULL)
        return 0;
    err = f->tree->ops->resize(f, 0);
    if (err == 0)
        file_changed(f, user);
    return err;
}

static int
tree_open(struct fid *fid, unsigned mode)
{
    struct file *f = fid->aux;
    int err = check_open(fid, f, mode);

    if (err == 0)
        err = truncate(f, mode, fid->user);
    if (err == 0 && f->mode & DMDIR)
        err = cursor_new(fid);
    if (err < 0)
        return err;
    f->opens++;
    fid->qid = f->qid;
    return 0;
}

/* Make the file; nothing else can fail, but a cursor for lack of memory. */
static int
tree_create(struct fid *fid, const char *name, unsigned mode, uint32_t perm)
{
    struct file *dir = listed_file(fid), *f;
    int err;

    (void)mode; /* not checked against the new file's bits: open(5) */
    if (dir == NULL)
        return -E_NOEXIST;
    if (!dir->tree->ops->may_create || !file_permits(dir, fid->user, AWRITE))
        return -E_PERM;
    err = tree_add(dir, name, fid->user, create_perm(perm, dir->mode), &f);
    if (err < 0)
        return err;
    stand_for(fid, f);
    err = f->mode & DMDIR ? cursor_new(fid) : 0;
    if (err < 0) {
        stand_for(fid, dir);
        tree_remove(f);
        return err;
    }
    f->opens++;
    return 0;
}

static int
tree_read(struct req *r, struct fid *fid)
{
    struct file *f = fid->aux;

    if (f->mode & DMDIR)
        return tree_read_dir(r, fid);
    return f->tree->ops->read != NULL ? f->tree->ops->read(r, f) : 0;
}

static int
tree_write(struct req *r, struct fid *fid)
{
    struct file *f = fid->aux;
    int err;

    if (f->tree->ops->write == NULL)
        return -E_PERM;
    if (f->mode & DMAPPEND)
        r->t.offset = f->length;
    err = f->tree->ops->write(r, f);
    if (err == 0 && r->r.count > 0)
        file_changed(f, fid->user);
    return err;
}

static int
tree_stat(struct fid *fid, struct dir *d, char *strs)
{
    (void)strs;
    file_dir(fid->aux, d);
    return 0;
}

/* remove(5): whoever may write the directory, but no directory with files. */
static int
tree_unlink(struct fid *fid)
{
    struct file *f = listed_file(fid), *dir;

    if (f == NULL)
        return -E_NOEXIST;
    dir = f->parent;
    if (dir == f || !f->tree->ops->may_create ||
            !file_permits(dir, fid->user, AWRITE))
        return -E_PERM;
    if (f->first != NULL)
        return -E_NOTEMPTY;
    tree_remove(f);
    file_changed(dir, fid->user);
    return 0;
}

static void
tree_release(struct fid *fid)
{
    struct file *f = fid->aux;

    if (f == NULL)
        return;
    cursor_end(fid);
    if (fid->mode != NOT_OPEN)
        f->opens--;
    file_unref(f);
}

const struct srv_ops tree_srv_ops = {
    .attach = tree_attach,
    .clone = tree_clone,
    .walk = tree_walk,
    .open = tree_open,
    .create = tree_create,
    .read = tree_read,
    .write = tree_write,
    .stat = tree_stat,
    .wstat = tree_wstat,
    .remove = tree_unlink,
    .release = tree_release,
};
