/*
 * p9_export.c - exportfs: a name space seen through a connection, calls that
 * block, and flushes that end them.
 */
#include "check.h"
#include "lib/9p/srv.h"

enum {
    MS = 1000000
};

static char text[256];

/* exportfs of `dir`: our end of its connection. */
static int
start_export(char *option, char *dir)
{
    char *argv[] = { "exportfs", "-i", option, dir, NULL };
    int fds[2], pid;

    if (option == NULL) {
        argv[2] = dir;
        argv[3] = NULL;
    }
    MUST(pipe(fds) == 0);
    pid = rfork(RFPROC | RFFDG | RFNOWAIT);
    MUST(pid >= 0);
    if (pid == 0) {
        dup(fds[1], 20);
        close(fds[0]);
        close(fds[1]);
        dup(20, 0);
        dup(20, 1);
        close(20);
        exec("#B/bin/exportfs", argv);
        _exits("no exportfs");
    }
    close(fds[1]);
    return fds[0];
}

/* The same, mounted on /mnt. */
static void
mount_export(char *option, char *dir)
{
    int fd = start_export(option, dir);

    MUST(mount(fd, -1, "/mnt", MREPL | MCREATE, "") == 0);
    close(fd);
}

/* What the file holds, in text. */
static const char *
contents(const char *path)
{
    int fd = open(path, OREAD);
    int64_t n = fd < 0 ? fd : readn(fd, text, sizeof(text) - 1);

    text[n < 0 ? 0 : n] = '\0';
    close(fd);
    return text;
}

/* Files of a device: made, written, read, listed, removed on the other side. */
TEST(export_files)
{
    struct dir *list, *here, *there;

    MUST(bind("#e", "/tmp", MREPL | MCREATE) == 0);
    mount_export(NULL, "/tmp");
    CHECK_EQ(write_file("/mnt/x", "from afar"), 0);
    CHECK_STR(contents("/tmp/x"), "from afar");
    CHECK_EQ(write_file("/tmp/x", "from here"), 0);
    CHECK_STR(contents("/mnt/x"), "from here");
    MUST(dir_list("/mnt", &list) == 1);
    CHECK_STR(list->name, "x");
    here = dirstat("/tmp/x");
    there = dirstat("/mnt/x");
    MUST(here != NULL && there != NULL);
    CHECK_EQ(there->length, here->length);
    CHECK_EQ(there->mode, here->mode);
    CHECK_EQ(list->qid.path, there->qid.path);
    CHECK_EQ(remove("/mnt/x"), 0);
    CHECK_EQ(open("/tmp/x", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/mnt/x", OREAD), -E_NOEXIST);
}

/* Only what lies below the directory is offered; `..` does not lead out. */
TEST(export_part)
{
    MUST(bind("#c", "/dev", MREPL) == 0);
    mount_export(NULL, "/dev");
    CHECK_EQ(open("/mnt/dev", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/mnt/#c", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/mnt/#c/time", OREAD), -E_NOEXIST);
    CHECK_GE(open("/mnt/time", OREAD), 0);
}

/* -r: everything may be looked at, nothing changed. */
TEST(export_read_only)
{
    struct dir d;

    MUST(bind("#e", "/tmp", MREPL | MCREATE) == 0);
    CHECK_EQ(write_file("/tmp/x", "fixed"), 0);
    mount_export("-r", "/tmp");
    CHECK_STR(contents("/mnt/x"), "fixed");
    CHECK_EQ(open("/mnt/x", OWRITE), -E_PERM);
    CHECK_EQ(open("/mnt/x", OREAD | OTRUNC), -E_PERM);
    CHECK_EQ(create("/mnt/y", OWRITE, 0666), -E_PERM);
    CHECK_EQ(remove("/mnt/x"), -E_PERM);
    dir_null(&d);
    d.mode = 0600;
    CHECK_EQ(dirwstat("/mnt/x", &d), -E_PERM);
    CHECK_STR(contents("/tmp/x"), "fixed");
}

static void
ignore(struct ureg *ureg, char *note)
{
    (void)ureg, (void)note;
    noted(NCONT);
}

/* A pipe in the exported tree: /tmp/data and /tmp/data1.  Our end of it. */
static int
export_pipe(void)
{
    int fd;

    MUST(bind("#|", "/tmp", MREPL) == 0);
    mount_export(NULL, "/tmp");
    fd = open("/tmp/data1", ORDWR);
    MUST(fd >= 0);
    return fd;
}

/*
 * A read that blocks over there, here interrupted by a note: it ends, and
 * what is written afterwards is not lost to it.
 *
 * cpus: 1 4
 */
TEST(export_flush)
{
    int fd, ours = export_pipe();

    notify(ignore);
    fd = open("/mnt/data", OREAD);
    MUST(fd >= 0);
    for (int i = 0; i < 20; i++) {
        alarm((uint64_t)(i + 1) * MS);
        CHECK_EQ(read(fd, text, 10), -E_INTR);
        CHECK_EQ(write(ours, "next", 4), 4);
        CHECK_EQ(read(fd, text, 10), 4);
    }
}

static void
reader(int i)
{
    char buf[8];
    int fd = open("/mnt/data", OREAD);

    CHECK_EQ(read(fd, buf, 4), 4);
    exits(i < 0 || check_failures ? "a check failed" : "");
}

/*
 * Thirty reads block over there; all else goes on, and each gets its own.
 *
 * cpus: 1 4
 */
TEST(export_many_block)
{
    struct waitmsg w;
    int ours = export_pipe();

    for (int i = 0; i < 30; i++)
        if (rfork(RFPROC | RFFDG) == 0)
            reader(i);
    sleep(50 * MS);
    for (int i = 0; i < 20; i++)
        CHECK(access("/mnt/data1", AEXIST) == 0);
    for (int i = 0; i < 30; i++)
        CHECK_EQ(write(ours, "word", 4), 4);
    for (int i = 0; i < 30; i++) {
        MUST(wait(&w) > 0);
        CHECK_STR(w.msg, "");
    }
}

/* The client goes while requests block: the server and its workers end. */
TEST(export_ends)
{
    int ours = export_pipe(), pid;
    struct waitmsg w;

    pid = rfork(RFPROC | RFFDG);
    if (pid == 0)
        reader(0);
    sleep(20 * MS);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_EQ(unmount(NULL, "/mnt"), 0);
    close(ours);
    for (int i = 0; i < 1000 && check_more_procs() > 0; i++)
        sleep(MS);
    CHECK_EQ(check_more_procs(), 0);
}

/*
 * A client that asks and closes its end at once, again and again: the answers
 * meet a closed pipe, and no process of the server's stays.
 *
 * cpus: 1 4
 */
TEST(export_client_vanishes)
{
    static const uint8_t version[] = { 19, 0, 0, 0, 100, 0xff, 0xff, 0, 32, 0,
        0, 6, 0, '9', 'P', '2', '0', '0', '0' };
    static const uint8_t attach[] = { 19, 0, 0, 0, 104, 1, 0, 1, 0, 0, 0, 0xff,
        0xff, 0xff, 0xff, 0, 0, 0, 0 };
    uint8_t stat[11] = { 11, 0, 0, 0, 124, 0, 0, 1, 0, 0, 0 };

    for (int round = 0; round < 10; round++) {
        CHECK_ROUND(round);
        int fd = start_export(NULL, "/");

        CHECK_EQ(write(fd, version, sizeof(version)), sizeof(version));
        CHECK_EQ(write(fd, attach, sizeof(attach)), sizeof(attach));
        CHECK_GT(read(fd, text, sizeof(text)), 0);
        CHECK_GT(read(fd, text, sizeof(text)), 0);
        for (stat[5] = 2; stat[5] < 30; stat[5]++)
            CHECK_EQ(write(fd, stat, sizeof(stat)), sizeof(stat));
        for (int i = 0; i < round; i++)
            yield();
        close(fd);
    }
    for (int i = 0; i < 1000 && check_more_procs() > 0; i++)
        sleep(MS);
    CHECK_EQ(check_more_procs(), 0);
}

/* A read of /mnt/data that gets no answer, in a child. */
static int
blocked(void)
{
    int pid = rfork(RFPROC | RFFDG);

    MUST(pid >= 0);
    if (pid == 0)
        reader(0);
    return pid;
}

static void
kill_child(int pid)
{
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
    CHECK(wait_for(pid, NULL) == pid);
}

/*
 * As many requests block as the server takes.  Nothing else gets through; but
 * what is closed now is closed, so that its number can be used again.
 */
TEST(export_close_when_all_is_busy)
{
    int pids[SRV_PENDING], fds[20];

    export_pipe();
    for (unsigned i = 0; i < ARRAY_LEN(fds); i++)
        MUST((fds[i] = open("/mnt/data1", ORDWR)) >= 0);
    for (unsigned i = 0; i < ARRAY_LEN(pids); i++) {
        pids[i] = blocked();
        sleep(2 * MS);
    }
    for (unsigned i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    for (unsigned i = 0; i < ARRAY_LEN(pids); i++)
        kill_child(pids[i]);
    sleep(100 * MS);
    for (int i = 0; i < 100; i++) {
        int fd = open("/mnt/data1", OREAD);

        CHECK_GE(fd, 0); /* "fid in use", if one was left */
    }
}

/* A server of directories, whatever their names, which says nothing to a
 * Topen; what it is asked comes on fd. */
static void
serve_no_open(int fd)
{
    static uint8_t buf[1024], stat[128];
    struct dir d = { .qid.type = QTDIR,
        .mode = DMDIR | 0755,
        .name = "a",
        .uid = "lux",
        .gid = "lux",
        .muid = "lux" };
    struct fcall t, r;
    int64_t n;

    while ((n = read(fd, buf, sizeof(buf))) > 0 &&
            fcall_unpack(buf, (size_t)n, &t) == 0) {
        if (t.type == Topen || t.type == Tflush)
            continue;
        r = (struct fcall){ .type = t.type + 1, .tag = t.tag };
        r.msize = sizeof(buf);
        r.version = VERSION_9P;
        r.qid.type = QTDIR;
        r.nwqid = t.nwname;
        r.stat = stat;
        r.nstat = (uint16_t)dir_pack(&d, stat, sizeof(stat));
        n = fcall_pack(&r, buf, sizeof(buf));
        write(fd, buf, (size_t)n);
    }
    _exits(NULL);
}

static void
mount_no_open(void)
{
    int fds[2];

    MUST(pipe(fds) == 0);
    if (rfork(RFPROC | RFFDG | RFNOWAIT) == 0) {
        close(fds[0]);
        serve_no_open(fds[1]);
    }
    close(fds[1]);
    MUST(mount(fds[0], -1, "/tmp", MREPL, "") == 0);
    close(fds[0]);
}

/* Send t; the type of the answer. */
static uint8_t
ask(int fd, struct fcall *t)
{
    static uint8_t buf[1024];
    int64_t n = fcall_pack(t, buf, sizeof(buf));
    struct fcall r;

    MUST(n > 0 && write(fd, buf, (size_t)n) == n);
    n = read(fd, buf, sizeof(buf));
    MUST(n > 0 && fcall_unpack(buf, (size_t)n, &r) == 0);
    return r.type;
}

/* While a fid is being opened, which blocks, it is clunked: its number is free
 * at once, whatever becomes of the open. */
TEST(export_clunk_while_opening)
{
    static uint8_t open[12] = { 12, 0, 0, 0, Topen, 9, 0, 1, 0, 0, 0, OREAD };
    struct fcall version = {
        .type = Tversion, .tag = NOTAG, .msize = 1024, .version = VERSION_9P
    };
    struct fcall attach = {
        .type = Tattach, .afid = NOFID, .uname = "lux", .aname = ""
    };
    struct fcall walk = {
        .type = Twalk, .newfid = 1, .nwname = 1, .wname = { "tmp" }
    };
    struct fcall clunk = { .type = Tclunk, .fid = 1 };
    int fd;

    mount_no_open();
    fd = start_export(NULL, "/");
    CHECK_EQ(ask(fd, &version), Rversion);
    CHECK_EQ(ask(fd, &attach), Rattach);
    CHECK_EQ(ask(fd, &walk), Rwalk);
    CHECK_EQ(write(fd, open, sizeof(open)), sizeof(open));
    sleep(10 * MS);
    CHECK_EQ(ask(fd, &clunk), Rclunk);
    CHECK_EQ(ask(fd, &walk), Rwalk);
}
