/*
 * tree_wstat.c - Twstat on a tree: all of it, or nothing.
 *
 * Everything is checked before anything is changed, and the memory for a new
 * name is there before the length changes, which is the last that can fail.
 */
#include "lib/9p/tree.h"

/* What a field says that is to be left alone: wstat(5). */
static bool
untouched(const char *s)
{
    return s[0] == '\0';
}

/* Fields that nobody may change: left alone, or as they are? */
static bool
fixed_fields_ok(const struct file *f, const struct dir *d)
{
    struct dir none;

    dir_null(&none);
    return (d->type == none.type || d->type == 0) &&
           (d->dev == none.dev || d->dev == 0) &&
           (d->qid.path == none.qid.path || d->qid.path == f->qid.path) &&
           (d->qid.vers == none.qid.vers || d->qid.vers == f->qid.vers) &&
           (d->qid.type == none.qid.type || d->qid.type == f->qid.type) &&
           (untouched(d->uid) || strcmp(d->uid, f->uid) == 0) &&
           (untouched(d->muid) || strcmp(d->muid, f->muid) == 0);
}

/* May user call f d->name? */
static int
check_rename(const struct file *f, const struct dir *d, const char *user)
{
    if (untouched(d->name) || strcmp(d->name, f->name) == 0)
        return 0;
    if (f->parent == NULL)
        return -E_NOEXIST; /* removed: it has no name to change */
    if (f->parent == f || !f->tree->ops->may_create ||
            !file_permits(f->parent, user, AWRITE))
        return -E_PERM;
    if (strcmp(d->name, ".") == 0 || strcmp(d->name, "..") == 0)
        return -E_NAME;
    return tree_find(f->parent, d->name) != NULL ? -E_EXIST : 0;
}

/* May user make f d->length bytes long? */
static int
check_length(const struct file *f, const struct dir *d, const char *user)
{
    if (d->length == UINT64_MAX || d->length == f->length)
        return 0;
    if (f->mode & DMDIR)
        return -E_ISDIR;
    if (f->tree->ops->resize == NULL || !file_permits(f, user, AWRITE))
        return -E_PERM;
    return d->length > INT64_MAX ? -E_OFFSET : 0;
}

/* May user give f this mode, these times, this group?  Plan 9's stat(5) has
 * atime fixed; but Linux sets both times with each touch. */
static int
check_owner(const struct file *f, const struct dir *d, const char *user)
{
    const uint32_t bits = DMAPPEND | DMEXCL | DMTMP | 0777;
    bool mode = d->mode != UINT32_MAX && d->mode != f->mode;
    bool mtime = d->mtime != UINT32_MAX && d->mtime != f->mtime;
    bool atime = d->atime != UINT32_MAX && d->atime != f->atime;
    bool gid = !untouched(d->gid) && strcmp(d->gid, f->gid) != 0;

    if (mode && (d->mode & ~bits) != (f->mode & DMDIR))
        return srv_error("bad permission bits");
    if ((mode || mtime || atime) && !file_owned(f, user))
        return -E_PERM;
    return gid && !file_may_regroup(f, user, d->gid) ? -E_PERM : 0;
}

/* The changes that cannot fail. */
static void
set_fields(struct file *f, const struct dir *d)
{
    if (d->mode != UINT32_MAX) {
        f->mode = d->mode;
        f->qid.type = (uint8_t)(d->mode >> 24);
    }
    if (d->mtime != UINT32_MAX)
        f->mtime = d->mtime;
    if (d->atime != UINT32_MAX)
        f->atime = d->atime;
    if (!untouched(d->gid))
        strlcpy(f->gid, d->gid, sizeof(f->gid));
}

/* Make f as long as d says, if it says so. */
static int
set_length(struct file *f, const struct dir *d, const char *user)
{
    int err;

    if (d->length == UINT64_MAX || d->length == f->length)
        return 0;
    err = f->tree->ops->resize(f, d->length);
    if (err == 0)
        file_changed(f, user);
    return err;
}

/* Make the changes, which are permitted.  0; an error: none was made. */
static int
apply(struct file *f, const struct dir *d, const char *user)
{
    bool rename = !untouched(d->name) && strcmp(d->name, f->name) != 0;
    char *name = NULL;
    int err = rename ? name_new(f->tree, d->name, &name) : 0;

    if (err == 0)
        err = set_length(f, d, user);
    if (err < 0) {
        name_free(f->tree, name);
        return err;
    }
    if (rename) {
        tree_rename(f, name);
        file_changed(f->parent, user);
    }
    set_fields(f, d);
    return 0;
}

/* Make fid's file as *d says; who may change what: stat(5). */
int
tree_wstat(struct fid *fid, const struct dir *d)
{
    struct file *f = fid->aux;
    int err = 0;

    if (!fixed_fields_ok(f, d))
        return srv_error("wstat prohibited");
    err = check_rename(f, d, fid->user);
    if (err == 0)
        err = check_length(f, d, fid->user);
    if (err == 0)
        err = check_owner(f, d, fid->user);
    return err == 0 ? apply(f, d, fid->user) : err;
}
