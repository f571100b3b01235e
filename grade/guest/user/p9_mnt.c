/*
 * p9_mnt.c - the mount driver with a server that does as it should: each
 * operation, long reads and writes, small messages, answers in any order and
 * in any pieces, and nothing left behind.
 */
#include "p9_server.h"

static uint8_t buf[BIG + 1000];

static void
read_all_of_big(unsigned step)
{
    int fd = open("/n/big", OREAD);
    int64_t n, total = 0;

    MUST(fd >= 0);
    while ((n = read(fd, buf + total, step)) > 0)
        total += n;
    CHECK_EQ(n, 0);
    MUST(total == BIG);
    for (unsigned i = 0; i < BIG; i++)
        MUST(buf[i] == big_byte(i));
    close(fd);
}

/* Open, read, stat and close reach the server and come back. */
TEST(read_a_file)
{
    struct server *s = mounted(NULL);
    int fd = open("/n/a", OREAD);

    MUST(fd >= 0);
    CHECK_EQ(read(fd, buf, 100), 13);
    CHECK(memcmp(buf, "hello from a\n", 13) == 0);
    CHECK_EQ(read(fd, buf, 100), 0);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(s->seen[Topen], 1);
    unmounted(s);
}

/* One read of more than a message holds is several messages. */
TEST(long_read)
{
    struct server *s = mounted(NULL);
    int fd = open("/n/big", OREAD);

    MUST(fd >= 0);
    CHECK_EQ(read(fd, buf, BIG + 500), BIG);
    for (unsigned i = 0; i < BIG; i++)
        MUST(buf[i] == big_byte(i));
    CHECK_EQ(s->seen[Tread], 5); /* the fifth is short */
    close(fd);
    read_all_of_big(777);
    read_all_of_big(65536);
    unmounted(s);
}

static enum verdict
check_writes(struct server *s, struct fcall *t, struct fcall *r)
{
    static uint64_t at;

    if (t->type != Twrite)
        return SEND;
    CHECK_EQ(t->offset, at);
    for (uint32_t i = 0; i < t->count; i++)
        MUST(t->data[i] == big_byte(at + i));
    at += t->count;
    if (at == 2 * 65536ul + 1000) /* as if it was full */
        r->count = 400;
    (void)s;
    return SEND;
}

/* A long write, too; and a short count ends it. */
TEST(long_write)
{
    struct server *s = mounted(check_writes);
    int fd = open("/n/a", OWRITE);

    for (unsigned i = 0; i < BIG; i++)
        buf[i] = big_byte(i);
    MUST(fd >= 0);
    CHECK_EQ(write(fd, buf, 2 * 65536 + 1000), 2 * 65536 + 400);
    CHECK_EQ(s->seen[Twrite], 3);
    close(fd);
    unmounted(s);
}

/* The smallest messages: all works, only slower. */
TEST(small_messages)
{
    struct server *s = &the_server;
    char version[32] = VERSION_9P, path[MAX_PATH];

    s->most = 512;
    server_start(s);
    MUST(rfork(RFNAMEG) == 0);
    CHECK_EQ(fversion(s->client, 8192, version, sizeof version), 512);
    MUST(mount(s->client, -1, "/n", MREPL, "") == 0);
    CHECK_EQ(s->seen[Tversion], 1);
    read_all_of_big(10000);
    CHECK_EQ(access("/n/dir/x", AEXIST), 0);
    strlcpy(path, "/n", sizeof path);
    while (strlen(path) < MAX_PATH - 17) /* the longest path: one Twalk */
        strlcat(path, "/fifteen-letters", sizeof path);
    CHECK_EQ(access(path, AEXIST), -E_NOEXIST);
    unmounted(s);
}

static enum verdict
too_small(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)s;
    if (t->type == Tversion)
        r->msize = 511;
    return SEND;
}

/* A server that wants still smaller ones is refused. */
TEST(messages_too_small)
{
    struct server *s = &the_server;

    s->hook = too_small;
    server_start(s);
    MUST(rfork(RFNAMEG) == 0);
    CHECK_EQ(mount(s->client, -1, "/n", MREPL, ""), -E_VERSION);
    server_end(s);
}

static enum verdict
unknown_once(struct server *s, struct fcall *t, struct fcall *r)
{
    if (t->type == Tversion && s->seen[Tversion] == 1)
        r->version = "unknown";
    return SEND;
}

/* "unknown" is an error after which one may try again. */
TEST(unknown_version)
{
    struct server *s = &the_server;
    char version[32] = "9P3000";

    s->hook = unknown_once;
    server_start(s);
    MUST(rfork(RFNAMEG) == 0);
    CHECK_EQ(fversion(s->client, 0, version, sizeof version), -E_VERSION);
    strlcpy(version, "9P2000.more", sizeof version);
    CHECK_EQ(fversion(s->client, 0, version, sizeof version), 65536 + IOHDRSZ);
    CHECK_STR(version, "9P2000");
    CHECK_EQ(fversion(s->client, 1000, version, sizeof version), -E_VERSION);
    CHECK_EQ(fversion(s->client, 0, version, 3), -E_TOOBIG);
    MUST(mount(s->client, -1, "/n", MREPL, "") == 0);
    CHECK_EQ(access("/n/a", AEXIST), 0);
    CHECK_EQ(s->seen[Tversion], 2);
    unmounted(s);
}

static enum verdict
odd_errors(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)s;
    if (t->type == Topen)
        rerror_as(r, "the librarian is out to lunch");
    if (t->type == Tstat)
        rerror_as(r, "permission denied");
    return SEND;
}

/* A server's own words reach the program; known ones are known errors. */
TEST(errors)
{
    struct server *s = mounted(odd_errors);
    char text[MAX_ERR];

    CHECK_EQ(open("/n/nothing", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/n/dir/nothing", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/n/a/b", OREAD), -E_NOTDIR);
    CHECK_EQ(open("/n/a", OREAD), -E_REMOTE);
    rerror(text, sizeof text);
    CHECK_STR(text, "the librarian is out to lunch");
    CHECK_EQ(stat("/n/a", buf, sizeof buf), -E_PERM);
    unmounted(s);
}

/* A directory's entries carry the kernel's type and number. */
TEST(directory)
{
    struct server *s = mounted(NULL);
    struct dir *entries, *d;
    int fd = open("/n", OREAD);

    MUST(fd >= 0);
    MUST(dirread(fd, &entries) == 3);
    d = dirstat("/n/dir");
    MUST(d != NULL);
    CHECK_STR(entries[0].name, "a");
    CHECK_STR(entries[2].name, "dir");
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(entries[i].type, 'M');
        CHECK_EQ(entries[i].dev, d->dev);
    }
    CHECK_EQ(d->type, 'M');
    CHECK_NE(d->dev, 0);
    CHECK_EQ(d->mode, DMDIR | 0755);
    CHECK_EQ(stat("/n/dir", buf, 20), -E_SHORTSTAT);
    close(fd);
    unmounted(s);
}

/* Create, remove and wstat; a removed fid is not clunked again. */
TEST(changes)
{
    struct server *s = mounted(NULL);
    struct dir d;
    int fd = create("/n/made", ORDWR, 0600);
    unsigned clunked;

    MUST(fd >= 0);
    CHECK_EQ(s->seen[Tcreate], 1);
    CHECK_EQ(write(fd, "x", 1), 1);
    close(fd);
    clunked = s->seen[Tclunk];
    CHECK_EQ(remove("/n/a"), 0);
    CHECK_EQ(s->seen[Tremove], 1);
    CHECK_EQ(s->seen[Tclunk], clunked);
    dir_null(&d);
    d.length = 0;
    CHECK_EQ(dirwstat("/n/big", &d), 0);
    CHECK_EQ(s->seen[Twstat], 1);
    unmounted(s);
}

static enum verdict
byte_by_byte(struct server *s, struct fcall *t, struct fcall *r)
{
    int64_t n = fcall_pack(r, s->out, sizeof s->out);

    (void)t;
    for (int64_t i = 0; i < n; i++)
        send_bytes(s, s->out + i, 1);
    return DROP;
}

/* Answers may come in pieces of one byte ... */
TEST(one_byte_at_a_time)
{
    struct server *s = mounted(byte_by_byte);
    int fd = open("/n/big", OREAD);

    MUST(fd >= 0);
    CHECK_EQ(pread(fd, buf, 3000, 5), 3000);
    for (unsigned i = 0; i < 3000; i++)
        MUST(buf[i] == big_byte(i + 5));
    close(fd);
    unmounted(s);
}

enum {
    CROWD = 8
};
static unsigned held[CROWD]; /* tag, offset: a Tread each */
static uint64_t offsets[CROWD];

static enum verdict
hold_reads(struct server *s, struct fcall *t, struct fcall *r)
{
    static uint8_t all[CROWD * 64];
    size_t n = 0;

    if (t->type != Tread)
        return SEND;
    held[s->nheld] = t->tag;
    offsets[s->nheld++] = t->offset;
    if (s->nheld < CROWD)
        return DROP;
    while (s->nheld > 0) { /* the last one first, all in one write */
        s->nheld--;
        r->tag = (uint16_t)held[s->nheld];
        for (int i = 0; i < 32; i++)
            s->data[i] = big_byte(offsets[s->nheld] + (uint64_t)i);
        r->data = s->data;
        r->count = 32;
        n += (size_t)fcall_pack(r, all + n, sizeof all - n);
    }
    send_bytes(s, all, n / 2 + 3); /* and cut somewhere */
    send_bytes(s, all + n / 2 + 3, n - n / 2 - 3);
    return DROP;
}

static void
read_piece(int k)
{
    int fd = open("/n/big", OREAD);
    uint8_t piece[32];

    for (int64_t at = k; at < k + 20; at++) {
        MUST(pread(fd, piece, 32, at) == 32);
        for (int i = 0; i < 32; i++)
            MUST(piece[i] == big_byte((uint64_t)(at + i)));
    }
}

/*
 * ... or many at once, in another order: each finds its reader.
 * cpus: 1 4
 */
TEST(any_order)
{
    struct server *s = mounted(hold_reads);
    struct waitmsg w;

    for (int i = 0; i < CROWD; i++)
        if (rfork(RFPROC | RFFDG) == 0) {
            read_piece(1000 * i);
            _exits(check_failures ? "a check failed" : NULL);
        }
    for (int i = 0; i < CROWD; i++) {
        CHECK_GT(wait(&w), 0);
        CHECK_STR(w.msg, "");
    }
    unmounted(s);
}

/* Exit and exec close what is open, and the mount is shared by children. */
TEST(exit_clunks)
{
    struct server *s = mounted(NULL);
    unsigned before = s->fids;
    struct waitmsg w;
    int pid = rfork(RFPROC | RFFDG);

    if (pid == 0) {
        static char *argv[] = { "true", NULL };

        for (int i = 0; i < 10; i++)
            MUST(open("/n/a", OREAD | (i % 2 ? OCEXEC : 0)) >= 0);
        exec("#B/bin/true", argv);
        _exits("no exec");
    }
    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_STR(w.msg, "");
    CHECK_EQ(s->fids, before);
    unmounted(s);
}

static void
mount_and_leave(void)
{
    server_start(&the_server);
    MUST(mount(the_server.client, -1, "/n", MREPL, "") == 0);
    _exits(NULL);
}

/* A mount outlives the process that made it, in the shared name space. */
TEST(outlives_its_maker)
{
    struct server *s = &the_server;
    int pid;

    MUST(rfork(RFNAMEG) == 0);
    pid = rfork(RFPROC | RFMEM | RFFDG);
    if (pid == 0)
        mount_and_leave();
    CHECK_EQ(wait_for(pid, NULL), pid);
    CHECK_EQ(access("/n/dir/x", AEXIST), 0);
    read_all_of_big(50000);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    for (int i = 0; i < 10000 && s->fids > 0; i++)
        yield();
    CHECK_EQ(s->fids, 0);
}

/* No other process reads or writes where messages go. */
TEST(connection_is_reserved)
{
    struct server *s = mounted(NULL);

    CHECK_EQ(read(s->client, buf, 10), -E_BADUSE);
    CHECK_EQ(write(s->client, buf, 10), -E_BADUSE);
    CHECK_EQ(access("/n/a", AEXIST), 0);
    CHECK_EQ(open("#M", OREAD), -E_PERM);
    CHECK_EQ(open("#M/a", OREAD), -E_PERM);
    unmounted(s);
}

/* The only process that could answer gets an error, and does not wait for
 * itself. */
TEST(own_server)
{
    int fds[2], pid;

    MUST(pipe(fds) == 0);
    CHECK_EQ(mount(fds[0], -1, "/n", MREPL, ""), -E_MOUNT);
    pid = rfork(RFPROC | RFFDG);
    if (pid == 0) {
        the_server.most = 8192;
        the_server.fd = fds[1];
        close(fds[0]);
        serve(&the_server);
        _exits(NULL);
    }
    CHECK_EQ(mount(fds[0], -1, "/n", MREPL, ""), 0);
    CHECK_EQ(access("/n/a", AEXIST), 0);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    close(fds[0]);
    close(fds[1]);
    CHECK_EQ(wait_for(pid, NULL), pid);
}

/* Two trees of one server: one connection, two roots. */
TEST(two_attaches)
{
    struct server *s = mounted(NULL);

    CHECK_EQ(mount(s->client, -1, "/mnt", MREPL, "other"), 0);
    CHECK_EQ(s->seen[Tversion], 1);
    CHECK_EQ(s->seen[Tattach], 2);
    CHECK_EQ(access("/mnt/a", AEXIST), 0);
    CHECK_EQ(unmount(NULL, "/mnt"), 0);
    CHECK_EQ(access("/n/a", AEXIST), 0);
    unmounted(s);
}

static void
everything_once(void)
{
    struct server *s = mounted(NULL);
    int fd = open("/n/big", OREAD);

    MUST(read(fd, buf, BIG) == BIG);
    access("/n/dir/x", AEXIST);
    access("/n/dir/y", AEXIST);
    close(fd);
    unmounted(s);
}

/* A connection leaves no memory behind. */
TEST(gives_back)
{
    check_gives_back(everything_once);
}

enum {
    MANY_CLIENTS = 100
};

/*
 * A hundred clients at once.
 * cpus: 1 8
 * limit: 60
 */
TEST(hundred_clients)
{
    struct server *s = mounted(NULL);
    struct waitmsg w;
    unsigned before = s->fids;

    for (int i = 0; i < MANY_CLIENTS; i++)
        if (rfork(RFPROC | RFFDG) == 0) {
            read_piece(i * 100);
            _exits(check_failures ? "a check failed" : NULL);
        }
    for (int i = 0; i < MANY_CLIENTS; i++) {
        CHECK_GT(wait(&w), 0);
        CHECK_STR(w.msg, "");
    }
    CHECK_EQ(s->fids, before);
    unmounted(s);
}

/* Instructions that one open and close take now. */
static uint64_t
cost(void)
{
    uint64_t before = nsec();

    for (int i = 0; i < 20; i++)
        close(open("/n/a", OREAD));
    return (nsec() - before) / 20;
}

/*
 * 100,000 fids: the next one costs what the first did.
 * mem: 512M
 * shifts: 0
 * limit: 20
 */
TEST(many_fids)
{
    struct server *s = mounted(NULL);
    uint64_t before, after;
    int pids[30];

    cost();
    before = cost();
    for (unsigned i = 0; i < ARRAY_LEN(pids); i++) {
        pids[i] = rfork(RFPROC | RFFDG);
        if (pids[i] == 0) {
            for (int k = 0; k < 3350; k++)
                MUST(open("/n/a", OREAD) >= 0);
            rendezvous((uint64_t)getpid(), 0);
            _exits(check_failures ? "a check failed" : NULL);
        }
        for (unsigned want = s->fids / 3350 * 3350 + 3350; s->fids < want;)
            sleep(1000000);
    }
    CHECK_GT(s->fids, 100000);
    after = cost();
    check_record("info open and close: %lu ns with %u fids, %lu ns without",
            after, s->fids, before);
    CHECK_LT(after, before + before / 4);
    for (unsigned i = 0; i < ARRAY_LEN(pids); i++)
        rendezvous((uint64_t)pids[i], 0);
    for (unsigned i = 0; i < ARRAY_LEN(pids); i++)
        wait(NULL);
    unmounted(s);
}
