/*
 * dev_dup.c - #d, the caller's open files by number: opening `3` gives the
 * channel that fd 3 is, and `3ctl` tells about it.
 */
#include "9p/private.h"

/* qid.path of fd's file, and of its ctl file: never the root's 0. */
enum {
    CTL = 1,
};

static uint64_t
path_of(int fd, bool ctl)
{
    return 2 + 2 * (uint64_t)fd + (ctl ? CTL : 0);
}

static int
fd_of(const struct chan *c)
{
    return (int)(c->qid.path / 2 - 1);
}

static bool
is_ctl(const struct chan *c)
{
    return c->qid.path & CTL;
}

/* "12" or "12ctl": the fd, and *ctl; -1: neither. */
static int
parse(const char *name, bool *ctl)
{
    int fd = 0;

    if (*name < '0' || *name > '9' ||
            (*name == '0' && name[1] >= '0' && name[1] <= '9'))
        return -1;
    for (; *name >= '0' && *name <= '9' && fd < MAX_FDS; name++)
        fd = fd * 10 + *name - '0';
    *ctl = strcmp(name, "ctl") == 0;
    return fd < MAX_FDS && (*ctl || !*name) ? fd : -1;
}

/* The entry of fd's file: 1, or 0 if fd is not open. */
static int
fill(struct devent *e, int fd, bool ctl)
{
    static const uint32_t perm[] = {
        [OREAD] = 0400, [OWRITE] = 0200, [ORDWR] = 0600
    };
    struct chan *c;

    if (fd_chan(fd, &c, FD_ANY) < 0)
        return 0;
    snprint(e->name, sizeof e->name, "%d%s", fd, ctl ? "ctl" : "");
    strlcpy(e->user, my_files()->user, sizeof e->user);
    e->qid.path = path_of(fd, ctl);
    e->perm = ctl ? 0400 : c->mode == CHAN_NOT_OPEN ? 0 : perm[c->mode];
    chan_close(c);
    return 1;
}

/* The i-th of all the open files and their ctl files. */
static int
nth(int i, struct devent *e)
{
    int fd = -1;

    for (int n = i / 2; n >= 0; n--) {
        fd = fd_next(fd + 1);
        if (fd < 0)
            return 0;
    }
    return fill(e, fd, i % 2);
}

static int
dup_gen(struct chan *c, const char *name, int i, struct devent *e)
{
    bool ctl;
    int fd;

    if (name) {
        fd = parse(name, &ctl);
        return fd < 0 ? 0 : fill(e, fd, ctl);
    }
    if (i == DEV_PARENT || c->qid.path == 0) {
        if (i >= 0)
            return nth(i, e);
        strlcpy(e->name, "fd", sizeof e->name);
        e->qid.type = QTDIR;
        e->perm = DMDIR | 0555;
        return 1;
    }
    return i == DEV_SELF ? fill(e, fd_of(c), is_ctl(c)) : 0;
}

/* The fd's own channel, if that permits mode. */
static int
dup_open_as(struct chan *c, unsigned mode, struct chan **out)
{
    int err;

    if (c->qid.path == 0 || is_ctl(c))
        return 0;
    if ((mode & ~(unsigned)OTRUNC) > ORDWR)
        return -E_PERM;
    err = fd_chan(fd_of(c), out, mode & 3);
    return err ? err : 1;
}

/* One line: fd, mode, device and instance, qid, offset, path. */
static int64_t
dup_read(struct chan *c, struct io *to, uint64_t offset)
{
    char text[2 * MAX_PATH];
    struct chan *of;
    int n;

    if (c->qid.type & QTDIR)
        return dev_read_dir(c, to, offset);
    n = fd_chan(fd_of(c), &of, FD_ANY);
    if (n < 0)
        return n;
    n = fd_line(fd_of(c), of, text, sizeof text);
    chan_close(of);
    return io_put_text(to, offset, text, (size_t)n);
}

const struct dev dup_dev = {
    .letter = 'd',
    .name = "dup",
    .gen = dup_gen,
    .open_as = dup_open_as,
    .read = dup_read,
};
