/*
 * test_9p_union.c - what is bound where: instead, before, after; looking up,
 * creating and reading in the union that comes of it.
 */
#include "9p_tree.h"

static int
unbind(const char *what, const char *where)
{
    struct chan *from = NULL, *to;
    int err = what ? name_open(what, NAME_BIND_OLD, 0, 0, &from) : 0;

    CHECK_EQ(err, 0);
    CHECK_EQ(name_open(where, NAME_BIND_OLD, 0, 0, &to), 0);
    err = ns_unbind(my_files()->ns, from, to);
    chan_close(from);
    chan_close(to);
    return err;
}

KTEST(bind_replaces)
{
    tree_begin();
    CHECK_EQ(tree_bind("/x", "/a", MREPL), 0);
    CHECK_EQ(tree_find("/a"), X);
    CHECK_EQ(tree_find("/a/f"), X_F);
    CHECK_EQ(tree_find("/a/y/h"), X_Y_H);
    CHECK_EQ(tree_find("/a/b"), -E_NOEXIST);
    CHECK_EQ(tree_find("/x/f"), X_F);
    CHECK_EQ(tree_bind("/a/y", "/a", MREPL), 0);
    CHECK_EQ(tree_find("/a/h"), X_Y_H);
    CHECK_EQ(tree_find("/a/f"), -E_NOEXIST);
}

/* The first directory that has the name wins. */
KTEST(bind_in_order)
{
    tree_begin();
    CHECK_EQ(tree_bind("/x", "/a", MAFTER), 0);
    CHECK_EQ(tree_find("/a"), A);
    CHECK_EQ(tree_find("/a/g"), A_G);
    CHECK_EQ(tree_find("/a/f"), X_F);
    CHECK_EQ(tree_find("/a/b/c"), A_B_C);
    CHECK_EQ(tree_find("/a/y/h"), X_Y_H);
    CHECK_EQ(tree_find("/a/nothing"), -E_NOEXIST);
    CHECK_EQ(tree_bind("/x/y", "/a", MBEFORE), 0);
    CHECK_EQ(tree_find("/a"), X_Y);
    CHECK_EQ(tree_find("/a/h"), X_Y_H);
    CHECK_EQ(tree_find("/a/g"), A_G);
    CHECK_EQ(tree_find("/a/f"), X_F);
}

KTEST(bind_before)
{
    tree_begin();
    CHECK_EQ(tree_bind("/x", "/a", MBEFORE), 0);
    CHECK_EQ(tree_find("/a/g"), X_G);
    CHECK_EQ(tree_find("/a/b"), A_B);
    CHECK_EQ(tree_bind("/a", "/d", MAFTER), 0);
    CHECK_EQ(tree_find("/d/d"), D + 1);
    CHECK_EQ(tree_find("/d/g"), X_G);
    CHECK_EQ(tree_find("/d/b"), A_B);
}

/* A walk in one question goes too far where something is bound on its way. */
KTEST(bind_on_the_way)
{
    tree_begin();
    CHECK_EQ(tree_bind("/x", "/a/b", MREPL), 0);
    CHECK_EQ(tree_find("/a/b/f"), X_F);
    CHECK_EQ(tree_find("/a/b/c/f"), -E_NOEXIST);
    CHECK_EQ(tree_find("/a/b/y/h"), X_Y_H);
    CHECK_EQ(tree_find("/a/g"), A_G);
    CHECK_EQ(tree_bind("/a/g", "/a/b/f", MREPL), 0);
    CHECK_EQ(tree_find("/a/b/f"), A_G);
    CHECK_EQ(tree_find("/x/f"), A_G);
    CHECK_EQ(unbind(NULL, "/x/f"), 0);
    CHECK_EQ(unbind(NULL, "/a/b"), 0);
    CHECK_EQ(tree_find("/a/b/c/f"), A_B_C_F);
    CHECK_EQ(tree_live, 1);
}

/* `..` leads out of what is bound to where it is bound. */
KTEST(bind_dotdot)
{
    struct chan *c;

    tree_begin();
    CHECK_EQ(tree_bind("/x/y", "/a/b", MREPL), 0);
    CHECK_EQ(tree_find("/a/b/h"), X_Y_H);
    CHECK_EQ(tree_find("/a/b/.."), A);
    CHECK_EQ(tree_find("/a/b/../g"), A_G);
    CHECK_EQ(tree_find("/x/y/.."), X);
    CHECK_EQ(tree_bind("/d/d", "/x/y", MREPL), 0);
    CHECK_EQ(tree_find("/x/y/d/.."), D + 1);
    CHECK_EQ(tree_find("/x/y/d/../.."), X);
    CHECK_EQ(name_open("/a/b", NAME_DIR, 0, 0, &c), 0);
    chan_close(my_files()->dot);
    my_files()->dot = c;
    CHECK_EQ(tree_find("h"), X_Y_H);
    CHECK_EQ(tree_find(".."), A);
    CHECK_EQ(tree_find("../g"), A_G);
}

/* Directories to directories, files to files; no unions of files. */
KTEST(bind_refuses)
{
    tree_begin();
    CHECK_EQ(tree_bind("/x", "/a/g", MREPL), -E_MOUNT);
    CHECK_EQ(tree_bind("/a/g", "/x", MREPL), -E_MOUNT);
    CHECK_EQ(tree_bind("/a/g", "/x/f", MAFTER), -E_MOUNT);
    CHECK_EQ(tree_bind("/x", "/a", MBEFORE | MAFTER), -E_BADARG);
    CHECK_EQ(tree_bind("/x", "/a", 64), -E_BADARG);
    for (int i = 0; i < 31; i++)
        CHECK_EQ(tree_bind("/x/y", "/a", MAFTER), 0);
    CHECK_EQ(tree_bind("/x/y", "/a", MAFTER), -E_MAXUNION);
    CHECK_EQ(tree_bind("/x/y", "/a", MREPL), 0);
    CHECK_EQ(tree_find("/a"), X_Y);
}

/* A new file goes to the first directory that was bound for that. */
KTEST(bind_create)
{
    struct chan *c;

    tree_begin();
    CHECK_EQ(name_open("/a/new", NAME_CREATE, OWRITE, 0666, &c), 0);
    CHECK_EQ(c->qid.path, MADE + A);
    chan_close(c);
    CHECK_EQ(tree_bind("/x", "/a", MBEFORE), 0);
    CHECK_EQ(name_open("/a/new", NAME_CREATE, OWRITE, 0666, &c), -E_NOCREATE);
    CHECK_EQ(tree_bind("/x/y", "/a", MAFTER | MCREATE), 0);
    CHECK_EQ(name_open("/a/new", NAME_CREATE, OWRITE, 0666, &c), 0);
    CHECK_EQ(c->qid.path, MADE + X_Y);
    chan_close(c);
    CHECK_EQ(tree_bind("/d", "/a", MBEFORE | MCREATE), 0);
    CHECK_EQ(name_open("/a/new", NAME_CREATE, OWRITE, 0666, &c), 0);
    CHECK_EQ(c->qid.path, MADE + D);
    chan_close(c);
}

/* One of several, or all; and then it is as it was. */
KTEST(unbind_one_or_all)
{
    tree_begin();
    CHECK_EQ(unbind(NULL, "/a"), -E_UNMOUNT);
    CHECK_EQ(tree_bind("/x", "/a", MAFTER), 0);
    CHECK_EQ(tree_bind("/d", "/a", MAFTER), 0);
    CHECK_EQ(unbind("/x/y", "/a"), -E_UNION);
    CHECK_EQ(tree_find("/a/d"), D + 1);
    CHECK_EQ(unbind("/x", "/a"), 0);
    CHECK_EQ(tree_find("/a/f"), -E_NOEXIST);
    CHECK_EQ(tree_find("/a/d"), D + 1);
    CHECK_EQ(unbind("/d", "/a"), 0);
    CHECK_EQ(unbind(NULL, "/a"), -E_UNMOUNT);
    CHECK_EQ(tree_bind("/x", "/a", MREPL), 0);
    CHECK_EQ(unbind(NULL, "/a"), 0);
    CHECK_EQ(tree_find("/a/b"), A_B);
    CHECK_EQ(tree_live, 1);
}

/* Two processes that do not share a name space do not see each other's. */
KTEST(bind_isolated)
{
    struct name_space *mine = my_files()->ns, *copy;

    tree_begin();
    CHECK_EQ(tree_bind("/x", "/a", MAFTER), 0);
    copy = ns_copy(mine);
    CHECK(copy != NULL);
    CHECK_EQ(tree_bind("/d", "/a", MREPL), 0);
    CHECK_EQ(tree_find("/a/d"), D + 1);
    my_files()->ns = copy;
    CHECK_EQ(tree_find("/a/g"), A_G);
    CHECK_EQ(tree_find("/a/f"), X_F);
    CHECK_EQ(unbind(NULL, "/a"), 0);
    my_files()->ns = mine;
    CHECK_EQ(tree_find("/a/d"), D + 1);
    ns_unref(copy);
    CHECK_EQ(unbind(NULL, "/a"), 0);
    CHECK_EQ(tree_live, 1);
}

/* All that reading gives, one byte at a time, as one number each. */
static unsigned
read_all(struct chan *c, uint8_t got[16], bool start)
{
    unsigned n = 0;

    for (; n < 16; n++) {
        struct io to = io_kernel(got + n, 1);

        if (union_read(c, &to, start && n == 0) <= 0)
            break;
    }
    return n;
}

/* One directory after the other; at 0 once more from the first. */
KTEST(union_reads_all)
{
    static const uint8_t want[] = { 10 * A, 10 * A + 1, 10 * A + 2, 10 * X,
        10 * X + 1, 10 * X + 2, 10 * D, 10 * D + 1, 10 * D + 2 };
    uint8_t got[16] = { 0 };
    struct chan *c;

    tree_begin();
    CHECK_EQ(tree_bind("/x", "/a", MAFTER), 0);
    CHECK_EQ(tree_bind("/d", "/a", MAFTER), 0);
    CHECK_EQ(name_open("/a", NAME_OPEN, OREAD, 0, &c), 0);
    CHECK_EQ(read_all(c, got, true), 9);
    CHECK(memcmp(got, want, 9) == 0);
    CHECK_EQ(read_all(c, got, false), 0);
    c->join_offset = 0;
    CHECK_EQ(read_all(c, got, true), 9);
    CHECK(memcmp(got, want, 9) == 0);
    chan_close(c);
    CHECK_EQ(unbind(NULL, "/a"), 0);
    CHECK_EQ(tree_live, 1);
}

/* From the middle back to the beginning; and what cannot be opened is not
 * there. */
KTEST(union_starts_over)
{
    uint8_t got[16] = { 0 }, byte = 0;
    struct chan *c;

    tree_begin();
    CHECK_EQ(tree_bind("/x", "/a", MAFTER), 0);
    CHECK_EQ(tree_bind("/d", "/a", MAFTER), 0);
    CHECK_EQ(name_open("/a", NAME_OPEN, OREAD, 0, &c), 0);
    for (int i = 0; i < 5; i++) {
        struct io to = io_kernel(&byte, 1);

        CHECK_EQ(union_read(c, &to, false), 1);
    }
    CHECK_EQ(byte, 10 * X + 1);
    tree_closed = X;
    CHECK_EQ(read_all(c, got, true), 6);
    CHECK_EQ(got[0], 10 * A);
    CHECK_EQ(got[3], 10 * D);
    tree_closed = -1;
    chan_close(c);
    CHECK_EQ(unbind(NULL, "/a"), 0);
    CHECK_EQ(tree_live, 1);
}
