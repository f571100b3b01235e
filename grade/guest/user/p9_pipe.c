/*
 * p9_pipe.c - pipes: what arrives, in which pieces, which end waits, and
 * what the end of either side means to the other.
 */
#include "check.h"

enum {
    MS = 1000000,
    FULL = 64 << 10, /* bytes a pipe holds before it is read */
};

static int fds[2];
static char buf[2 * FULL], back[2 * FULL];

/* A child of its own files, which runs fn. */
static int
start(void (*fn)(void))
{
    int pid = rfork(RFPROC | RFFDG);

    MUST(pid >= 0);
    if (pid == 0) {
        fn();
        exits(check_failures ? "a check failed" : "");
    }
    return pid;
}

/* Wait until a process sleeps for `what`, at most two seconds. */
static bool
falls_asleep(int pid, const char *what)
{
    for (int i = 0; i < 2000; i++) {
        if (check_sleeps(pid, what))
            return true;
        sleep(MS);
    }
    return false;
}

/* n children have ended, in whatever order. */
static void
end_all(int n)
{
    struct waitmsg w;

    while (n-- > 0) {
        CHECK_GT(wait(&w), 0);
        CHECK_STR(w.msg, "");
    }
}

static void
kill_it(int pid)
{
    struct waitmsg w;

    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_STR(w.msg, "killed");
}

/* What is written to one end is read from the other, both ways. */
TEST(both_ways)
{
    MUST(pipe(fds) == 0);
    CHECK_EQ(write(fds[0], "there", 5), 5);
    CHECK_EQ(write(fds[1], "back", 4), 4);
    CHECK_EQ(read(fds[1], buf, sizeof buf), 5);
    CHECK(memcmp(buf, "there", 5) == 0);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 4);
    CHECK(memcmp(buf, "back", 4) == 0);
}

/* Two writes are two reads, and one write may be read in pieces. */
TEST(boundaries)
{
    MUST(pipe(fds) == 0);
    CHECK_EQ(write(fds[0], "one", 3), 3);
    CHECK_EQ(write(fds[0], "three", 5), 5);
    CHECK_EQ(read(fds[1], buf, sizeof buf), 3);
    CHECK_EQ(read(fds[1], buf, 2), 2);
    CHECK_EQ(read(fds[1], buf + 2, sizeof buf - 2), 3);
    CHECK(memcmp(buf, "three", 5) == 0);
}

/* A read or write of no bytes changes nothing. */
TEST(nothing)
{
    MUST(pipe(fds) == 0);
    CHECK_EQ(write(fds[0], "", 0), 0);
    CHECK_EQ(read(fds[1], buf, 0), 0);
    CHECK_EQ(write(fds[0], "x", 1), 1);
    CHECK_EQ(read(fds[1], buf, sizeof buf), 1);
}

/* When one end is closed, the other reads what is left, then 0 for ever. */
TEST(end_of_file)
{
    MUST(pipe(fds) == 0);
    CHECK_EQ(write(fds[0], "last", 4), 4);
    CHECK_EQ(close(fds[0]), 0);
    CHECK_EQ(read(fds[1], buf, sizeof buf), 4);
    CHECK_EQ(read(fds[1], buf, sizeof buf), 0);
    CHECK_EQ(read(fds[1], buf, sizeof buf), 0);
}

static void
write_and_go_on(void)
{
    close(fds[1]);
    write(fds[0], "x", 1);
    nop();
    exits("went on");
}

/* Writing to a pipe whose other end is closed is a note, which kills. */
TEST(write_to_closed_kills)
{
    struct waitmsg w;
    int pid;

    MUST(pipe(fds) == 0);
    pid = start(write_and_go_on); /* has its own files */
    close(fds[1]);
    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_STR(w.msg, "sys: write on closed pipe");
}

static volatile unsigned notes;
static char last_note[MAX_ERR];

static void
count_note(struct ureg *u, char *note)
{
    (void)u;
    notes++;
    strlcpy(last_note, note, sizeof last_note);
    noted(NCONT);
}

/* A process that catches that note finds the error, too. */
TEST(write_to_closed_caught)
{
    MUST(pipe(fds) == 0 && notify(count_note) == 0);
    close(fds[1]);
    CHECK_EQ(write(fds[0], "x", 1), -E_HUNGUP);
    CHECK_EQ(notes, 1);
    CHECK_STR(last_note, "sys: write on closed pipe");
}

/* The end of the last process that has an end open is its closing. */
static void
write_hello(void)
{
    close(fds[0]);
    CHECK_EQ(write(fds[1], "hello", 5), 5);
}

TEST(closed_by_exit)
{
    MUST(pipe(fds) == 0);
    start(write_hello);
    start(write_hello);
    close(fds[1]);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 5);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 5);
    CHECK_EQ(read(fds[0], buf, sizeof buf), 0);
    end_all(2);
}

static void
write_one_more(void)
{
    CHECK_EQ(write(fds[0], "x", 1), 1);
}

/* 64 KiB fit without a read; the next byte waits until there is room. */
TEST(flow_control)
{
    int pid;

    MUST(pipe(fds) == 0);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(write(fds[0], buf, FULL / 8), FULL / 8);
    pid = start(write_one_more);
    CHECK(falls_asleep(pid, "write"));
    CHECK_EQ(read(fds[1], back, FULL), FULL / 8);
    check_ends_well(pid);
    for (int i = 0; i < 7; i++)
        CHECK_EQ(read(fds[1], back, FULL), FULL / 8);
    CHECK_EQ(read(fds[1], back, FULL), 1);
}

/* A part of a block that is read makes room, too. */
TEST(part_makes_room)
{
    int pid;

    MUST(pipe(fds) == 0);
    CHECK_EQ(write(fds[0], buf, FULL), FULL);
    pid = start(write_one_more);
    CHECK(falls_asleep(pid, "write"));
    CHECK_EQ(read(fds[1], back, 100), 100);
    check_ends_well(pid);
    CHECK_EQ(read(fds[1], back, FULL), FULL - 100);
    CHECK_EQ(read(fds[1], back, FULL), 1);
}

static void
write_until_hangup(void)
{
    notify(count_note);
    close(fds[1]);
    CHECK_EQ(write(fds[0], "x", 1), -E_HUNGUP);
    CHECK_EQ(notes, 1);
}

/* A writer that waits for room gets an error when the last reader goes. */
TEST(hangup_wakes_writer)
{
    int pid;

    MUST(pipe(fds) == 0);
    CHECK_EQ(write(fds[0], buf, FULL), FULL);
    pid = start(write_until_hangup);
    CHECK(falls_asleep(pid, "write"));
    close(fds[1]);
    check_ends_well(pid);
}

static void
write_bytes_for_ever(void)
{
    for (;;)
        write(fds[0], "x", 1);
}

/* Writes of one byte fill a pipe before they fill the kernel. */
TEST(small_writes)
{
    uint64_t before = check_free_memory();
    int pid;

    MUST(pipe(fds) == 0);
    pid = start(write_bytes_for_ever);
    CHECK(falls_asleep(pid, "write"));
    CHECK_LT(before - check_free_memory(), 128); /* pages */
    kill_it(pid);
}

static void
read_one(void)
{
    read(fds[1], buf, 1);
}

static void
write_too_much(void)
{
    for (;;)
        write(fds[0], buf, FULL);
}

static void
kill_both(void)
{
    int pid;

    MUST(pipe(fds) == 0);
    pid = start(read_one);
    CHECK(falls_asleep(pid, "read"));
    kill_it(pid);
    pid = start(write_too_much);
    CHECK(falls_asleep(pid, "write"));
    kill_it(pid);
    close(fds[0]); /* our parent has the same files */
    close(fds[1]);
}

/*
 * A process blocked at a pipe can be killed, and all it used comes back.
 * cpus: 1 4
 */
TEST(kill_while_blocked)
{
    check_gives_back(kill_both);
    CHECK_EQ(check_more_procs(), 0);
}

static void
read_until_note(void)
{
    notify(count_note);
    CHECK_EQ(read(fds[1], buf, 1), -E_INTR);
    CHECK_EQ(notes, 1);
}

/* A note ends the wait of a reader, who may try again. */
TEST(note_interrupts)
{
    int pid;

    MUST(pipe(fds) == 0);
    pid = start(read_until_note);
    CHECK(falls_asleep(pid, "read"));
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "hello"), 0);
    check_ends_well(pid);
    CHECK_EQ(write(fds[0], "y", 1), 1);
    CHECK_EQ(read(fds[1], buf, 1), 1);
}

/* Bad addresses are errors; what was to be read is still there then. */
TEST(bad_addresses)
{
    char *const bad[] = { NULL, (char *)16, (char *)USER_TOP,
        (char *)0xffff800000000000, (char *)-2 };

    MUST(pipe(fds) == 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_EQ(write(fds[0], bad[i], 2), -E_BADADDR);
        CHECK_EQ(write(fds[0], "ab", 2), 2);
        CHECK_EQ(read(fds[1], bad[i], 2), -E_BADADDR);
        CHECK_EQ(read(fds[1], buf, 2), 2);
        CHECK(memcmp(buf, "ab", 2) == 0);
    }
}

/* #| is a directory with the pipe's two ends, whose length is what waits. */
TEST(directory)
{
    struct dir *d;
    int a, b;

    MUST(bind("#|", "/n", MREPL) >= 0);
    CHECK_EQ(dir_list("/n", &d), 2);
    CHECK_STR(d[0].name, "data");
    CHECK_STR(d[1].name, "data1");
    MUST((a = open("/n/data", ORDWR)) >= 0);
    MUST((b = open("/n/data1", ORDWR)) >= 0);
    CHECK_EQ(write(a, "four", 4), 4);
    d = dirfstat(b);
    CHECK(d != NULL && d->length == 4);
    d = dirstat("/n/data");
    CHECK(d != NULL && d->length == 0);
    CHECK_EQ(read(b, buf, sizeof buf), 4);
    CHECK_EQ(seek(a, 0, SEEK_SET), -E_STREAM);
    CHECK_EQ(create("/n/more", ORDWR, 0666), -E_NOCREATE);
    CHECK_EQ(remove("/n/data"), -E_PERM);
}

/* Closed at both ends, a pipe in a directory is as new. */
TEST(opened_again)
{
    int a, b;

    MUST(bind("#|", "/n", MREPL) >= 0);
    for (int i = 0; i < 3; i++) {
        MUST((a = open("/n/data", ORDWR)) >= 0);
        MUST((b = open("/n/data1", ORDWR)) >= 0);
        CHECK_EQ(write(a, "x", 1), 1);
        CHECK_EQ(close(b), 0);
        CHECK_EQ(close(a), 0);
    }
    MUST((a = open("/n/data", ORDWR)) >= 0);
    MUST((b = open("/n/data1", ORDWR)) >= 0);
    CHECK_EQ(write(a, "new", 3), 3);
    CHECK_EQ(read(b, buf, sizeof buf), 3);
}

enum {
    STREAM = 1 << 20
};

/* Numbered bytes in pieces of random sizes. */
static void
write_stream(void)
{
    uint64_t at = 0;

    close(fds[1]);
    while (at < STREAM) {
        size_t n = check_random() % 9000 + 1;

        if (n > STREAM - at)
            n = STREAM - at;
        for (size_t i = 0; i < n; i++)
            buf[i] = (char)((at + i) * 2654435761u >> 24);
        MUST(write(fds[0], buf, n) == (int64_t)n);
        at += n;
    }
}

/*
 * A megabyte arrives whole and in order, whichever end is faster.
 * cpus: 1 2 4
 * seeds: 2
 */
TEST(stream)
{
    uint64_t at = 0, wrong = 0;
    int64_t n;
    int pid;

    MUST(pipe(fds) == 0);
    pid = start(write_stream);
    close(fds[0]);
    while ((n = read(fds[1], back, check_random() % 20000 + 1)) > 0) {
        for (int64_t i = 0; i < n; i++)
            wrong += back[i] != (char)((at + (uint64_t)i) * 2654435761u >> 24);
        at += (uint64_t)n;
    }
    CHECK_EQ(n, 0);
    CHECK_EQ(at, STREAM);
    CHECK_EQ(wrong, 0);
    check_ends_well(pid);
}

enum {
    CROWD = 6,
    MESSAGES = 300,
    MESSAGE = 256
};

static int results[2];

static void
write_messages(void)
{
    for (int i = 0; i < MESSAGES; i++) {
        CHECK_ROUND(i);
        memset(buf, (int)(check_random() % 255 + 1), MESSAGE);
        CHECK_EQ(write(fds[0], buf, MESSAGE), MESSAGE);
    }
}

/* Messages are whole: all bytes are alike.  Says how many it got. */
static void
read_messages(void)
{
    uint32_t count = 0;

    close(fds[0]);
    while (read(fds[1], buf, MESSAGE) == MESSAGE) {
        count++;
        for (int i = 1; i < MESSAGE; i++)
            MUST(buf[i] == buf[0]);
    }
    CHECK_EQ(write(results[1], &count, sizeof count), sizeof count);
}

/*
 * Many writers and many readers of one pipe: no message is lost, cut or mixed.
 * cpus: 1 4 8
 */
TEST(crowd)
{
    uint32_t count, sum = 0;

    MUST(pipe(fds) == 0 && pipe(results) == 0);
    for (int i = 0; i < CROWD; i++) {
        start(write_messages);
        start(read_messages);
    }
    close(fds[0]);
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(read(results[0], &count, sizeof count), sizeof count);
        sum += count;
    }
    CHECK_EQ(sum, CROWD * MESSAGES);
    end_all(2 * CROWD);
}

enum {
    BLOCKS = 60,
    BLOCK = 3000
};

/* Pieces of random sizes; says how many bytes there were, and their sum. */
static void
read_pieces(void)
{
    uint64_t sums[2] = { 0 };
    int64_t n;

    close(fds[0]);
    while ((n = read(fds[1], back, check_random() % 60 + 1)) > 0) {
        sums[0] += (uint64_t)n;
        for (int64_t i = 0; i < n; i++)
            sums[1] += (uint8_t)back[i];
    }
    CHECK_EQ(write(results[1], sums, sizeof sums), sizeof sums);
}

/*
 * Many readers of parts of the same blocks get each byte once.
 * cpus: 1 4 8
 */
TEST(pieces)
{
    uint64_t sums[2], bytes = 0, sum = 0, want = 0;

    MUST(pipe(fds) == 0 && pipe(results) == 0);
    for (int i = 0; i < CROWD; i++) {
        check_seed += (uint64_t)i;
        start(read_pieces);
    }
    for (int i = 0; i < BLOCKS; i++) {
        CHECK_ROUND(i);
        for (int k = 0; k < BLOCK; k++) {
            buf[k] = (char)check_random();
            want += (uint8_t)buf[k];
        }
        CHECK_EQ(write(fds[0], buf, BLOCK), BLOCK);
    }
    close(fds[0]);
    for (int i = 0; i < CROWD; i++) {
        CHECK_EQ(read(results[0], sums, sizeof sums), sizeof sums);
        bytes += sums[0];
        sum += sums[1];
    }
    end_all(CROWD);
    CHECK_EQ(bytes, BLOCKS * BLOCK);
    CHECK_EQ(sum, want);
}

static void
read_and_close(void)
{
    read(fds[1], buf, 100);
    close(fds[1]);
    close(fds[0]);
}

static void
race(void)
{
    for (int i = 0; i < 40; i++) {
        int pid;

        MUST(pipe(fds) == 0);
        pid = start(read_and_close);
        write(fds[0], "x", 1);
        close(fds[0]);
        close(fds[1]);
        if (i % 2)
            postnote(NOTE_PROC, (uint32_t)pid, "kill");
        wait_for(pid, NULL);
    }
}

/*
 * Closing while others read, write and are killed loses no memory.
 * cpus: 1 2 8
 */
TEST(close_race)
{
    notify(count_note);
    check_gives_back(race);
}
