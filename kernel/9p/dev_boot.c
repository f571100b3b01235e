/*
 * dev_boot.c - #B, the boot archive as a read-only tree.
 *
 * The archive is a list of paths; the tree is made of them once, at start-up,
 * and never changes.  Contents stay where the boot loader has put them.
 */
#include "9p/private.h"

struct node {
    struct node *parent;          /* the root's: itself */
    struct node *children, *next; /* of a directory; its next sibling */
    bool dir;
    uint32_t mode; /* 0755 */
    const uint8_t *data;
    uint64_t size;
    uint64_t path; /* qid.path */
    char name[MAX_NAME];
};

static struct node root = {
    .parent = &root, .dir = true, .mode = 0555, .name = "/"
};
static uint64_t last_path;

static struct node *
child(const struct node *d, const char *name, size_t len)
{
    for (struct node *c = d->children; c; c = c->next)
        if (strncmp(c->name, name, len) == 0 && !c->name[len])
            return c;
    return NULL;
}

/* The entry of this name in d, made if it is not there: a directory, for
 * now.  NULL: no memory, or a name that is too long. */
static struct node *
child_or_new(struct node *d, const char *name, size_t len)
{
    struct node *c = child(d, name, len), **at = &d->children;

    if (c)
        return c;
    if (len >= sizeof c->name || !(c = kzalloc(sizeof *c)))
        return NULL;
    memcpy(c->name, name, len);
    c->parent = d;
    c->dir = true;
    c->mode = 0555;
    c->path = ++last_path;
    while (*at)
        at = &(*at)->next;
    *at = c;
    return c;
}

/* Hang a file of the archive into the tree. */
static void
plant(const struct archive_file *f)
{
    const char *at = f->name;
    struct node *d = &root;

    while (*at && d && d->dir) {
        size_t len = 0;

        while (at[len] && at[len] != '/')
            len++;
        if (len > 0)
            d = child_or_new(d, at, len);
        at += len + (at[len] == '/');
    }
    if (!d || d == &root || d->children) {
        print("dev_boot: %s: no place for it\n", f->name);
        return;
    }
    d->dir = false;
    d->mode = f->mode & 0555;
    d->data = f->data;
    d->size = f->size;
}

static void
boot_init_tree(void)
{
    struct archive_file f;

    for (unsigned i = 0; archive_nth(i, &f) == 0; i++)
        plant(&f);
}

static struct node *
node_of(const struct chan *c)
{
    return (struct node *)c->aux;
}

static struct qid
qid_of(const struct node *d)
{
    return (struct qid){ .path = d->path, .type = d->dir ? QTDIR : QTFILE };
}

static int
boot_attach(const char *spec, struct chan *c)
{
    c->qid = qid_of(&root);
    c->aux = (uint64_t)&root;
    return spec[0] ? -E_BADSPEC : 0;
}

static int
boot_walk(struct chan *from, struct chan *to, const char *const names[],
        unsigned n, struct qid qids[])
{
    struct node *d = node_of(from), *next;

    for (unsigned i = 0; i < n; i++) {
        next = strcmp(names[i], "..") == 0
                       ? d->parent
                       : child(d, names[i], strlen(names[i]));
        if (!next)
            return i > 0 ? (int)i : d->dir ? -E_NOEXIST : -E_NOTDIR;
        d = next;
        qids[i] = qid_of(d);
    }
    to->qid = qid_of(d);
    to->aux = (uint64_t)d;
    return (int)n;
}

static int
boot_gen(struct chan *c, const char *name, int i, struct devent *e)
{
    struct node *d = node_of(c);

    (void)name; /* boot_walk does not ask */
    if (i == DEV_PARENT)
        d = d->parent;
    else if (i >= 0)
        for (d = d->children; d && i > 0; i--)
            d = d->next;
    if (!d)
        return 0;
    strlcpy(e->name, d->name, sizeof e->name);
    e->qid = qid_of(d);
    e->perm = d->mode | (d->dir ? DMDIR : 0);
    e->length = d->size;
    return 1;
}

static int64_t
boot_read(struct chan *c, struct io *to, uint64_t offset)
{
    const struct node *d = node_of(c);

    if (d->dir)
        return dev_read_dir(c, to, offset);
    return io_put_text(to, offset, (const char *)d->data, d->size);
}

void
boot_file(const struct chan *c, const uint8_t **data, uint64_t *size)
{
    *data = node_of(c)->data;
    *size = node_of(c)->size;
}

const struct dev boot_dev = {
    .letter = 'B',
    .name = "boot",
    .gen = boot_gen,
    .init = boot_init_tree,
    .attach = boot_attach,
    .walk = boot_walk,
    .read = boot_read,
};
