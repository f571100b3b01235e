/*
 * p9_names.c - from names to files: the ways that lead there, the ways back,
 * and names that lead nowhere.
 */
#include "check.h"

/* A name space as the first process makes it, this test's alone. */
static void
begin(void)
{
    MUST(rfork(RFCNAMEG | RFCFDG | RFCENVG) == 0);
    MUST(boot_name_space() == 0);
}

/* The path of what `path` names when it is opened, as fd2path says. */
static const char *
full(const char *path)
{
    static char text[MAX_PATH];
    int fd = open(path, OREAD);

    if (fd < 0)
        return errstr();
    CHECK(fd2path(fd, text, sizeof(text)) == (int64_t)strlen(text));
    close(fd);
    return text;
}

static const char *
here(void)
{
    return full(".");
}

/* The same file, whatever it is called. */
static bool
same(const char *a, const char *b)
{
    struct dir *x = dirstat(a), *y = dirstat(b);
    bool equal = x != NULL && y != NULL && x->qid.path == y->qid.path &&
                 x->type == y->type && x->dev == y->dev;

    free(x);
    free(y);
    return equal;
}

/* Empty names and "." say nothing. */
TEST(slashes_and_dots)
{
    begin();
    CHECK_STR(full("/dev/null"), "/dev/null");
    CHECK_STR(full("//dev///null"), "/dev/null");
    CHECK_STR(full("/./dev/././null"), "/dev/null");
    CHECK_STR(full("/"), "/");
    CHECK_STR(full("/."), "/");
    CHECK_STR(full("/dev/"), "/dev");
    CHECK_STR(full("/dev/."), "/dev");
    CHECK_EQ(open("", OREAD), -E_NOEXIST);
}

/* ".." goes back the way that led here, out of what is bound, too. */
TEST(dotdot)
{
    begin();
    CHECK_STR(full("/dev/../proc"), "/proc");
    CHECK_STR(full("/boot/bin/.."), "/boot");
    CHECK_STR(full("/boot/bin/../.."), "/");
    CHECK_STR(full("/bin/.."), "/");
    CHECK_STR(full("/bin/../dev/null"), "/dev/null");
    CHECK(same("/bin/..", "/"));
    CHECK(same("/boot/..", "/"));
    CHECK(!same("/bin/..", "/boot"));
}

/* The root's parent is the root, and so is each device's root's. */
TEST(dotdot_at_the_root)
{
    begin();
    CHECK_STR(full("/.."), "/");
    CHECK_STR(full("/../../../dev"), "/dev");
    CHECK_STR(full("#c/.."), "#c");
    CHECK_STR(full("#c/../../null"), "#c/null");
    CHECK(same("#B/bin/../etc", "/boot/etc"));
}

/* ".." works through several binds on top of each other. */
TEST(dotdot_through_binds)
{
    begin();
    MUST(close(create("/n/a", OREAD, DMDIR | 0755)) == 0);
    MUST(close(create("/n/a/b", OREAD, DMDIR | 0755)) == 0);
    CHECK_EQ(bind("/boot", "/n/a/b", MREPL), 0);
    CHECK_EQ(bind("/n/a", "/mnt", MREPL), 0);
    CHECK_STR(full("/mnt/b/bin/ls"), "/mnt/b/bin/ls");
    CHECK_STR(full("/mnt/b/bin/../etc/motd"), "/mnt/b/etc/motd");
    CHECK_STR(full("/mnt/b/bin/../.."), "/mnt");
    CHECK_STR(full("/mnt/b/../.."), "/");
    CHECK(same("/mnt/b/..", "/n/a"));
    CHECK(same("/mnt/b/../../n/a/b/bin", "/bin"));
    CHECK_EQ(remove("/n/a/b"), 0);
    CHECK_EQ(remove("/n/a"), 0);
}

/* chdir changes where relative names begin; "." follows. */
TEST(current_directory)
{
    begin();
    CHECK_STR(here(), "/");
    CHECK_EQ(chdir("/boot/bin"), 0);
    CHECK_STR(here(), "/boot/bin");
    CHECK_STR(full("ls"), "/boot/bin/ls");
    CHECK_STR(full("../etc/motd"), "/boot/etc/motd");
    CHECK_EQ(chdir(".."), 0);
    CHECK_STR(here(), "/boot");
    CHECK_EQ(chdir("../dev"), 0);
    CHECK_STR(here(), "/dev");
    CHECK_EQ(chdir("nowhere"), -E_NOEXIST);
    CHECK_EQ(chdir("null"), -E_NOTDIR);
    CHECK_STR(here(), "/dev");
}

/* A child begins where its parent is; neither moves the other. */
TEST(current_directory_is_the_process_s)
{
    begin();
    MUST(chdir("/boot") == 0);
    if (fork() == 0) {
        CHECK_STR(here(), "/boot");
        CHECK_EQ(chdir("/dev"), 0);
        exits(check_failures ? "a check failed" : "");
    }
    wait(NULL);
    CHECK_STR(here(), "/boot");
}

/* A name that is not there is an error; a file that is not a directory has no
 * files. */
TEST(missing)
{
    begin();
    CHECK_EQ(open("/nowhere", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/nowhere/at/all", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/dev/nothing", OREAD), -E_NOEXIST);
    CHECK_EQ(open("/dev/null/x", OREAD), -E_NOTDIR);
    CHECK_EQ(open("/boot/bin/ls/x", OREAD), -E_NOTDIR);
    CHECK_EQ(open("/dev/null/", OREAD), -E_NOTDIR);
    CHECK_EQ(open("/dev/null/.", OREAD), -E_NOTDIR);
    CHECK_EQ(open("#?", OREAD), -E_NODEV);
    CHECK_EQ(open("#", OREAD), -E_NODEV);
    CHECK_EQ(open("#cspec", OREAD), -E_BADSPEC);
    CHECK_LT(open("#M", OREAD), 0);
    CHECK_LT(open("#M/x", OREAD), 0);
}

/* Names that no file may have. */
TEST(bad_names)
{
    char path[MAX_PATH + 2];

    begin();
    CHECK_EQ(open("/dev/\xff", OREAD), -E_NAME);
    CHECK_EQ(open("/dev/\xc0\xaf", OREAD), -E_NAME);
    CHECK_EQ(create("/env/\x80", OWRITE, 0666), -E_NAME);
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[MAX_PATH - 1] = '\0';
    CHECK_EQ(open(path, OREAD), -E_NOEXIST); /* just fits */
    path[MAX_PATH - 1] = 'a';
    path[MAX_PATH] = '\0';
    CHECK_EQ(open(path, OREAD), -E_NAMELEN);
    for (size_t i = 0; i < MAX_PATH - 1; i++)
        path[i] = i % 2 ? '.' : '/';
    path[MAX_PATH - 1] = '\0';
    CHECK_STR(full(path), "/");
}

/* As many names as a path can have, and back. */
TEST(deep)
{
    char path[MAX_PATH] = "/n";
    int depth;

    begin();
    for (depth = 0; strlen(path) < MAX_PATH - 4; depth++) {
        strcat(path, "/d");
        MUST(close(create(path, OREAD, DMDIR | 0755)) == 0);
    }
    CHECK_STR(full(path), path);
    CHECK_EQ(chdir(path), 0);
    for (int i = 0; i < depth; i++)
        MUST(chdir("..") == 0);
    CHECK_STR(here(), "/n");
    for (; depth > 0; depth--) {
        CHECK_EQ(remove(path), 0);
        path[strlen(path) - 2] = '\0';
    }
}

/* Ever deeper is refused at last; it never ends the kernel, nor does the end
 * of so long a way. */
TEST(deeper_than_any_path)
{
    char text[2 * MAX_PATH];
    int depth = 0, err = 0;

    begin();
    for (; depth < 3000 && err == 0; depth++) {
        err = bind("#/", "n", MREPL);
        if (err == 0)
            err = chdir("n");
        unmount(NULL, "/n");
    }
    CHECK_EQ(err, -E_DEPTH);
    CHECK(depth > 500 && depth < 3000);
    CHECK_GT(fd2path(open(".", OREAD), text, sizeof(text)), 1000);
    CHECK_EQ(chdir(".."), 0);
    CHECK_EQ(chdir("/"), 0);
    CHECK_STR(here(), "/");
}

/* stat tells an entry's name, the last one of the path. */
TEST(stat_by_name)
{
    struct dir *d;

    begin();
    d = dirstat("/boot/bin/ls");
    MUST(d != NULL);
    CHECK_STR(d->name, "ls");
    CHECK_EQ(d->mode & 0777, 0555);
    CHECK_GT(d->length, 1000);
    CHECK_EQ(d->qid.type, QTFILE);
    free(d);
    d = dirstat("/bin");
    MUST(d != NULL);
    CHECK_STR(d->name, "bin");
    CHECK_EQ(d->qid.type, QTDIR);
    CHECK(d->mode & DMDIR);
    free(d);
    d = dirstat("/dev");
    MUST(d != NULL);
    CHECK_STR(d->name, "dev"); /* though #c calls it / */
    free(d);
}

/* Directories list what is in them, whole entries only. */
TEST(listing)
{
    struct dir *d = NULL;
    char buf[1024];
    int64_t n = 0, got;
    int fd;

    begin();
    fd = open("/", OREAD);
    MUST(fd >= 0);
    CHECK_EQ(pread(fd, buf, 10, 0), -E_SHORTSTAT);
    CHECK_EQ(read(fd, buf, DIR_FIXED), -E_SHORTSTAT);
    for (;; n++) { /* room for about one entry at a time */
        got = read(fd, buf, 80);
        if (got <= 0)
            break;
        for (int64_t at = 0; at < got;) {
            int64_t len = dir_check((uint8_t *)buf + at, (size_t)(got - at));

            MUST(len > 0);
            at += len;
        }
    }
    CHECK_EQ(got, 0);
    CHECK_EQ(n, 12);
    CHECK_EQ(pread(fd, buf, 80, 1), -E_DIROFFSET);
    got = pread(fd, buf, sizeof(buf), 0);
    CHECK_GT(got, 0);
    CHECK_EQ(pread(fd, buf, sizeof(buf), got - 1), -E_DIROFFSET);
    CHECK_EQ(pread(fd, buf, sizeof(buf), got), 0);
    CHECK_EQ(seek(fd, 0, SEEK_SET), 0);
    CHECK_GT(read(fd, buf, sizeof(buf)), 0);
    CHECK_EQ(seek(fd, 1, SEEK_SET), -E_ISDIR);
    close(fd);
    CHECK_EQ(dir_list("/", &d), 12);
    free(d);
}
