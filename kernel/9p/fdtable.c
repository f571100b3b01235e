/*
 * fdtable.c - file descriptors: small numbers for the open channels of a
 * process, or of several that share a table.
 *
 * A table grows when it is full and never shrinks.  Numbers come from
 * programs and are checked here and nowhere else.
 */
#include "9p/private.h"

enum {
    FIRST_ROOM = 16,
    LOOK = 4096, /* numbers looked at before others get the lock */
};

struct fd_table {
    uint32_t ref;         /* [a] */
    struct spinlock lock; /* RANK_FDTABLE; guards all below */
    struct chan **fd;     /* NULL: free */
    int room;
    int free; /* no fd below it is free */
};

struct fd_table *
fds_new(void)
{
    struct fd_table *t = kzalloc(sizeof *t);

    if (!t)
        return NULL;
    t->ref = 1;
    spin_init(&t->lock, RANK_FDTABLE, "fd table");
    return t;
}

void
fds_ref(struct fd_table *t)
{
    __atomic_add_fetch(&t->ref, 1, __ATOMIC_RELAXED);
}

void
fds_unref(struct fd_table *t)
{
    if (!t || __atomic_sub_fetch(&t->ref, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (int i = 0; i < t->room; i++)
        chan_close(t->fd[i]);
    kfree(t->fd);
    kfree(t);
}

/* Room for at least n; the caller holds t->lock.  0, -E_NOMEM, -E_MAXFD. */
static int
grow(struct fd_table *t, int n)
{
    struct chan **fd;
    int room = t->room ? t->room : FIRST_ROOM;

    if (n > MAX_FDS)
        return -E_MAXFD;
    while (room < n)
        room *= 2;
    if (room == t->room)
        return 0;
    fd = kzalloc((size_t)room * sizeof *fd);
    if (!fd)
        return -E_NOMEM;
    if (t->room)
        memcpy(fd, t->fd, (size_t)t->room * sizeof *fd);
    kfree(t->fd);
    t->fd = fd;
    t->room = room;
    return 0;
}

/*
 * A table of its own with the same open files, one reference more to each, at
 * the same numbers: what rfork(RFFDG) makes.  Both processes then share each
 * file's offset, but what one opens the other does not see.  NULL: no
 * memory, and every reference is as before.
 *
 * Lab 4.3
 */
struct fd_table *
fds_copy(struct fd_table *from)
{
    struct fd_table *t = fds_new();
    int err = -E_NOMEM;

    if (!t)
        return NULL;
    spin_lock(&from->lock);
    t->free = from->free;
    if (from->room > 0) {
        t->fd = kmalloc((size_t)from->room * sizeof *t->fd);
        for (int i = 0; t->fd && i < from->room; i++) {
            t->fd[i] = from->fd[i];
            if (t->fd[i])
                chan_ref(t->fd[i]);
        }
        t->room = t->fd ? from->room : 0;
    }
    err = t->room == from->room ? 0 : -E_NOMEM;
    spin_unlock(&from->lock);
    if (err == 0)
        return t;
    fds_unref(t);
    return NULL;
}

/* What is at fd, NULL if nothing; the caller holds t->lock. */
static struct chan *
at(const struct fd_table *t, int fd)
{
    return fd >= 0 && fd < t->room ? t->fd[fd] : NULL;
}

/*
 * May c be used for `access`, which is OREAD, OWRITE, ORDWR or FD_ANY?
 */
static bool
mode_permits(const struct chan *c, unsigned access)
{
    if ((c->flags & CHAN_MESSAGES) && access != ORDWR && access != FD_ANY)
        return false; /* the mount driver alone reads and writes there */
    return access == FD_ANY || c->mode == ORDWR || c->mode == access;
}

/*
 * Is t the running process's alone?  Then no other changes it: only its own
 * rfork makes it shared, and a reader of /proc, which counts meanwhile, changes
 * nothing.  Acquire: what a process did that shared it until now is seen.
 */
static bool
unshared(const struct fd_table *t)
{
    return __atomic_load_n(&t->ref, __ATOMIC_ACQUIRE) == 1;
}

/*
 * The open file behind fd of the running process, whatever number fd is, with
 * a reference for the caller: it stays open though another process that
 * shares the table closes fd now.  0; -E_BADFD: nothing is open there;
 * -E_BADUSE: not open for `access` (mode_permits), and no reference is kept.
 *
 * Lab 4.3
 */
int
fd_chan(int fd, struct chan **out, unsigned access)
{
    struct fd_table *t = my_files()->fds;
    bool alone = unshared(t);
    struct chan *c;

    if (!alone)
        spin_lock(&t->lock);
    c = at(t, fd);
    if (c)
        chan_ref(c);
    if (!alone)
        spin_unlock(&t->lock);
    if (!c)
        return -E_BADFD;
    if (!mode_permits(c, access)) {
        chan_close(c);
        return -E_BADUSE;
    }
    *out = c;
    return 0;
}

/*
 * Put c at the lowest number of the running process that is free, whose table
 * may have to grow: that number, and c's reference is the table's now.
 * -E_MAXFD, -E_NOMEM: it is still the caller's.  No number below t->free is
 * free; keep that true without looking at all of them each time.
 *
 * Lab 4.3
 */
int
fd_new(struct chan *c)
{
    struct fd_table *t = my_files()->fds;
    int fd, err;

    spin_lock(&t->lock);
    for (fd = t->free; fd < t->room && t->fd[fd]; fd++)
        ;
    err = grow(t, fd + 1);
    if (err == 0) {
        t->fd[fd] = c;
        t->free = fd + 1;
    }
    spin_unlock(&t->lock);
    return err ? err : fd;
}

/*
 * Put c, whose reference it takes if it succeeds, at fd, and close what was
 * there.  fd; -E_BADFD: a negative number; -E_MAXFD: one of MAX_FDS or more;
 * -E_NOMEM.  A close may wait for a server, so it never happens under a
 * spinlock.
 *
 * Lab 4.3
 */
int
fd_put(struct chan *c, int fd)
{
    struct fd_table *t = my_files()->fds;
    struct chan *old = NULL;
    int err;

    if (fd < 0)
        return -E_BADFD;
    spin_lock(&t->lock);
    err = fd < MAX_FDS ? grow(t, fd + 1) : -E_MAXFD;
    if (err == 0) {
        old = t->fd[fd];
        t->fd[fd] = c;
    }
    spin_unlock(&t->lock);
    chan_close(old);
    return err ? err : fd;
}

/* Room for fd, but the array is made before the lock is taken, since it may be
 * long.  0, -E_NOMEM. */
static int
grow_apart(struct fd_table *t, int fd)
{
    struct chan **new, **old;
    int room = FIRST_ROOM;

    while (room <= fd)
        room *= 2;
    new = kzalloc((size_t)room * sizeof *new);
    if (!new)
        return -E_NOMEM;
    spin_lock(&t->lock);
    old = new;
    if (t->room < room) {
        old = t->fd;
        memcpy(new, old, (size_t)t->room * sizeof *new);
        t->fd = new;
        t->room = room;
    }
    spin_unlock(&t->lock);
    kfree(old);
    return 0;
}

int
fd_place(struct chan *c, int fd)
{
    struct fd_table *t = my_files()->fds;
    struct chan *old;
    int err;

    if (fd < 0 || fd >= MAX_FD_PLACED)
        return fd < 0 ? -E_BADFD : -E_MAXFD;
    if (fd >= t->room) { /* it never shrinks */
        err = grow_apart(t, fd);
        if (err < 0)
            return err;
    }
    spin_lock(&t->lock);
    old = t->fd[fd];
    t->fd[fd] = c;
    spin_unlock(&t->lock);
    chan_close(old);
    return fd;
}

bool
fds_too_many(struct fd_table *t)
{
    return t->room > MAX_FDS;
}

/*
 * Close fd of the running process: its number is free from the moment on in
 * which anybody could see it closed.  0, -E_BADFD.
 *
 * Lab 4.3
 */
int
fd_close(int fd)
{
    struct fd_table *t = my_files()->fds;
    struct chan *c;

    spin_lock(&t->lock);
    c = at(t, fd);
    if (c) {
        t->fd[fd] = NULL;
        if (fd < t->free)
            t->free = fd;
    }
    spin_unlock(&t->lock);
    if (!c)
        return -E_BADFD;
    chan_close(c);
    return 0;
}

/* The first open fd of the caller's that is at least fd; -1: none. */
int
fd_next(int fd)
{
    struct chan *c = fds_next(my_files()->fds, &fd);

    chan_close(c);
    return c ? fd : -1;
}

/* exec: close what was opened with OCEXEC. */
void
fds_close_cexec(struct fd_table *t)
{
    for (int fd = 0; fd < t->room; fd++) {
        struct chan *c;

        spin_lock(&t->lock);
        c = at(t, fd);
        if (c && c->flags & CHAN_CEXEC) {
            t->fd[fd] = NULL;
            if (fd < t->free)
                t->free = fd;
        } else {
            c = NULL;
        }
        spin_unlock(&t->lock);
        chan_close(c);
    }
}

/* The open file at the first fd of t not below *fd, which it becomes, with a
 * reference; NULL: no more. */
struct chan *
fds_next(struct fd_table *t, int *fd)
{
    struct chan *c = NULL;
    bool more = true;

    while (!c && more) {
        int end;

        spin_lock(&t->lock);
        end = *fd + LOOK < t->room ? *fd + LOOK : t->room;
        while (*fd < end && !t->fd[*fd])
            ++*fd;
        if (*fd < end) {
            c = t->fd[*fd];
            chan_ref(c);
        }
        more = *fd < t->room;
        spin_unlock(&t->lock);
    }
    return c;
}

bool
fds_holds_alone(struct fd_table *t,
        bool (*is)(const struct chan *, const void *), const void *arg)
{
    bool found = false;

    for (int fd = 0; fd < t->room && !found;) { /* it never shrinks */
        spin_lock(&t->lock);
        for (int n = 0; n < LOOK && fd < t->room && !found; n++, fd++) {
            const struct chan *c = t->fd[fd];

            found = c && __atomic_load_n(&c->ref, __ATOMIC_RELAXED) == 1 &&
                    is(c, arg);
        }
        spin_unlock(&t->lock);
    }
    return found && __atomic_load_n(&t->ref, __ATOMIC_RELAXED) == 1;
}
