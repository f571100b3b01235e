/*
 * p9_rights.c - what a user may do to others without their leave: take the
 * console, fill the tables that all share.  What it made is its own.
 */
#include "check.h"

static char text[64];

/* This process is `user` from now on, in a note group of its own. */
static void
become(const char *user)
{
    MUST(rfork(RFNOTEG) == 0);
    MUST(write_file("#c/user", user) == 0);
}

/* ---- the console ---- */

static void
go_on(struct ureg *u, char *note)
{
    (void)u, (void)note;
    noted(NCONT);
}

/* What cons_read says if nothing is typed for 10 ms. */
static int64_t
read_console(void)
{
    char c;
    int64_t n;

    notify(go_on);
    alarm(10000000);
    n = cons_read(&c, 1);
    alarm(0);
    return n;
}

static void
try_console(int group)
{
    int fd = open("#c/consctl", OWRITE), cons = open("#c/cons", OREAD);

    CHECK_EQ(cons_group(0), -E_PERM);
    CHECK_EQ(cons_group((uint32_t)group), -E_PERM);
    CHECK_EQ(read_console(), -E_PERM);
    CHECK_EQ(read(cons, text, 1), -E_PERM);
    CHECK_EQ(write(fd, "rawon", 5), -E_PERM);
    CHECK_EQ(write(fd, "rawoff", 6), 6);
}

/*
 * Another user's process neither reads what is typed nor sends ^C elsewhere,
 * nor changes the mode.
 * cpus: 1 2
 */
TEST(console_of_another)
{
    int group = getpid(), pid;

    MUST(rfork(RFCNAMEG | RFCFDG) == 0 && boot_name_space() == 0);
    CHECK_EQ(cons_group(0), 0);
    CHECK_EQ(read_console(), -E_INTR);
    if ((pid = rfork(RFPROC)) == 0) {
        become("none");
        try_console(group);
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
    CHECK_EQ(read_console(), -E_INTR);
    CHECK_EQ(cons_group(999999), -E_NOPROC);
}

static void
use_and_pass_on(void)
{
    int fd = open("#c/consctl", OWRITE), pid;

    CHECK_EQ(read_console(), -E_INTR);
    CHECK_EQ(write(fd, "rawon", 5), 5);
    CHECK_EQ(cons_group(1), -E_PERM);           /* the system's */
    if ((pid = rfork(RFPROC | RFNOTEG)) == 0) { /* a job */
        CHECK_EQ(cons_group(0), 0);
        CHECK_EQ(read_console(), -E_INTR);
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
    CHECK_EQ(cons_group(0), 0); /* its group is empty, and was ours */
    CHECK_EQ(read_console(), -E_INTR);
}

/*
 * A user to whom the console is given has it, for jobs too, until the system
 * takes it back.
 * cpus: 1 2
 */
TEST(console_given)
{
    int fds[2], pid;

    MUST(rfork(RFCNAMEG | RFCFDG) == 0 && boot_name_space() == 0);
    MUST(pipe(fds) == 0);
    if ((pid = rfork(RFPROC)) == 0) {
        become("glenda");
        write(fds[1], "x", 1);
        read(fds[1], text, 1);
        use_and_pass_on();
        write(fds[1], "y", 1);
        read(fds[1], text, 1);
        CHECK_EQ(read_console(), -E_PERM);
        exits(check_failures ? "a check failed" : "");
    }
    CHECK_EQ(read(fds[0], text, 1), 1);
    CHECK_EQ(cons_group((uint32_t)pid), 0);
    write(fds[0], "x", 1);
    CHECK_EQ(read(fds[0], text, 1), 1);
    CHECK_EQ(cons_group(0), 0);
    write(fds[0], "x", 1);
    check_ends_well(pid);
}

/* ---- tables that all share ---- */

/* Post as user until it is refused; how many. */
static int
fill_srv(const char *user, int *last)
{
    int n = 0, fd, err = 0;
    char name[32];

    *last = 0;
    for (; n < 1100 && err == 0; n++) {
        snprint(name, sizeof name, "#s/%s%d", user, n);
        fd = create(name, OWRITE, 0600);
        if (fd < 0)
            err = fd;
        else
            close(fd);
    }
    *last = err;
    return n - 1;
}

static void
fill_as(const char *user, int want)
{
    int pid, err;

    if ((pid = rfork(RFPROC | RFFDG)) == 0) {
        become(user);
        CHECK_EQ(fill_srv(user, &err), want);
        CHECK_EQ(err, -E_MAXPOST);
        CHECK_STR(errstr(), "no free posts in /srv");
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
}

/* No user posts more than half of what there is room for, and the last
 * sixteenth is the system's. */
TEST(posts_are_shared)
{
    int err;

    fill_as("none", 512);
    fill_as("glenda", 1024 - 64 - 512);
    fill_as("rob", 0);
    CHECK_EQ(fill_srv("lux", &err), 64);
    CHECK_EQ(err, -E_MAXPOST);
    CHECK_EQ(remove("#s/none7"), 0);
    CHECK_EQ(fill_srv("other", &err), 1);
}

/* ---- what a user made is its own ---- */

static void
use_what_is_mine(void)
{
    int fds[2], fd, pid;

    MUST(pipe(fds) == 0);
    CHECK_EQ(write(fds[0], "abc", 3), 3);
    CHECK_EQ(read(fds[1], text, sizeof text), 3);
    fd = create("#e/mine", OWRITE, 0600);
    CHECK_GE(fd, 0);
    CHECK_GE(open("#e/mine", ORDWR), 0);
    fd = create("#s/mine", OWRITE, 0600);
    CHECK_EQ(fprint(fd, "%d", fds[0]), 1);
    CHECK_GE(open("#s/mine", ORDWR), 0);
    CHECK_EQ(remove("#s/mine"), 0);
    CHECK_GE(open("#d/0ctl", OREAD), 0);
    if ((pid = rfork(RFPROC)) == 0) {
        sleep(1000000000);
        exits("slept");
    }
    snprint(text, sizeof text, "#p/%d/ctl", pid);
    CHECK_EQ(write_file(text, "kill"), 0);
    wait(NULL);
    snprint(text, sizeof text, "#p/%d/mem", getpid());
    CHECK_GE(open(text, OREAD), 0);
}

/* Pipes, variables, posts and processes of any user are that user's. */
TEST(own_objects)
{
    static const char *const users[] = { "none", "glenda", "lux" };
    int pid;

    open("#c/null", ORDWR);
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        if ((pid = rfork(RFPROC | RFFDG | RFENVG)) == 0) {
            become(users[i]);
            use_what_is_mine();
            exits(check_failures ? "a check failed" : "");
        }
        check_ends_well(pid);
    }
}
