/*
 * test_9p_nomem.c - memory runs out in the middle of a call about files: at
 * every allocation in turn.  The call fails with -E_NOMEM, nothing has
 * changed, and no block is lost.
 */
#include "9p/private.h"

enum {
    TRIES = 200, /* more than any call allocates */
};

/*
 * Call fn(arg) with the n-th allocation failing, for n = 1, 2, ... until it
 * succeeds; then undo(arg).  How many failures that took.
 */
static int
each_failure(int (*fn)(void *arg), void (*undo)(void *arg), void *arg)
{
    for (int n = 1; n < TRIES; n++) {
        uint64_t live = kheap_live();
        int err;

        page_fail_at((uint64_t)n);
        err = fn(arg);
        page_fail_at(0);
        if (err >= 0) {
            undo(arg);
            CHECK_EQ(kheap_live(), live);
            return n - 1;
        }
        CHECK_EQ(err, -E_NOMEM);
        CHECK_EQ(kheap_live(), live);
    }
    CHECK(!"it never succeeds");
    return TRIES;
}

static void
bind_paths(const char *new, const char *old, unsigned flags)
{
    struct chan *what = NULL, *where = NULL;

    CHECK_EQ(name_open(new, NAME_BIND_NEW, 0, 0, &what), 0);
    CHECK_EQ(name_open(old, NAME_BIND_OLD, 0, 0, &where), 0);
    CHECK_EQ(ns_bind(my_files()->ns, what, where, flags), 0);
    chan_close(what);
    chan_close(where);
}

static struct chan *opened;

static int
open_it(void *path)
{
    return name_open(path, NAME_OPEN, OREAD, 0, &opened);
}

static void
close_it(void *path)
{
    (void)path;
    chan_close(opened);
}

/* A walk through binds and a union, open, close. */
KTEST(nomem_open)
{
    bind_paths("#B", "/boot", MREPL);
    bind_paths("#B/etc", "/n", MAFTER);
    bind_paths("#c", "/dev", MREPL);
    CHECK_GE(each_failure(open_it, close_it, "/dev/null"), 5);
    CHECK_GE(each_failure(open_it, close_it, "/boot/bin/../etc/motd"), 5);
    CHECK_GE(each_failure(open_it, close_it, "/n/motd"), 3);
    CHECK_GE(each_failure(open_it, close_it, "#d"), 2);
    CHECK_GE(each_failure(open_it, close_it, "."), 1);
}

static int
create_it(void *path)
{
    return name_open(path, NAME_CREATE, ORDWR, 0666, &opened);
}

static void
remove_it(void *path)
{
    (void)path;
    CHECK_EQ(chan_remove(opened), 0);
    chan_close(opened);
}

/* A file that is made, or is not there afterwards. */
KTEST(nomem_create)
{
    bind_paths("#e", "/env", MCREATE);
    CHECK_GE(each_failure(create_it, remove_it, "/env/new"), 5);
    CHECK_EQ(name_open("/env/new", NAME_OPEN, OREAD, 0, &opened), -E_NOEXIST);
}

static int
bind_it(void *flags)
{
    struct chan *what, *where;
    int err = name_open("/boot", NAME_BIND_NEW, 0, 0, &what);

    if (err)
        return err;
    err = name_open("/n", NAME_BIND_OLD, 0, 0, &where);
    if (err == 0) {
        err = ns_bind(my_files()->ns, what, where, *(unsigned *)flags);
        chan_close(where);
    }
    chan_close(what);
    return err;
}

static void
unbind_it(void *flags)
{
    struct chan *where;

    (void)flags;
    CHECK_EQ(name_open("/n", NAME_BIND_OLD, 0, 0, &where), 0);
    CHECK_EQ(ns_unbind(my_files()->ns, NULL, where), 0);
    chan_close(where);
}

/* bind, alone and in a union. */
KTEST(nomem_bind)
{
    unsigned flags = MREPL;

    bind_paths("#B", "/boot", MREPL);
    CHECK_GE(each_failure(bind_it, unbind_it, &flags), 5);
    flags = MAFTER | MCREATE;
    CHECK_GE(each_failure(bind_it, unbind_it, &flags), 5);
}

static struct proc child;

static int
fork_it(void *flags)
{
    return proc_hooks.fork(proc_current(), &child, *(uint64_t *)flags);
}

static void
end_it(void *flags)
{
    (void)flags;
    proc_hooks.exit(&child);
    CHECK(!child.files);
}

/* What a child gets: shared, copied, new. */
KTEST(nomem_fork)
{
    uint64_t flags[] = { 0, RFNAMEG | RFFDG | RFENVG,
        RFCNAMEG | RFCFDG | RFCENVG };
    struct chan *c;

    bind_paths("#B", "/boot", MREPL);
    bind_paths("#c", "/dev", MREPL);
    CHECK_EQ(name_open("/dev/null", NAME_OPEN, OREAD, 0, &c), 0);
    CHECK_EQ(fd_new(c), 0);
    CHECK_GE(each_failure(fork_it, end_it, &flags[0]), 1);
    CHECK_GE(each_failure(fork_it, end_it, &flags[1]), 5);
    CHECK_GE(each_failure(fork_it, end_it, &flags[2]), 4);
    CHECK_EQ(my_files()->dot->ref, 1);
    CHECK_EQ(my_files()->root->ref, 1);
    CHECK_EQ(c->ref, 1);
}

static int
inherit_it(void *arg)
{
    int err;

    (void)arg;
    spin_lock(&proctab_lock);
    err = notes_inherit(&child, proc_current());
    spin_unlock(&proctab_lock);
    if (err < 0)
        notes_free(&child);
    return err;
}

static void
forget_it(void *arg)
{
    (void)arg;
    CHECK_EQ(child.nnote, 3);
    notes_free(&child);
}

/* The notes to its group that a child inherits; not those to the parent. */
KTEST(nomem_inherit)
{
    struct proc *p = proc_current();

    list_init(&child.notes);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(note_post_text(p, "ours", NOTE_GROUP), 0);
        CHECK_EQ(note_post_text(p, "mine", NOTE_PROC), 0);
    }
    CHECK_EQ(each_failure(inherit_it, forget_it, NULL), 3);
    CHECK_EQ(p->nnote, 6);
    notes_free(p);
    p->nnote = 0;
}

static int
fd_it(void *arg)
{
    chan_ref(arg);
    int fd = fd_put(arg, 600); /* the table must grow */

    if (fd < 0)
        chan_close(arg);
    return fd;
}

static void
forget_table(void *arg)
{
    (void)arg;
    fds_unref(my_files()->fds);
    my_files()->fds = fds_new();
}

/* A table that cannot grow. */
KTEST(nomem_fd)
{
    struct chan *c;

    CHECK_EQ(name_open("#c/null", NAME_OPEN, OREAD, 0, &c), 0);
    CHECK_GE(each_failure(fd_it, forget_table, c), 1);
    chan_close(c);
}
