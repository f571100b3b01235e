/*
 * p9_env.c - #e: variables are files, and each environment group has its own.
 */
#include "check.h"

static char buf[128 << 10];

/* n children have ended, in whatever order. */
static void
end_all(size_t n)
{
    struct waitmsg w;

    while (n-- > 0) {
        CHECK_GT(wait(&w), 0);
        CHECK_STR(w.msg, "");
    }
}

/* The variable has this value. */
static void
check_value(const char *path, const char *want)
{
    int fd = open(path, OREAD);
    int64_t n;

    if (!CHECK_GE(fd, 0))
        return;
    n = read(fd, buf, sizeof buf - 1);
    CHECK_GE(n, 0);
    buf[n < 0 ? 0 : n] = '\0';
    CHECK_STR(buf, want);
    close(fd);
}

/* An environment of our own, empty: tests that share a boot share one. */
static void
fresh(void)
{
    MUST(rfork(RFCENVG) >= 0);
}

/* Made, read, written over, emptied, removed. */
TEST(life)
{
    fresh();

    MUST(write_file("#e/x", "value") == 0);
    check_value("#e/x", "value");
    MUST(write_file("#e/x", "v") == 0);
    check_value("#e/x", "v");
    CHECK_EQ(remove("#e/x"), 0);
    CHECK_EQ(open("#e/x", OREAD), -E_NOEXIST);
    CHECK_EQ(remove("#e/x"), -E_NOEXIST);
}

/* A value may be written in pieces, anywhere; what lies between is zeros. */
TEST(offsets)
{
    fresh();

    int fd = create("#e/x", ORDWR, 0666);

    MUST(fd >= 0);
    CHECK_EQ(pwrite(fd, "end", 3, 5), 3);
    CHECK_EQ(pwrite(fd, "ab", 2, 0), 2);
    CHECK_EQ(pread(fd, buf, sizeof buf, 0), 8);
    CHECK(memcmp(buf, "ab\0\0\0end", 8) == 0);
    CHECK_EQ(pread(fd, buf, sizeof buf, 6), 2);
    CHECK_EQ(pread(fd, buf, sizeof buf, 8), 0);
    CHECK_EQ(pread(fd, buf, sizeof buf, 1 << 20), 0);
}

/* Values have a limit, and what is refused changes nothing. */
TEST(limits)
{
    fresh();

    int fd = create("#e/x", ORDWR, 0666);

    MUST(fd >= 0);
    CHECK_EQ(pwrite(fd, "ab", 2, 0), 2);
    CHECK_EQ(pwrite(fd, buf, 1, INT64_MAX - 1), -E_BADLEN);
    CHECK_EQ(pwrite(fd, buf, 1, INT64_MAX), -E_OFFSET);
    CHECK_EQ(pwrite(fd, buf, (64 << 10) + 1, 0), -E_BADLEN);
    CHECK_EQ(pwrite(fd, (void *)16, 2, 0), -E_BADADDR);
    CHECK_EQ(pread(fd, (void *)16, 2, 0), -E_BADADDR);
    check_value("#e/x", "ab");
    CHECK_EQ(pwrite(fd, buf, 64 << 10, 0), 64 << 10);
    CHECK_EQ(pwrite(fd, "x", 1, 64 << 10), -E_BADLEN);
    CHECK_LT(create("#e/a_name_that_is_longer_than_names_may_be", OWRITE, 0666),
            0);
    CHECK_EQ(create("#e/dir", OREAD, DMDIR | 0777), -E_PERM);
}

/* There are never more than 1024, and then there is an error. */
TEST(too_many)
{
    fresh();

    char name[32];
    int made = 0, fd = 0;

    for (int i = 0; i < 1100 && fd >= 0; i++) {
        snprint(name, sizeof name, "#e/v%d", i);
        fd = create(name, OWRITE, 0666);
        if (fd >= 0) {
            made++;
            close(fd);
        }
    }
    CHECK_EQ(fd, -E_MAXENV);
    CHECK_EQ(made, 1024);
    CHECK_EQ(remove("#e/v7"), 0);
    CHECK_GE(create("#e/again", OWRITE, 0666), 0);
}

/* The directory lists each variable once, with its length. */
TEST(listed)
{
    fresh();

    struct dir *d;

    MUST(write_file("#e/a", "1") == 0 && write_file("#e/b", "22") == 0);
    CHECK_EQ(dir_list("#e", &d), 2);
    CHECK_STR(d[0].name, "a");
    CHECK_EQ(d[0].length, 1);
    CHECK_STR(d[1].name, "b");
    CHECK_EQ(d[1].length, 2);
}

/* The version in the qid changes with the content. */
TEST(version)
{
    fresh();

    struct dir *before, *after, *written;
    int fd;

    MUST(write_file("#e/a", "1") == 0);
    before = dirstat("#e/a");
    MUST(write_file("#e/a", "2") == 0);
    after = dirstat("#e/a");
    MUST(before != NULL && after != NULL);
    CHECK_EQ(before->qid.path, after->qid.path);
    CHECK_NE(before->qid.vers, after->qid.vers);
    MUST((fd = open("#e/a", OWRITE)) >= 0);
    CHECK_EQ(pwrite(fd, "3", 1, 0), 1);
    written = dirstat("#e/a");
    CHECK(written != NULL && written->qid.vers != after->qid.vers);
}

/* Children share the environment, those of RFENVG have a copy, those of
 * RFCENVG an empty one. */
TEST(groups)
{
    fresh();

    int pid;

    MUST(write_file("#e/x", "mine") == 0);
    if ((pid = rfork(RFPROC | RFENVG)) == 0) {
        check_value("#e/x", "mine");
        CHECK_EQ(write_file("#e/x", "copy"), 0);
        CHECK_EQ(write_file("#e/y", "copy"), 0);
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
    check_value("#e/x", "mine");
    CHECK_EQ(open("#e/y", OREAD), -E_NOEXIST);
    if ((pid = rfork(RFPROC | RFCENVG)) == 0) {
        CHECK_EQ(open("#e/x", OREAD), -E_NOEXIST);
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
    if ((pid = rfork(RFPROC)) == 0) {
        CHECK_EQ(write_file("#e/x", "shared"), 0);
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
    check_value("#e/x", "shared");
}

/* ORCLOSE removes the variable at the last close. */
TEST(remove_on_close)
{
    fresh();

    int fd = create("#e/x", ORDWR | ORCLOSE, 0666), pid;

    MUST(fd >= 0);
    CHECK_EQ(access("#e/x", AEXIST), 0);
    close(fd);
    CHECK_EQ(access("#e/x", AEXIST), -E_NOEXIST);
    if ((pid = rfork(RFPROC | RFFDG)) == 0) {
        CHECK_GE(create("#e/x", ORDWR | ORCLOSE, 0666), 0);
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
    CHECK_EQ(access("#e/x", AEXIST), -E_NOEXIST);
}

static void
change_many(void)
{
    char name[16], value[64];

    for (int i = 0; i < 60; i++) {
        snprint(name, sizeof name, "#e/v%lu", check_random() % 5);
        snprint(value, sizeof value, "%064lu", check_random());
        if (check_random() % 4 == 0)
            remove(name);
        else if (check_random() % 4 == 0)
            close(create(name, OWRITE | ORCLOSE, 0666));
        else
            write_file(name, value);
    }
    for (int i = 0; i < 5; i++) {
        snprint(name, sizeof name, "#e/v%d", i);
        remove(name);
    }
    for (int i = 0; i < 60 && rfork(RFCENVG) == 0; i++)
        close(create("#e/x", OWRITE | ORCLOSE, 0666));
}

/* Several processes at once. */
static void
change_all(void)
{
    int pids[6];

    if (rfork(RFENVG) < 0)
        fatal("%r");
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        check_seed += i;
        if ((pids[i] = rfork(RFPROC | (i & 1 ? RFENVG : 0))) == 0) {
            change_many();
            exits(NULL);
        }
    }
    end_all(ARRAY_LEN(pids));
}

/*
 * Many processes change one environment; nothing is lost of the kernel's.
 * cpus: 1 4 8
 */
TEST(crowd)
{
    fresh();

    check_gives_back(change_all);
}

/* A variable that is removed while it is open lives until the last close, and
 * another of its name is another. */
TEST(removed_while_open)
{
    struct dir *d, *list;
    int fd, also;

    fresh();
    CHECK_EQ(write_file("#e/v", "old"), 0);
    fd = open("#e/v", ORDWR);
    also = open("#e/v", OREAD);
    MUST(fd >= 0 && also >= 0);
    CHECK_EQ(remove("#e/v"), 0);
    CHECK_EQ(access("#e/v", AEXIST), -E_NOEXIST);
    CHECK_EQ(dir_list("#e", &list), 0);
    CHECK_EQ(pread(fd, buf, sizeof buf, 0), 3);
    CHECK(memcmp(buf, "old", 3) == 0);
    CHECK_EQ(write_file("#e/v", "another"), 0);
    CHECK_EQ(pwrite(fd, "er", 2, 3), 2);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(pread(also, buf, sizeof buf, 0), 5);
    CHECK(memcmp(buf, "older", 5) == 0);
    d = dirfstat(also);
    MUST(d != NULL);
    CHECK_EQ(d->length, 5);
    CHECK_EQ(close(also), 0);
    CHECK_STR(read_file("#e/v", NULL), "another");
}

/* The same where the environment has been copied meanwhile, and with ORCLOSE;
 * memory for what was removed is free at the end: many rounds fit. */
TEST(removed_many)
{
    int fd = 0, pid;

    fresh();
    for (unsigned i = 0; i < 3000; i++) {
        fd = create("#e/v", ORDWR | (i % 2 ? ORCLOSE : 0), 0666);
        MUST(fd >= 0);
        MUST(write(fd, "x", 1) == 1);
        MUST(remove("#e/v") == 0);
        if (i < 2999)
            close(fd);
    }
    pid = rfork(RFPROC | RFENVG | RFFDG);
    MUST(pid >= 0);
    if (pid == 0) {
        CHECK_EQ(pread(fd, buf, sizeof buf, 0), 1);
        _exits(NULL);
    }
    CHECK_EQ(wait_for(pid, NULL), pid);
    CHECK_EQ(pread(fd, buf, sizeof buf, 0), 1);
    close(fd);
    CHECK_EQ(access("#e/v", AEXIST), -E_NOEXIST);
}
