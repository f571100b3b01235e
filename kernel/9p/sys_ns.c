/*
 * sys_ns.c - system calls about name spaces; user/lib/lux.h has their
 * contracts.
 */
#include "9p/private.h"
#include "sched/syscall.h"

/* The channel a user's path names for why, not open. */
static int
name_user(uint64_t path, enum name_for why, struct chan **out)
{
    char buf[MAX_PATH];
    int err = copy_path_in(buf, path);

    return err < 0 ? err : name_open(buf, why, 0, 0, out);
}

int64_t
sys_chdir(uint64_t path)
{
    struct proc_files *f = my_files();
    struct chan *c, *old = f->dot;
    int err = name_user(path, NAME_DIR, &c);

    if (err)
        return err;
    spin_lock(&proctab_lock); /* /proc shows it */
    f->dot = c;
    spin_unlock(&proctab_lock);
    chan_close(old);
    return 0;
}

int64_t
sys_bind(uint64_t new, uint64_t old, uint64_t flags)
{
    struct chan *what, *where;
    int err = name_user(new, NAME_BIND_NEW, &what);

    if (err)
        return err;
    err = name_user(old, NAME_BIND_OLD, &where);
    if (err == 0) {
        err = ns_bind(my_files()->ns, what, where, (uint32_t)flags);
        chan_close(where);
    }
    chan_close(what);
    return err;
}

/*
 * The path of a mounted tree's root: the connection's, as one name, and the
 * tree's name below it, which is how `ns` shows it.
 */
static struct path *
mount_path(const struct chan *conn, const char *aname)
{
    char text[MAX_PATH];
    struct path *up, *p;

    path_text(conn->path, text, sizeof text);
    up = path_new(NULL, text);
    p = up ? path_new(up, aname) : NULL;
    path_unref(up);
    return p;
}

/* Attach to the server behind conn, and bind the tree at `where`. */
static int
mount_chan(struct chan *conn, struct chan *auth, struct chan *where,
        unsigned flags, const char *aname)
{
    struct chan *root;
    int err = mnt_attach(conn, auth, aname, &root);

    if (err)
        return err;
    path_unref(root->path);
    root->path = mount_path(conn, aname);
    err = root->path ? ns_bind(my_files()->ns, root, where, flags) : -E_NOMEM;
    chan_close(root);
    return err;
}

int64_t
sys_mount(
        uint64_t fd, uint64_t afd, uint64_t old, uint64_t flags, uint64_t aname)
{
    char name[MAX_PATH] = "";
    struct chan *conn, *auth = NULL, *where;
    int err = aname ? copy_str_in(name, aname, sizeof name) : 0;

    if (err < 0)
        return err;
    err = fd_chan((int)fd, &conn, ORDWR);
    if (err)
        return err;
    if ((int)afd != -1)
        err = fd_chan((int)afd, &auth, ORDWR);
    if (err == 0)
        err = name_user(old, NAME_BIND_OLD, &where);
    if (err == 0) {
        err = mount_chan(conn, auth, where, (uint32_t)flags, name);
        chan_close(where);
    }
    chan_close(auth);
    chan_close(conn);
    return err;
}

/* The first name of unmount: a tree; or if it is a file that stands for
 * another (/srv/x), that one, from which a tree may have been mounted. */
static int
name_unmounted(uint64_t new, struct chan **what)
{
    struct chan *open;
    char buf[MAX_PATH];
    int err = copy_path_in(buf, new);

    if (err >= 0)
        err = name_open(buf, NAME_BIND_NEW, 0, 0, what);
    if (err < 0 || !(*what)->dev->open_as || (*what)->qid.type & QTDIR)
        return err;
    if (name_open(buf, NAME_OPEN, ORDWR, 0, &open) == 0) {
        chan_close(*what);
        *what = open;
    }
    return 0;
}

int64_t
sys_unmount(uint64_t new, uint64_t old)
{
    struct chan *what = NULL, *where;
    int err = new ? name_unmounted(new, &what) : 0;

    if (err)
        return err;
    err = name_user(old, NAME_BIND_OLD, &where);
    if (err == 0) {
        err = ns_unbind(my_files()->ns, what, where);
        chan_close(where);
    }
    chan_close(what);
    return err;
}

int64_t
sys_fversion(uint64_t fd, uint64_t msize, uint64_t version, uint64_t n)
{
    char name[MAX_NAME], answer[MAX_NAME] = "";
    struct chan *conn;
    int64_t got = copy_str_in(name, version, sizeof name);
    int err = 0;

    if (got < 0)
        return got;
    got = fd_chan((int)fd, &conn, ORDWR);
    if (got < 0)
        return got;
    got = mnt_version(conn, (uint32_t)msize, name[0] ? name : NULL, answer,
            sizeof answer);
    chan_close(conn);
    if (got >= 0 && strlen(answer) >= n)
        return -E_TOOBIG;
    if (got >= 0)
        err = copy_out(version, answer, strlen(answer) + 1);
    return err < 0 ? err : got;
}

/* An fd for one end of the pipe whose directory is dir. */
static int
pipe_fd(struct chan *dir, const char *name)
{
    struct qid qid;
    struct chan *c;
    int fd = chan_walk(dir, &name, 1, &qid, &c);

    if (fd < 0)
        return fd;
    c->path = path_new(dir->path, name);
    fd = c->path ? chan_open(c, ORDWR) : path_error(dir->path, 1);
    if (fd == 0)
        fd = fd_new(c);
    if (fd < 0)
        chan_close(c);
    return fd;
}

int64_t
sys_pipe(uint64_t fds)
{
    struct chan *dir;
    int fd[2];
    int err = dev_start('|', "", &dir);

    if (err)
        return err;
    fd[0] = pipe_fd(dir, "data");
    fd[1] = fd[0] < 0 ? fd[0] : pipe_fd(dir, "data1");
    chan_close(dir);
    err = fd[1] < 0 ? fd[1] : copy_out(fds, fd, sizeof fd);
    if (err < 0 && fd[0] >= 0)
        fd_close(fd[0]);
    if (err < 0 && fd[1] >= 0)
        fd_close(fd[1]);
    return err;
}
