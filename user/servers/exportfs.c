/*
 * exportfs.c - offers a name space, or a part of it, over a connection.
 *
 * Each fid has a descriptor that names its file (fd_walk), and is open once the
 * fid is; what the client asks becomes the same system call here.  So a fid
 * stays with its file, whatever becomes of the names that led to it.  Any call
 * may block, so each request has a process (srv.h: parallel), and a flush
 * interrupts the call.
 *
 * Whoever is at the other end acts as the user who started exportfs.
 */
#include "lib/9p/srv.h"

static const char usage[] =
        "usage: exportfs [-r] [-i | -f file | -s name] [dir]\n"
        "Serve the files below dir (/) as this process sees them.\n"
        "  -i       to one client, on descriptors 0 and 1\n"
        "  -f file  to one client after the other, on this file; a message\n"
        "           that rests for 4 s is given up\n"
        "  -s name  in the background, posted as /srv/name (exportfs)\n"
        "  -r       for reading only\n"
        "Each request has a process; `kill -g` ends them all.\n";

enum {
    FIRST_FD = 64, /* those below are for the rest of the program */
    STALL_S = 4,   /* -f: seconds for which a begun message may rest */
    NO_FD = -1
};

struct node {       /* a fid's aux */
    int fd;         /* the file, open if the fid is */
    unsigned depth; /* names below the root, which is 0 */
};

static int root = NO_FD; /* the directory that is offered */
static bool read_only;

/*
 * Numbers for descriptors.  Each is chosen here, since the kernel would have to
 * search for the lowest free one among all.
 */
static struct {
    struct qlock lock;
    int next;                 /* never used, and those above it */
    int first_free;           /* 0: none */
    int after[MAX_FD_PLACED]; /* of a free one: the next free one */
} numbers = { .next = FIRST_FD };

static int
number_take(void)
{
    int fd = -E_MAXFD;

    qlock(&numbers.lock);
    if (numbers.first_free != 0) {
        fd = numbers.first_free;
        numbers.first_free = numbers.after[fd];
    } else if (numbers.next < MAX_FD_PLACED) {
        fd = numbers.next++;
    }
    qunlock(&numbers.lock);
    return fd;
}

static void
number_put(int fd)
{
    qlock(&numbers.lock);
    numbers.after[fd] = numbers.first_free;
    numbers.first_free = fd;
    qunlock(&numbers.lock);
}

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

/* Describe the file that fd names; the strings go to strs.  0, or -E_... */
static int
describe(int fd, struct dir *d, char *strs)
{
    uint8_t buf[STAT_MAX];
    int64_t len = fstat(fd, buf, sizeof(buf));

    if (len < 0)
        return (int)len;
    if (dir_unpack(buf, (size_t)len, d, strs) < 0)
        return -E_BADSTAT;
    make_ours(d);
    return 0;
}

/*
 * n's file is now the one that got names, at the number fd, which it has got;
 * f's qid is that file's.  If got is an error, or the file cannot be looked
 * at, n is as it was.  0, or -E_...
 */
static int
become(struct fid *f, int fd, int got)
{
    struct node *n = f->aux;
    char strs[STAT_MAX];
    struct dir d;
    int err = got < 0 ? got : describe(fd, &d, strs);

    if (err < 0) {
        if (got >= 0)
            close(fd);
        number_put(fd);
        return err;
    }
    close(n->fd);
    number_put(n->fd);
    n->fd = fd;
    f->qid = d.qid;
    return 0;
}

/* A node for the file that path leads to from `from` on, in *out. */
static int
node_new(int from, unsigned depth, struct node **out)
{
    struct node *n = malloc(sizeof(*n));
    int fd = n != NULL ? number_take() : -E_NOMEM, err;

    if (fd >= 0) {
        err = fd_walk(from, "", fd);
        if (err >= 0) {
            *n = (struct node){ fd, depth };
            *out = n;
            return 0;
        }
        number_put(fd);
        fd = err;
    }
    free(n);
    return fd;
}

static int
export_attach(struct fid *f, const char *aname)
{
    char strs[STAT_MAX];
    struct node *n;
    struct dir d;
    int err;

    if (aname[0] != '\0' && strcmp(aname, "/") != 0)
        return -E_BADSPEC;
    err = node_new(root, 0, &n);
    if (err < 0)
        return err;
    f->aux = n;
    err = describe(n->fd, &d, strs);
    if (err == 0)
        f->qid = d.qid;
    return err;
}

static int
export_clone(struct fid *from, struct fid *to)
{
    struct node *old = from->aux, *n;
    int err = node_new(old->fd, old->depth, &n);

    if (err == 0)
        to->aux = n;
    return err;
}

static int
export_walk(struct fid *f, const char *name)
{
    struct node *n = f->aux;
    bool up = strcmp(name, "..") == 0;
    int fd, err;

    if (up && n->depth == 0)
        return 0;
    if (strlen(name) >= MAX_PATH)
        return -E_NAMELEN;
    fd = number_take();
    if (fd < 0)
        return fd;
    err = become(f, fd, fd_walk(n->fd, name, fd));
    if (err == 0)
        n->depth += up ? -1u : 1;
    return err;
}

/* Does mode only read? */
static bool
mode_reads(unsigned mode)
{
    return !(mode & (OTRUNC | ORCLOSE)) && (mode & 3) != OWRITE &&
           (mode & 3) != ORDWR;
}

static int
export_open(struct fid *f, unsigned mode)
{
    struct node *n = f->aux;
    int fd;

    if (read_only && !mode_reads(mode))
        return -E_PERM;
    fd = number_take();
    if (fd < 0)
        return fd;
    return become(f, fd, fd_open(n->fd, mode & ~ORCLOSE, fd));
}

static int
export_create(struct fid *f, const char *name, unsigned mode, uint32_t perm)
{
    struct node *n = f->aux;
    int fd, err;

    if (read_only)
        return -E_PERM;
    if (strlen(name) >= MAX_PATH)
        return -E_NAMELEN;
    fd = number_take();
    if (fd < 0)
        return fd;
    mode = (mode & ~ORCLOSE) | OEXCL;
    err = become(f, fd, fd_create(n->fd, name, mode, perm, fd));
    if (err == 0)
        n->depth++;
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

/* The root's name is "/", whatever it is called here: stat(5). */
static int
export_stat(struct fid *f, struct dir *d, char *strs)
{
    struct node *n = f->aux;
    int err = describe(n->fd, d, strs);

    if (err == 0 && n->depth == 0)
        d->name = "/";
    return err;
}

static int
export_wstat(struct fid *f, const struct dir *d)
{
    struct node *n = f->aux;
    struct dir change = *d;
    int64_t done;

    if (read_only)
        return -E_PERM;
    if (n->depth == 0 && strcmp(d->name, "/") == 0)
        change.name = "";
    if (n->depth == 0 && change.name[0] != '\0')
        return -E_PERM;
    done = dirfwstat(n->fd, &change);
    return done < 0 ? (int)done : 0;
}

static int
export_remove(struct fid *f)
{
    struct node *n = f->aux;

    if (read_only || n->depth == 0)
        return -E_PERM;
    return fd_remove(n->fd);
}

static void
export_release(struct fid *f)
{
    struct node *n = f->aux;

    if (n == NULL)
        return;
    close(n->fd);
    number_put(n->fd);
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

/* The directory to be offered, which stays the same one. */
static void
find_root(const char *dir)
{
    root = number_take();
    if (chdir(dir) < 0 || fd_walk(-1, ".", root) < 0)
        fatal("%s: %r", dir);
}

/* Serve what comes on the file; after a client that broke the rules, or died
 * in the middle of a message, comes the next, which begins with a Tversion. */
static void
serve_file(struct server *s, const char *name)
{
    int fd = open(name, ORDWR);

    if (fd < 0)
        fatal("%s: %r", name);
    s->stall = STALL_S * 1000000000ull;
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
