/*
 * test_9p_mount.c - files of a 9P server: a walk, a read, and servers that
 * answer with numbers that cannot be.
 */
#include "9p_script.h"

enum {
    MSIZE = 512,
    MOST = MSIZE - IOHDRSZ, /* bytes of one read */
};

/* What the server is like. */
static struct {
    unsigned walkable; /* of the names of a walk */
    unsigned extra;    /* qids or bytes more than right */
    uint64_t size;     /* of each file */
    uint64_t bad_at;   /* reading there is an error; 0: nowhere */
    uint32_t iounit;
    uint8_t type; /* of the file opened */
    const uint8_t *data;
    unsigned reads;
    uint64_t last_offset;
    uint32_t last_count;
} server;

static uint8_t pattern[4096];

static void
fail(struct fcall *r, const char *text)
{
    r->type = Rerror;
    r->ename = text;
}

static void
answer_walk(const struct fcall *t, struct fcall *r)
{
    unsigned n = t->nwname < server.walkable ? t->nwname : server.walkable;

    if (n == 0 && t->nwname > 0 && server.extra == 0) {
        fail(r, "file does not exist");
        return;
    }
    r->nwqid = (uint16_t)(n + server.extra);
    for (unsigned i = 0; i < r->nwqid; i++)
        r->wqid[i] = (struct qid){ .path = 100 + i };
}

static void
answer_read(const struct fcall *t, struct fcall *r)
{
    uint64_t left = t->offset < server.size ? server.size - t->offset : 0;

    server.reads++;
    server.last_offset = t->offset;
    server.last_count = t->count;
    r->count = left < t->count ? (uint32_t)left : t->count;
    r->count += server.extra;
    r->data = server.data + t->offset % 1000;
    if (server.bad_at && t->offset >= server.bad_at)
        fail(r, "i/o error");
}

static void
answer(const struct fcall *t, struct fcall *r)
{
    switch (t->type) {
    case Tattach: r->qid = (struct qid){ .path = 1, .type = QTDIR }; break;
    case Twalk: answer_walk(t, r); break;
    case Topen:
        r->qid = (struct qid){ .path = 9, .type = server.type };
        r->iounit = server.iounit;
        break;
    case Tread: answer_read(t, r); break;
    default: break;
    }
}

static struct chan *
mount_begin(void)
{
    struct chan *root = NULL;

    memset(&server, 0, sizeof server);
    server.walkable = MAXWELEM;
    server.data = pattern;
    for (unsigned i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i % 251);
    script_begin(MSIZE);
    script.answer = answer;
    CHECK_EQ(mnt_attach(script.chan, NULL, "", &root), 0);
    CHECK_EQ(script.conn->fids.used, 1);
    return root;
}

static void
mount_end(struct chan *root)
{
    chan_close(root);
    CHECK_EQ(script.conn->fids.used, 0);
    CHECK_EQ(script.conn->tags.used, 0);
    script_end();
}

static const char *const names[] = { "usr", "glenda", "lib" };

/* Field of the last message: little-endian, n bytes from at. */
static uint64_t
last_sent(unsigned at, unsigned n)
{
    const uint8_t *p = script.sent[script.nsent - 1]->data + at;
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

/* All names there: one message, one new fid, clunked in the end. */
KTEST(mount_walk)
{
    struct chan *root = mount_begin(), *c;
    struct qid qids[3];
    uint32_t fid;

    CHECK_EQ(chan_walk(root, names, 3, qids, &c), 3);
    CHECK_EQ(script.nsent, 2);
    CHECK_EQ(sent_type(1), Twalk);
    CHECK_EQ(last_sent(15, 2), 3);
    fid = (uint32_t)last_sent(11, 4);
    CHECK(fid != last_sent(7, 4));
    CHECK_EQ(qids[0].path, 100);
    CHECK_EQ(qids[2].path, 102);
    CHECK_EQ(c->qid.path, 102);
    CHECK_EQ(c->devno, root->devno);
    CHECK_EQ(script.conn->fids.used, 2);
    CHECK_EQ(script.chan->ref, 3); /* ours, root's, c's */
    chan_close(c);
    CHECK_EQ(sent_type(2), Tclunk);
    CHECK_EQ(last_sent(7, 4), fid);
    mount_end(root);
}

/* Some names there: their qids, and no fid, so nothing to clunk. */
KTEST(mount_walk_partial)
{
    struct chan *root = mount_begin(), *c = NULL;
    struct qid qids[3];

    server.walkable = 2;
    CHECK_EQ(chan_walk(root, names, 3, qids, &c), 2);
    CHECK(c == NULL);
    CHECK_EQ(qids[1].path, 101);
    CHECK_EQ(script.conn->fids.used, 1);
    CHECK_EQ(script.nsent, 2);
    server.walkable = 0;
    CHECK_EQ(chan_walk(root, names, 3, qids, &c), -E_NOEXIST);
    CHECK_EQ(script.conn->fids.used, 1);
    CHECK_EQ(script.nsent, 3);
    mount_end(root);
}

/* No names at all: another fid for the same file. */
KTEST(mount_clone)
{
    struct chan *root = mount_begin(), *c;

    CHECK_EQ(chan_walk(root, NULL, 0, NULL, &c), 0);
    CHECK_EQ(last_sent(15, 2), 0);
    CHECK_EQ(c->qid.path, 1);
    CHECK_EQ(c->qid.type, QTDIR);
    CHECK_EQ(script.conn->fids.used, 2);
    chan_close(c);
    mount_end(root);
}

/* A walk that took more steps than there were names, or none. */
KTEST(mount_walk_lies)
{
    struct chan *root = mount_begin(), *c = NULL;
    struct qid qids[3];

    server.extra = 1;
    CHECK_EQ(chan_walk(root, names, 3, qids, &c), -E_REMOTE);
    CHECK(strcmp(err_text(-E_REMOTE),
                  "mount rpc error: walk of another number of names") == 0);
    CHECK_EQ(script.conn->broken, -E_BADMSG);
    CHECK(c == NULL);
    mount_end(root);
    root = mount_begin();
    server.extra = 1;
    CHECK_EQ(chan_walk(root, NULL, 0, NULL, &c), -E_REMOTE);
    mount_end(root);
}

/* Read n bytes at offset into a buffer: the call's result. */
static uint8_t got[4096];

static int64_t
read_at(struct chan *c, uint64_t offset, size_t n)
{
    struct io to = io_kernel(got, n);

    memset(got, 0xee, sizeof got);
    server.reads = 0;
    return chan_read(c, &to, offset);
}

/* Open the root as if it had been walked to as what server.type says. */
static void
open_as_served(struct chan *c)
{
    c->qid.type = server.type;
    CHECK_EQ(chan_open(c, OREAD), 0);
}

/* As many messages as it takes, up to the first that brings less. */
KTEST(mount_read)
{
    struct chan *c = mount_begin();

    open_as_served(c);
    server.size = 700;
    CHECK_EQ(read_at(c, 0, 2000), 700);
    CHECK_EQ(server.reads, 2);
    CHECK(memcmp(got, pattern, 700) == 0);
    CHECK_EQ(got[700], 0xee);
    CHECK_EQ(read_at(c, 600, 2000), 100);
    CHECK_EQ(server.reads, 1);
    CHECK(memcmp(got, pattern + 600, 100) == 0);
    CHECK_EQ(read_at(c, 700, 10), 0);
    CHECK_EQ(read_at(c, 0, 0), 0);
    CHECK_EQ(read_at(c, 10, 50), 50);
    CHECK_EQ(server.last_count, 50);
    mount_end(c);
}

/* No question whose answer is known: all that was wanted is there. */
KTEST(mount_read_exact)
{
    struct chan *c = mount_begin();

    open_as_served(c);
    server.size = 2 * MOST;
    CHECK_EQ(read_at(c, 0, 2 * MOST), 2 * MOST);
    CHECK_EQ(server.reads, 2);
    CHECK_EQ(server.last_offset, MOST);
    CHECK_EQ(server.last_count, MOST);
    CHECK_EQ(read_at(c, 0, 2 * MOST + 1), 2 * MOST);
    CHECK_EQ(server.reads, 3);
    CHECK_EQ(server.last_count, 1);
    mount_end(c);
}

/* A server that takes less at a time says so when it opens. */
KTEST(mount_iounit)
{
    struct chan *c = mount_begin();

    server.iounit = 100;
    server.size = 250;
    open_as_served(c);
    CHECK_EQ(read_at(c, 0, 1000), 250);
    CHECK_EQ(server.reads, 3);
    CHECK_EQ(server.last_count, 100);
    mount_end(c);
}

/* An error behind bytes that are there: the bytes first. */
KTEST(mount_read_error)
{
    struct chan *c = mount_begin();

    open_as_served(c);
    server.size = 2000;
    server.bad_at = MOST;
    CHECK_EQ(read_at(c, 0, 1000), MOST);
    CHECK_EQ(read_at(c, MOST, 1000), -E_IO);
    mount_end(c);
}

/* More data than asked for would lie behind the buffer. */
KTEST(mount_read_lies)
{
    struct chan *c = mount_begin();

    open_as_served(c);
    server.size = 1000;
    server.extra = 4;
    CHECK_EQ(read_at(c, 0, 20), -E_REMOTE);
    CHECK(strcmp(err_text(-E_REMOTE),
                  "mount rpc error: more data than asked for") == 0);
    CHECK_EQ(got[0], 0xee);
    CHECK_EQ(script.conn->broken, -E_BADMSG);
    mount_end(c);
}

/* Directories: one message a read, and whose files they are says the kernel. */
KTEST(mount_read_directory)
{
    struct dir d = { .type = 7, .dev = 8, .name = "file", .uid = "u" };
    struct chan *c = mount_begin();
    static uint8_t entries[512];
    int64_t n;

    d.gid = d.muid = "";
    n = dir_pack(&d, entries, sizeof entries);
    server.data = entries;
    server.type = QTDIR;
    server.size = (uint64_t)n;
    open_as_served(c);
    CHECK_EQ(read_at(c, 0, (size_t)n), n);
    CHECK_EQ(got[2], 'M');
    CHECK_EQ(got[4], c->devno);
    server.size = MOST;
    memset(entries, 0, sizeof entries);
    CHECK_EQ(read_at(c, 0, 4000), -E_REMOTE);
    CHECK(strcmp(err_text(-E_REMOTE), "mount rpc error: malformed directory") ==
            0);
    mount_end(c);
}

KTEST(mount_read_directory_once)
{
    struct dir d = { .name = "0123456789", .uid = "", .gid = "", .muid = "" };
    struct chan *c = mount_begin();
    static uint8_t entries[1200];
    char last[120];
    size_t n = 0;

    while (n + 2 * 59 <= MOST)
        n += (size_t)dir_pack(&d, entries + n, 59);
    memset(last, 'x', sizeof last);
    last[MOST - n - 49] = '\0'; /* one message, full to its last byte */
    d.name = last;
    n += (size_t)dir_pack(&d, entries + n, MOST - n);
    CHECK_EQ(n, MOST);
    server.data = entries;
    server.type = QTDIR;
    server.size = n;
    open_as_served(c);
    CHECK_EQ(read_at(c, 0, 4000), n);
    CHECK_EQ(server.reads, 1);
    mount_end(c);
}
