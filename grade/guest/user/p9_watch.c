/*
 * p9_watch.c - /proc/PID/9p: the messages of a process that have no answer
 * yet, while servers stall, requests are flushed and processes die.
 */
#include "p9_server.h"

enum {
    MS = 1000000
};

static char text[64 << 10];

/* What #p/PID/9p says, in text; its length or an error. */
static int64_t
messages(int pid)
{
    char path[32];
    int64_t n;
    int fd;

    snprint(path, sizeof path, "#p/%d/9p", pid);
    fd = open(path, OREAD);
    n = fd < 0 ? fd : readn(fd, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = '\0';
    close(fd);
    return n;
}

/* Has text a line of this state that ends so?  Its microseconds; -1. */
static int64_t
line_of(const char *state, const char *end)
{
    char copy[sizeof text / 16];
    char *line = copy, *next;

    strlcpy(copy, text, sizeof copy);
    for (; *line != '\0'; line = next) {
        char *words[4];

        next = strchr(line, '\n');
        MUST(next != NULL);
        *next++ = '\0';
        for (int i = 0; i < 4; i++) {
            line += strspn(line, " ");
            words[i] = line;
            line += i < 3 ? strcspn(line, " ") : 0;
            if (i < 3)
                *line++ = '\0';
        }
        if (strcmp(words[1], state) == 0 && strcmp(words[3], end) == 0)
            return (int64_t)strtoull(words[2], NULL, 10);
    }
    return -1;
}

static void
check_line(const char *state, const char *fmt, ...)
{
    char want[512];
    va_list args;

    va_start(args, fmt);
    vsnprint(want, sizeof want, fmt, args);
    va_end(args);
    if (line_of(state, want) < 0) {
        check_failures++;
        check_record("no line \"%s %s\" in:\n%s", state, want, text);
    }
}

static volatile bool keep[Tmax];     /* types of messages to keep */
static volatile unsigned rflush_for; /* answer this tag, with the next one */

static enum verdict
keep_some(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)r;
    if (rflush_for != 0)
        send(s, &(struct fcall){ .type = Rflush, .tag = (uint16_t)rflush_for });
    rflush_for = 0;
    if (!keep[t->type])
        return SEND;
    s->held[s->nheld % HELD] = *t;
    s->nheld++;
    return DROP;
}

static struct fcall *
wait_held(struct server *s, unsigned n)
{
    for (int i = 0; i < 100000 && s->nheld < n; i++)
        yield();
    MUST(s->nheld == n);
    return &s->held[n - 1];
}

static volatile unsigned notes;

static void
on_note(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    notes++;
    noted(NCONT);
}

/* A process that does fn, and then sleeps until it is killed. */
static int
start(void (*fn)(void))
{
    int pid = rfork(RFPROC | RFFDG | RFNOTEG);

    MUST(pid >= 0);
    if (pid == 0) {
        notify(on_note);
        fn();
        for (;;)
            sleep(1000 * MS);
    }
    return pid;
}

static void
end(int pid)
{
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
    CHECK_EQ(wait_for(pid, NULL), pid);
    CHECK_EQ(messages(pid), -E_NOEXIST);
}

static void
read_ten(void)
{
    char buf[10];

    pread(open("/n/big", OREAD), buf, sizeof buf, 20);
}

static void
walk_deep(void)
{
    access("/n/dir/x", AEXIST);
}

static void
write_secret(void)
{
    write(open("/n/a", OWRITE), "secret", 6);
}

/*
 * Each process shows its own message, all of it, and the file's path; a walk
 * from the root of a mount, the stream's.
 * cpus: 1 4
 */
TEST(each_its_own)
{
    struct server *s = mounted(keep_some);
    struct fcall *walk, *read;
    int reader, walker;
    uint64_t before;
    int64_t us;

    keep[Tread] = keep[Twalk] = true;
    walker = start(walk_deep);
    walk = wait_held(s, 1);
    keep[Twalk] = false;
    before = nsec();
    reader = start(read_ten);
    read = wait_held(s, 2);
    sleep(3 * MS);
    CHECK_GT(messages(walker), 0);
    check_line("waiting",
            "Twalk tag %u fid %u newfid %u nwname 2 'dir' 'x'  #|/data/",
            walk->tag, walk->fid, walk->newfid);
    CHECK(strchr(text, '\n') == text + strlen(text) - 1);
    CHECK_GT(messages(reader), 0);
    check_line("waiting", "Tread tag %u fid %u offset 20 count 10  /n/big",
            read->tag, read->fid);
    us = strtoull(text + 13, NULL, 10);
    CHECK(us >= 3000 && us <= (int64_t)(nsec() - before) / 1000);
    CHECK_EQ(messages(getpid()), 0);
    CHECK_EQ(messages(s->pid), 0);
    end(walker);
    end(reader);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

/* What a process writes is not shown; only how much it is. */
TEST(data_stay_private)
{
    struct server *s = mounted(keep_some);
    struct fcall *t;
    int pid;

    keep[Twrite] = true;
    pid = start(write_secret);
    t = wait_held(s, 1);
    CHECK_GT(messages(pid), 0);
    check_line("waiting", "Twrite tag %u fid %u offset 0 count 6  /n/a", t->tag,
            t->fid);
    CHECK(!strstr(text, "secret"));
    end(pid);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

static void
post(int pid, const char *note)
{
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, note), 0);
}

/*
 * A note makes it "flushing", beside the Tflush; a second one "abandoned",
 * and of an abandoned one only the numbers are left.  The answers end it.
 * cpus: 1 4
 */
TEST(flushed_and_abandoned)
{
    struct server *s = mounted(keep_some);
    struct fcall read, flush;
    int pid;

    keep[Tread] = keep[Tflush] = true;
    pid = start(read_ten);
    read = *wait_held(s, 1);
    post(pid, "one");
    flush = *wait_held(s, 2);
    CHECK_GT(messages(pid), 0);
    check_line("flushing", "Tread tag %u fid %u offset 20 count 10  /n/big",
            read.tag, read.fid);
    check_line("waiting", "Tflush tag %u oldtag %u", flush.tag, read.tag);
    post(pid, "two");
    for (int i = 0; i < 1000 && line_of("waiting", "") < 0; i++) {
        messages(pid);
        if (strstr(text, "flushing") == NULL)
            break;
        yield();
    }
    check_line("abandoned", "Tread tag %u fid %u", read.tag, read.fid);
    check_line("abandoned", "Tflush tag %u oldtag %u", flush.tag, read.tag);
    keep[Tread] = keep[Tflush] = false;
    rflush_for = flush.tag;
    CHECK_EQ(access("/n/a", AEXIST), 0); /* reads what has come */
    CHECK_EQ(messages(pid), 0);
    end(pid);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

/* A Tversion has no tag of its own, and is seen as well. */
TEST(version)
{
    struct server *s = &the_server;
    int pid;

    s->hook = keep_some;
    keep[Tversion] = true;
    server_start(s);
    pid = rfork(RFPROC | RFFDG);
    if (pid == 0) {
        char version[] = "9P2000";

        fversion(s->client, 1000, version, sizeof version);
        _exits(NULL);
    }
    wait_held(s, 1);
    CHECK_GT(messages(pid), 0);
    check_line("waiting", "Tversion tag 65535 msize 1000 version '9P2000'");
    end(pid);
    server_end(s);
}

enum {
    MANY = 600
};

static void
close_many(void)
{
    static int fds[MANY];
    char buf[10];

    for (int i = 0; i < MANY; i++)
        fds[i] = open("/n/a", OREAD);
    read(fds[0], buf, sizeof buf); /* stalls; two notes end it */
    for (int i = 0; i < MANY; i++)
        close(fds[i]); /* and no process waits for these */
}

/* Very many messages are all there, each once. */
TEST(many)
{
    struct server *s = mounted(keep_some);
    unsigned lines = 0;
    int pid;

    keep[Tread] = keep[Tclunk] = keep[Tflush] = true;
    pid = start(close_many);
    wait_held(s, 1);
    post(pid, "one");
    wait_held(s, 2);
    post(pid, "two");
    for (int i = 0; i < 100000 && s->nheld < MANY + 2; i++)
        yield();
    CHECK_GT(messages(pid), 0);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    CHECK_EQ(lines, MANY + 2);
    CHECK(strstr(text, "abandoned") != NULL && !strstr(text, "waiting"));
    end(pid);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

static enum verdict
lazy(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)r;
    for (unsigned n = s->asked * 7 % 5; n > 0; n--)
        yield();
    return t->type == Tread && s->asked % 3 == 0 ? DROP : SEND;
}

/* Mount a server of one's own, ask it, and get notes meanwhile. */
static void
live(uint64_t seed)
{
    struct server *s = mounted(lazy);
    int pids[3];

    for (int i = 0; i < 3; i++) {
        pids[i] = rfork(RFPROC | RFFDG);
        if (pids[i] == 0) {
            notify(on_note);
            for (int k = 0; k < 8; k++) {
                read_ten();
                walk_deep();
            }
            _exits(NULL);
        }
    }
    for (int k = 0; k < 60; k++) {
        postnote(NOTE_PROC, (uint32_t)pids[random_next(&seed) % 3], "now");
        sleep(random_next(&seed) % 4 * MS / 20);
    }
    for (int i = 0; i < 3; i++)
        postnote(NOTE_PROC, (uint32_t)pids[i], "kill");
    for (int i = 0; i < 3; i++)
        CHECK_GT(wait(NULL), 0); /* the server does not end before */
    unmount(NULL, "/n");
    server_end(s);
}

/* Look at all processes, until told to stop. */
static void
watch(volatile unsigned *stop)
{
    static struct procinfo rows[64];
    unsigned found = 0;

    while (!*stop) {
        int n = procs(rows, ARRAY_LEN(rows));

        for (int i = 0; i < n && i < (int)ARRAY_LEN(rows); i++) {
            if (messages((int)rows[i].pid) <= 0)
                continue;
            found++;
            CHECK(strstr(text, " T") && text[strlen(text) - 1] == '\n');
        }
    }
    CHECK_GT(found, 0);
}

/*
 * Connections, processes and requests come and go while others look: none
 * is disturbed, and no line is half of one.
 * cpus: 1 4
 * shifts: 5 parallel
 * seeds: 2
 * limit: 30
 */
TEST(coming_and_going)
{
    static volatile unsigned stop;
    int watcher = rfork(RFPROC | RFMEM | RFFDG);

    if (watcher == 0) {
        watch(&stop);
        _exits(check_failures ? "a check failed" : NULL);
    }
    for (int round = 0; round < 3; round++) {
        CHECK_ROUND(round);
        for (int i = 0; i < 2; i++) {
            uint64_t seed = check_random();

            if (rfork(RFPROC | RFFDG | RFNAMEG | RFNOTEG) == 0) {
                live(seed);
                _exits(check_failures ? "a check failed" : NULL);
            }
        }
        for (int i = 0; i < 2; i++)
            CHECK_GT(wait(NULL), 0);
    }
    stop = 1;
    CHECK_EQ(wait_for(watcher, NULL), watcher);
}
