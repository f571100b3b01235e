/*
 * p9_srv.c - #s: open files posted for others to open.
 */
#include "check.h"
#include "lib/9p/srv.h"

static char buf[256];

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

/* Post fd: what the write said. */
static int64_t
post(const char *path, int fd, uint32_t perm)
{
    char text[16];
    int64_t n, len = snprint(text, sizeof text, "%d", fd);
    int srv = create(path, OWRITE, perm);

    if (srv < 0)
        return srv;
    n = write(srv, text, (size_t)len);
    close(srv);
    return n == len ? 0 : n;
}

/* Opening the file gives the channel that was posted, even if the poster is
 * gone. */
TEST(posted)
{
    int fds[2], fd, pid;

    MUST(pipe(fds) == 0);
    if ((pid = rfork(RFPROC | RFFDG)) == 0) {
        close(fds[0]);
        CHECK_EQ(post("#s/x", fds[1], 0600), 0);
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
    close(fds[1]);
    MUST((fd = open("#s/x", ORDWR)) >= 0);
    CHECK_EQ(write(fd, "hello", 5), 5);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 5);
    CHECK_EQ(remove("#s/x"), 0);
    CHECK_EQ(open("#s/x", ORDWR), -E_NOEXIST);
    CHECK_EQ(write(fds[0], "still", 5), 5);
    CHECK_EQ(read(fd, buf, sizeof buf), 5);
    close(fd);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 0);
}

/* A post made with ORCLOSE goes when its maker ends. */
TEST(goes_with_its_maker)
{
    int fds[2], pid, srv;

    MUST(pipe(fds) == 0);
    if ((pid = rfork(RFPROC | RFFDG)) == 0) {
        MUST((srv = create("#s/x", OWRITE | ORCLOSE, 0600)) >= 0);
        snprint(buf, sizeof buf, "%d", fds[1]);
        CHECK_EQ(write(srv, buf, strlen(buf)), strlen(buf));
        CHECK_EQ(access("#s/x", AEXIST), 0);
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
    CHECK_EQ(access("#s/x", AEXIST), -E_NOEXIST);
    close(fds[1]);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 0);
}

/* What is posted is not opened for more than it is open for. */
TEST(mode_kept)
{
    int fd;

    MUST((fd = open("#c/null", OREAD)) >= 0);
    CHECK_EQ(post("#s/x", fd, 0600), 0);
    CHECK_EQ(open("#s/x", ORDWR), -E_PERM);
    CHECK_EQ(open("#s/x", OWRITE), -E_PERM);
    CHECK_EQ(open("#s/x", OREAD | OTRUNC), -E_PERM);
    CHECK_GE(open("#s/x", OREAD), 0);
    CHECK_EQ(remove("#s/x"), 0);
}

/* Bad numbers, files of #s, a second post, names that exist: errors. */
TEST(refused)
{
    int srv, fds[2];

    MUST(pipe(fds) == 0);
    MUST((srv = create("#s/x", OWRITE, 0600)) >= 0);
    CHECK_EQ(open("#s/x", ORDWR), -E_HUNGUP);
    CHECK_EQ(write(srv, "77", 2), -E_BADFD);
    CHECK_EQ(write(srv, "-1", 2), -E_BADFD);
    CHECK_EQ(write(srv, "", 1), -E_BADFD);
    CHECK_EQ(write(srv, "fd", 2), -E_BADFD);
    CHECK_EQ(write(srv, "99999999999999999999999999", 26), -E_TOOBIG);
    CHECK_EQ(write(srv, (void *)16, 1), -E_BADADDR);
    snprint(buf, sizeof buf, "%d", srv);
    CHECK_EQ(write(srv, buf, strlen(buf)), -E_BADUSE);
    snprint(buf, sizeof buf, "%d\n", fds[0]);
    CHECK_EQ(write(srv, buf, strlen(buf)), strlen(buf));
    CHECK_EQ(write(srv, buf, strlen(buf)), -E_BADUSE);
    CHECK_EQ(create("#s/x", OWRITE | OEXCL, 0600), -E_EXIST);
    CHECK_EQ(create("#s/y", OREAD, 0600), -E_OPENMODE);
    CHECK_EQ(create("#s/d", OREAD, DMDIR | 0777), -E_PERM);
    CHECK_EQ(remove("#s/x"), 0);
}

/* The file's name and permissions can be changed, its other fields not. */
TEST(renamed)
{
    struct dir d, *list;
    int fds[2];

    MUST(pipe(fds) == 0 && post("#s/x", fds[0], 0600) == 0);
    MUST(post("#s/z", fds[0], 0600) == 0);
    dir_null(&d);
    d.name = "z";
    CHECK_EQ(dirwstat("#s/x", &d), -E_EXIST);
    d.name = "y";
    d.length = 1;
    CHECK_EQ(dirwstat("#s/x", &d), -E_PERM);
    dir_null(&d);
    d.name = "y";
    d.mode = 0440;
    CHECK_EQ(dirwstat("#s/x", &d), 0);
    CHECK_EQ(dir_list("#s", &list), 2);
    CHECK_STR(list[0].name, "y");
    CHECK_EQ(list[0].mode, 0440);
    CHECK(remove("#s/y") == 0 && remove("#s/z") == 0);
}

/* Others may not take away, or open, what is not theirs. */
TEST(owners)
{
    int fds[2], pid;

    MUST(pipe(fds) == 0 && post("#s/x", fds[0], 0600) == 0);
    if ((pid = rfork(RFPROC | RFFDG)) == 0) {
        CHECK_EQ(write_file("#c/user", "none"), 0);
        CHECK_EQ(open("#s/x", ORDWR), -E_PERM);
        CHECK_EQ(remove("#s/x"), -E_PERM);
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
    CHECK_EQ(remove("#s/x"), 0);
}

/* A user that may only read the file gets no channel that can be written. */
TEST(readers_do_not_write)
{
    int fds[2], fd, pid;

    MUST(pipe(fds) == 0 && post("#s/x", fds[0], 0644) == 0);
    fd = open("#/", OREAD);
    MUST(fd >= 0 && post("#s/y", fd, 0644) == 0);
    if ((pid = rfork(RFPROC | RFCFDG)) == 0) {
        CHECK_EQ(write_file("#c/user", "none"), 0);
        CHECK_EQ(open("#s/x", OREAD), -E_PERM);
        CHECK_GE(open("#s/y", OREAD), 0);
        exits(check_failures ? "a check failed" : "");
    }
    check_ends_well(pid);
    CHECK_GE(open("#s/x", OREAD), 0);
    CHECK(remove("#s/x") == 0 && remove("#s/y") == 0);
}

/* The second is refused, and keeps nothing open. */
static void
post_twice(int fd)
{
    int srv = create("#s/twice", OWRITE | ORCLOSE, 0600);
    int len = snprint(buf, sizeof buf, "%d", fd);

    write(srv, buf, (size_t)len);
    write(srv, buf, (size_t)len);
    close(srv);
}

static void
post_and_open(void)
{
    char path[16];
    int fds[2];

    for (int i = 0; i < 30; i++) {
        snprint(path, sizeof path, "#s/n%lu", check_random() % 3);
        if (pipe(fds) < 0)
            continue;
        post(path, fds[0], 0666);
        post_twice(fds[1]);
        close(open(path, ORDWR));
        if (i % 2)
            remove(path);
        close(fds[0]);
        close(fds[1]);
    }
    for (int i = 0; i < 3; i++) {
        snprint(path, sizeof path, "#s/n%d", i);
        remove(path);
    }
}

static void
crowd(void)
{
    int pids[6];

    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        check_seed += i;
        if ((pids[i] = rfork(RFPROC | RFFDG)) == 0) {
            post_and_open();
            exits(NULL);
        }
    }
    end_all(ARRAY_LEN(pids));
}

/* Mounting a server that ends at once is an error, and does not wait for ever.
 * */
TEST(dies_in_the_background)
{
    struct waitmsg w;
    int pid;

    MUST(rfork(RFCNAMEG) == 0 && boot_name_space() == 0);
    if ((pid = rfork(RFPROC | RFFDG)) == 0) {
        srv_background(NULL, "/mnt");
        exits("here ends the server");
    }
    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK(strstr(w.msg, "mount on /mnt: i/o on hungup channel") != NULL);
}

/*
 * Posting, opening and removing at once loses nothing.
 * cpus: 1 4 8
 */
TEST(race)
{
    struct dir *d;

    check_gives_back(crowd);
    CHECK_EQ(dir_list("#s", &d), 0);
}
