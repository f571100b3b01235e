/*
 * p9_look.c - files, a name space and 9P requests in known states, for a
 * look from outside: the tests of GDB's commands stop it in
 * settled().
 */
#include "p9_server.h"

static volatile unsigned settled_times;

/* Where the tests stop; GDB knows it by name. */
static __attribute__((noinline)) void
settled(void)
{
    settled_times++;
}

static enum verdict
keep_reads(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)s;
    (void)r;
    if (t->type == Tflush)
        return DROP;
    return t->type == Tread && t->count == 10 ? DROP : SEND;
}

/* A child that waits for a read for ever. */
static int
start_reader(void)
{
    int pid = rfork(RFPROC | RFFDG);

    if (pid == 0) {
        char buf[10];
        int fd = open("/n/big", OREAD);

        read(fd, buf, sizeof buf);
        _exits("the server answered");
    }
    return pid;
}

/* Two readers wait, a third one was killed; files are open and bound. */
TEST(files)
{
    struct server *s = mounted(keep_reads);
    int fd = open("/n/a", OREAD), null = open("#c/null", OWRITE);
    char buf[4];
    int pids[3];

    MUST(fd >= 0 && null >= 0);
    CHECK_EQ(read(fd, buf, 4), 4);
    CHECK_EQ(bind("#c", "/tmp", MREPL), 0);
    CHECK_EQ(bind("#e", "/tmp", MAFTER), 0);
    for (unsigned i = 0; i < 3; i++) {
        pids[i] = start_reader();
        wait_seen(s, Tread, 2 + i);
    }
    postnote(NOTE_PROC, (uint32_t)pids[2], "kill");
    CHECK_EQ(wait_for(pids[2], NULL), pids[2]);
    settled();
    for (int i = 0; i < 2; i++) {
        postnote(NOTE_PROC, (uint32_t)pids[i], "kill");
        CHECK_EQ(wait_for(pids[i], NULL), pids[i]);
    }
    close(fd);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}
