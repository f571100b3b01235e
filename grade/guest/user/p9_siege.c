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
    CHECK_GT(n, 2);
    CHECK_EQ(unmount(NULL, "/mnt"), 0);
}

/* ---- the end of a process ---- */

static volatile uint8_t stalls; /* messages of this type get no answer */

static enum verdict
stall(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)s;
    (void)r;
    return t->type == stalls || t->type == Tflush ? DROP : SEND;
}

/* A child that has a file of the server's open; then it ends, or sleeps. */
static int
holder(bool ends)
{
    int pid = rfork(RFPROC | RFFDG);

    MUST(pid >= 0);
    if (pid == 0) {
        CHECK_GE(open("/n/a", OREAD), 0);
        while (!ends)
            sleep(1000 * MS);
        _exits(NULL);
    }
    return pid;
}

/*
 * A process ends, and its close waits for a server that stalls.  Listing the
 * processes does not wait for that; it is among them, and can be killed.
 *
 * cpus: 1 4
 */
TEST(end_that_waits_for_a_server)
{
    struct server *s = mounted(stall);
    char name[32];
    struct dir *list;
    int pid;

    MUST(bind("#p", "/proc", MREPL) == 0);
    stalls = Tclunk;
    pid = holder(true);
    wait_seen(s, Tclunk, 1);
    sleep(10 * MS);
    CHECK_GT(dir_list("/proc", &list), 2);
    snprint(name, sizeof name, "/proc/%d/status", pid);
    CHECK(strstr(read_file(name, NULL), "9P answer") != NULL ||
            strstr(read_file(name, NULL), "read") != NULL);
    snprint(name, sizeof name, "/proc/%d/fd", pid);
    CHECK(read_file(name, NULL) == NULL);
    snprint(name, sizeof name, "/proc/%d/ctl", pid);
    CHECK_EQ(write_file(name, "kill"), 0);
    CHECK_EQ(wait_for(pid, NULL), pid);
}

/*
 * One kill ends a process, although its files belong to a server that does not
 * answer.
 *
 * cpus: 1 4
 */
TEST(killed_with_files_of_a_stalled_server)
{
    struct server *s = mounted(stall);
    int pid;

    stalls = Tclunk;
    pid = holder(false);
    wait_seen(s, Topen, 1);
    sleep(10 * MS);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
    CHECK_EQ(wait_for(pid, NULL), pid);
}

/* ---- which process reads the stream ---- */

enum {
    HOLDERS = 4, /* whose clunks are more than both ways of a pipe hold */
    HELD_EACH = 1500,
};

/* A child with many files of the server's open. */
static int
hoarder(void)
{
    int pid = rfork(RFPROC | RFCFDG);

    MUST(pid >= 0);
    if (pid > 0)
        return pid;
    for (int i = 0; i < HELD_EACH; i++)
        CHECK_EQ(open("/n/a", OREAD), i);
    for (;;)
        sleep(1000 * MS);
}

static void
end(int pid)
{
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
    CHECK_EQ(wait_for(pid, NULL), pid);
}

/*
 * Killed processes leave Tclunks whose answers no process waits for, until
 * the server cannot write another one, and reads no more.  The next sender
 * reads the answers first, and all goes on.
 *
 * cpus: 1 4
 * limit: 60
 */
TEST(answers_that_nobody_reads)
{
    struct server *s = mounted(NULL);
    int pid[HOLDERS];

    for (int i = 0; i < HOLDERS; i++)
        pid[i] = hoarder();
    for (int i = 0; i < 2000 && s->seen[Topen] < HOLDERS * HELD_EACH; i++)
        sleep(10 * MS);
    for (int i = 0; i < HOLDERS; i++) {
        end(pid[i]);
        sleep(50 * MS); /* the server does what it can */
    }
    CHECK_LT(s->seen[Tclunk], HOLDERS * HELD_EACH);
    CHECK_EQ(access("/n/a", AEXIST), 0);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

/* A read of one byte stays without an answer; of two, gets three. */
static enum verdict
lie_to_the_second(struct server *s, struct fcall *t, struct fcall *r)
{
    if (t->type != Tread)
        return SEND;
    r->data = s->data;
    r->count = 3;
    return t->count == 1 ? DROP : SEND;
}

static int
reader(size_t n)
{
    static const char lie[] = "mount rpc error: more data than asked for";
    char buf[8];
    int pid = rfork(RFPROC | RFFDG);

    MUST(pid >= 0);
    if (pid == 0) {
        CHECK_EQ(read(open("/n/a", OREAD), buf, n), -E_REMOTE);
        CHECK_STR(errstr(), lie);
        _exits(NULL);
    }
    return pid;
}

/*
 * One process reads the stream for all when another finds a lie in the answer
 * that it was handed: both hear of it at once, and so does the server.
 *
 * cpus: 1 4
 */
TEST(lie_ends_the_reading)
{
    struct server *s = mounted(lie_to_the_second);

    reader(1);
    wait_seen(s, Tread, 1);
    sleep(10 * MS);
    reader(2);
    alarm(2000 * MS);
    for (int i = 0; i < 3; i++)
        CHECK_GT(wait(NULL), 0);
    alarm(0);
}

/* ---- waiting for a process that waits ---- */

/* A child that reads the directory which is open as fd. */
static int
dir_reader(int fd)
{
    int pid = rfork(RFPROC);
    char buf[512];

    MUST(pid >= 0);
    if (pid == 0) {
        read(fd, buf, sizeof buf);
        _exits(NULL);
    }
    return pid;
}

/*
 * Two processes share an open directory; the server does not answer the first,
 * and the second waits for the first.  It can be killed all the same.
 *
 * cpus: 1 4
 */
TEST(killed_behind_a_reader)
{
    struct server *s = mounted(stall);
    int fd = open("/n", OREAD), first, second;

    MUST(fd >= 0);
    stalls = Tread;
    first = dir_reader(fd);
    wait_seen(s, Tread, 1);
    second = dir_reader(fd);
    sleep(10 * MS);
    end(second);
    end(first);
}

static int
mounter(struct server *s)
{
    int pid = rfork(RFPROC);

    MUST(pid >= 0);
    if (pid == 0) {
        mount(s->client, -1, "/n", MREPL, "");
        _exits(NULL);
    }
    return pid;
}

/* The same with a server that does not answer the first Tversion. */
TEST(killed_behind_a_mount)
{
    struct server *s = &the_server;
    int first, second;

    stalls = Tversion;
    s->hook = stall;
    server_start(s);
    first = mounter(s);
    wait_seen(s, Tversion, 1);
    second = mounter(s);
    sleep(10 * MS);
    end(second);
    end(first);
}

/* What is refused before a byte was sent leaves the stream as it was. */
TEST(refused_version_changes_nothing)
{
    char version[32] = "9P2000";
    int fds[2];

    MUST(pipe(fds) == 0);
    MUST(dup(fds[1], -1) >= 0); /* as if another process could answer */
    CHECK_EQ(fversion(fds[0], 100, version, sizeof version), -E_VERSION);
    CHECK_EQ(write(fds[0], "still", 5), 5);
    CHECK_EQ(read(fds[1], version, sizeof version), 5);
}

/* ---- other users ---- */

static volatile unsigned noted_times;

static void
count_note(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    noted_times++;
    noted(NCONT);
}

static void
stranger(void)
{
    uint32_t parent = (uint32_t)getpid() - 1;

    CHECK_EQ(write_file("#c/user", "none"), 0);
    CHECK_EQ(postnote(NOTE_PROC, parent, "kill"), -E_PERM);
    CHECK_EQ(postnote(NOTE_GROUP, 0, "kill"), -E_NOPROC);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)getpid() + 1, "x"), -E_NOPROC);
    CHECK_EQ(trace(1), -E_PERM);
    CHECK_EQ(power(POWER_OFF), -E_PERM);
}

/* What /proc and #t forbid to a user is not to be had by system calls. */
TEST(calls_of_another_user)
{
    struct waitmsg w;

    notify(count_note);
    check_child(stranger, &w);
    CHECK_STR(w.msg, "");
    CHECK_EQ(noted_times, 0);
}
