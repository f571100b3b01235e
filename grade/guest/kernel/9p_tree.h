/*
 * 9p_tree.h - a device for tests of names: a small tree that counts how often
 * it is asked, and how many channels stand for its files.
 *
 *      /          a      a/b     a/b/c   a/b/c/f     files: f g
 *                 a/g    x       x/y     x/f   x/g   x/y/h
 *                 d/d/d/... 20 levels
 */
#pragma once

#include "9p/private.h"

enum node {
    ROOT,
    A,
    A_B,
    A_B_C,
    A_B_C_F,
    A_G,
    X,
    X_Y,
    X_F,
    X_G,
    X_Y_H,
    D,
    D_LAST = D + 19,
    NODES,
    MADE = 100, /* what create makes in directory n is MADE + n */
};

static struct {
    const char *name;
    int parent;
    bool dir;
} nodes[NODES] = {
    [ROOT] = { "/", ROOT, true },
    [A] = { "a", ROOT, true },
    [A_B] = { "b", A, true },
    [A_B_C] = { "c", A_B, true },
    [A_B_C_F] = { "f", A_B_C, false },
    [A_G] = { "g", A, false },
    [X] = { "x", ROOT, true },
    [X_Y] = { "y", X, true },
    [X_F] = { "f", X, false },
    [X_G] = { "g", X, false },
    [X_Y_H] = { "h", X_Y, false },
};

static unsigned tree_walks;  /* requests with names */
static unsigned tree_names;  /* and how many names */
static int tree_live;        /* channels */
static int tree_closed = -1; /* this directory cannot be opened */

static struct qid
tree_qid(int n)
{
    bool dir = n < NODES && nodes[n].dir;

    return (struct qid){ .path = (uint64_t)n, .type = dir ? QTDIR : 0 };
}

static int
tree_child(int n, const char *name)
{
    if (n >= NODES || !nodes[n].dir)
        return -E_NOTDIR;
    if (strcmp(name, "..") == 0)
        return nodes[n].parent;
    for (int i = 1; i < NODES; i++)
        if (nodes[i].name && nodes[i].parent == n &&
                strcmp(nodes[i].name, name) == 0)
            return i;
    return -E_NOEXIST;
}

static int
tree_walk(struct chan *from, struct chan *to, const char *const names[],
        unsigned n, struct qid qids[])
{
    int at = (int)from->qid.path;

    tree_walks += n > 0;
    tree_names += n;
    for (unsigned i = 0; i < n; i++) {
        at = tree_child(at, names[i]);
        if (at < 0)
            return i > 0 ? (int)i : at;
        qids[i] = tree_qid(at);
    }
    to->qid = at == (int)from->qid.path ? from->qid : tree_qid(at);
    tree_live++;
    return (int)n;
}

static int
tree_open(struct chan *c, unsigned mode)
{
    (void)mode;
    return (int)c->qid.path == tree_closed ? -E_PERM : 0;
}

static int
tree_create(struct chan *c, const char *name, unsigned mode, uint32_t perm)
{
    (void)name;
    (void)mode;
    (void)perm;
    c->qid = tree_qid(MADE + (int)c->qid.path);
    return 0;
}

static void
tree_close(struct chan *c)
{
    (void)c;
    CHECK_EQ(this_cpu()->lock_depth, 0); /* a close may sleep */
    tree_live--;
}

/* A directory n reads as three bytes 10n, 10n+1, 10n+2, one at a time. */
static int64_t
tree_read(struct chan *c, struct io *to, uint64_t offset)
{
    uint8_t byte = (uint8_t)(10 * c->qid.path + offset);

    if (offset >= 3 || to->left == 0)
        return 0;
    return io_put(to, &byte, 1) < 0 ? -E_BADADDR : 1;
}

static const struct dev tree_dev = { .letter = 'T',
    .name = "tree",
    .walk = tree_walk,
    .open = tree_open,
    .create = tree_create,
    .close = tree_close,
    .read = tree_read };

/* The tree is the caller's root directory, and its current one. */
static void
tree_begin(void)
{
    struct proc_files *f = my_files();
    struct chan *c = chan_new();

    for (int i = D; i <= D_LAST; i++) {
        nodes[i].name = "d";
        nodes[i].parent = i == D ? ROOT : i - 1;
        nodes[i].dir = true;
    }
    c->dev = &tree_dev;
    c->qid = tree_qid(ROOT);
    c->path = path_new(NULL, "/");
    tree_live++;
    chan_close(f->root);
    chan_close(f->dot);
    chan_ref(c);
    f->root = f->dot = c;
    tree_walks = tree_names = 0;
}

/* The file that path leads to, or -E_... */
[[maybe_unused]] static int
tree_find(const char *path)
{
    struct chan *c;
    int err = name_open(path, NAME_ACCESS, 0, 0, &c), n;

    if (err < 0)
        return err;
    n = (int)c->qid.path;
    chan_close(c);
    return n;
}

/* bind(what, where, flags) in ns */
[[maybe_unused]] static int
tree_bind_in(struct name_space *ns, const char *what, const char *where,
        unsigned flags)
{
    struct chan *from, *to;
    int err = name_open(what, NAME_BIND_NEW, 0, 0, &from);

    if (err < 0)
        return err;
    err = name_open(where, NAME_BIND_OLD, 0, 0, &to);
    if (err == 0) {
        err = ns_bind(ns, from, to, flags);
        chan_close(to);
    }
    chan_close(from);
    return err;
}

[[maybe_unused]] static int
tree_bind(const char *what, const char *where, unsigned flags)
{
    return tree_bind_in(my_files()->ns, what, where, flags);
}
