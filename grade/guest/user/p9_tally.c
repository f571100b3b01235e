/*
 * p9_tally.c - the server of counters, seen through the mount driver.
 */
#include "check.h"

static char buf[128];

/* A name space of the test's own, with counters on /mnt. */
static void
begin(void)
{
    static char *const argv[] = { "tally", NULL };
    struct waitmsg w;
    int pid;

    MUST(rfork(RFCNAMEG | RFCFDG | RFCENVG) == 0);
    MUST(boot_name_space() == 0);
    pid = rfork(RFPROC | RFFDG);
    if (pid == 0) {
        exec("/bin/tally", argv);
        exits("no /bin/tally");
    }
    MUST(wait_for(pid, &w) == pid);
    CHECK_STR(w.msg, "");
}

static int
new_counter(const char *path)
{
    int fd = create(path, ORDWR, 0666);

    MUST(fd >= 0);
    return fd;
}

/* What the counter says. */
static const char *
says(int fd)
{
    int64_t n = pread(fd, buf, sizeof(buf) - 1, 0);

    if (n < 0)
        return errstr();
    buf[n] = '\0';
    return buf;
}

static int64_t
say(int fd, const char *line)
{
    return pwrite(fd, line, strlen(line), 0);
}

TEST(counts)
{
    int fd;

    begin();
    fd = new_counter("/mnt/apples");
    CHECK_STR(says(fd), "0\n");
    CHECK_EQ(say(fd, "5"), 1);
    CHECK_STR(says(fd), "5\n");
    CHECK_EQ(say(fd, "-7\n"), 3);
    CHECK_STR(says(fd), "-2\n");
    CHECK_EQ(say(fd, "=100\n"), 5);
    CHECK_EQ(say(fd, "1"), 1);
    CHECK_STR(says(fd), "101\n");
}

/* A malformed line changes nothing, and the client gets an error. */
TEST(bad_lines)
{
    static const char *const bad[] = { "", "\n", "x", "5x", "5 6", "=", "=x",
        "5\n\n", "5\n6", "12345678901234567890123456789012" };
    int fd;

    begin();
    fd = new_counter("/mnt/apples");
    CHECK_EQ(say(fd, "=42"), 3);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_EQ(say(fd, bad[i]), -E_BADARG);
    CHECK_EQ(pwrite(fd, "5\0006", 3, 0), -E_BADARG);
    CHECK_STR(says(fd), "42\n");
}

/* As far as 64 bits go. */
TEST(large_numbers)
{
    int fd;

    begin();
    fd = new_counter("/mnt/apples");
    CHECK_GT(say(fd, "=9223372036854775806"), 0);
    CHECK_EQ(say(fd, "2"), -E_REMOTE);
    CHECK_STR(errstr(), "number too large");
    CHECK_STR(says(fd), "9223372036854775806\n");
    CHECK_EQ(say(fd, "=9999999999999999999"), -E_REMOTE);
    CHECK_GT(say(fd, "-9223372036854775806"), 0);
    CHECK_STR(says(fd), "0\n");
}

/* From any offset, however little at a time; behind the end there is none. */
TEST(read_in_pieces)
{
    int fd;

    begin();
    fd = new_counter("/mnt/apples");
    CHECK_GT(say(fd, "=-1234"), 0);
    CHECK_EQ(pread(fd, buf, 3, 0), 3);
    CHECK(memcmp(buf, "-12", 3) == 0);
    CHECK_EQ(pread(fd, buf, 100, 3), 3);
    CHECK(memcmp(buf, "34\n", 3) == 0);
    CHECK_EQ(pread(fd, buf, 100, 6), 0);
    CHECK_EQ(pread(fd, buf, 100, 1000000), 0);
    CHECK_EQ(read(fd, buf, 1), 1);
    CHECK_EQ(read(fd, buf, 100), 5);
    CHECK_EQ(read(fd, buf, 100), 0);
}

/* Each file its own count; a removed one has no name, and its name is free. */
TEST(many_counters)
{
    int a, b;

    begin();
    a = new_counter("/mnt/apples");
    b = new_counter("/mnt/pears");
    CHECK_EQ(say(a, "3"), 1);
    CHECK_EQ(say(b, "4"), 1);
    CHECK_STR(says(a), "3\n");
    CHECK_STR(says(b), "4\n");
    CHECK_EQ(remove("/mnt/apples"), 0);
    CHECK_STR(says(a), "3\n"); /* it is open still */
    CHECK_EQ(open("/mnt/apples", OREAD), -E_NOEXIST);
    a = new_counter("/mnt/apples");
    CHECK_STR(says(a), "0\n");
}

/* There is no lock, and nothing is lost. */
TEST(many_processes)
{
    struct waitmsg w;
    int fd;

    begin();
    fd = new_counter("/mnt/apples");
    for (int i = 0; i < 6; i++) {
        if (rfork(RFPROC | RFFDG) != 0)
            continue;
        for (int k = 0; k < 25; k++)
            CHECK_EQ(say(fd, k % 5 == 4 ? "-4" : "2"), k % 5 == 4 ? 2 : 1);
        exits(check_failures ? "a check failed" : "");
    }
    for (int i = 0; i < 6; i++) {
        CHECK_GT(wait(&w), 0);
        CHECK_STR(w.msg, "");
    }
    CHECK_STR(says(fd), "120\n");
}

/* ---- challenge: counters that tell when they change ---- */

static int
new_waiting_counter(const char *path)
{
    int fd;

    begin();
    fd = create(path, ORDWR, DMAPPEND | 0666);
    MUST(fd >= 0);
    return fd;
}

/* In a child: two reads, of which the second waits for a change. */
static void
hears(const char *path, const char *want)
{
    int fd = open(path, OREAD);
    int64_t n;

    CHECK_EQ(read(fd, buf, sizeof(buf)), 2);
    n = read(fd, buf, sizeof(buf) - 1);
    CHECK_GT(n, 0);
    buf[n > 0 ? n : 0] = '\0';
    CHECK_STR(buf, want);
    exits(check_failures ? "a check failed" : "");
}

/*
 * A read waits, and ends with the new number.
 * challenge: C2
 */
TEST(waits_for_change)
{
    int fd = new_waiting_counter("/mnt/apples");
    struct waitmsg w;

    if (rfork(RFPROC | RFFDG) == 0)
        hears("/mnt/apples", "5\n");
    sleep(50000000);
    CHECK_EQ(procs(NULL, 0) - check_procs, 2);
    CHECK_EQ(say(fd, "5"), 1);
    CHECK_GT(wait(&w), 0);
    CHECK_STR(w.msg, "");
}

/*
 * All readers that wait for it get it, and no reader that waits for another.
 * challenge: C2
 */
TEST(waiters_all_hear)
{
    int fd = new_waiting_counter("/mnt/apples");
    int other = create("/mnt/pears", ORDWR, DMAPPEND | 0666);
    struct waitmsg w;

    for (int i = 0; i < 4; i++)
        if (rfork(RFPROC | RFFDG) == 0)
            hears(i < 3 ? "/mnt/apples" : "/mnt/pears", i < 3 ? "-1\n" : "7\n");
    sleep(50000000);
    CHECK_EQ(say(fd, "-1"), 2);
    for (int i = 0; i < 3; i++) {
        CHECK_GT(wait(&w), 0);
        CHECK_STR(w.msg, "");
    }
    CHECK_EQ(say(other, "7"), 1);
    CHECK_GT(wait(&w), 0);
    CHECK_STR(w.msg, "");
}

static void
go_on(struct ureg *regs, char *note)
{
    (void)regs;
    (void)note;
    noted(NCONT);
}

/*
 * A note ends the wait, and the server is as before.
 * challenge: C2
 */
TEST(wait_ends_by_note)
{
    int fd = new_waiting_counter("/mnt/apples");

    CHECK_EQ(read(fd, buf, sizeof(buf)), 2);
    notify(go_on);
    alarm(30000000);
    CHECK_EQ(read(fd, buf, sizeof(buf)), -E_INTR);
    CHECK_EQ(say(fd, "3"), 1);
    CHECK_STR(says(fd), "3\n");
}
