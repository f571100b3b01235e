/*
 * tree_dir.c - reading a directory of a tree, entry by entry.
 *
 * Each fid that has a directory open has a cursor: the entry that went out
 * last.  A directory knows its cursors, so that a file that leaves moves those
 * that stand on it: a directory may be read while it is emptied.
 */
#include "lib/9p/tree.h"

struct cursor {
    struct file *last;   /* went out last; NULL: begin with the first */
    struct cursor *next; /* of the same directory */
};

/* f as stat(5) shows it; the strings are f's. */
void
file_dir(const struct file *f, struct dir *d)
{
    *d = (struct dir){
        .qid = f->qid,
        .mode = f->mode,
        .atime = f->atime,
        .mtime = f->mtime,
        .length = f->length,
        .name = f->name,
        .uid = f->uid,
        .gid = f->gid,
        .muid = f->muid,
    };
}

/* fid opens its directory.  0, or -E_NOMEM. */
int
cursor_new(struct fid *fid)
{
    struct file *dir = fid->aux;
    struct cursor *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return -E_NOMEM;
    c->next = dir->cursors;
    dir->cursors = c;
    fid->cursor = c;
    return 0;
}

/* fid needs its cursor, if it has one, no longer. */
void
cursor_end(struct fid *fid)
{
    struct cursor **at = &((struct file *)fid->aux)->cursors;

    if (fid->cursor == NULL)
        return;
    while (*at != fid->cursor)
        at = &(*at)->next;
    *at = (*at)->next;
    free(fid->cursor);
    fid->cursor = NULL;
}

/* `leaving` is about to leave dir: nobody may stand on it. */
void
cursors_skip(struct file *dir, struct file *leaving)
{
    for (struct cursor *c = dir->cursors; c != NULL; c = c->next)
        if (c->last == leaving)
            c->last = leaving->prev;
}

/*
 * Whole entries from where the last read ended, as many as fit into the
 * count.  If not even one fits: -E_SHORTSTAT, and the next read begins there.
 */
int
tree_read_dir(struct req *r, struct fid *fid)
{
    struct cursor *c = fid->cursor;
    uint8_t *out = req_room(r);
    struct file *dir = fid->aux, *f;
    struct dir d;
    int64_t n;

    if (r->t.offset == 0)
        c->last = NULL;
    f = c->last != NULL ? c->last->next : dir->first;
    for (; f != NULL; c->last = f, f = f->next) {
        file_dir(f, &d);
        n = dir_pack(&d, out + r->r.count, r->t.count - r->r.count);
        if (n == -E_TOOBIG)
            break;
        if (n < 0)
            return (int)n;
        r->r.count += (uint32_t)n;
    }
    if (f != NULL && r->r.count == 0)
        return -E_SHORTSTAT;
    r->r.data = out;
    return 0;
}
