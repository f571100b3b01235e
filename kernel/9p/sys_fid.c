/*
 * sys_fid.c - system calls with which a descriptor names a file without
 * opening it, as a fid does: a server of a name space keeps one for each of
 * its client's fids.  user/lib/file.h has their contracts.
 */
#include "9p/private.h"
#include "sched/syscall.h"

/* c, whose reference is taken, at the number `to`; -1: the lowest free one. */
static int64_t
give_fd(struct chan *c, int to)
{
    int fd = to == -1 ? fd_new(c) : fd_place(c, to);

    if (fd < 0)
        chan_close(c);
    return fd;
}

/* The file that path leads to from `at` (NULL: as open has it) on. */
static int
walk_from(struct chan *at, const char *path, struct chan **out)
{
    if (!at)
        return name_open(path, NAME_ACCESS, 0, 0, out);
    if (!path[0])
        return name_again(at, out);
    return name_open_from(at, path, NAME_ACCESS, 0, 0, out);
}

int64_t
sys_fd_walk(uint64_t fd, uint64_t path, uint64_t to)
{
    struct chan *at = NULL, *c;
    char buf[MAX_PATH];
    int err = copy_path_in(buf, path);

    if (err >= 0 && (int)fd != -1)
        err = fd_chan((int)fd, &at, FD_ANY);
    if (err < 0)
        return err;
    err = walk_from(at, buf, &c);
    chan_close(at);
    return err < 0 ? err : give_fd(c, (int)to);
}

int64_t
sys_fd_open(uint64_t fd, uint64_t mode, uint64_t to)
{
    struct chan *at, *c;
    int err = fd_chan((int)fd, &at, FD_ANY);

    if (err < 0)
        return err;
    err = name_reopen(at, (uint32_t)mode, &c);
    chan_close(at);
    return err < 0 ? err : give_fd(c, (int)to);
}

int64_t
sys_fd_create(
        uint64_t fd, uint64_t path, uint64_t mode, uint64_t perm, uint64_t to)
{
    struct chan *at, *c;
    char buf[MAX_PATH];
    int err = copy_path_in(buf, path);

    if (err >= 0)
        err = fd_chan((int)fd, &at, FD_ANY);
    if (err < 0)
        return err;
    err = name_open_from(
            at, buf, NAME_CREATE, (uint32_t)mode, (uint32_t)perm, &c);
    chan_close(at);
    return err < 0 ? err : give_fd(c, (int)to);
}

/*
 * A 9P server forgets the fid that is removed, even if it refuses; so another
 * channel is, unless this one is open, which no walk may begin at.  Where
 * something is bound it is the place that goes, as remove has it.
 */
static int
remove_file(struct chan *c)
{
    struct chan *place = c->path->from ? c->path->from : c, *own;
    int err;

    if (place->flags & CHAN_OPEN)
        return chan_remove(place);
    err = chan_clone(place, &own);
    if (err < 0)
        return err;
    err = chan_remove(own);
    chan_close(own);
    return err;
}

int64_t
sys_fd_remove(uint64_t fd)
{
    struct chan *c;
    int err = fd_chan((int)fd, &c, FD_ANY);

    if (err < 0)
        return err;
    err = remove_file(c);
    chan_close(c);
    return err;
}
