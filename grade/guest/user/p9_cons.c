/*
 * p9_cons.c - #c: the small files about machine and process, and what may be
 * written to them.  What is typed is in grade/test_console.py.
 */
#include "check.h"

static char buf[64 << 10];

/* The file's contents as a string in buf; its length. */
static int64_t
contents(const char *path)
{
    int fd = open(path, OREAD);
    int64_t n = fd < 0 ? fd : readn(fd, buf, sizeof buf - 1);

    CHECK_GE(n, 0);
    buf[n < 0 ? 0 : n] = '\0';
    close(fd);
    return n;
}

/* The i-th number in buf. */
static uint64_t
number(int i)
{
    const char *p = buf;
    char *next;

    for (;;) {
        uint64_t n = strtoull(p, &next, 10);

        if (next == p || i-- == 0)
            return n;
        p = next;
    }
}

/* Write text to the file: what the call says. */
static int64_t
put(const char *path, const char *text)
{
    int fd = open(path, OWRITE);
    int64_t n = fd < 0 ? fd : write(fd, text, strlen(text));

    close(fd);
    return n;
}

/* null takes all and gives nothing; zero gives zeros. */
TEST(null_and_zero)
{
    int fd = open("#c/null", ORDWR), zero = open("#c/zero", ORDWR);

    MUST(fd >= 0 && zero >= 0);
    CHECK_EQ(write(fd, buf, sizeof buf), sizeof buf);
    CHECK_EQ(read(fd, buf, 10), 0);
    memset(buf, 1, 5000);
    CHECK_EQ(read(zero, buf, 4999), 4999);
    for (int i = 0; i < 4999; i++)
        MUST(buf[i] == 0);
    CHECK_EQ(buf[4999], 1);
    CHECK_EQ(write(zero, buf, 7), 7);
    CHECK_EQ(read(zero, (void *)16, 10), -E_BADADDR);
}

/* random's bytes differ at each read, and every value comes. */
TEST(random_bytes)
{
    static uint8_t again[4096];
    bool seen[256] = { 0 };
    int fd = open("#c/random", OREAD), different = 0;

    MUST(fd >= 0);
    CHECK_EQ(read(fd, buf, 4096), 4096);
    CHECK_EQ(read(fd, again, 4096), 4096);
    for (int i = 0; i < 4096; i++) {
        seen[again[i]] = true;
        different += (uint8_t)buf[i] != again[i];
    }
    CHECK_GT(different, 3900);
    for (int i = 0; i < 256; i++)
        CHECK(seen[i]);
    CHECK_EQ(read(fd, (void *)16, 10), -E_BADADDR);
}

/* The time of day goes on with the clock, and only the system sets it. */
TEST(time_of_day)
{
    uint64_t seconds, ns;

    contents("#c/time");
    seconds = number(0);
    ns = number(1);
    CHECK(seconds > 1700000000ul && seconds < 7000000000ul);
    CHECK_EQ(ns / 1000000000, seconds);
    CHECK_GT(number(3), 1000000);
    sleep(20000000);
    contents("#c/time");
    CHECK(number(1) - ns >= 20000000 && number(1) - ns < 2000000000);
    CHECK_EQ(put("#c/time", "86400"), 5);
    contents("#c/time");
    CHECK(number(0) >= 86400 && number(0) < 86403);
    CHECK_EQ(put("#c/time", "soon"), -E_BADARG);
    CHECK_EQ(put("#c/user", "none"), 4);
    CHECK_EQ(put("#c/time", "1"), -E_PERM);
}

/* Numbers about the process that reads. */
TEST(self)
{
    struct waitmsg w;
    int pid;

    contents("#c/pid");
    CHECK_EQ(number(0), getpid());
    pid = getpid();
    if (rfork(RFPROC | RFFDG) == 0) {
        contents("#c/ppid");
        CHECK_EQ(number(0), pid);
        exits(check_failures ? "a check failed" : "");
    }
    wait(&w);
    CHECK_STR(w.msg, "");
    contents("#c/cputime");
    CHECK_LT(number(2), 100000);
    contents("#c/user");
    CHECK_STR(buf, "lux");
}

/*
 * sysstat has a line for each CPU, and its counters move.
 * cpus: 1 4
 */
TEST(counters)
{
    struct cpustat stat[MAX_CPUS];
    int n = sysstat(stat, MAX_CPUS), lines = 0;
    uint64_t calls;

    contents("#c/sysstat");
    for (char *p = buf; *p != '\0'; p++)
        lines += *p == '\n';
    CHECK_EQ(lines, n);
    calls = number(3);
    contents("#c/sysstat");
    if (n == 1)
        CHECK_GT(number(3), calls);
    contents("#c/swap");
    CHECK_EQ(number(0), stat[0].mem_total * PAGE_SIZE);
}

/* A write clears the counters, of all CPUs; only the system's user may. */
TEST(counters_cleared)
{
    struct cpustat before, after;
    uint64_t calls;

    for (int i = 0; i < 1000; i++)
        nop();
    contents("#c/sysstat");
    calls = number(3);
    CHECK_GE(calls, 1000);
    sysstat(&before, 1);
    CHECK_EQ(put("#c/sysstat", "x"), 1);
    contents("#c/sysstat");
    CHECK_LT(number(3), 100);
    for (int i = 0; i < 1000; i++)
        nop();
    contents("#c/sysstat");
    CHECK(number(3) >= 1000 && number(3) < 1100);
    sysstat(&after, 1); /* the kernel's own counters go on */
    CHECK_GE(after.syscalls, before.syscalls + 1000);
    CHECK_EQ(put("#c/user", "none"), 4);
    CHECK_EQ(open("#c/sysstat", OWRITE), -E_PERM);
    contents("#c/sysstat");
}

/* Keep a CPU busy for so many milliseconds. */
static void
work(uint64_t ms)
{
    uint64_t end = nsec() + ms * 1000000;

    while (nsec() < end)
        ;
}

/* cputime has the caller's times, and those of children that have ended. */
TEST(cputime)
{
    uint64_t before, used;

    contents("#c/cputime");
    before = number(0) + number(1);
    work(20);
    CHECK_EQ(contents("#c/cputime"), 6 * 12);
    used = number(0) + number(1);
    CHECK(used >= before + 18 && used <= before + 25);
    CHECK_GE(number(2), used);
    CHECK_EQ(number(3) + number(4) + number(5), 0);
    if (fork() == 0) {
        if (fork() == 0) {
            work(20);
            _exits("");
        }
        wait(NULL);
        contents("#c/cputime");
        CHECK_LE(number(0) + number(1), 5);
        CHECK_GE(number(3) + number(4), 18);
        work(20);
        exits(check_failures ? "a check failed" : "");
    }
    wait(NULL);
    contents("#c/cputime");
    CHECK_LE(number(0) + number(1), used + 5);
    CHECK(number(3) + number(4) >= 36 && number(3) + number(4) <= 60);
    CHECK(number(5) >= 40 && number(5) <= 60);
}

/* What was printed can be read again. */
TEST(messages)
{
    static const char mark[] = "p9_cons.messages was here";
    int fd = open("#c/cons", OWRITE);

    MUST(fd >= 0);
    CHECK_EQ(write(fd, mark, strlen(mark)), strlen(mark));
    contents("#c/kmesg");
    CHECK(strstr(buf, mark) != NULL);
    CHECK_EQ(pwrite(fd, (void *)16, 5, 0), -E_BADADDR);
}

/* Devices, names, and which user may change them. */
TEST(names)
{
    contents("#c/drivers");
    CHECK(strstr(buf, "#c cons\n") != NULL);
    CHECK(strstr(buf, "#| pipe\n") != NULL);
    CHECK_EQ(put("#c/sysname", "other\n"), 6);
    contents("#c/sysname");
    CHECK_STR(buf, "other");
    CHECK_EQ(put("#c/user", "glenda"), 6);
    contents("#c/user");
    CHECK_STR(buf, "glenda");
    CHECK_EQ(put("#c/user", "lux"), -E_PERM);
    CHECK_EQ(put("#c/sysname", "mine"), -E_PERM);
    CHECK_EQ(put("#c/user", "none"), 4);
    CHECK_EQ(put("#c/user", "glenda"), -E_PERM);
}

/* Unknown words to consctl are refused; files have their permissions. */
TEST(refused)
{
    CHECK_EQ(put("#c/consctl", "rawish"), -E_BADCTL);
    CHECK_EQ(put("#c/consctl", ""), -E_BADCTL);
    CHECK_EQ(put("#c/user", ""), -E_BADARG);
    CHECK_EQ(put("#c/user", "a/b"), -E_BADARG);
    CHECK_EQ(open("#c/consctl", OREAD), -E_PERM);
    CHECK_EQ(open("#c/random", OWRITE), -E_PERM);
    CHECK_EQ(open("#c/nothing", OREAD), -E_NOEXIST);
    CHECK_EQ(remove("#c/null"), -E_PERM);
    CHECK_EQ(create("#c/new", OWRITE, 0666), -E_PERM);
}
