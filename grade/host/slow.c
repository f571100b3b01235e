/*
 * slow.c - a file server that keeps its clients waiting, for tests of
 * requests in flight.
 *
 * Its root has `fast`, whose reads are answered at once; `wait`, whose reads
 * wait until a byte is written to `go` or they are flushed; and `open`, which
 * waits so when it is opened.  Each request has a thread.
 */
#include "lib/9p/srv.h"

int usleep(unsigned us);

static const char usage[] = "usage: slow -i [-p n]\n"
                            "  -p n  at most n requests at a time\n";

enum node {
    ROOT,
    FAST,
    WAIT,
    GO,
    OPEN,
    NNODE
};

static const char *const names[NNODE] = { "/", "fast", "wait", "go", "open" };
static uint32_t go; /* semaphore */

static void
stand_for(struct fid *f, enum node n)
{
    f->aux = (void *)(uintptr_t)n;
    f->qid = (struct qid){ .path = n, .type = n == ROOT ? QTDIR : 0 };
}

static enum node
node_of(const struct fid *f)
{
    return (enum node)(uintptr_t)f->aux;
}

static int
slow_attach(struct fid *f, const char *aname)
{
    (void)aname;
    stand_for(f, ROOT);
    return 0;
}

static int
slow_clone(struct fid *from, struct fid *to)
{
    (void)from, (void)to;
    return 0;
}

static int
slow_walk(struct fid *f, const char *name)
{
    for (unsigned n = 0; n < NNODE; n++) {
        if (strcmp(names[n], name) == 0) {
            stand_for(f, (enum node)n);
            return 0;
        }
    }
    return -E_NOEXIST;
}

/* Until a client writes to `go`; a flush ends it, as a note would. */
static int
wait_for_go(const bool *flushed)
{
    while (semacquire(&go, 0) == 0) {
        if (*(const volatile bool *)flushed)
            return -E_INTR;
        usleep(2000);
    }
    return 0;
}

static int
slow_open(struct fid *f, unsigned mode)
{
    static const bool never;

    (void)mode;
    return node_of(f) == OPEN ? wait_for_go(&never) : 0;
}

static int
slow_read(struct req *r, struct fid *f)
{
    int err = node_of(f) == WAIT ? wait_for_go(&r->flushed) : 0;

    r->r.count = r->t.count < 4 ? r->t.count : 4;
    r->r.data = memcpy(req_room(r), "data", r->r.count);
    return err;
}

static int
slow_write(struct req *r, struct fid *f)
{
    if (node_of(f) == GO)
        semrelease(&go, r->t.count);
    r->r.count = r->t.count;
    return 0;
}

static int
slow_stat(struct fid *f, struct dir *d, char *strs)
{
    (void)strs;
    *d = (struct dir){
        .qid = f->qid,
        .name = names[node_of(f)],
        .uid = "none",
        .gid = "none",
        .muid = "none",
    };
    return 0;
}

static const struct srv_ops slow_ops = {
    .attach = slow_attach,
    .clone = slow_clone,
    .walk = slow_walk,
    .open = slow_open,
    .read = slow_read,
    .write = slow_write,
    .stat = slow_stat,
};

int
main(int argc, char **argv)
{
    struct server s = { .ops = &slow_ops, .parallel = true };

    ARGBEGIN
    {
    case 'p': s.pending = (uint32_t)EARGN(); break;
    case 'i': break;
    default: ARGBAD();
    }
    ARGEND
    serve(&s, 0, 1);
    return 0;
}
