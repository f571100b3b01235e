/*
 * sys_file.c - system calls about files; user/lib/lux.h has their contracts.
 *
 * Each copies what it is given, finds the channel, and leaves the work to the
 * device.  A process that shares its table may close a file under another's
 * hands: so each call holds a reference while it works.
 */
#include "9p/private.h"
#include "sched/syscall.h"

enum {
    MAX_STAT = 4096, /* bytes of a directory entry */
    NAME_AT = 41,    /* where the name begins in one (stat(5)) */
};

/* A path from user memory, and the channel it names. */
static int
open_user(uint64_t path, enum name_for why, uint64_t mode, uint64_t perm,
        struct chan **out)
{
    char buf[MAX_PATH];
    int err = copy_path_in(buf, path);

    if (err < 0)
        return err;
    if (mode > UINT32_MAX || perm > UINT32_MAX)
        return -E_OPENMODE;
    return name_open(buf, why, (unsigned)mode, (uint32_t)perm, out);
}

/* An open channel becomes an fd, or is closed. */
static int64_t
give_fd(struct chan *c)
{
    int fd = fd_new(c);

    if (fd < 0)
        chan_close(c);
    return fd;
}

int64_t
sys_open(uint64_t path, uint64_t mode)
{
    struct chan *c;
    int err = open_user(path, NAME_OPEN, (uint32_t)mode, 0, &c);

    return err ? err : give_fd(c);
}

int64_t
sys_create(uint64_t path, uint64_t mode, uint64_t perm)
{
    struct chan *c;
    int err = open_user(path, NAME_CREATE, (uint32_t)mode, (uint32_t)perm, &c);

    return err ? err : give_fd(c);
}

int64_t
sys_close(uint64_t fd)
{
    return fd_close((int)fd);
}

/* ---- reading and writing ---- */

/*
 * A directory is read from its start or on from where the last read ended,
 * one reader at a time.  offset FD_OFFSET is the latter.
 */
static int64_t
read_dir(struct chan *c, struct io *to, int64_t offset)
{
    bool is_union = c->join && c->join->n > 1;
    int64_t n = qlock_noted(&c->lock);

    if (n < 0)
        return n;
    n = -E_DIROFFSET;
    if (offset == -1)
        offset = (int64_t)c->dir_offset;
    if (is_union && to->left == 0) { /* it would look like a part's end */
        n = 0;
    } else if (offset == 0 || offset == (int64_t)c->dir_offset) {
        n = is_union ? union_read(c, to, offset == 0)
                     : chan_read(c, to, (uint64_t)offset);
        if (n >= 0)
            c->dir_offset = (uint64_t)(offset + n);
    }
    qunlock(&c->lock);
    return n;
}

/* Is [offset, offset + n) a range that a file may have? */
static bool
good_range(int64_t offset, uint64_t n)
{
    return offset >= 0 && n <= (uint64_t)(INT64_MAX - offset);
}

int64_t
sys_pread(uint64_t fd, uint64_t buf, uint64_t n, uint64_t off)
{
    struct io to = io_user(buf, n < MAX_IO ? n : MAX_IO);
    int64_t offset = (int64_t)off, got;
    struct chan *c;
    int err = fd_chan((int)fd, &c, OREAD);

    if (err)
        return err;
    if (c->qid.type & QTDIR) {
        got = read_dir(c, &to, offset);
    } else {
        if (offset == -1)
            offset = (int64_t)__atomic_load_n(&c->offset, __ATOMIC_RELAXED);
        got = good_range(offset, to.left) ? chan_read(c, &to, (uint64_t)offset)
                                          : -E_OFFSET;
        if (got > 0 && (int64_t)off == -1)
            __atomic_add_fetch(&c->offset, (uint64_t)got, __ATOMIC_RELAXED);
    }
    chan_close(c);
    return got;
}

static int64_t
write_at(struct chan *c, struct io *from, int64_t offset)
{
    if (!good_range(offset, from->left))
        return -E_OFFSET;
    return chan_write(c, from, (uint64_t)offset);
}

/* At c's own offset.  The place is taken before the bytes are there: another
 * process that shares the offset writes behind it, not over it. */
static int64_t
write_next(struct chan *c, struct io *from)
{
    uint64_t n = from->left, offset, unused;
    int64_t got;

    offset = __atomic_fetch_add(&c->offset, n, __ATOMIC_RELAXED);
    got = write_at(c, from, (int64_t)offset);
    unused = n - (got > 0 ? (uint64_t)got : 0);
    if (unused > 0)
        __atomic_sub_fetch(&c->offset, unused, __ATOMIC_RELAXED);
    return got;
}

int64_t
sys_pwrite(uint64_t fd, uint64_t buf, uint64_t n, uint64_t off)
{
    struct io from = io_user(buf, n);
    int64_t offset = (int64_t)off, got;
    struct chan *c;
    int err = n <= MAX_IO ? fd_chan((int)fd, &c, OWRITE) : -E_BADLEN;

    if (err)
        return err;
    if (c->qid.type & QTDIR)
        got = -E_ISDIR;
    else
        got = offset == -1 ? write_next(c, &from) : write_at(c, &from, offset);
    chan_close(c);
    return got;
}

/* ---- directory entries ---- */

/* An entry goes by the name it was reached by, which is not what a server
 * calls its root.  Bytes of the entry at buf then; -E_SHORTSTAT. */
static int64_t
rename_entry(uint8_t *buf, int64_t n, size_t room, const char *name)
{
    size_t old = (size_t)buf[NAME_AT] | (size_t)buf[NAME_AT + 1] << 8;
    size_t len = strlen(name), total = (size_t)n - old + len;
    uint8_t *at = buf + NAME_AT + 2;

    if (total > room)
        return -E_SHORTSTAT;
    memmove(at + len, at + old, (size_t)n - (NAME_AT + 2) - old);
    memcpy(at, name, len);
    buf[NAME_AT] = (uint8_t)len;
    buf[NAME_AT + 1] = (uint8_t)(len >> 8);
    buf[0] = (uint8_t)(total - 2);
    buf[1] = (uint8_t)((total - 2) >> 8);
    return (int64_t)total;
}

/* The entry of c to user memory. */
static int64_t
stat_chan(struct chan *c, uint64_t to, uint64_t n)
{
    size_t room = n < MAX_STAT ? n : MAX_STAT;
    uint8_t *buf = kmalloc(room);
    int64_t got;
    int err = 0;

    if (!buf)
        return -E_NOMEM;
    got = chan_stat(c, buf, room);
    if (got > 0 && c->path && c->path->from)
        got = rename_entry(buf, got, room, path_last(c->path));
    if (got > 0)
        err = copy_out(to, buf, (size_t)got);
    kfree(buf);
    return err < 0 ? err : got;
}

int64_t
sys_stat(uint64_t path, uint64_t buf, uint64_t n)
{
    struct chan *c;
    int64_t got = open_user(path, NAME_ACCESS, 0, 0, &c);

    if (got < 0)
        return got;
    got = stat_chan(c, buf, n);
    chan_close(c);
    return got;
}

int64_t
sys_fstat(uint64_t fd, uint64_t buf, uint64_t n)
{
    struct chan *c;
    int64_t got = fd_chan((int)fd, &c, FD_ANY);

    if (got < 0)
        return got;
    got = stat_chan(c, buf, n);
    chan_close(c);
    return got;
}

/* Change c as the entry in user memory says.  Its bytes, -E_BADSTAT. */
static int64_t
wstat_chan(struct chan *c, uint64_t from, uint64_t n)
{
    uint8_t *buf = n <= MAX_STAT ? kmalloc(n) : NULL;
    int64_t got;

    if (!buf)
        return n <= MAX_STAT ? -E_NOMEM : -E_BADSTAT;
    got = copy_in(buf, from, n);
    if (got == 0 && dir_check(buf, n) != (int64_t)n)
        got = -E_BADSTAT;
    if (got == 0)
        got = chan_wstat(c, buf, n);
    kfree(buf);
    return got < 0 ? got : (int64_t)n;
}

int64_t
sys_wstat(uint64_t path, uint64_t buf, uint64_t n)
{
    struct chan *c;
    int64_t got = open_user(path, NAME_ACCESS, 0, 0, &c);

    if (got < 0)
        return got;
    got = wstat_chan(c, buf, n);
    chan_close(c);
    return got;
}

int64_t
sys_fwstat(uint64_t fd, uint64_t buf, uint64_t n)
{
    struct chan *c;
    int64_t got = fd_chan((int)fd, &c, FD_ANY);

    if (got < 0)
        return got;
    got = wstat_chan(c, buf, n);
    chan_close(c);
    return got;
}

/* ---- the rest ---- */

/* Where the end is: what the file's entry says. */
static int64_t
file_length(struct chan *c)
{
    uint8_t *buf = kmalloc(MAX_STAT);
    struct dir d;
    int64_t n;

    if (!buf)
        return -E_NOMEM;
    n = chan_stat(c, buf, MAX_STAT / 2);
    if (n > 0)
        n = dir_unpack(buf, (size_t)n, &d, (char *)buf + MAX_STAT / 2);
    kfree(buf);
    if (n < 0)
        return n;
    return d.length <= INT64_MAX ? (int64_t)d.length : -E_OFFSET;
}

static int64_t
seek_chan(struct chan *c, int64_t off, uint64_t whence)
{
    int64_t base = 0;

    if (c->dev == &pipe_dev)
        return -E_STREAM;
    if (whence > SEEK_END)
        return -E_BADARG;
    if (c->qid.type & QTDIR && (off != 0 || whence != SEEK_SET))
        return -E_ISDIR;
    if (whence == SEEK_CUR)
        base = (int64_t)__atomic_load_n(&c->offset, __ATOMIC_RELAXED);
    else if (whence == SEEK_END)
        base = file_length(c);
    if (base < 0)
        return base;
    if (off < 0 ? base + off < 0 : off > INT64_MAX - base)
        return -E_OFFSET;
    if (c->qid.type & QTDIR) {
        if (qlock_noted(&c->lock) < 0)
            return -E_INTR;
        c->dir_offset = 0;
        qunlock(&c->lock);
    }
    __atomic_store_n(&c->offset, (uint64_t)(base + off), __ATOMIC_RELAXED);
    return base + off;
}

int64_t
sys_seek(uint64_t fd, uint64_t off, uint64_t whence)
{
    struct chan *c;
    int64_t got = fd_chan((int)fd, &c, FD_ANY);

    if (got < 0)
        return got;
    got = seek_chan(c, (int64_t)off, (uint32_t)whence);
    chan_close(c);
    return got;
}

int64_t
sys_remove(uint64_t path)
{
    struct chan *c;
    int err = open_user(path, NAME_REMOVE, 0, 0, &c);

    if (err)
        return err;
    err = chan_remove(c);
    chan_close(c);
    return err;
}

int64_t
sys_fd2path(uint64_t fd, uint64_t to, uint64_t n)
{
    size_t len, room;
    char *buf = NULL;
    struct chan *c;
    int err = fd_chan((int)fd, &c, FD_ANY);

    if (err)
        return err;
    len = path_text(c->path, NULL, 0);
    room = n <= len ? n : len + 1;
    if (room > 0) {
        buf = kmalloc(room);
        if (!buf)
            err = -E_NOMEM;
        else
            path_text(c->path, buf, room);
    }
    chan_close(c);
    if (!err && room > 0)
        err = copy_out(to, buf, room);
    kfree(buf);
    return err ? err : (int64_t)len;
}

int64_t
sys_dup(uint64_t old, uint64_t to)
{
    struct chan *c;
    int fd = fd_chan((int)old, &c, FD_ANY);

    if (fd < 0)
        return fd;
    fd = (int)to == -1 ? fd_new(c) : fd_put(c, (int)to);
    if (fd < 0)
        chan_close(c);
    return fd;
}

int64_t
sys_rerror(uint64_t to, uint64_t n)
{
    char text[MAX_ERR];
    size_t len = strlcpy(text, my_files()->error, sizeof text);
    size_t room = n < sizeof text ? n : sizeof text;
    int err = 0;

    if (room > 0) {
        text[room - 1] = '\0';
        err = copy_out(to, text, strlen(text) + 1);
    }
    return err ? err : (int64_t)len;
}
