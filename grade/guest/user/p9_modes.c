/*
 * p9_modes.c - which user may do what with files on a server, through the
 * calls: permissions, append-only and exclusive files, what wstat changes.
 */
#include "check.h"

/* A name space of this test's own, with files in memory at /tmp. */
static void
begin(void)
{
    static char *argv[] = { "ramfs", "-m", "/tmp", "-u", "lux", NULL };
    int pid;

    MUST(rfork(RFCNAMEG | RFCFDG | RFCENVG) == 0);
    MUST(boot_name_space() == 0);
    MUST(open("/dev/null", OREAD) == 0);
    MUST(open("/dev/null", OWRITE) == 1);
    MUST(open("/dev/null", OWRITE) == 2);
    pid = rfork(RFPROC | RFFDG);
    if (pid == 0) {
        exec("/bin/ramfs", argv);
        exits("no ramfs");
    }
    MUST(wait_for(pid, NULL) == pid);
}

static int
made(const char *path, unsigned mode, uint32_t perm)
{
    int fd = create(path, mode, perm);

    MUST(fd >= 0);
    return fd;
}

static uint32_t
mode_of(const char *path)
{
    struct dir *d = dirstat(path);
    uint32_t mode = d != NULL ? d->mode : 0;

    free(d);
    return mode;
}

/* Change the mode alone, or the name. */
static int
chmod_to(const char *path, uint32_t mode)
{
    struct dir d;

    dir_null(&d);
    d.mode = mode;
    return dirwstat(path, &d);
}

static int
rename_to(const char *path, const char *name)
{
    struct dir d;

    dir_null(&d);
    d.name = name;
    return dirwstat(path, &d);
}

/* A new file has no permission that its directory lacks. */
TEST(permissions_at_birth)
{
    begin();
    close(made("/tmp/d", OREAD, DMDIR | 0750));
    close(made("/tmp/d/f", ORDWR, 0666));
    close(made("/tmp/d/e", OREAD, DMDIR | 0777));
    close(made("/tmp/d/x", ORDWR, 0777));
    CHECK_EQ(mode_of("/tmp/d"), DMDIR | 0750);
    CHECK_EQ(mode_of("/tmp/d/f"), 0640);
    CHECK_EQ(mode_of("/tmp/d/e"), DMDIR | 0750);
    CHECK_EQ(mode_of("/tmp/d/x"), 0751 | (mode_of("/tmp/d/x") & 0006));
    CHECK_EQ(write(create("/tmp/d/ro", ORDWR, 0444), "x", 1), 1);
    CHECK_EQ(open("/tmp/d/ro", OWRITE), -E_PERM); /* only its maker's fd */
    CHECK_EQ(open("/tmp/d/ro", OREAD | OTRUNC), -E_PERM);
}

/* Every kind of opening asks for its own permission. */
TEST(permissions_at_open)
{
    static const unsigned modes[] = { OREAD, OWRITE, ORDWR, OEXEC,
        OREAD | OTRUNC, OWRITE | OTRUNC };
    static const uint32_t need[] = { 4, 2, 6, 1, 6, 2 };
    int fd;

    begin();
    close(made("/tmp/f", ORDWR, 0666));
    for (uint32_t perm = 0; perm < 8; perm++) {
        MUST(chmod_to("/tmp/f", perm << 6) == 0);
        for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
            fd = open("/tmp/f", modes[i]);
            CHECK_EQ(fd >= 0, (perm & need[i]) == need[i]);
            CHECK(fd >= 0 || fd == -E_PERM);
            close(fd);
        }
    }
    MUST(chmod_to("/tmp/f", 0004) == 0);
    CHECK_GE(open("/tmp/f", OREAD), 0); /* what all may, its owner may */
    CHECK_EQ(open("/tmp/f", OWRITE), -E_PERM);
}

/* A directory must be executable to walk through, readable to list, writable
 * to make or remove what is in it. */
TEST(permissions_of_directories)
{
    begin();
    close(made("/tmp/d", OREAD, DMDIR | 0777));
    close(made("/tmp/d/f", ORDWR, 0666));
    MUST(chmod_to("/tmp/d", DMDIR | 0666) == 0);
    CHECK_EQ(open("/tmp/d/f", OREAD), -E_PERM);
    CHECK_GE(open("/tmp/d", OREAD), 0);
    MUST(chmod_to("/tmp/d", DMDIR | 0333) == 0);
    CHECK_GE(open("/tmp/d/f", OREAD), 0);
    CHECK_EQ(open("/tmp/d", OREAD), -E_PERM);
    MUST(chmod_to("/tmp/d", DMDIR | 0555) == 0);
    CHECK_EQ(create("/tmp/d/g", OREAD, 0666), -E_PERM);
    CHECK_EQ(remove("/tmp/d/f"), -E_PERM);
    CHECK_EQ(open("/tmp/d/f", OREAD | ORCLOSE), -E_PERM);
    MUST(chmod_to("/tmp/d", DMDIR | 0777) == 0);
    CHECK_EQ(remove("/tmp/d/f"), 0);
}

/* Append-only: whatever the offset, writes go to the end. */
TEST(append_only)
{
    char buf[16];
    int fd, other;

    begin();
    fd = made("/tmp/log", ORDWR, DMAPPEND | 0666);
    CHECK_EQ(write(fd, "one", 3), 3);
    CHECK_EQ(pwrite(fd, "two", 3, 0), 3);
    other = open("/tmp/log", OWRITE);
    CHECK_EQ(pwrite(other, "six", 3, 1), 3);
    CHECK_EQ(pread(fd, buf, sizeof(buf), 0), 9);
    CHECK(memcmp(buf, "onetwosix", 9) == 0);
    close(open("/tmp/log", OWRITE | OTRUNC));
    CHECK_EQ(pread(fd, buf, sizeof(buf), 0), 9); /* it only grows */
    CHECK_EQ(mode_of("/tmp/log"), DMAPPEND | 0666);
}

/* Exclusive: one opener at a time; its end frees the file. */
TEST(exclusive)
{
    int fd;

    begin();
    fd = made("/tmp/lock", ORDWR, DMEXCL | 0666);
    CHECK_LT(open("/tmp/lock", OREAD), 0);
    if (fork() == 0) {
        CHECK_LT(open("/tmp/lock", OREAD), 0);
        exits(check_failures ? "a check failed" : "");
    }
    wait(NULL);
    close(fd);
    if (fork() == 0) {
        CHECK_GE(open("/tmp/lock", OREAD), 0);
        exits(check_failures ? "a check failed" : "");
    }
    wait(NULL);
    fd = open("/tmp/lock", OREAD);
    CHECK_GE(fd, 0);
    CHECK_GE(dup(fd, -1), 0); /* the same opener */
}

/* wstat changes names and modes, all that it is asked or nothing. */
TEST(changing)
{
    struct dir d;
    char *text;

    begin();
    close(made("/tmp/a", ORDWR, 0666));
    CHECK_EQ(write_file("/tmp/b", "contents"), 0);
    CHECK_LT(rename_to("/tmp/a", "b"), 0); /* taken */
    CHECK_LT(rename_to("/tmp/a", "x/y"), 0);
    CHECK_EQ(rename_to("/tmp/a", "c"), 0);
    CHECK_EQ(access("/tmp/a", AEXIST), -E_NOEXIST);
    CHECK_EQ(access("/tmp/c", AEXIST), 0);
    dir_null(&d);
    d.name = "e";
    d.mode = DMDIR | 0700; /* a file stays a file */
    CHECK_LT(dirwstat("/tmp/c", &d), 0);
    CHECK_EQ(access("/tmp/e", AEXIST), -E_NOEXIST);
    dir_null(&d);
    d.length = 3;
    CHECK_EQ(dirwstat("/tmp/b", &d), 0);
    text = read_file("/tmp/b", NULL);
    CHECK(text != NULL && strcmp(text, "con") == 0);
    dir_null(&d);
    CHECK_EQ(dirwstat("/tmp/b", &d), 0); /* nothing, but to be written down */
    CHECK_LT(rename_to("/dev/null", "x"), 0);
    CHECK_LT(rename_to("/boot/bin/ls", "x"), 0);
}

/* An open file that is renamed or removed. */
TEST(names_come_and_go)
{
    char buf[8];
    int fd;

    begin();
    fd = made("/tmp/a", ORDWR, 0666);
    CHECK_EQ(write(fd, "abc", 3), 3);
    CHECK_EQ(rename_to("/tmp/a", "b"), 0);
    CHECK_EQ(pread(fd, buf, 8, 0), 3);
    CHECK_EQ(remove("/tmp/b"), 0);
    CHECK_EQ(pread(fd, buf, 8, 0), 3);
    close(made("/tmp/b", ORDWR, 0666));
    CHECK_EQ(pread(fd, buf, 8, 0), 3); /* not the new one */
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(access("/tmp/b", AEXIST), 0);
}

/* ORCLOSE on a server, through each way in which the last channel ends. */
static void
leave_open(void)
{
    made("/tmp/gone", ORDWR | ORCLOSE, 0666);
}

static void
exec_over_it(void)
{
    static char *argv[] = { "true", NULL };

    made("/tmp/gone", ORDWR | ORCLOSE | OCEXEC, 0666);
    exec("/bin/true", argv);
}

TEST(remove_on_close)
{
    struct waitmsg w;
    int fd;

    begin();
    fd = made("/tmp/gone", ORDWR | ORCLOSE, 0666);
    CHECK_EQ(access("/tmp/gone", AEXIST), 0);
    close(fd);
    CHECK_EQ(access("/tmp/gone", AEXIST), -E_NOEXIST);
    check_child(exec_over_it, &w);
    CHECK_STR(w.msg, "");
    if (rfork(RFPROC | RFFDG) == 0) {
        leave_open();
        exits("");
    }
    wait(NULL);
    CHECK_EQ(access("/tmp/gone", AEXIST), -E_NOEXIST);
}
