/*
 * p9_fd.c - file descriptors and the calls that take them: numbers, offsets,
 * sharing, and what is refused.
 */
#include "check.h"

enum {
    EXTRA = 900, /* most open files of a test */
};

static void
begin(void)
{
    MUST(rfork(RFCNAMEG | RFCFDG | RFCENVG) == 0);
    MUST(boot_name_space() == 0);
}

static int
made(const char *path, unsigned mode, const char *text)
{
    int fd = create(path, mode, 0666);

    MUST(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), (int64_t)strlen(text));
    return fd;
}

/* open, create and dup give the lowest free number. */
TEST(lowest_free)
{
    begin();
    for (int i = 0; i < 40; i++)
        CHECK_EQ(open("/dev/null", OREAD), i);
    CHECK_EQ(close(7), 0);
    CHECK_EQ(close(3), 0);
    CHECK_EQ(close(3), -E_BADFD);
    CHECK_EQ(create("/env/x", OWRITE, 0666), 3);
    CHECK_EQ(dup(0, -1), 7);
    CHECK_EQ(dup(0, -1), 40);
    CHECK_EQ(close(41), -E_BADFD);
}

/* Numbers that no file has. */
TEST(bad_numbers)
{
    static const int bad[] = { -1, -2, 5, 4095, 4096, INT32_MAX, INT32_MIN };
    char buf[64];

    begin();
    MUST(open("/dev/zero", ORDWR) == 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_EQ(close(bad[i]), -E_BADFD);
        CHECK_EQ(read(bad[i], buf, 1), -E_BADFD);
        CHECK_EQ(write(bad[i], buf, 1), -E_BADFD);
        CHECK_EQ(seek(bad[i], 0, SEEK_SET), -E_BADFD);
        CHECK_EQ(fstat(bad[i], (uint8_t *)buf, 64), -E_BADFD);
        CHECK_EQ(fwstat(bad[i], (uint8_t *)buf, 64), -E_BADFD);
        CHECK_EQ(fd2path(bad[i], buf, 64), -E_BADFD);
        CHECK_EQ(dup(bad[i], -1), -E_BADFD);
        CHECK_EQ(dup(bad[i], 9), -E_BADFD);
        CHECK_EQ(mount(bad[i], -1, "/n", MREPL, ""), -E_BADFD);
        CHECK_EQ(fversion(bad[i], 0, strcpy(buf, ""), 64), -E_BADFD);
    }
    CHECK_EQ(mount(0, 77, "/n", MREPL, ""), -E_BADFD);
    CHECK_EQ(dup(0, 4096), -E_MAXFD);
    CHECK_EQ(dup(0, INT32_MAX), -E_MAXFD);
    CHECK_EQ(dup(0, -2), -E_BADFD);
    CHECK_EQ(dup(0, 4095), 4095);
    CHECK_EQ(close(4095), 0);
}

/* As many as there may be; then an error, and nothing else is harmed. */
TEST(as_many_as_there_are)
{
    int fd, n = 0;

    begin();
    while ((fd = open("/dev/null", OREAD)) >= 0)
        CHECK_EQ(fd, n++);
    CHECK_EQ(fd, -E_MAXFD);
    CHECK_EQ(n, MAX_FDS);
    CHECK_EQ(dup(0, -1), -E_MAXFD);
    CHECK_EQ(pipe((int[2]){ 0 }), -E_MAXFD);
    CHECK_EQ(close(n / 2), 0);
    CHECK_EQ(pipe((int[2]){ 0 }), -E_MAXFD);
    CHECK_EQ(open("/dev/null", OREAD), n / 2);
}

/* What a file was opened for is all that it is good for. */
TEST(opened_for)
{
    char buf[8];
    int r, w, rw;

    begin();
    close(made("/env/f", OWRITE, "hello"));
    r = open("/env/f", OREAD);
    w = open("/env/f", OWRITE);
    rw = open("/env/f", ORDWR);
    CHECK_EQ(read(r, buf, 8), 5);
    CHECK_EQ(write(r, "x", 1), -E_BADUSE);
    CHECK_EQ(read(w, buf, 8), -E_BADUSE);
    CHECK_EQ(write(w, "x", 1), 1);
    CHECK_EQ(read(rw, buf, 1), 1);
    CHECK_EQ(buf[0], 'x');
    CHECK_EQ(write(rw, "y", 1), 1);
    CHECK_EQ(pread(r, buf, 8, 0), 5);
    CHECK(memcmp(buf, "xyllo", 5) == 0);
    CHECK_EQ(open("/env/f", OEXEC), -E_PERM);
    CHECK_EQ(open("/dev/random", OWRITE), -E_PERM);
    CHECK_EQ(open("/dev/consctl", OREAD), -E_PERM);
}

/* Bits that mean nothing in an open mode. */
TEST(bad_modes)
{
    begin();
    for (unsigned bit = 0; bit < 32; bit++) {
        unsigned mode = 1u << bit;

        if (!(mode & (3 | OTRUNC | OCEXEC | ORCLOSE)))
            CHECK_EQ(open("/dev/null", mode), -E_OPENMODE);
        if (!(mode & (3 | OTRUNC | OCEXEC | ORCLOSE | OEXCL)))
            CHECK_EQ(create("/env/m", mode, 0666), -E_OPENMODE);
    }
    CHECK_EQ(open("/dev/null", OEXEC | OTRUNC), -E_OPENMODE);
    CHECK_EQ(open("/dev", OWRITE), -E_ISDIR);
    CHECK_EQ(open("/dev", ORDWR), -E_ISDIR);
    CHECK_EQ(open("/dev", OREAD | OTRUNC), -E_ISDIR);
    CHECK_EQ(create("/dev", OWRITE, 0666), -E_ISDIR);
    CHECK_EQ(create("/n", OREAD, DMDIR | 0755), -E_EXIST);
    CHECK_EQ(create("/", OREAD, DMDIR | 0755), -E_EXIST);
    CHECK_EQ(create("/n/..", OREAD, 0666), -E_EXIST);
    CHECK_EQ(create("/env/new/", OWRITE, 0666), -E_ISDIR);
    CHECK_EQ(access("/env/m", AEXIST), -E_NOEXIST);
}

/* read and write go on where the last one ended; pread and pwrite do not. */
TEST(offsets)
{
    char buf[16];
    int fd;

    begin();
    fd = made("/env/f", ORDWR, "0123456789");
    CHECK_EQ(seek(fd, 0, SEEK_CUR), 10);
    CHECK_EQ(seek(fd, 2, SEEK_SET), 2);
    CHECK_EQ(read(fd, buf, 3), 3);
    CHECK(memcmp(buf, "234", 3) == 0);
    CHECK_EQ(pread(fd, buf, 3, 7), 3);
    CHECK(memcmp(buf, "789", 3) == 0);
    CHECK_EQ(pwrite(fd, "AB", 2, 0), 2);
    CHECK_EQ(read(fd, buf, 2), 2);
    CHECK(memcmp(buf, "56", 2) == 0);
    CHECK_EQ(seek(fd, -1, SEEK_END), 9);
    CHECK_EQ(read(fd, buf, 16), 1);
    CHECK_EQ(read(fd, buf, 16), 0);
    CHECK_EQ(seek(fd, -4, SEEK_CUR), 6);
    CHECK_EQ(pread(fd, buf, 16, 100), 0);
    CHECK_EQ(pread(fd, buf, 16, 0), 10);
    CHECK(memcmp(buf, "AB23456789", 10) == 0);
}

/* Offsets below zero and sums that wrap. */
TEST(bad_offsets)
{
    char c;
    int fd, fds[2];

    begin();
    fd = made("/env/f", ORDWR, "0123456789");
    CHECK_EQ(seek(fd, -1, SEEK_SET), -E_OFFSET);
    CHECK_EQ(seek(fd, -11, SEEK_CUR), -E_OFFSET);
    CHECK_EQ(seek(fd, INT64_MIN, SEEK_END), -E_OFFSET);
    CHECK_EQ(seek(fd, INT64_MAX, SEEK_END), -E_OFFSET);
    CHECK_EQ(seek(fd, 0, SEEK_CUR), 10);
    CHECK_EQ(seek(fd, 0, (enum seek_whence)3), -E_BADARG);
    CHECK_EQ(pread(fd, &c, 1, -2), -E_OFFSET);
    CHECK_EQ(pread(fd, &c, 1, INT64_MIN), -E_OFFSET);
    CHECK_EQ(pread(fd, &c, 1, INT64_MAX), -E_OFFSET);
    CHECK_EQ(pwrite(fd, "x", 1, INT64_MAX), -E_OFFSET);
    CHECK_EQ(seek(fd, INT64_MAX, SEEK_SET), INT64_MAX);
    CHECK_EQ(write(fd, "x", 1), -E_OFFSET);
    MUST(pipe(fds) == 0);
    CHECK_EQ(seek(fds[0], 0, SEEK_SET), -E_STREAM);
}

/* dup and fork share the offset; opening again does not. */
TEST(shared_offsets)
{
    char c[2];
    int fd, other, own;

    begin();
    fd = made("/env/f", ORDWR, "0123456789");
    MUST(seek(fd, 0, SEEK_SET) == 0);
    other = dup(fd, -1);
    own = open("/env/f", OREAD);
    CHECK_EQ(read(fd, c, 2), 2);
    CHECK_EQ(seek(other, 0, SEEK_CUR), 2);
    CHECK_EQ(seek(own, 0, SEEK_CUR), 0);
    if (fork() == 0) {
        MUST(read(other, c, 2) == 2);
        exits("");
    }
    wait(NULL);
    CHECK_EQ(seek(fd, 0, SEEK_CUR), 4);
}

/* dup to a number closes what was there, and to its own does nothing. */
TEST(dup_onto)
{
    int fd, fds[2];
    char c;

    begin();
    MUST(pipe(fds) == 0);
    fd = open("/dev/zero", OREAD);
    CHECK_EQ(dup(fd, fd), fd);
    CHECK_EQ(read(fd, &c, 1), 1);
    CHECK_EQ(dup(fd, fds[0]), fds[0]);
    CHECK_EQ(read(fds[1], &c, 1), 0); /* the other end is gone */
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(read(fds[0], &c, 1), 1);
}

/* /fd and #d are the caller's own files. */
TEST(files_of_fd)
{
    char *text;
    int fd, again;

    begin();
    fd = made("/env/f", ORDWR, "0123456789");
    MUST(fd == 0);
    again = open("/fd/0", ORDWR);
    CHECK_EQ(seek(again, 0, SEEK_CUR), 10); /* the same channel */
    CHECK_EQ(seek(again, 3, SEEK_SET), 3);
    CHECK_EQ(seek(fd, 0, SEEK_CUR), 3);
    text = read_file("/fd/0ctl", NULL);
    CHECK(text != NULL && strstr(text, " rw e ") && strstr(text, "/env/f"));
    close(again);
    CHECK_EQ(open("/dev/null", OREAD), 1);
    CHECK_EQ(open("/fd/1", OWRITE), -E_BADUSE);
    CHECK_EQ(open("/fd/9", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/fd/00", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/fd/-1", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/fd/99999999999", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/fd/1x", OREAD), -E_NOEXIST);
    CHECK_EQ(remove("/fd/1"), -E_PERM);
}

/* ORCLOSE: the file goes with its last channel. */
TEST(remove_on_close)
{
    int fd, other;

    begin();
    fd = create("/env/f", ORDWR | ORCLOSE, 0666);
    MUST(fd >= 0);
    other = dup(fd, -1);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(access("/env/f", AEXIST), 0);
    CHECK_EQ(close(other), 0);
    CHECK_EQ(access("/env/f", AEXIST), -E_NOEXIST);
    if (fork() == 0) {
        MUST(create("/env/g", ORDWR | ORCLOSE, 0666) >= 0);
        exits(""); /* closes */
    }
    wait(NULL);
    CHECK_EQ(access("/env/g", AEXIST), -E_NOEXIST);
}

/* remove takes the name away, with an error for what is not there. */
TEST(removing)
{
    begin();
    close(made("/env/f", ORDWR, "x"));
    CHECK_EQ(remove("/env/f"), 0);
    CHECK_EQ(remove("/env/f"), -E_NOEXIST);
    CHECK_EQ(open("/env/f", OREAD), -E_NOEXIST);
    CHECK_EQ(remove("/dev/null"), -E_PERM);
    CHECK_EQ(remove("/boot/bin/ls"), -E_PERM);
    CHECK_EQ(remove("/"), -E_PERM);
    MUST(close(create("/n/dir", OREAD, DMDIR | 0755)) == 0);
    MUST(close(create("/n/dir/sub", OREAD, DMDIR | 0755)) == 0);
    CHECK_EQ(remove("/n/dir"), -E_NOTEMPTY);
    CHECK_EQ(remove("/n/dir/sub"), 0);
    CHECK_EQ(remove("/n/dir"), 0);
}

/* What a current directory, an open file, or a bind holds may be removed. */
TEST(removed_while_in_use)
{
    begin();
    MUST(close(create("/n/dir", OREAD, DMDIR | 0755)) == 0);
    MUST(close(create("/n/dir/sub", OREAD, DMDIR | 0755)) == 0);
    MUST(chdir("/n/dir/sub") == 0);
    MUST(bind("/n/dir", "/mnt", MREPL) == 0);
    CHECK_EQ(remove("/n/dir/sub"), 0);
    CHECK_EQ(remove("/n/dir"), 0);
    CHECK_EQ(create("x", OREAD, DMDIR | 0755), -E_NOEXIST);
    CHECK_EQ(create("/mnt/x", OREAD, DMDIR | 0755), -E_NOCREATE);
    CHECK_EQ(chdir("../../.."), 0);
    CHECK_EQ(access("dev/null", AEXIST), 0);
}

/* A read of no bytes reads none; a huge one reads what there is. */
TEST(sizes)
{
    char *buf = malloc(100);
    int fd;

    begin();
    fd = made("/env/f", ORDWR, "0123456789");
    CHECK_EQ(pread(fd, buf, 0, 0), 0);
    CHECK_EQ(write(fd, buf, 0), 0);
    CHECK_EQ(pread(fd, buf, 100, 0), 10);
    CHECK_EQ(pread(fd, buf, SIZE_MAX, 0), 10);
    CHECK_EQ(pwrite(fd, buf, MAX_IO + 1, 0), -E_BADLEN);
    CHECK_EQ(pwrite(fd, buf, SIZE_MAX, 0), -E_BADLEN);
}

static void
open_and_leave(void)
{
    begin();
    for (int i = 0; i < EXTRA; i++)
        open(i % 2 ? "/dev/null" : "/boot/bin", OREAD);
    rfork(RFFDG);
    for (int i = 0; i < EXTRA / 2; i++)
        dup(i, -1);
}

/* Whatever a process leaves open is given back when it ends. */
TEST(nothing_is_lost)
{
    begin();
    check_gives_back(open_and_leave);
}
