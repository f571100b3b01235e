/*
 * p9_line.c - a server on a line that does not tell when a client goes
 * (srv.h: stall): clients that die in the middle of a message, at each place,
 * and others that begin before or after that is noticed.
 */
#include "check.h"
#include "lib/9p/srv.h"

enum {
    MS = 1000000,
    STALL = 80 * MS,
    DATA = 200
};

static volatile unsigned writes, ended;
static int line; /* our end */

static int
on_attach(struct fid *f, const char *aname)
{
    (void)aname;
    f->qid = (struct qid){ .path = 1 };
    return 0;
}

static int
on_clone(struct fid *from, struct fid *to)
{
    (void)from, (void)to;
    return 0;
}

static int
on_walk(struct fid *f, const char *name)
{
    (void)f, (void)name;
    return -E_NOEXIST;
}

static int
on_open(struct fid *f, unsigned mode)
{
    (void)f, (void)mode;
    return 0;
}

static int
on_write(struct req *r, struct fid *f)
{
    (void)f;
    writes++;
    r->r.count = r->t.count;
    return 0;
}

static const struct srv_ops ops = { .attach = on_attach,
    .clone = on_clone,
    .walk = on_walk,
    .open = on_open,
    .write = on_write };

/* A server that begins again after each session that fails. */
static void
begin(void)
{
    struct server s = { .ops = &ops, .msize = 1024, .stall = STALL };
    int fds[2], pid;

    MUST(pipe(fds) == 0);
    pid = rfork(RFPROC | RFMEM | RFFDG | RFNOWAIT);
    MUST(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        while (serve(&s, fds[1], fds[1]) < 0)
            ended++;
        _exits(NULL);
    }
    close(fds[1]);
    line = fds[0];
}

/* f as bytes: how many. */
static size_t
packed(const struct fcall *f, uint8_t *buf)
{
    int64_t n = fcall_pack(f, buf, 1024);

    MUST(n > 0);
    return (size_t)n;
}

static size_t
packed_version(uint8_t *buf)
{
    return packed(&(struct fcall){ .type = Tversion,
                          .tag = NOTAG,
                          .msize = 1024,
                          .version = VERSION_9P },
            buf);
}

static size_t
packed_write(uint8_t *buf)
{
    static uint8_t data[DATA];

    return packed(&(struct fcall){ .type = Twrite,
                          .tag = 5,
                          .fid = 1,
                          .count = DATA,
                          .data = data },
            buf);
}

/* The next answer's type; those to a dead client's write are passed over. */
static uint8_t
answer(void)
{
    static uint8_t buf[1024];
    struct fcall r;
    int64_t n;

    do {
        n = read(line, buf, sizeof buf);
        MUST(n > 0);
        CHECK_EQ(fcall_unpack(buf, (size_t)n, &r), 0);
    } while (r.tag == 5 && r.type == Rwrite);
    return r.type;
}

static void
ask(const struct fcall *f, uint8_t type)
{
    uint8_t buf[1024];
    size_t n = packed(f, buf);

    CHECK_EQ(write(line, buf, n), n);
    CHECK_EQ(answer(), type);
}

/* A client's beginning, after its Tversion. */
static void
attach(void)
{
    ask(&(struct fcall){ .type = Tattach,
                .tag = 1,
                .fid = 1,
                .afid = NOFID,
                .uname = "u",
                .aname = "" },
            Rattach);
    ask(&(struct fcall){ .type = Topen, .tag = 1, .fid = 1, .mode = OWRITE },
            Ropen);
}

/* A server, and the first client's whole beginning. */
static void
begin_session(void)
{
    uint8_t buf[1024];
    size_t n = packed_version(buf);

    begin();
    CHECK_EQ(write(line, buf, n), n);
    CHECK_EQ(answer(), Rversion);
    attach();
}

/*
 * A client sends all but the last `missing` bytes of a Twrite, and dies; after
 * `pause` another sends its Tversion, the first `first` bytes apart.
 */
static void
die_and_begin(size_t missing, uint64_t pause, size_t first)
{
    uint8_t buf[1024];
    size_t n = packed_write(buf);

    CHECK_EQ(write(line, buf, n - missing), n - missing);
    if (pause > 0)
        sleep(pause);
    n = packed_version(buf);
    if (first > 0) {
        CHECK_EQ(write(line, buf, first), first);
        sleep(2 * MS); /* so that it is read apart */
    }
    CHECK_EQ(write(line, buf + first, n - first), n - first);
    CHECK_EQ(answer(), Rversion);
    attach();
}

static const size_t missing[] = { 1, 2, 3, 4, 7, 12, 18, 20, 21, 100, DATA,
    DATA + 10, DATA + 20 };

/* limit: 60 */
TEST(next_client_at_once)
{
    static const size_t first[] = { 0, 1, 4, 5, 12, 18 };

    begin_session();
    for (unsigned i = 0; i < ARRAY_LEN(missing); i++)
        for (unsigned k = 0; k < ARRAY_LEN(first); k++)
            die_and_begin(missing[i], 0, first[k]);
    close(line);
}

/* limit: 60 */
TEST(next_client_later)
{
    begin_session();
    for (unsigned i = 0; i < ARRAY_LEN(missing); i++) {
        unsigned before = ended;

        die_and_begin(missing[i], 2 * STALL, 0);
        CHECK_EQ(ended, before + 1);
    }
    CHECK_EQ(writes, 0);
    close(line);
}

/* Bytes that come slowly are a message; between messages all may rest. */
TEST(slow_is_not_dead)
{
    uint8_t buf[1024];
    size_t n = packed_write(buf);

    begin_session();
    for (size_t i = 0; i < n; i += 20) {
        CHECK_EQ(write(line, buf + i, n - i < 20 ? n - i : 20),
                n - i < 20 ? n - i : 20);
        sleep(STALL / 2);
    }
    sleep(5 * STALL);
    CHECK_EQ(writes, 1);
    CHECK_EQ(ended, 0);
    ask(&(struct fcall){ .type = Tclunk, .tag = 2, .fid = 1 }, Rclunk);
    close(line);
}

/* Data that look like a client's beginning are data. */
TEST(version_as_data)
{
    uint8_t data[DATA], buf[1024];
    size_t n = packed_version(buf), whole;

    begin_session();
    memset(data, 'x', sizeof data);
    memcpy(data + DATA - n, buf, n);
    whole = packed(&(struct fcall){ .type = Twrite,
                           .tag = 6,
                           .fid = 1,
                           .count = DATA,
                           .data = data },
            buf);
    CHECK_EQ(write(line, buf, 50), 50);
    sleep(5 * MS);
    CHECK_EQ(write(line, buf + 50, whole - 50), whole - 50);
    CHECK_EQ(answer(), Rwrite);
    CHECK_EQ(writes, 1);
    close(line);
}
