/*
 * exportfs.c - offers a name space, or a part of it, over a connection.
 *
 * Each fid has a path, and once it is open a descriptor; what the client asks
 * becomes the same system call here.  Any of them may block, so each request
 * has a process (srv.h: parallel), and a flush interrupts the call.
 *
 * Whoever is at the other end acts as the user who started exportfs.
 */
#include "lib/9p/srv.h"

static const char usage[] =
        "usage: exportfs [-r] [-i | -f file | -s name] [dir]\n"
        "Serve the files below dir (/) as this process sees them.\n"
        "  -i       to one client, on descriptors 0 and 1\n"
        "  -f file  to one client after the other, on this file\n"
        "  -s name  in the background, posted as /srv/name (exportfs)\n"
        "  -r       for reading only\n"
        "Each request has a process; `kill -g` ends them all.\n";

enum {
    CLOSED = -1
};

struct node { /* a fid's aux */
    int fd;   /* CLOSED, or the open file */
    char path[MAX_PATH];
};

static char root[MAX_PATH] = "/";
static bool read_only;

/* A number whose every bit depends on every bit of x (splitmix64). */
static uint64_t
mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* To the client this is one file server: files of different devices must
 * not have the same qid.path, and type and dev are ours alone. */
static void
make_ours(struct dir *d)
{
    d->qid.path = mix(d->qid.path + mix((uint64_t)d->type << 32 | d->dev));
    d->type = 0;
    d->dev = 0;
}

/* Describe n's file; the strings go to strs.  0, or -E_... */
static int
node_stat(const struct node *n, struct dir *d, char *strs)
{
    uint8_t buf[STAT_MAX];
    int64_t len = n->fd != CLOSED ? fstat(n->fd, buf, sizeof(buf))
                                  : stat(n->path, buf, sizeof(buf));

    if (len < 0)
        return (int)len;
    if (dir_unpack(buf, (size_t)len, d, strs) < 0)
        return -E_BADSTAT;
    make_ours(d);
    return 0;
}

/* fid's qid is that of the file its path leads to now.  0, or -E_... */
static int
look(struct fid *f)
{
    char strs[STAT_MAX];
    struct dir d;
    int err = node_stat(f->aux, &d, strs);

    if (err == 0)
        f->qid = d.qid;
    return err;
}

static int
export_attach(struct fid *f, const char *aname)
{
    struct node *n = malloc(sizeof(*n));

    if (n == NULL)
        return -E_NOMEM;
    f->aux = n;
    n->fd = CLOSED;
    strlcpy(n->path, root, sizeof(n->path));
    if (aname[0] != '\0' && strcmp(aname, "/") != 0)
        return -E_BADSPEC;
    return look(f);
}

static int
export_clone(struct fid *from, struct fid *to)
{
    struct node *n = malloc(sizeof(*n));

    if (n == NULL)
        return -E_NOMEM;
    *n = *(struct node *)from->aux;
    n->fd = CLOSED;
    to->aux = n;
    return 0;
}

/* Cut the last element off path; the root stays. */
static void
path_up(char *path)
{
    char *slash = strrchr(path, '/');

    if (strcmp(path, root) == 0 || slash == NULL)
        return;
    slash[slash == path] = '\0';
}

static int
export_walk(struct fid *f, const char *name)
{
    struct node *n = f->aux;
    char path[MAX_PATH];

    if (strcmp(name, "..") == 0) {
        path_up(n->path);
        return look(f);
    }
    if (!path_join(path, sizeof(path), n->path, name))
        return -E_TOOBIG;
    strlcpy(n->path, path, sizeof(n->path));
    return look(f);
}

/* Does mode only read? */
static bool
mode_reads(unsigned mode)
{
    return !(mode & (OTRUNC | ORCLOSE)) && (mode & 3) != OWRITE &&
           (mode & 3) != ORDWR;
}

/* f's file is open as fd; if it cannot be looked at it is closed again. */
static int
opened(struct fid *f, int fd)
{
    struct node *n = f->aux;
    int err;

    n->fd = fd;
    err = look(f);
    if (err < 0) {
        close(fd);
        n->fd = CLOSED;
    }
    return err;
}

static int
export_open(struct fid *f, unsigned mode)
{
    struct node *n = f->aux;
    int fd;

    if (read_only && !mode_reads(mode))
        return -E_PERM;
    fd = open(n->path, mode & ~ORCLOSE);
    return fd < 0 ? fd : opened(f, fd);
}

static int
export_create(struct fid *f, const char *name, unsigned mode, uint32_t perm)
{
    struct node *n = f->aux;
    char path[MAX_PATH];
    int fd, err;

    if (read_only)
        return -E_PERM;
    if (!path_join(path, sizeof(path), n->path, name))
        return -E_TOOBIG;
    fd = create(path, (mode & ~ORCLOSE) | OEXCL, perm);
    if (fd < 0)
        return fd;
    err = opened(f, fd);
    if (err == 0)
        strlcpy(n->path, path, sizeof(n->path));
    return err;
}

/* The entries in the n bytes at buf, as the client is to see them.  0, or
 * -E_BADSTAT. */
static int
translate(uint8_t *buf, int64_t n)
{
    char strs[STAT_MAX];
    struct dir d;

    while (n > 0) {
        int64_t len = dir_unpack(buf, n < STAT_MAX ? n : STAT_MAX, &d, strs);

        if (len < 0)
            return -E_BADSTAT;
        make_ours(&d);
        dir_pack(&d, buf, (size_t)len);
        buf += len;
        n -= len;
    }
    return 0;
}

static int
export_read(struct req *r, struct fid *f)
{
    struct node *n = f->aux;
    uint8_t *to = req_room(r);
    int64_t got = pread(n->fd, to, r->t.count, (int64_t)r->t.offset);

    if (got < 0)
        return (int)got;
    r->r.data = to;
    r->r.count = (uint32_t)got;
    return f->qid.type & QTDIR ? translate(to, got) : 0;
}

static int
export_write(struct req *r, struct fid *f)
{
    struct node *n = f->aux;
    int64_t put = pwrite(n->fd, r->t.data, r->t.count, (int64_t)r->t.offset);

    if (put < 0)
        return (int)put;
    r->r.count = (uint32_t)put;
    return 0;
}

static int
export_stat(struct fid *f, struct dir *d, char *strs)
{
    return node_stat(f->aux, d, strs);
}

static int
export_wstat(struct fid *f, const struct dir *d)
{
    struct node *n = f->aux;
    char path[MAX_PATH];
    int64_t done;

    if (read_only)
        return -E_PERM;
    strlcpy(path, n->path, sizeof(path));
    path_up(path);
    if (d->name[0] != '\0' && !path_join(path, sizeof(path), path, d->name))
        return -E_TOOBIG;
    done = dirwstat(n->path, d);
    if (done < 0)
        return (int)done;
    if (d->name[0] != '\0' && strcmp(n->path, root) != 0)
        strlcpy(n->path, path, sizeof(n->path));
    return 0;
}

static int
export_remove(struct fid *f)
{
    struct node *n = f->aux;

    if (read_only || strcmp(n->path, root) == 0)
        return -E_PERM;
    return remove(n->path);
}

static void
export_release(struct fid *f)
{
    struct node *n = f->aux;

    if (n != NULL && n->fd != CLOSED)
        close(n->fd);
    free(n);
}

static const struct srv_ops export_ops = {
    .attach = export_attach,
    .clone = export_clone,
    .walk = export_walk,
    .open = export_open,
    .create = export_create,
    .read = export_read,
    .write = export_write,
    .stat = export_stat,
    .wstat = export_wstat,
    .remove = export_remove,
    .release = export_release,
};

/* The directory to be served, as an absolute path in root. */
static void
find_root(const char *dir)
{
    if (chdir(dir) < 0 || getwd(root, sizeof(root)) == NULL)
        fatal("%s: %r", dir);
}

/* Serve what comes on the file; after a client that broke the rules comes
 * the next, which begins with a Tversion. */
static void
serve_file(const struct server *s, const char *name)
{
    int fd = open(name, ORDWR);

    if (fd < 0)
        fatal("%s: %r", name);
    while (serve(s, fd, fd) < 0)
        sleep(100000000);
}

int
main(int argc, char **argv)
{
    struct server s = { .ops = &export_ops, .parallel = true };
    const char *name = "exportfs", *file = NULL;
    bool inherited = false;
    int fd;

    ARGBEGIN
    {
    case 'f': file = EARG(); break;
    case 'i': inherited = true; break;
    case 'r': read_only = true; break;
    case 's': name = EARG(); break;
    default: ARGBAD();
    }
    ARGEND
    if (argc > 1)
        usage_die(usage);
    find_root(argc == 1 ? argv[0] : "/");
    if (file != NULL) {
        serve_file(&s, file);
    } else if (inherited) {
        serve(&s, 0, 1);
    } else {
        fd = srv_background(name, NULL);
        if (fd < 0)
            fatal("/srv/%s: %r", name);
        serve(&s, fd, fd);
    }
    return 0;
}
