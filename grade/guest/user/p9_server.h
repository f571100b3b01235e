/*
 * p9_server.h - a 9P server inside a test, honest unless its hook says
 * otherwise, to try the mount driver with.
 *
 *      /a      "hello from a\n"
 *      /big    BIG bytes, big_byte(i) each
 *      /dir    a directory with /dir/x, empty
 *
 * It runs in a process that shares memory with the test, which so can look
 * at what the server has seen, and change what it does, at any time.
 */
#pragma once

#include "check.h"
#include <lux/fcall.h>

enum {
    MESSAGE = 80 << 10, /* room for one message */
    BIG = 300000,
    SERVER_FIDS = 1 << 17,
    HELD = 256, /* requests that a hook may keep for later */
};

enum file {
    NO_FILE, /* so that 0 is a fid not in use */
    ROOT,
    FILE_A,
    FILE_BIG,
    FILE_DIR,
    FILE_X,
    FILE_MADE,
};

enum verdict {
    SEND, /* the answer as it is now */
    DROP, /* nothing; the hook has sent, or kept the request, or neither */
};

struct server {
    int fd; /* its end, in its own process */
    int client;
    int pid;
    uint32_t msize;
    uint32_t most; /* largest message it agrees to */
    enum verdict (*hook)(struct server *s, struct fcall *t, struct fcall *r);
    volatile unsigned seen[Tmax];
    volatile unsigned fids;  /* in use */
    volatile unsigned asked; /* messages that have come */
    struct fcall held[HELD]; /* T-messages kept, for a hook's use */
    volatile unsigned nheld;
    uint8_t file[SERVER_FIDS];
    uint8_t in[MESSAGE], out[MESSAGE];
    uint8_t stat[512];
    uint8_t data[MESSAGE];
};

static struct server the_server;

static uint8_t
big_byte(uint64_t i)
{
    return (uint8_t)(i * 31 >> 3);
}

/* n bytes to the client as they are. */
static void
send_bytes(struct server *s, const void *bytes, size_t n)
{
    write(s->fd, bytes, n);
}

static void
send(struct server *s, const struct fcall *r)
{
    int64_t n = fcall_pack(r, s->out, sizeof s->out);

    if (CHECK_GT(n, 0))
        send_bytes(s, s->out, (size_t)n);
}

static struct qid
qid_of(enum file file)
{
    return (struct qid){ .path = file,
        .vers = 1,
        .type = file == ROOT || file == FILE_DIR ? QTDIR : QTFILE };
}

static enum file
lookup(enum file in, const char *name)
{
    if (strcmp(name, "..") == 0)
        return in == FILE_X ? FILE_DIR : ROOT;
    if (in == ROOT && strcmp(name, "a") == 0)
        return FILE_A;
    if (in == ROOT && strcmp(name, "big") == 0)
        return FILE_BIG;
    if (in == ROOT && strcmp(name, "dir") == 0)
        return FILE_DIR;
    if (in == FILE_DIR && strcmp(name, "x") == 0)
        return FILE_X;
    return NO_FILE;
}

static uint16_t
pack_entry(enum file file, uint8_t *buf, size_t room)
{
    static const char *const names[] = { "", "/", "a", "big", "dir", "x",
        "made" };
    struct dir d = { .qid = qid_of(file),
        .mode = 0644,
        .length = file == FILE_BIG ? BIG : 13,
        .name = names[file],
        .uid = "lux",
        .gid = "lux",
        .muid = "lux" };

    if (d.qid.type & QTDIR) {
        d.mode = DMDIR | 0755;
        d.length = 0;
    }
    return (uint16_t)dir_pack(&d, buf, room);
}

static void
rerror_as(struct fcall *r, const char *text)
{
    r->type = Rerror;
    r->ename = text;
}

/* A new fid for file; false: it is in use. */
static bool
fid_set(struct server *s, uint32_t fid, enum file file)
{
    if (!CHECK_LT(fid, SERVER_FIDS) || !CHECK_EQ(s->file[fid], NO_FILE))
        return false;
    s->file[fid] = (uint8_t)file;
    s->fids++;
    return true;
}

static void
serve_walk(struct server *s, struct fcall *t, struct fcall *r)
{
    enum file file = s->file[t->fid];

    for (r->nwqid = 0; r->nwqid < t->nwname; r->nwqid++) {
        file = lookup(file, t->wname[r->nwqid]);
        if (file == NO_FILE)
            break;
        r->wqid[r->nwqid] = qid_of(file);
    }
    if (r->nwqid == t->nwname)
        fid_set(s, t->newfid, file);
    else if (r->nwqid == 0 && (qid_of(s->file[t->fid]).type & QTDIR))
        rerror_as(r, "file does not exist");
    else if (r->nwqid == 0)
        rerror_as(r, "not a directory");
}

static void
serve_read(struct server *s, struct fcall *t, struct fcall *r)
{
    enum file file = s->file[t->fid];
    uint64_t n = t->count;

    r->data = s->data;
    r->count = 0;
    if (n > s->msize - IOHDRSZ)
        n = s->msize - IOHDRSZ;
    if (file == FILE_A && t->offset == 0) {
        memcpy(s->data, "hello from a\n", 13);
        r->count = n < 13 ? (uint32_t)n : 13;
    } else if (file == FILE_BIG && t->offset < BIG) {
        n = n < BIG - t->offset ? n : BIG - t->offset;
        for (uint64_t i = 0; i < n; i++)
            s->data[i] = big_byte(t->offset + i);
        r->count = (uint32_t)n;
    } else if (file == ROOT && t->offset == 0) {
        for (enum file f = FILE_A; f <= FILE_DIR; f++)
            r->count += pack_entry(f, s->data + r->count, 512);
    }
}

static void
serve_clunk(struct server *s, struct fcall *t)
{
    CHECK_NE(s->file[t->fid], NO_FILE);
    s->file[t->fid] = NO_FILE;
    s->fids--;
}

/* Do what an honest server does; the answer is in r. */
static void
serve_honestly(struct server *s, struct fcall *t, struct fcall *r)
{
    *r = (struct fcall){ .type = t->type + 1, .tag = t->tag };
    switch (t->type) {
    case Tversion:
        s->msize = r->msize = t->msize < s->most ? t->msize : s->most;
        r->version = VERSION_9P;
        break;
    case Tattach:
        fid_set(s, t->fid, ROOT);
        r->qid = qid_of(ROOT);
        break;
    case Twalk: serve_walk(s, t, r); break;
    case Topen: r->qid = qid_of(s->file[t->fid]); break;
    case Tcreate:
        s->file[t->fid] = FILE_MADE;
        r->qid = qid_of(FILE_MADE);
        break;
    case Tread: serve_read(s, t, r); break;
    case Twrite: r->count = t->count; break;
    case Tclunk: serve_clunk(s, t); break;
    case Tremove: serve_clunk(s, t); break;
    case Tstat:
        r->nstat = pack_entry(s->file[t->fid], s->stat, sizeof s->stat);
        r->stat = s->stat;
        break;
    default: break;
    }
}

/* Answer until the client hangs up. */
static void
serve(struct server *s)
{
    struct fcall t, r;
    int64_t n;

    while ((n = read(s->fd, s->in, sizeof s->in)) > 0) {
        if (!CHECK_EQ(fcall_unpack(s->in, (size_t)n, &t), 0))
            break;
        s->seen[t.type]++;
        s->asked++;
        serve_honestly(s, &t, &r);
        if (!s->hook || s->hook(s, &t, &r) == SEND)
            send(s, &r);
    }
}

/* Start the server; the client's end is s->client. */
static void
server_start(struct server *s)
{
    int fds[2], pid;

    if (s->most == 0)
        s->most = 65536 + IOHDRSZ;
    MUST(pipe(fds) == 0);
    s->client = fds[0];
    s->fd = fds[1];
    pid = rfork(RFPROC | RFMEM | RFFDG);
    MUST(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        serve(s);
        _exits(NULL);
    }
    s->pid = pid; /* by us: the memory is shared */
    close(fds[1]);
}

/* Wait until the server has ended, which it does when its last client is gone.
 * */
static void
server_end(struct server *s)
{
    close(s->client);
    CHECK_EQ(wait_for(s->pid, NULL), s->pid);
}

/* Start it and mount it at /n, in a name space of our own. */
static struct server *mounted(
        enum verdict (*hook)(struct server *, struct fcall *, struct fcall *))
{
    struct server *s = &the_server;

    MUST(rfork(RFNAMEG) == 0);
    s->hook = hook;
    server_start(s);
    MUST(mount(s->client, -1, "/n", MREPL | MCREATE, "") == 0);
    return s;
}

/* Unmount; the server must have no fid left, and end by itself. */
[[maybe_unused]] static void
unmounted(struct server *s)
{
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
    CHECK_EQ(s->fids, 0);
}

/* Wait until the server has seen n messages of this type. */
[[maybe_unused]] static void
wait_seen(struct server *s, unsigned type, unsigned n)
{
    for (int i = 0; i < 100000 && s->seen[type] < n; i++)
        yield();
    CHECK_GE(s->seen[type], n);
}
