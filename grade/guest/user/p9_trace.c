/*
 * p9_trace.c - #t and /proc/n/trace: the trace rings as files.
 */
#include "check.h"

enum {
    LINE = 80,
    RECORD = 32
};

static char text[3 << 20];

static int64_t
contents(const char *path)
{
    int fd = open(path, OREAD);
    int64_t n = fd < 0 ? fd : readn(fd, text, sizeof text - 1);

    text[n < 0 ? 0 : n] = '\0';
    close(fd);
    return n;
}

static int64_t
put(const char *path, const char *s)
{
    int fd = open(path, OWRITE);
    int64_t n = fd < 0 ? fd : write(fd, s, strlen(s));

    close(fd);
    return n;
}

/* Lines whose column 21 (the process) is not pid. */
static int
of_others(int64_t n, int pid)
{
    int others = 0;

    for (int64_t at = 0; at < n; at += LINE)
        others += atoi(text + at + 21) != pid;
    return others;
}

/* What a process does while tracing is on is in the rings, by name. */
TEST(own_calls)
{
    char path[32];
    int64_t n;

    CHECK_EQ(put("#t/ctl", "start"), 5);
    contents("#t/ctl");
    CHECK(strncmp(text, "on ", 3) == 0);
    for (int i = 0; i < 10; i++)
        getpid();
    if (rfork(RFPROC) == 0)
        exits(NULL);
    wait(NULL);
    CHECK_EQ(put("#t/ctl", "stop"), 4);
    contents("#t/ctl");
    CHECK(strncmp(text, "off ", 4) == 0);
    n = contents("#t/trace");
    CHECK(n > 20 * LINE && n % LINE == 0);
    CHECK(strstr(text, "syscall getpid ") != NULL);
    CHECK(strstr(text, "fork ") != NULL);
    CHECK_GT(of_others(n, getpid()), 0);
    for (int64_t at = 0; at < n; at += LINE)
        MUST(text[at + LINE - 1] == '\n');
    snprint(path, sizeof path, "#p/%d/trace", getpid());
    n = contents(path);
    CHECK(n > 20 * LINE && n % LINE == 0);
    CHECK(strstr(text, "syscall getpid ") != NULL);
    CHECK_EQ(of_others(n, getpid()), 0);
}

/* Events of all CPUs come in order of time, at most as many as are kept. */
static void
check_order(int64_t n)
{
    uint64_t last = 0;

    for (int64_t at = 0; at < n; at += LINE) {
        uint64_t ns = strtoull(text + at, NULL, 10);

        MUST(ns >= last);
        last = ns;
    }
}

/*
 * Rings that have been overwritten, and are while they are read.
 * cpus: 1 4
 * limit: 60
 */
TEST(overwritten)
{
    int pids[3];
    int64_t n;

    CHECK_EQ(put("#t/ctl", "start"), 5);
    for (size_t i = 0; i < ARRAY_LEN(pids); i++)
        if ((pids[i] = rfork(RFPROC)) == 0)
            for (;;)
                nop();
    for (int i = 0; i < 10000; i++)
        nop();
    for (int i = 0; i < 3; i++) {
        n = contents("#t/trace");
        CHECK(n > 7000 * LINE && n <= 32000 * LINE);
        check_order(n);
        n = contents("#t/raw");
        CHECK(n > 7000 * RECORD && n % RECORD == 0);
    }
    CHECK_EQ(put("#t/ctl", "stop"), 4);
    for (size_t i = 0; i < ARRAY_LEN(pids); i++)
        postnote(NOTE_PROC, (uint32_t)pids[i], "kill");
}

/* Nothing has been traced: nothing is there; words must be known; others may
 * not look. */
TEST(refused)
{
    contents("#t/ctl");
    if (strncmp(text, "off 0", 5) == 0) { /* else others were here before */
        CHECK_EQ(contents("#t/trace"), 0);
        CHECK_EQ(contents("#t/raw"), 0);
    }
    CHECK_EQ(put("#t/ctl", "begin"), -E_BADCTL);
    CHECK_EQ(put("#t/ctl", "start start start start"), -E_BADCTL);
    CHECK_EQ(open("#t/trace", OWRITE), -E_PERM);
    CHECK_EQ(write_file("#c/user", "none"), 0);
    CHECK_EQ(open("#t/trace", OREAD), -E_PERM);
    CHECK_EQ(open("#t/ctl", OWRITE), -E_PERM);
}

static void
look(void)
{
    put("#t/ctl", "start");
    for (int i = 0; i < 50; i++) {
        nop();
        contents("#t/trace");
    }
    put("#t/ctl", "stop");
}

/* The copies that openers get are given back. */
TEST(gives_back)
{
    check_gives_back(look);
}
