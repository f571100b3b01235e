/*
 * p9_siege.c - programs that ask for what no honest one would: the kernel
 * stays, its other processes do not wait for them, and nothing is lost.
 */
#include "p9_server.h"

enum {
    MS = 1000000,
    PLACES = 120, /* at 64 bytes of stack each, more than there is */
};

/* ---- name spaces ---- */

static const char *
place(int i)
{
    static char name[32];

    snprint(name, sizeof name, "/n/%d", i);
    return name;
}

/*
 * Each directory is bound where the current one stands, whose union so comes
 * to hold the one before: a chain that ends only with its last part.
 */
static void
bind_a_chain(void)
{
    MUST(rfork(RFNAMEG) == 0);
    for (int i = 0; i < PLACES; i++)
        close(create(place(i), OREAD, DMDIR | 0755));
    MUST(bind("/n/1", "/n/0", MREPL) == 0);
    MUST(chdir("/n/0") == 0);
    for (int i = 2; i < PLACES; i++) {
        MUST(bind(place(i), ".", MBEFORE) == 0);
        MUST(chdir(place(i - 1)) == 0);
    }
    MUST(chdir("/") == 0);
    for (int i = 0; i < PLACES; i++)
        unmount(NULL, place(i));
}

/* Unions in unions, as many as one likes, can be given back. */
TEST(chain_of_unions)
{
    MUST(bind("#/", "/", MREPL) == 0);
    check_gives_back(bind_a_chain);
}

/* ---- connections ---- */

/* exportfs of the whole name space, its connection posted as /srv/<i>. */
static void
post_export(int i)
{
    char *argv[] = { "exportfs", "-i", "/", NULL };
    char name[32];
    int fds[2], fd;

    MUST(pipe(fds) == 0);
    if (rfork(RFPROC | RFFDG | RFNOWAIT) == 0) {
        dup(fds[1], 20); /* fds[0] may be 0 itself */
        close(fds[0]);
        dup(20, 0);
        dup(20, 1);
        close(20);
        exec("#B/bin/exportfs", argv);
        _exits("no exportfs");
    }
    snprint(name, sizeof name, "/srv/%d", i);
    fd = create(name, OWRITE, 0600);
    MUST(fd >= 0);
    MUST(write(fd, name, (size_t)snprint(name, sizeof name, "%d", fds[0])) > 0);
    close(fd);
    close(fds[0]);
    close(fds[1]);
}

/*
 * Each connection is a file of the one before it.  So a message of the last
 * is the data of another, and that of another: the kernel carries a few such,
 * whatever is done with them, and refuses the next.
 */
TEST(connections_through_connections)
{
    char name[32];
    int err = 0, n;

    MUST(boot_name_space() == 0);
    for (int i = 0; i < 10; i++)
        post_export(i);
    for (n = 0; n < 10 && err == 0; n++) {
        int fd;

        snprint(name, sizeof name, "%s/srv/%d", n > 0 ? "/mnt" : "", n);
        fd = open(name, ORDWR);
        MUST(fd >= 0);
        err = mount(fd, -1, "/mnt", MREPL | MCREATE, "");
        close(fd);
        CHECK(read_file("/mnt/dev/sysname", NULL) != NULL);
        CHECK_EQ(open("/mnt/n/a/b/c/d", OREAD), -E_NOEXIST);
        CHECK_EQ(write_file("/mnt/env/x", "far away"), 0);
        CHECK(access("/mnt/env/x", AEXIST) == 0);
    }
    CHECK_EQ(err, -E_MOUNT);
    CHECK(n > 2);
    CHECK_EQ(unmount(NULL, "/mnt"), 0);
}
