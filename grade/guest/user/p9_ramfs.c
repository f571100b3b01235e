/*
 * p9_ramfs.c - ramfs as programs see it, through the kernel's mount driver;
 * and, spoken to without one, what only a hostile client says.
 */
#include "check.h"
#include <lux/fcall.h>

enum {
    MSIZE = 8192,
    FIDS = 100000,
    BIG = 1 << 20
};

static uint8_t big[BIG], got[BIG];

/* Start ramfs with one more pair of words; our end of its connection. */
static int
start_ramfs(char *option, char *value)
{
    char *argv[] = { "ramfs", "-i", option, value, NULL };
    int fds[2], pid;

    MUST(pipe(fds) == 0);
    pid = rfork(RFPROC | RFFDG | RFNOWAIT);
    MUST(pid >= 0);
    if (pid == 0) {
        dup(fds[1], 20); /* clear of 0 and 1, which may be the pipe's own */
        close(fds[0]);
        close(fds[1]);
        dup(20, 0);
        dup(20, 1);
        close(20);
        exec("#B/bin/ramfs", argv);
        check_record("ramfs: %r");
        _exits("no ramfs");
    }
    close(fds[1]);
    return fds[0];
}

/* The same, mounted on /tmp. */
static void
mount_ramfs(char *option, char *value)
{
    int fd = start_ramfs(option, value);

    MUST(mount(fd, -1, "/tmp", MREPL | MCREATE, "") == 0);
    close(fd);
}

static void
fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        uint64_t r = check_random();

        memcpy(p + i, &r, n - i < 8 ? n - i : 8);
    }
}

/* Write p to a new file.  0, or what failed. */
static int64_t
save(const char *path, const void *p, size_t n)
{
    int fd = create(path, OWRITE, 0666);
    int64_t done = fd < 0 ? fd : write(fd, p, n);

    close(fd);
    return done == (int64_t)n ? 0 : done < 0 ? done : -E_IO;
}

/* Does the file hold just this? */
static bool
holds(const char *path, const void *p, size_t n)
{
    int fd = open(path, OREAD);
    int64_t len = fd < 0 ? fd : readn(fd, got, sizeof(got));

    close(fd);
    return len == (int64_t)n && memcmp(got, p, n) == 0;
}

/* Bytes come back as they went, whole and in pieces. */
TEST(ramfs_bytes)
{
    int fd;

    mount_ramfs("-k", "4096");
    fill(big, BIG);
    CHECK_EQ(save("/tmp/big", big, BIG), 0);
    CHECK(holds("/tmp/big", big, BIG));
    fd = open("/tmp/big", ORDWR);
    for (int i = 0; i < 200; i++) {
        CHECK_ROUND(i);
        uint64_t at = check_random() % (BIG - 5000);
        uint64_t n = check_random() % 5000;

        CHECK_EQ(pwrite(fd, big + at / 2, n, (int64_t)at), n);
        memmove(big + at, big + at / 2, n);
        CHECK_EQ(pread(fd, got, n, (int64_t)at), n);
        MUST(memcmp(got, big + at, n) == 0);
    }
    close(fd);
    CHECK(holds("/tmp/big", big, BIG));
    CHECK_EQ(remove("/tmp/big"), 0);
    CHECK_EQ(open("/tmp/big", OREAD), -E_NOEXIST);
}

/* Errors that have a number here arrive as that number. */
TEST(ramfs_errors)
{
    mount_ramfs("-u", "eve");
    CHECK_EQ(open("/tmp/none", OREAD), -E_NOEXIST);
    CHECK_EQ(save("/tmp/f", "x", 1), 0);
    CHECK_EQ(create("/tmp/f", OWRITE | OEXCL, 0666), -E_EXIST);
    CHECK_EQ(create("/tmp/f/x", OWRITE, 0666), -E_NOTDIR);
    close(create("/tmp/d", OREAD, DMDIR | 0777));
    CHECK_EQ(save("/tmp/d/x", "x", 1), 0);
    CHECK_EQ(remove("/tmp/d"), -E_NOTEMPTY);
    CHECK_EQ(open("/tmp/d", OWRITE), -E_ISDIR);
    close(create("/tmp/shut", OREAD, DMDIR | 0));
    CHECK_EQ(open("/tmp/shut/x", OREAD), -E_PERM);
    CHECK_EQ(save("/tmp/secret", "x", 1), 0);
}

/* A full ramfs: its own words, and what was there is there still. */
TEST(ramfs_full)
{
    int64_t n = 0, at = 0;
    int fd;

    mount_ramfs("-k", "100");
    fill(big, BIG);
    CHECK_EQ(save("/tmp/keep", big, 20000), 0);
    fd = create("/tmp/grow", OWRITE, 0666);
    while ((n = pwrite(fd, big + at, 1000, at)) == 1000)
        at += n;
    CHECK_EQ(n, -E_FULL);
    CHECK_STR(errstr(), "file system is full");
    close(fd);
    CHECK(at > 30000 && at < 100 * 1024);
    CHECK(holds("/tmp/keep", big, 20000));
    CHECK(holds("/tmp/grow", big, (size_t)at));
    CHECK_EQ(remove("/tmp/grow"), 0);
    CHECK_EQ(save("/tmp/again", big, (size_t)at), 0);
}

/* A long directory is read whole, entry by entry as stat says. */
TEST(ramfs_directory)
{
    struct dir *all, *one;
    char path[32];
    int64_t n;

    mount_ramfs("-k", "4096");
    for (int i = 0; i < 500; i++) {
        snprint(path, sizeof(path), "/tmp/file%03d", i);
        CHECK_EQ(save(path, big, (size_t)i), 0);
    }
    n = dir_list("/tmp", &all);
    MUST(n == 500);
    for (int i = 0; i < 500; i++) {
        snprint(path, sizeof(path), "/tmp/file%03d", i);
        CHECK_STR(all[i].name, path + 5);
        CHECK_EQ(all[i].length, i);
    }
    one = dirstat("/tmp/file123");
    MUST(one != NULL);
    CHECK_EQ(one->qid.path, all[123].qid.path);
    free(one);
    free(all);
}

/* A program runs from it, and goes on when the file is removed. */
TEST(ramfs_program)
{
    size_t n;
    char *text = read_file("#B/bin/true", &n), *argv[] = { "true", NULL };
    struct waitmsg w;
    int pid, fd;

    mount_ramfs("-k", "4096");
    MUST(text != NULL);
    fd = create("/tmp/true", OWRITE, 0777);
    CHECK_EQ(write(fd, text, n), n);
    close(fd);
    for (int i = 0; i < 20; i++) {
        pid = rfork(RFPROC);
        if (pid == 0) {
            exec("/tmp/true", argv);
            exits("no exec");
        }
        CHECK_EQ(wait_for(pid, &w), pid);
        CHECK_STR(w.msg, "");
    }
    CHECK_EQ(remove("/tmp/true"), 0);
}

/* One client of many: a file of its own, written, read, removed. */
static void
one_of_many(int me)
{
    char path[32], text[64];

    for (int round = 0; round < 10; round++) {
        size_t n = (size_t)snprint(text, sizeof(text), "%d %d", me, round);

        snprint(path, sizeof(path), "/tmp/f%d.%d", me, round % 3);
        MUST(save(path, text, n) == 0);
        MUST(holds(path, text, n));
        MUST(remove(path) == 0);
    }
}

/*
 * A hundred clients at once on one server.
 *
 * cpus: 1 8
 */
TEST(ramfs_hundred_clients)
{
    struct dir *left;
    struct waitmsg w;

    mount_ramfs("-k", "4096");
    for (int i = 0; i < 100; i++) {
        if (rfork(RFPROC | RFFDG) == 0) {
            one_of_many(i);
            exits(check_failures ? "a check failed" : "");
        }
    }
    for (int i = 0; i < 100; i++) {
        MUST(wait(&w) > 0);
        CHECK_STR(w.msg, "");
    }
    CHECK_EQ(dir_list("/tmp", &left), 0);
}

static void
mount_use_unmount(void)
{
    int fd;

    mount_ramfs("-k", "1024");
    CHECK_EQ(save("/tmp/f", big, 100000), 0);
    fd = open("/tmp/f", OREAD);
    CHECK_EQ(unmount(NULL, "/tmp"), 0);
    CHECK_EQ(read(fd, got, 100), 100);
    CHECK_EQ(close(fd), 0);
    while (check_more_procs() > 1)
        sleep(1000000); /* the server hears of it when the last fd is gone */
}

/*
 * Four processes write through one descriptor: what each writes comes behind
 * what the others have written, and nothing is lost.
 *
 * cpus: 1 4
 * shifts: 3 7
 */
TEST(ramfs_shared_offset)
{
    enum {
        EACH = 50,
        LINE = 10
    };
    static const char line[LINE + 1] = "123456789\n";
    int fd;

    mount_ramfs("-k", "1024");
    fd = create("/tmp/x", ORDWR, 0600);
    MUST(fd >= 0);
    for (int i = 0; i < 4; i++)
        if (rfork(RFPROC | RFFDG) == 0) {
            for (int k = 0; k < EACH; k++)
                CHECK_EQ(write(fd, line, LINE), LINE);
            exits(check_failures ? "a check failed" : "");
        }
    for (int i = 0; i < 4; i++)
        CHECK_GT(wait(NULL), 0);
    CHECK_EQ(seek(fd, 0, SEEK_CUR), 4 * EACH * LINE);
    CHECK_EQ(pread(fd, got, sizeof got, 0), 4 * EACH * LINE);
    for (int i = 0; i < 4 * EACH; i++)
        MUST(memcmp(got + i * LINE, line, LINE) == 0);
}

/* Unmounted and closed, the server ends and all its memory is free. */
TEST(ramfs_ends)
{
    check_gives_back(mount_use_unmount);
    while (check_more_procs() > 0)
        sleep(1000000);
}

/* ---- without the mount driver ---- */

static uint8_t message[MSIZE];

/* Send f and read the answer into it. */
static void
rpc(int fd, struct fcall *f)
{
    int64_t n = fcall_pack(f, message, sizeof(message));

    MUST(n > 0 && write(fd, message, (size_t)n) == n);
    MUST(readn(fd, message, 4) == 4);
    n = fcall_frame(message, 4, MSIZE);
    MUST(n >= FCALL_HEAD && readn(fd, message + 4, (size_t)n - 4) == n - 4);
    MUST(fcall_unpack(message, (size_t)n, f) == 0);
}

/* A session with fid 0 for the root. */
static int
session(void)
{
    int fd = start_ramfs("-k", "1024");
    struct fcall f = {
        .type = Tversion, .tag = NOTAG, .msize = MSIZE, .version = VERSION_9P
    };

    rpc(fd, &f);
    CHECK_EQ(f.type, Rversion);
    f = (struct fcall){
        .type = Tattach, .afid = NOFID, .uname = "lux", .aname = ""
    };
    rpc(fd, &f);
    CHECK_EQ(f.type, Rattach);
    return fd;
}

/* Instructions for n more fids, the first of which is `from`. */
static uint64_t
make_fids(int fd, uint32_t from, uint32_t n)
{
    uint64_t start = rdtsc();

    for (uint32_t i = 0; i < n; i++) {
        struct fcall f = { .type = Twalk, .newfid = from + i };

        rpc(fd, &f);
        MUST(f.type == Rwalk);
    }
    return (rdtsc() - start) / n;
}

/*
 * A hundred thousand fids: the last thousand cost what the second cost.
 *
 * limit: 30
 */
TEST(ramfs_many_fids)
{
    int fd = session();
    uint64_t early, late;

    make_fids(fd, 1, 1000);
    early = make_fids(fd, 1001, 1000);
    make_fids(fd, 2001, FIDS - 2000);
    late = make_fids(fd, FIDS + 1, 1000);
    check_record("info %lu then %lu ticks a walk", early, late);
    CHECK_LT(late, early + early / 2);
}

/* Random messages in sound frames: an answer to each, and no crash. */
TEST(ramfs_garbage)
{
    int fd = session();
    struct fcall f;

    for (int i = 0; i < 3000; i++) {
        size_t n = FCALL_HEAD + check_random() % 60;
        uint8_t type = (uint8_t)(Tauth + check_random() % 26);

        fill(message, n);
        message[0] = (uint8_t)n;
        message[1] = message[2] = message[3] = 0;
        message[4] = type;
        MUST(write(fd, message, n) == (int64_t)n);
        MUST(readn(fd, message, 4) == 4);
        n = message[0] | (size_t)message[1] << 8;
        MUST(n <= MSIZE && readn(fd, message + 4, n - 4) == (int64_t)n - 4);
    }
    f = (struct fcall){
        .type = Tversion, .tag = NOTAG, .msize = MSIZE, .version = VERSION_9P
    };
    rpc(fd, &f);
    CHECK_EQ(f.type, Rversion);
}

/* A size that cannot be: the connection ends, and so does the server. */
TEST(ramfs_bad_size)
{
    static const uint8_t sizes[][7] = { { 0 }, { 6, 0, 0, 0, Tstat },
        { 0xff, 0xff, 0xff, 0xff, Tstat }, { 0, 0, 0, 0x80, Tstat } };

    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        int fd = session();

        CHECK_EQ(write(fd, sizes[i], 7), 7);
        CHECK_EQ(read(fd, message, 1), 0);
        close(fd);
    }
    while (check_more_procs() > 0)
        sleep(1000000);
}
