/*
 * p9_union.c - bind: instead, before, after; what a union shows, where new
 * files go, and how it is undone.
 */
#include "check.h"

/* A name space of this test's own, with three directories to bind: a and b
 * hold each a name of their own and one in common, which is a directory. */
static void
begin(void)
{
    static const char *const dirs[] = { "/n/a", "/n/b", "/n/u", "/n/a/both",
        "/n/a/both/in-a", "/n/b/both", "/n/b/both/in-b", "/n/a/only-a",
        "/n/b/only-b" };

    MUST(rfork(RFCNAMEG | RFCFDG | RFCENVG) == 0);
    MUST(boot_name_space() == 0);
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        int fd = create(dirs[i], OREAD, DMDIR | 0755);

        MUST(fd >= 0 || fd == -E_EXIST); /* of the test before */
        close(fd);
    }
}

static bool
there(const char *path)
{
    return access(path, AEXIST) == 0;
}

/* The names in a directory in the order in which it lists them. */
static const char *
names(const char *path)
{
    static char text[1024];
    struct dir *d;
    int fd = open(path, OREAD);
    int64_t n;

    text[0] = '\0';
    if (fd < 0)
        return errstr();
    while ((n = dirread(fd, &d)) > 0) {
        for (int64_t i = 0; i < n; i++) {
            strlcat(text, d[i].name, sizeof(text));
            strlcat(text, " ", sizeof(text));
        }
        free(d);
    }
    close(fd);
    CHECK_EQ(n, 0);
    return text;
}

/* MREPL: the new directory instead of the old one. */
TEST(replace)
{
    begin();
    CHECK_EQ(bind("/n/a", "/n/u", MREPL), 0);
    CHECK_STR(names("/n/u"), "both only-a ");
    CHECK_EQ(bind("/n/b", "/n/u", MREPL), 0);
    CHECK_STR(names("/n/u"), "both only-b ");
    CHECK_EQ(unmount(NULL, "/n/u"), 0);
    CHECK_STR(names("/n/u"), "");
}

/* A union lists all its directories, and finds each name in the first. */
TEST(before_and_after)
{
    begin();
    CHECK_EQ(bind("/n/a", "/n/u", MAFTER), 0);
    CHECK_EQ(bind("/n/b", "/n/u", MAFTER), 0);
    CHECK_STR(names("/n/u"), "both only-a both only-b ");
    CHECK(there("/n/u/both/in-a"));
    CHECK(!there("/n/u/both/in-b"));
    CHECK(there("/n/u/only-a") && there("/n/u/only-b"));
    CHECK_EQ(unmount(NULL, "/n/u"), 0);
    CHECK_EQ(bind("/n/a", "/n/u", MBEFORE), 0);
    CHECK_EQ(bind("/n/b", "/n/u", MBEFORE), 0);
    CHECK_STR(names("/n/u"), "both only-b both only-a ");
    CHECK(there("/n/u/both/in-b"));
    CHECK(!there("/n/u/both/in-a"));
}

/* What the place held itself stays part of the union. */
TEST(place_itself_is_a_part)
{
    begin();
    CHECK_EQ(bind("/n/b", "/n/a", MAFTER), 0);
    CHECK_STR(names("/n/a"), "both only-a both only-b ");
    CHECK(there("/n/a/both/in-a"));
    CHECK_EQ(bind("/n/u", "/n/a", MBEFORE), 0);
    CHECK(there("/n/a/only-b"));
    CHECK_EQ(unmount("/n/b", "/n/a"), 0);
    CHECK_STR(names("/n/a"), "both only-a ");
    CHECK(!there("/n/a/only-b"));
}

/* What is bound is a directory, with what is bound there; names below it are
 * not joined. */
TEST(binding_a_union_binds_its_parts)
{
    begin();
    CHECK_EQ(bind("/n/b", "/n/a", MAFTER), 0);
    CHECK_EQ(bind("/n/a", "/mnt", MREPL), 0);
    CHECK_STR(names("/mnt"), "both only-a both only-b ");
    CHECK_EQ(unmount("/n/b", "/n/a"), 0);
    CHECK(there("/mnt/only-b")); /* it was bound while it was there */
    CHECK_STR(names("/mnt/both"), "in-a ");
    CHECK_EQ(bind("/dev", "/mnt", MBEFORE), 0);
    CHECK(there("/mnt/null") && there("/mnt/trace") && there("/mnt/only-b"));
    CHECK_EQ(unmount(NULL, "/mnt"), 0);
    CHECK_EQ(bind("/n/b", "/n/a", MAFTER), 0);
    CHECK_EQ(bind("/n/a", "/mnt", MREPL | MCREATE), 0);
    CHECK_EQ(unmount("/n/a", "/mnt"), 0); /* the part that took new files */
    CHECK_EQ(create("/mnt/x", OREAD, DMDIR | 0755), -E_NOCREATE);
}

/* New files go to the first part that was bound with MCREATE, or nowhere. */
TEST(create_in_a_union)
{
    begin();
    CHECK_EQ(bind("/n/a", "/n/u", MAFTER), 0);
    CHECK_EQ(create("/n/u/new", OREAD, DMDIR | 0755), -E_NOCREATE);
    CHECK_EQ(bind("/n/b", "/n/u", MAFTER | MCREATE), 0);
    MUST(close(create("/n/u/new", OREAD, DMDIR | 0755)) == 0);
    CHECK(there("/n/b/new"));
    CHECK(!there("/n/a/new"));
    CHECK_EQ(remove("/n/u/new"), 0);
    CHECK(!there("/n/b/new"));
    MUST(close(create("/n/u/only-a/x", OREAD, DMDIR | 0755)) == 0);
    CHECK(there("/n/a/only-a/x")); /* below it the file server decides */
    CHECK_EQ(remove("/n/a/only-a/x"), 0);
    CHECK_EQ(bind("/n/a", "/mnt", MREPL), 0);
    CHECK_EQ(create("/mnt/new", OREAD, DMDIR | 0755), -E_NOCREATE);
}

/* A name that exists in any part is that file, and is not made again. */
TEST(create_finds_what_exists)
{
    begin();
    MUST(putenv("chosen", "here") == 0);
    CHECK_EQ(bind("#e", "/n/u", MAFTER | MCREATE), 0);
    CHECK_EQ(bind("/n/a", "/n/u", MBEFORE | MCREATE), 0);
    int fd = create("/n/u/chosen", OWRITE, 0666);
    MUST(fd >= 0);
    CHECK(write(fd, "there", 5) == 5);
    close(fd);
    CHECK_STR(getenv("chosen"), "there");
    CHECK(!there("/n/a/chosen"));
    CHECK_EQ(create("/n/u/chosen", OWRITE | OEXCL, 0666), -E_EXIST);
}

/* Files are bound over files, directories over directories. */
TEST(kinds_do_not_mix)
{
    begin();
    CHECK_EQ(bind("/dev/null", "/n/u", MREPL), -E_MOUNT);
    CHECK_EQ(bind("/n/u", "/dev/null", MREPL), -E_MOUNT);
    CHECK_EQ(bind("/dev/null", "/dev/zero", MAFTER), -E_MOUNT);
    CHECK_EQ(bind("/dev/null", "/dev/zero", MREPL), 0);
    CHECK_EQ(read(open("/dev/zero", OREAD), (char[8]){ 0 }, 8), 0);
    CHECK_EQ(unmount(NULL, "/dev/zero"), 0);
    CHECK_EQ(read(open("/dev/zero", OREAD), (char[8]){ 0 }, 8), 8);
    CHECK_EQ(bind("/n/a", "/n/u", MBEFORE | MAFTER), -E_BADARG);
    CHECK_EQ(bind("/n/a", "/n/u", 8), -E_BADARG);
    CHECK_EQ(bind("/n/a", "/n/u", 1u << 31), -E_BADARG);
    CHECK_EQ(bind("/n/a", "/n/u", MREPL | MCACHE), 0);
    CHECK_EQ(bind("/nowhere", "/n/u", MREPL), -E_NOEXIST);
    CHECK_EQ(bind("/n/a", "/nowhere", MREPL), -E_NOEXIST);
}

/* What is bound somewhere stays what it was, though its old name means
 * something else later. */
TEST(bound_again_elsewhere)
{
    begin();
    CHECK_EQ(bind("/n/a", "/n/u", MREPL | MCREATE), 0);
    CHECK_EQ(bind("/n/b", "/n/a", MREPL), 0);
    CHECK(there("/n/a/only-b") && !there("/n/a/only-a"));
    CHECK(there("/n/u/only-a") && !there("/n/u/only-b"));
    MUST(chdir("/n/u") == 0);
    CHECK(there("only-a") && !there("only-b"));
    MUST(close(create("x", OREAD, DMDIR | 0755)) == 0);
    CHECK(there("/n/u/x") && !there("/n/a/x"));
    CHECK_EQ(remove("x"), 0);
}

/* Taking away what is not there is an error and changes nothing. */
TEST(unmount_rules)
{
    begin();
    CHECK_EQ(unmount(NULL, "/n/u"), -E_UNMOUNT);
    CHECK_EQ(unmount("/n/a", "/n/u"), -E_UNMOUNT);
    CHECK_EQ(bind("/n/a", "/n/u", MAFTER), 0);
    CHECK_EQ(unmount("/n/b", "/n/u"), -E_UNION);
    CHECK_EQ(unmount("/nowhere", "/n/u"), -E_NOEXIST);
    CHECK(there("/n/u/only-a"));
    CHECK_EQ(unmount("/n/a", "/n/u"), 0);
    CHECK(!there("/n/u/only-a"));
    CHECK_EQ(unmount(NULL, "/n/u"), -E_UNMOUNT); /* only itself was left */
}

/* An open directory keeps what it was a union of; a new one sees the new. */
TEST(open_directory_keeps_its_union)
{
    char buf[64];
    int fd, n = 0;

    begin();
    CHECK_EQ(bind("/n/a", "/n/u", MAFTER), 0);
    CHECK_EQ(bind("/n/b", "/n/u", MAFTER), 0);
    fd = open("/n/u", OREAD);
    MUST(fd >= 0);
    CHECK_GT(read(fd, buf, sizeof(buf)), 0);
    CHECK_EQ(unmount(NULL, "/n/u"), 0);
    while (read(fd, buf, sizeof(buf)) > 0)
        n++;
    CHECK_EQ(n, 3);
    CHECK_EQ(seek(fd, 0, SEEK_SET), 0);
    for (n = 0; read(fd, buf, sizeof(buf)) > 0;)
        n++;
    CHECK_EQ(n, 4);
    CHECK_STR(names("/n/u"), "");
}

/* To read no byte moves nothing: what was not listed yet still is. */
TEST(nothing_read_is_nothing_lost)
{
    char buf[64];
    int fd, n = 1;

    begin();
    CHECK_EQ(bind("/n/a", "/n/u", MAFTER), 0);
    CHECK_EQ(bind("/n/b", "/n/u", MAFTER), 0);
    fd = open("/n/u", OREAD);
    MUST(fd >= 0);
    CHECK_GT(read(fd, buf, sizeof(buf)), 0);
    CHECK_EQ(read(fd, buf, 0), 0);
    while (read(fd, buf, sizeof(buf)) > 0)
        n++;
    CHECK_EQ(n, 4);
}

/* A current directory that is a union stays one, and learns what is new. */
TEST(current_directory_in_a_union)
{
    begin();
    CHECK_EQ(bind("/n/a", "/n/u", MREPL), 0);
    MUST(chdir("/n/u") == 0);
    CHECK(there("only-a") && !there("only-b"));
    CHECK_EQ(bind("/n/b", "/n/u", MAFTER), 0);
    CHECK(there("only-a") && there("only-b") && there("./only-b"));
    CHECK_EQ(unmount("/n/b", "/n/u"), 0);
    CHECK(there("only-a") && !there("only-b"));
    CHECK_EQ(unmount(NULL, "/n/u"), 0);
    CHECK(there("only-a")); /* one stands where one stood */
    CHECK(there("../a/only-a"));
}

/* ".." out of any part of a union is the union's parent. */
TEST(dotdot_out_of_a_part)
{
    begin();
    CHECK_EQ(bind("/n/a", "/mnt", MREPL), 0);
    CHECK_EQ(bind("/n/b", "/mnt", MAFTER), 0);
    CHECK(there("/mnt/only-b/../only-a")); /* the whole union again */
    CHECK(there("/mnt/only-b/../../dev/null"));
    MUST(chdir("/mnt/only-b") == 0);
    CHECK(there("../only-a"));
    CHECK(there("../../n/u"));
}

/* The root can be bound over, too, by whichever name it is called. */
TEST(bind_over_the_root)
{
    begin();
    CHECK_EQ(bind("/boot", "/", MBEFORE), 0);
    CHECK(there("/bin/ls") && there("/dev/null"));
    CHECK_EQ(bind("/n/a", "/", MBEFORE), 0);
    CHECK(there("/only-a"));
    CHECK(there("/../only-a"));
    CHECK(there("#//only-a") && there("#//bin"));
    CHECK_EQ(unmount("/n/a", "/"), 0);
    CHECK(!there("/only-a"));
}

/* More than a place or a name space holds is refused, and nothing is lost. */
TEST(limits)
{
    int n = 0, err = 0;
    char path[32];

    begin();
    for (; n < 1000 && err == 0; n++)
        err = bind("/n/a", "/n/u", MAFTER);
    CHECK_EQ(err, -E_MAXUNION);
    CHECK_GT(n, 16);
    CHECK(there("/n/u/only-a"));
    CHECK_EQ(unmount(NULL, "/n/u"), 0);
    err = 0;
    for (n = 0; n < 5000 && err == 0; n++) {
        snprint(path, sizeof(path), "/n/a%s", n % 2 ? "" : "/only-a");
        err = bind("/n/b", path, MREPL);
        CHECK_EQ(unmount(NULL, path), 0);
    }
    CHECK_EQ(err, 0);
}

/* Binding in a circle is legal, and every walk through it ends. */
TEST(circles)
{
    begin();
    CHECK_EQ(bind("/n", "/n/u", MREPL), 0);
    CHECK(there("/n/u/a/only-a"));
    CHECK(there("/n/u/u/u/u/a/only-a"));
    CHECK_EQ(bind("/n/u", "/n/u", MAFTER), 0);
    CHECK(there("/n/u/a"));
    CHECK_EQ(bind("/", "/n/a", MREPL), 0);
    CHECK(there("/n/a/n/a/n/a/dev/null"));
    CHECK(there("/n/a/n/a/../../dev/null"));
}

/* /proc/n/ns tells what was bound, as commands that would do it again. */
TEST(told_as_commands)
{
    char path[32], *text;

    begin();
    CHECK_EQ(bind("/n/a", "/n/u", MBEFORE | MCREATE), 0);
    CHECK_EQ(bind("/n/b", "/n/u", MAFTER), 0);
    CHECK_EQ(bind("/n/a", "/n/u", MBEFORE), 0);
    CHECK_EQ(bind("/dev/null", "/dev/zero", MREPL), 0);
    CHECK_EQ(bind("/n/b", "/mnt", MREPL | MCREATE), 0);
    CHECK_EQ(bind("/n/a", "/mnt", MAFTER), 0);
    MUST(chdir("/n/u/only-b") == 0);
    snprint(path, sizeof(path), "/proc/%d/ns", getpid());
    text = read_file(path, NULL);
    MUST(text != NULL);
    CHECK(strncmp(text, "bind '#B' /boot\n", 16) == 0);
    CHECK(strstr(text, "bind -a '#t' /dev\n") != NULL);
    CHECK(strstr(text, "bind -bc /n/a /n/u\nbind -b /n/a /n/u\n"
                       "bind -a /n/b /n/u\nbind /dev/null /dev/zero\n"
                       "bind -c /n/b /mnt\nbind -a /n/a /mnt\n"
                       "cd /n/u/only-b\n") != NULL);
    free(text);
    MUST(rfork(RFNAMEG) == 0);
    CHECK_EQ(bind("/n/a", "/n", MAFTER), 0); /* a copy goes on counting */
    text = read_file(path, NULL);
    CHECK(text != NULL && strstr(text, "/mnt\nbind -a /n/a /n\ncd") != NULL);
}

static void
many_binds(void)
{
    begin();
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(bind("/n/a", "/n/u", i % 3), 0);
        CHECK_EQ(bind("/n/u", "/mnt", MAFTER | MCREATE), 0);
        CHECK_EQ(unmount(NULL, "/mnt"), 0);
        MUST(chdir("/n/u") == 0);
        names("/n/u");
    }
}

/* All memory comes back when the last process of the group is gone. */
TEST(nothing_is_lost)
{
    begin();
    check_gives_back(many_binds);
}
