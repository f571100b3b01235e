/*
 * tree.c - files in a tree: found by name at a cost that does not grow,
 * paid for with the tree's limit.
 */
#include "lib/9p/tree.h"

enum {
    NAME_MAX = 255
};

/* Take n bytes of what the tree may use.  0, or an error. */
int
tree_charge(struct tree *t, uint64_t n)
{
    if (n > t->limit - t->used)
        return -E_FULL;
    t->used += n;
    return 0;
}

/* Give n bytes back. */
void
tree_refund(struct tree *t, uint64_t n)
{
    assert(n <= t->used);
    t->used -= n;
}

/* What a file of this name costs, besides its contents. */
static uint64_t
file_cost(const char *name)
{
    return sizeof(struct file) + strlen(name) + 1;
}

/* FNV-1a over the name, begun with its directory. */
static uint32_t
name_hash(const struct file *dir, const char *name)
{
    uint32_t h = 2166136261u ^ (uint32_t)dir->qid.path;

    for (; *name != '\0'; name++)
        h = (h ^ (uint8_t)*name) * 16777619u;
    return h;
}

/* The file called name in dir, or NULL. */
struct file *
tree_find(struct file *dir, const char *name)
{
    struct slot *s = table_find(&dir->tree->names, name_hash(dir, name));

    for (; s != NULL; s = table_next(s)) {
        struct file *f = CONTAINER_OF(s, struct file, slot);

        if (f->parent == dir && strcmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

/* One more that needs f. */
void
file_ref(struct file *f)
{
    f->ref++;
}

/* One less; the last one frees it. */
void
file_unref(struct file *f)
{
    struct tree *t = f->tree;

    if (--f->ref > 0)
        return;
    if (t->ops->gone != NULL)
        t->ops->gone(f);
    tree_refund(t, file_cost(f->name));
    free(f->name);
    free(f);
}

/* f's contents changed, by user. */
void
file_changed(struct file *f, const char *user)
{
    f->qid.vers++;
    f->mtime = srv_now();
    strlcpy(f->muid, user, sizeof(f->muid));
}

/* A file in no directory, that the caller pays for.  NULL: no memory. */
static struct file *
file_new(struct tree *t, const char *name, const char *user, uint32_t mode)
{
    struct file *f = calloc(1, sizeof(*f));

    if (f == NULL || (f->name = strdup(name)) == NULL) {
        free(f);
        return NULL;
    }
    f->tree = t;
    f->ref = 1;
    f->qid.path = t->next_path++;
    f->qid.type = (uint8_t)(mode >> 24);
    f->mode = mode;
    f->atime = f->mtime = srv_now();
    strlcpy(f->uid, user, sizeof(f->uid));
    strlcpy(f->gid, user, sizeof(f->gid));
    strlcpy(f->muid, user, sizeof(f->muid));
    return f;
}

/* f is the last of dir. */
static void
dir_append(struct file *dir, struct file *f)
{
    f->parent = dir;
    f->prev = dir->last;
    if (dir->last != NULL)
        dir->last->next = f;
    else
        dir->first = f;
    dir->last = f;
}

/*
 * A new file in dir, owned by user and of dir's group.  0 and *out; there is
 * one of that name, the name is too long, the tree is full: an error.
 */
int
tree_add(struct file *dir, const char *name, const char *user, uint32_t mode,
        struct file **out)
{
    struct tree *t = dir->tree;
    struct file *f;
    int err;

    if (tree_find(dir, name) != NULL)
        return -E_EXIST;
    if (strlen(name) > NAME_MAX)
        return -E_NAMELEN;
    err = tree_charge(t, file_cost(name));
    if (err < 0)
        return err;
    f = file_new(t, name, user, mode);
    if (f != NULL) {
        strlcpy(f->gid, dir->gid, sizeof(f->gid));
        f->slot.key = name_hash(dir, name);
        if (table_add(&t->names, &f->slot) == 0) {
            dir_append(dir, f);
            file_changed(dir, user);
            *out = f;
            return 0;
        }
        free(f->name);
        free(f);
    }
    tree_refund(t, file_cost(name));
    return -E_NOMEM;
}

/* *out = a copy of name, paid for.  0; too long, full: an error. */
int
name_new(struct tree *t, const char *name, char **out)
{
    int err = strlen(name) > NAME_MAX ? -E_NAMELEN
                                      : tree_charge(t, strlen(name) + 1);

    if (err < 0)
        return err;
    *out = strdup(name);
    if (*out != NULL)
        return 0;
    tree_refund(t, strlen(name) + 1);
    return -E_NOMEM;
}

/* Give back what name_new made, or NULL. */
void
name_free(struct tree *t, char *name)
{
    if (name != NULL)
        tree_refund(t, strlen(name) + 1);
    free(name);
}

/* Call f, which is no root, `name` from name_new, which nobody else in its
 * directory is called.  Cannot fail. */
void
tree_rename(struct file *f, char *name)
{
    struct tree *t = f->tree;

    table_remove(&t->names, &f->slot);
    name_free(t, f->name);
    f->name = name;
    f->slot.key = name_hash(f->parent, name);
    table_add(&t->names, &f->slot); /* it has chains: f was in it */
}

/*
 * Take f, an empty directory or a file, out of the tree; fids that stand for
 * it keep it alive, with its contents, which the tree's limit pays for until
 * then.  The caller has checked that it may go.
 */
void
tree_remove(struct file *f)
{
    struct file *dir = f->parent;

    assert(dir != f && f->first == NULL);
    cursors_skip(dir, f);
    table_remove(&f->tree->names, &f->slot);
    *(f->prev != NULL ? &f->prev->next : &dir->first) = f->next;
    *(f->next != NULL ? &f->next->prev : &dir->last) = f->prev;
    f->parent = f->next = f->prev = NULL;
    file_unref(f);
}

/* An empty tree of at most limit bytes; users_file is read.  0, or -E_NOMEM. */
int
tree_begin(struct tree *t, const struct tree_ops *ops, uint64_t limit)
{
    *t = (struct tree){ .ops = ops, .next_path = 1, .limit = limit };
    if (tree_charge(t, file_cost("/")) < 0)
        return -E_NOMEM;
    t->root = file_new(t, "/", "none", DMDIR | 0777);
    if (t->root == NULL)
        return -E_NOMEM;
    t->root->parent = t->root;
    users_load();
    return 0;
}

/* Everything is given back; no fid stands for a file any more. */
void
tree_end(struct tree *t)
{
    struct file *f = t->root;

    while (f != t->root || f->first != NULL) {
        struct file *up = f->parent;

        if (f->first != NULL) {
            f = f->first;
            continue;
        }
        tree_remove(f);
        f = up;
    }
    file_unref(t->root);
    table_free(&t->names);
    assert(t->used == 0);
}
