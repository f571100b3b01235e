/*
 * p9_keep.c - lib9p with a server that keeps requests and answers them later:
 * what the client does not want any more the server hears of once, answers
 * once, and gives back.
 *
 * The server has one file besides its root.  Its reads are kept until a write
 * of n bytes to it lets the n oldest go, or a flush, if `obeys`, ends one.
 * Server and test share memory.
 */
#include "check.h"
#include "lib/9p/srv.h"

enum {
    MOST = 60, /* requests kept at a time */
    MSIZE = 8192,
    FILE_PATH = 1,
    FID_ROOT = 0,
    FID_FILE = 1,
};

static struct qlock kept_lock;
static struct req *kept[MOST]; /* [kept_lock] oldest first */
static volatile unsigned nkept;
static volatile unsigned asked, told, answered; /* in all */
static volatile unsigned files;                 /* fids that are alive */
static volatile bool obeys;
static volatile int64_t blocks_before, blocks_after; /* of the server's heap */

/* ---- the server ---- */

static void
keep(struct req *r)
{
    qlock(&kept_lock);
    kept[nkept++] = r;
    asked++;
    qunlock(&kept_lock);
}

/* Take this request (NULL: the oldest) out of those kept; NULL: it is not
 * there. */
static struct req *
unkeep(struct req *r)
{
    unsigned at = 0;

    qlock(&kept_lock);
    while (r != NULL && at < nkept && kept[at] != r)
        at++;
    r = at < nkept ? kept[at] : NULL;
    if (r != NULL) {
        nkept--;
        memmove(&kept[at], &kept[at + 1], (nkept - at) * sizeof(*kept));
        answered++;
    }
    qunlock(&kept_lock);
    return r;
}

/* Answer the n oldest, or as many as there are, with four bytes each. */
static void
answer_oldest(unsigned n)
{
    struct req *r;

    while (n-- > 0 && (r = unkeep(NULL)) != NULL) {
        r->r.data = memcpy(req_room(r), "late", 4);
        r->r.count = 4;
        req_answer(r, 0);
    }
}

static void
keep_flush(struct req *r)
{
    told++;
    if (obeys && unkeep(r) != NULL)
        req_answer(r, -E_INTR);
}

static int
keep_attach(struct fid *f, const char *aname)
{
    (void)aname;
    f->qid.type = QTDIR;
    files++;
    return 0;
}

static int
keep_clone(struct fid *from, struct fid *to)
{
    (void)from, (void)to;
    files++;
    return 0;
}

static int
keep_walk(struct fid *f, const char *name)
{
    if (strcmp(name, "file") != 0)
        return -E_NOEXIST;
    f->qid = (struct qid){ .path = FILE_PATH };
    return 0;
}

static int
keep_open(struct fid *f, unsigned mode)
{
    (void)f, (void)mode;
    return 0;
}

static int
keep_read(struct req *r, struct fid *f)
{
    int err = f->qid.path == FILE_PATH ? req_later(r) : -E_PERM;

    if (err < 0)
        return err;
    keep(r);
    return REQ_LATER;
}

static int
keep_write(struct req *r, struct fid *f)
{
    (void)f;
    answer_oldest(r->t.count);
    r->r.count = r->t.count;
    return 0;
}

static void
keep_release(struct fid *f)
{
    (void)f;
    files--;
}

static const struct srv_ops keep_ops = { .attach = keep_attach,
    .clone = keep_clone,
    .walk = keep_walk,
    .open = keep_open,
    .read = keep_read,
    .write = keep_write,
    .release = keep_release,
    .flush = keep_flush };

/* A write to a client that is gone fails, no more. */
static void
go_on(struct ureg *u, char *note)
{
    (void)u, (void)note;
    noted(NCONT);
}

static volatile bool helped; /* another process of the server's answers, too */

/* Answer what waits until the server is done; it has the server's memory and
 * descriptors. */
static int
start_helper(void)
{
    int pid = rfork(RFPROC | RFMEM);

    MUST(pid >= 0);
    if (pid == 0) {
        notify(go_on);
        while (helped) {
            answer_oldest(1);
            yield();
        }
        _exits(NULL);
    }
    return pid;
}

/* The server's process. */
static void
keep_serve(int fd)
{
    static const struct server server = { .ops = &keep_ops, .msize = MSIZE };
    int helper = helped ? start_helper() : -1;

    notify(go_on);
    blocks_before = malloc_check();
    serve(&server, fd, fd);
    blocks_after = malloc_check();
    helped = false;
    if (helper >= 0)
        CHECK_EQ(wait_for(helper, NULL), helper);
}

/* Serve one connection, in a process of its own: its pid; *client is our end. */
static int
start(int *client)
{
    int fds[2], pid;

    MUST(pipe(fds) == 0);
    pid = rfork(RFPROC | RFMEM | RFFDG);
    MUST(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        keep_serve(fds[1]);
        _exits(NULL);
    }
    close(fds[1]);
    *client = fds[0];
    return pid;
}

/* The server has ended, and is as it was before. */
static void
check_ended(int pid)
{
    CHECK_EQ(wait_for(pid, NULL), pid);
    CHECK_EQ(nkept, 0);
    CHECK_EQ(answered, asked);
    CHECK_EQ(files, 0);
    CHECK_EQ(blocks_after, blocks_before);
}

/* ---- a client that speaks for itself ---- */

static uint8_t out[MSIZE], in[MSIZE];
static struct fcall got;

static void
ask(int fd, struct fcall t)
{
    int64_t n = fcall_pack(&t, out, sizeof(out));

    MUST(n > 0 && write(fd, out, (size_t)n) == n);
}

/* The next answer is of this type and tag. */
static void
hear(int fd, uint8_t type, uint16_t tag)
{
    MUST(readn(fd, in, 4) == 4);
    MUST(readn(fd, in + 4, (size_t)(in[0] | in[1] << 8) - 4) > 0);
    MUST(fcall_unpack(in, (size_t)(in[0] | in[1] << 8), &got) == 0);
    CHECK_EQ(got.type, type);
    CHECK_EQ(got.tag, tag);
}

static void
call(int fd, struct fcall t)
{
    ask(fd, t);
    hear(fd, t.type + 1, t.tag);
}

/* A session, and the file open. */
static void
begin(int fd)
{
    call(fd, (struct fcall){ .type = Tversion,
                     .tag = NOTAG,
                     .msize = MSIZE,
                     .version = VERSION_9P });
    call(fd, (struct fcall){ .type = Tattach,
                     .fid = FID_ROOT,
                     .afid = NOFID,
                     .uname = "lux",
                     .aname = "" });
    call(fd, (struct fcall){ .type = Twalk,
                     .fid = FID_ROOT,
                     .newfid = FID_FILE,
                     .nwname = 1,
                     .wname = { "file" } });
    call(fd, (struct fcall){ .type = Topen, .fid = FID_FILE, .mode = ORDWR });
}

static void
ask_read(int fd, uint16_t tag)
{
    ask(fd, (struct fcall){
                    .type = Tread, .tag = tag, .fid = FID_FILE, .count = 100 });
}

static void
ask_flush(int fd, uint16_t tag, uint16_t oldtag)
{
    ask(fd, (struct fcall){ .type = Tflush, .tag = tag, .oldtag = oldtag });
}

/* All that was sent before has been looked at. */
static void
settle(int fd)
{
    ask_flush(fd, 900, 901);
    hear(fd, Rflush, 900);
}

/* Let n of the requests kept go.  Their answers come before ours. */
static void
ask_go(int fd, uint16_t tag, uint32_t n)
{
    static const uint8_t bytes[MOST];

    ask(fd, (struct fcall){ .type = Twrite,
                    .tag = tag,
                    .fid = FID_FILE,
                    .data = bytes,
                    .count = n });
}

static void
wait_told(unsigned n)
{
    for (int i = 0; i < 100000 && told < n; i++)
        yield();
    CHECK_EQ(told, n);
}

/* ---- tests ---- */

/* Two Tflushes of a request, and one of a Tflush: the server hears of it once;
 * the Rflushes follow its answer. */
TEST(told_once)
{
    int fd, pid = start(&fd);

    begin(fd);
    ask_read(fd, 1);
    ask_flush(fd, 2, 1);
    ask_flush(fd, 3, 1);
    ask_flush(fd, 4, 2);
    settle(fd);
    CHECK_EQ(told, 1);
    ask_go(fd, 5, 1);
    hear(fd, Rread, 1);
    hear(fd, Rflush, 2);
    hear(fd, Rflush, 4);
    hear(fd, Rflush, 3);
    hear(fd, Rwrite, 5);
    close(fd);
    check_ended(pid);
    CHECK_EQ(told, 1);
}

/* A server that gives up what is flushed: an error, then the Rflush. */
TEST(given_up)
{
    int fd, pid = start(&fd);

    begin(fd);
    obeys = true;
    ask_read(fd, 1);
    ask_read(fd, 2);
    ask_flush(fd, 3, 1);
    hear(fd, Rerror, 1);
    CHECK_STR(got.ename, "Interrupted system call");
    hear(fd, Rflush, 3);
    ask_read(fd, 1); /* the tag is free again */
    ask_go(fd, 4, 2);
    hear(fd, Rread, 2);
    hear(fd, Rread, 1);
    hear(fd, Rwrite, 4);
    CHECK_EQ(told, 1);
    close(fd);
    check_ended(pid);
}

/* The client goes, with requests and flushes pending: the server hears of each
 * request once, and the connection ends when all are answered. */
TEST(client_gone)
{
    int fd, pid = start(&fd);

    begin(fd);
    for (uint16_t tag = 1; tag <= 40; tag++)
        ask_read(fd, tag);
    for (uint16_t tag = 2; tag <= 40; tag += 2) {
        ask_flush(fd, 100 + tag, tag);
        ask_flush(fd, 200 + tag, tag);
    }
    settle(fd);
    CHECK_EQ(told, 20);
    obeys = true;
    close(fd);
    wait_told(40);
    sleep(2000000);
    CHECK_EQ(told, 40);
    CHECK_EQ(nkept, 20); /* those flushed before */
    CHECK_EQ(blocks_after, 0);
    answer_oldest(20);
    check_ended(pid);
    CHECK_EQ(told, 40);
}

/* A Tversion in between: nothing of the old session is answered, and the new
 * one may use its tags and fids. */
TEST(another_session)
{
    int fd, pid = start(&fd);

    begin(fd);
    for (uint16_t tag = 1; tag <= 10; tag++)
        ask_read(fd, tag);
    for (uint16_t tag = 1; tag <= 5; tag++)
        ask_flush(fd, 100 + tag, tag);
    settle(fd);
    obeys = true;
    ask(fd, (struct fcall){ .type = Tversion,
                    .tag = NOTAG,
                    .msize = MSIZE,
                    .version = VERSION_9P });
    wait_told(10);
    answer_oldest(5);
    hear(fd, Rversion, NOTAG);
    CHECK_EQ(files, 0);
    begin(fd);
    ask_read(fd, 1);
    ask_go(fd, 2, 1);
    hear(fd, Rread, 1);
    hear(fd, Rwrite, 2);
    close(fd);
    check_ended(pid);
    CHECK_EQ(told, 10);
}

/*
 * Another process answers while the client flushes and goes: each request is
 * answered once, and told of at most once.
 * cpus: 1 4
 * seeds: 3
 */
TEST(answers_cross)
{
    for (int round = 0; round < 20; round++) {
        CHECK_ROUND(round);
        unsigned n = 1 + check_random() % 40;
        int fd, pid;

        asked = answered = told = 0;
        obeys = round % 2;
        helped = true;
        pid = start(&fd);
        begin(fd);
        for (uint16_t tag = 1; tag <= n; tag++) {
            ask_read(fd, tag);
            if (check_random() % 2)
                ask_flush(fd, 100 + tag, 1 + (uint16_t)check_random() % tag);
            for (unsigned k = check_random() % 4; k > 0; k--)
                yield();
        }
        close(fd);
        check_ended(pid);
        CHECK(told <= asked && asked <= n);
    }
}

/* Programs that read it through the mount driver are killed, and the server
 * goes on; at the end it has nothing of theirs. */
TEST(readers_killed)
{
    int fd, pid = start(&fd), readers[5];

    obeys = true;
    MUST(rfork(RFNAMEG) == 0);
    MUST(mount(fd, -1, "/n", MREPL, "") == 0);
    for (unsigned i = 0; i < ARRAY_LEN(readers); i++) {
        readers[i] = rfork(RFPROC | RFFDG);
        if (readers[i] == 0) {
            read(open("/n/file", OREAD), in, 10);
            _exits("not killed");
        }
    }
    for (int i = 0; i < 100000 && nkept < ARRAY_LEN(readers); i++)
        yield();
    CHECK_EQ(nkept, ARRAY_LEN(readers));
    for (unsigned i = 0; i < ARRAY_LEN(readers); i++) {
        struct waitmsg w;

        postnote(NOTE_PROC, (uint32_t)readers[i], "kill");
        CHECK_EQ(wait_for(readers[i], &w), readers[i]);
        CHECK_STR(w.msg, "killed");
    }
    wait_told(ARRAY_LEN(readers));
    CHECK_EQ(access("/n/file", AEXIST), -E_PERM); /* it has no stat */
    CHECK_EQ(unmount(NULL, "/n"), 0);
    close(fd);
    check_ended(pid);
    CHECK_EQ(told, ARRAY_LEN(readers));
}
