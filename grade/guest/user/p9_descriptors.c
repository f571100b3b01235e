/*
 * p9_descriptors.c - descriptors that name a file without opening it: fd_walk,
 * fd_open, fd_create, fd_remove.
 */
#include "check.h"

static char buf[2048];

/* An environment of our own at /tmp, and its directory as a descriptor. */
static int
begin(void)
{
    int dir;

    MUST(boot_name_space() == 0);
    MUST(rfork(RFCENVG | RFNAMEG) >= 0);
    MUST(bind("#e", "/tmp", MREPL | MCREATE) == 0);
    MUST(write_file("/tmp/a", "first") == 0);
    dir = fd_walk(-1, "/tmp", -1);
    MUST(dir >= 0);
    return dir;
}

/* What fd, open for reading, has. */
static const char *
contents(int fd)
{
    int64_t n = pread(fd, buf, sizeof buf - 1, 0);

    CHECK_GE(n, 0);
    buf[n < 0 ? 0 : n] = '\0';
    return buf;
}

/* Walk, look, open, make; what is not open is not read. */
TEST(from_a_directory)
{
    int dir = begin(), file, fd;
    struct dir *d;

    file = fd_walk(dir, "a", -1);
    MUST(file >= 0);
    CHECK_EQ(read(file, buf, 1), -E_BADUSE);
    CHECK_EQ(write(file, buf, 1), -E_BADUSE);
    d = dirfstat(file);
    MUST(d != NULL);
    CHECK_STR(d->name, "a");
    CHECK_EQ(d->length, 5);
    CHECK_EQ(fd2path(file, buf, sizeof buf), 6);
    CHECK_STR(buf, "/tmp/a");
    fd = fd_open(file, OREAD, -1);
    CHECK_STR(contents(fd), "first");
    close(fd);
    fd = fd_open(file, ORDWR | OTRUNC, -1);
    CHECK_EQ(write(fd, "2nd", 3), 3);
    CHECK_STR(contents(fd), "2nd");
    fd = fd_create(dir, "b", OWRITE | OEXCL, 0666, -1);
    MUST(fd >= 0);
    CHECK_EQ(fd_create(dir, "b", OWRITE | OEXCL, 0666, -1), -E_EXIST);
    CHECK_EQ(access("/tmp/b", AEXIST), 0);
    CHECK_EQ(fd_walk(dir, "c", -1), -E_NOEXIST);
    CHECK_EQ(fd_walk(file, "c", -1), -E_NOTDIR);
    CHECK_EQ(fd_walk(99, "c", -1), -E_BADFD);
    CHECK_EQ(fd_open(file, 77, -1), -E_OPENMODE);
    CHECK_EQ(fd_open(dir, OWRITE, -1), -E_ISDIR);
}

/* All of a path is below the descriptor, whatever it begins with. */
TEST(below_it_only)
{
    int dir = begin(), up;

    CHECK_EQ(fd_walk(dir, "#c", -1), -E_NOEXIST);
    CHECK_EQ(fd_walk(dir, "#c/time", -1), -E_NOEXIST);
    CHECK_EQ(fd_walk(dir, "/tmp", -1), -E_NOEXIST);
    CHECK_GE(fd_walk(dir, "/a", -1), 0);
    CHECK_EQ(fd_walk(dir, "a\nb", -1), -E_NAME);
    up = fd_walk(dir, "..", -1);
    CHECK_EQ(fd2path(up, buf, sizeof buf), 1);
    CHECK_STR(buf, "/");
}

/* The file stays the same one when another gets its name. */
TEST(stays_with_its_file)
{
    int dir = begin(), file = fd_walk(dir, "a", -1), again, fd;

    MUST(file >= 0);
    fd = fd_open(file, OREAD, -1);
    again = fd_walk(file, "", -1);
    CHECK_EQ(fd_remove(file), 0);
    CHECK_EQ(access("/tmp/a", AEXIST), -E_NOEXIST);
    MUST(write_file("/tmp/a", "another") == 0);
    CHECK_STR(contents(fd), "first");
    CHECK_GE(fd_open(again, OREAD, -1), 0); /* it lives as long as fd is open */
    close(fd);
    CHECK_EQ(close(file), 0);
    CHECK_EQ(fd_remove(again), -E_NOEXIST);
    CHECK_STR(read_file("/tmp/a", NULL), "another");
}

/* A number of one's own, also above what open gives; and its limits. */
TEST(numbers)
{
    int dir = begin();
    struct dir *list;

    CHECK_EQ(fd_walk(dir, "a", 9), 9);
    CHECK_EQ(fd_walk(dir, "", 9), 9); /* what was there is closed */
    CHECK_EQ(fd_open(9, OREAD, 9), 9);
    CHECK_EQ(dir_list("#d", &list), 6); /* and the listed directory */
    CHECK_EQ(fd_walk(dir, "a", MAX_FD_PLACED), -E_MAXFD);
    CHECK_EQ(fd_walk(dir, "a", -2), -E_BADFD);
    CHECK(rfork(RFFDG) == 0);
    CHECK_EQ(fd_walk(dir, "a", MAX_FD_PLACED - 1), MAX_FD_PLACED - 1);
    CHECK_EQ(fd_open(MAX_FD_PLACED - 1, OREAD, 50000), 50000);
    CHECK_STR(contents(50000), "first");
    CHECK_EQ(rfork(RFFDG), -E_MAXFD); /* too many to be copied */
    CHECK_EQ(dup(0, MAX_FDS), -E_MAXFD);
    CHECK_EQ(close(MAX_FD_PLACED - 1), 0);
    CHECK_EQ(close(MAX_FD_PLACED - 1), -E_BADFD);
    CHECK_EQ(open("/dev/null", OREAD), 1);
}

/* 100,000 of them cost as much each as the first ones. */
TEST(many)
{
    int dir = begin();
    uint64_t first = 0, last = 0, from;

    for (int i = 0; i < 100000; i++) {
        from = nsec();
        MUST(fd_walk(dir, i % 2 ? "a" : "", 64 + i) == 64 + i);
        if (i >= 1000 && i < 2000)
            first += nsec() - from;
        if (i >= 99000)
            last += nsec() - from;
    }
    CHECK_LT(last, 2 * first);
    CHECK_EQ(close(64 + 500), 0);
    CHECK_EQ(close(64 + 99999), 0);
    CHECK_EQ(open("/dev/null", OREAD), 1);
}
