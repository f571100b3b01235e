/*
 * p9_groups.c - what processes share and what they do not: name spaces,
 * tables of files, environments, users.
 */
#include "check.h"

static void
begin(void)
{
    MUST(rfork(RFCNAMEG | RFCFDG | RFCENVG) == 0);
    MUST(boot_name_space() == 0);
}

static bool
there(const char *path)
{
    return access(path, AEXIST) == 0;
}

/* Run fn in a child that rfork(flags) makes, to its end. */
static void
child(unsigned flags, void (*fn)(void))
{
    int pid = rfork(RFPROC | flags);

    MUST(pid >= 0);
    if (pid == 0) {
        fn();
        exits(check_failures ? "a check failed" : "");
    }
    CHECK_EQ(wait_for(pid, NULL), pid);
}

static void
bind_boot(void)
{
    CHECK_EQ(bind("/boot", "/mnt", MREPL), 0);
    CHECK(there("/mnt/bin/ls"));
}

/* Without RFNAMEG a child's bind is the parent's, too. */
TEST(name_space_shared)
{
    begin();
    child(0, bind_boot);
    CHECK(there("/mnt/bin/ls"));
    child(RFFDG | RFENVG, bind_boot);
    CHECK(there("/mnt/bin/ls"));
}

static void
look_and_unmount(void)
{
    CHECK(there("/mnt/bin/ls"));
    CHECK_EQ(unmount(NULL, "/mnt"), 0);
    CHECK(!there("/mnt/bin/ls"));
}

/* With RFNAMEG it is the child's alone, and the other way round. */
TEST(name_space_copied)
{
    begin();
    child(RFNAMEG, bind_boot);
    CHECK(!there("/mnt/bin/ls"));
    bind_boot();
    child(RFNAMEG, look_and_unmount);
    CHECK(there("/mnt/bin/ls"));
}

/* The copy keeps the order of unions, and MCREATE. */
static void
same_union(void)
{
    CHECK(there("/mnt/null") && there("/mnt/bin"));
    CHECK_EQ(close(create("/mnt/x", OWRITE, 0666)), 0);
    CHECK_EQ(remove("/mnt/x"), 0);
    CHECK_EQ(unmount("/dev", "/mnt"), 0);
    CHECK(!there("/mnt/null"));
}

TEST(union_copied)
{
    begin();
    MUST(bind("/env", "/mnt", MREPL | MCREATE) == 0);
    MUST(bind("/boot", "/mnt", MBEFORE) == 0);
    MUST(bind("/dev", "/mnt", MAFTER) == 0);
    child(RFNAMEG, same_union);
    CHECK(there("/mnt/null"));
}

/* RFCNAMEG begins with nothing but #/; devices are still there by name. */
static void
bare(void)
{
    CHECK(there("/bin") && !there("/bin/ls"));
    CHECK(there("#c/null"));
    CHECK(there("#B/bin/ls"));
    CHECK_EQ(boot_name_space(), 0);
    CHECK(there("/bin/ls"));
}

TEST(name_space_empty)
{
    begin();
    bind_boot();
    child(RFCNAMEG, bare);
    CHECK(there("/mnt/bin/ls"));
}

static void
close_0_open_1(void)
{
    CHECK_EQ(close(0), 0);
    CHECK_EQ(open("/dev/zero", OREAD), 0);
    CHECK_EQ(open("/dev/zero", OREAD), 1);
}

/* Without RFFDG the table is one; with it the files are, but not the table;
 * with RFCFDG it is empty. */
static void
empty_table(void)
{
    CHECK_EQ(close(0), -E_BADFD);
    CHECK_EQ(open("/dev/null", OREAD), 0);
}

TEST(files)
{
    char c;

    begin();
    MUST(open("/dev/null", OREAD) == 0);
    child(RFFDG, close_0_open_1);
    CHECK_EQ(read(0, &c, 1), 0);
    CHECK_EQ(read(1, &c, 1), -E_BADFD);
    child(RFCFDG, empty_table);
    CHECK_EQ(read(0, &c, 1), 0);
    child(0, close_0_open_1);
    CHECK_EQ(read(0, &c, 1), 1);
    CHECK_EQ(read(1, &c, 1), 1);
}

static void
leave(void)
{
    CHECK_EQ(rfork(RFNAMEG | RFFDG | RFENVG), 0);
    CHECK_EQ(bind("/boot", "/mnt", MREPL), 0);
    CHECK_EQ(open("/dev/null", OREAD), 0);
    CHECK_EQ(putenv("left", "yes"), 0);
}

/* rfork without RFPROC leaves the group that others stay in. */
TEST(leaving_a_group)
{
    begin();
    child(0, leave);
    CHECK(!there("/mnt/bin"));
    CHECK_EQ(close(0), -E_BADFD);
    CHECK(getenv("left") == NULL);
}

/* A copy and a new one of the same thing is refused, and nothing changes. */
TEST(flags_that_exclude)
{
    begin();
    bind_boot();
    CHECK_EQ(rfork(RFNAMEG | RFCNAMEG), -E_BADARG);
    CHECK_EQ(rfork(RFFDG | RFCFDG), -E_BADARG);
    CHECK_EQ(rfork(RFENVG | RFCENVG), -E_BADARG);
    CHECK_EQ(rfork(RFPROC | RFNAMEG | RFCNAMEG), -E_BADARG);
    CHECK_EQ(rfork(1 << 14), -E_BADARG);
    CHECK_EQ(rfork(RFPROC | 1 << 9), -E_BADARG);
    CHECK(there("/mnt/bin"));
    CHECK_EQ(check_more_procs(), 0);
}

/* A bind that two groups share outlives the one that made it. */
TEST(outlives_its_maker)
{
    begin();
    child(0, bind_boot);
    child(RFNAMEG, look_and_unmount);
    CHECK(there("/mnt/bin/ls"));
    CHECK_EQ(unmount(NULL, "/mnt"), 0);
}

/* One of a group binds while another walks: each walk finds one of the two
 * directories, and nothing breaks.
 * cpus: 2 */
TEST(bind_while_walking)
{
    begin();
    int pid = rfork(RFPROC | RFFDG);

    MUST(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 1000; i++)
            if (bind(i % 2 ? "/boot/bin" : "/dev", "/mnt", i % 3) < 0)
                unmount(NULL, "/mnt");
        unmount(NULL, "/mnt");
        exits("");
    }
    for (int i = 0; i < 1000; i++) {
        int fd = open("/mnt/null", OREAD);

        CHECK(fd >= 0 || fd == -E_NOEXIST);
        close(fd);
        CHECK_EQ(chdir(i % 2 ? "/mnt" : "/"), 0);
    }
    wait_for(pid, NULL);
    CHECK_EQ(chdir("/"), 0);
    CHECK(!there("/mnt/ls"));
}

/* Many processes share one table and open and close the same numbers.
 * cpus: 4 */
TEST(one_table_many_hands)
{
    char buf[16];

    begin();
    for (int p = 0; p < 6; p++)
        if (rfork(RFPROC) == 0) {
            for (int i = 0; i < 200; i++) {
                int fd = open("/dev/zero", OREAD);

                read((fd + i) % 8, buf, sizeof(buf));
                dup(i % 8, (i + p) % 8);
                close((i * 7 + p) % 8);
            }
            exits("");
        }
    while (wait(NULL) >= 0)
        ;
    for (int fd = 0; fd < MAX_FDS; fd++)
        close(fd);
    CHECK_EQ(open("/dev/null", OREAD), 0);
}

static void
still_nobody(void)
{
    CHECK_STR(read_file("/dev/user", NULL), "none");
    CHECK_LT(write_file("/dev/user", "lux"), 0);
}

/* "none" has the rights of others only, and never gets more back. */
static void
become_nobody(void)
{
    CHECK_EQ(write_file("/dev/user", "none"), 0);
    CHECK_EQ(open("/srv/mine", OREAD), -E_PERM);
    CHECK_EQ(create("/n/x", OREAD, DMDIR | 0755), -E_PERM);
    CHECK_GE(open("/boot/bin/ls", OREAD), 0);
    CHECK_LT(write_file("/dev/user", "lux"), 0);
    child(0, still_nobody);
}

TEST(nobody)
{
    char text[8];
    int fd;

    begin();
    fd = create("/srv/mine", OWRITE, 0600);
    MUST(fd >= 0);
    snprint(text, sizeof(text), "%d", open("/dev/null", OREAD));
    CHECK_GT(write(fd, text, strlen(text)), 0);
    CHECK_GE(open("/srv/mine", OREAD), 0);
    child(0, become_nobody);
    CHECK_GE(open("/srv/mine", OREAD), 0); /* the child alone has */
    CHECK_EQ(remove("/srv/mine"), 0);
}

static void
all_groups(void)
{
    begin();
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(bind("/boot", "/mnt", MAFTER), 0);
        CHECK_EQ(rfork(RFNAMEG | RFFDG | RFENVG), 0);
        CHECK_EQ(open("/mnt", OREAD), i);
        child(RFNAMEG | RFFDG | RFENVG, bind_boot);
    }
    CHECK_EQ(rfork(RFCNAMEG | RFCFDG | RFCENVG), 0);
}

/* Groups end with their last process, and leave nothing behind. */
TEST(nothing_is_lost)
{
    begin();
    check_gives_back(all_groups);
}
