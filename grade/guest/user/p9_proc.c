/*
 * p9_proc.c - #p: looking into processes and commanding them, also while they
 * come and go.
 */
#include "check.h"

enum {
    MS = 1000000
};

static char text[64 << 10];

/* "#p/PID/file" in a buffer that the next four calls leave alone. */
static const char *
path_of(int pid, const char *file)
{
    static char paths[4][64];
    static unsigned next;
    char *p = paths[next++ % 4];

    snprint(p, sizeof paths[0], "#p/%d/%s", pid, file);
    return p;
}

/* The file's contents as a string in text; the length or an error. */
static int64_t
contents(int pid, const char *file)
{
    int fd = open(path_of(pid, file), OREAD);
    int64_t n = fd < 0 ? fd : readn(fd, text, sizeof text - 1);

    text[n < 0 ? 0 : n] = '\0';
    close(fd);
    return n;
}

/* Write a string to a file: 0, or an error. */
static int
put(int pid, const char *file, const char *s)
{
    int fd = open(path_of(pid, file), OWRITE);
    int64_t n = fd < 0 ? fd : write(fd, s, strlen(s));

    close(fd);
    return n == (int64_t)strlen(s) ? 0 : (int)n;
}

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

static void
ends_with(int pid, const char *msg)
{
    struct waitmsg w;

    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_STR(w.msg, msg);
}

static void
sleep_long(void)
{
    sleep(1000000000000);
}

static void
spin(void)
{
    for (;;)
        __asm__ volatile("pause");
}

static volatile uint64_t counter; /* RFMEM's children count here */

static void
count(void)
{
    for (;;)
        counter++;
}

/* A child that shares our memory and counts. */
static int
start_counting(void)
{
    int pid = rfork(RFPROC | RFMEM);

    MUST(pid >= 0);
    if (pid == 0)
        count();
    while (counter == 0)
        sleep(MS);
    return pid;
}

/* Does the counter move within some milliseconds? */
static bool
counts(void)
{
    uint64_t before = counter;

    for (int i = 0; i < 50 && counter == before; i++)
        sleep(MS);
    return counter != before;
}

/* status has name, user, state and the rest at fixed places. */
TEST(status)
{
    struct procinfo *rows = malloc(64 * sizeof *rows);
    int n, pid = getpid();

    CHECK_GT(contents(pid, "status"), 120);
    CHECK(strncmp(text, "p9_proc ", 8) == 0);
    CHECK(strncmp(text + 32, "lux ", 4) == 0);
    CHECK(strncmp(text + 64, "Running ", 8) == 0);
    n = start(sleep_long);
    sleep(10 * MS);
    CHECK_GT(contents(n, "status"), 120);
    CHECK(strncmp(text + 64, "Sleeping ", 8) == 0);
    CHECK(strstr(text, "sleep") != NULL);
    CHECK_EQ(put(n, "ctl", "kill"), 0);
    ends_with(n, "killed");
    free(rows);
}

/* The directory has every process once, and each has its files. */
TEST(listed)
{
    struct dir *d;
    int pids[3], seen = 0, n;

    for (int i = 0; i < 3; i++)
        pids[i] = start(sleep_long);
    n = (int)dir_list("#p", &d);
    CHECK_EQ(n, procs(NULL, 0));
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 3; k++)
            seen += atoi(d[i].name) == pids[k];
    CHECK_EQ(seen, 3);
    for (int k = 0; k < 3; k++) {
        CHECK_EQ(put(pids[k], "ctl", "kill"), 0);
        ends_with(pids[k], "killed");
    }
    CHECK_EQ(dir_list("#p", &d), n - 3);
    CHECK_EQ(dir_list(path_of(getpid(), ""), &d), 13);
}

/* A name that is not a process's is not a file. */
TEST(no_such_process)
{
    static const char *const names[] = { "#p/0", "#p/999999", "#p/-1", "#p/01",
        "#p/1x", "#p/4294967297", "#p/x", "#p/99999999999999999999" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        CHECK_EQ(open(names[i], OREAD), -E_NOEXIST);
    CHECK_EQ(create("#p/7777", OREAD, 0666), -E_PERM);
    CHECK_EQ(remove(path_of(getpid(), "status")), -E_PERM);
}

/* kill ends what computes and what sleeps; other words are refused. */
TEST(kill_by_ctl)
{
    int pid = start(spin);

    CHECK_EQ(put(pid, "ctl", "frobnicate"), -E_BADCTL);
    CHECK_EQ(put(pid, "ctl", ""), -E_BADCTL);
    CHECK_EQ(put(pid, "ctl", "kill kill kill kill kill kill kill kill"),
            -E_BADCTL);
    CHECK_EQ(put(pid, "ctl", "kill\n"), 0);
    ends_with(pid, "killed");
    pid = start(sleep_long);
    CHECK_EQ(put(pid, "ctl", "kill"), 0);
    ends_with(pid, "killed");
}

/* A file that was opened before its process ended says so. */
TEST(ended_while_open)
{
    static const char *const read[] = { "9p", "fd", "mem", "noteid", "ns",
        "regs", "segment", "status" };
    static const char *const written[] = { "ctl", "note", "notepg", "mem",
        "regs" };
    int pid = start(sleep_long), r[ARRAY_LEN(read)], w[ARRAY_LEN(written)];

    for (size_t i = 0; i < ARRAY_LEN(read); i++)
        CHECK_GE((r[i] = open(path_of(pid, read[i]), OREAD)), 0);
    for (size_t i = 0; i < ARRAY_LEN(written); i++)
        CHECK_GE((w[i] = open(path_of(pid, written[i]), OWRITE)), 0);
    CHECK_EQ(put(pid, "ctl", "kill"), 0);
    ends_with(pid, "killed");
    for (size_t i = 0; i < ARRAY_LEN(read); i++)
        CHECK_EQ(pread(r[i], text, 64, i == 1 ? 0x400000 : 0), -E_NOPROC);
    for (size_t i = 0; i < ARRAY_LEN(written); i++)
        CHECK_EQ(pwrite(w[i], "kill", 4, i == 3 ? 0x400000 : 0), -E_NOPROC);
}

/*
 * A stopped process does nothing, and goes on when it is started.
 * cpus: 1 2 4
 */
TEST(stop_and_start)
{
    int pid = start_counting();

    for (int i = 0; i < 5; i++) {
        CHECK_EQ(put(pid, "ctl", "stop"), 0);
        CHECK_EQ(put(pid, "ctl", "waitstop"), 0);
        CHECK(!counts());
        contents(pid, "status");
        CHECK(strncmp(text + 64, "Stopped ", 8) == 0);
        CHECK_EQ(put(pid, "ctl", "start"), 0);
        CHECK(counts());
    }
    CHECK_EQ(put(pid, "ctl", "stop"), 0);
    CHECK_EQ(put(pid, "ctl", "waitstop"), 0);
    CHECK_EQ(put(pid, "ctl", "kill"), 0);
    ends_with(pid, "killed");
}

static volatile unsigned noted_count;

static void
note_counts(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    noted_count++;
    noted(NCONT);
}

static void
count_notes(void)
{
    notify(note_counts);
    for (;;)
        counter++;
}

/* Notes to a stopped process wait until it is started. */
TEST(note_while_stopped)
{
    int pid = rfork(RFPROC | RFMEM);

    if (pid == 0)
        count_notes();
    while (counter == 0)
        sleep(MS);
    CHECK_EQ(put(pid, "ctl", "stop"), 0);
    CHECK_EQ(put(pid, "ctl", "waitstop"), 0);
    CHECK_EQ(put(pid, "note", "one"), 0);
    CHECK_EQ(put(pid, "note", "interrupt"), 0);
    CHECK(!counts());
    CHECK_EQ(noted_count, 0);
    CHECK_EQ(put(pid, "ctl", "start"), 0);
    CHECK(counts());
    sleep(20 * MS);
    CHECK_EQ(noted_count, 2);
    CHECK_EQ(put(pid, "ctl", "kill"), 0);
    ends_with(pid, "killed");
}

static int watched;

static void
wait_for_stop(void)
{
    CHECK_EQ(put(watched, "ctl", "waitstop"), -E_NOPROC);
}

/*
 * A process that waits for another to stop can be killed, and hears of its end.
 * cpus: 1 4
 */
TEST(waitstop_ends)
{
    int a, b;

    watched = start(sleep_long);
    a = start(wait_for_stop);
    b = start(wait_for_stop);
    sleep(10 * MS);
    CHECK_EQ(put(b, "ctl", "kill"), 0);
    ends_with(b, "killed");
    CHECK_EQ(put(watched, "ctl", "kill"), 0);
    ends_with(watched, "killed");
    ends_with(a, "");
}

static void
spin_until_rbx(void)
{
    uint64_t rax;

    __asm__ volatile("xor %%ebx, %%ebx\n1: test %%rbx, %%rbx\njz 1b\n"
                     "mov %%rbx, %0"
                     : "=a"(rax)
                     :
                     : "rbx");
    CHECK_EQ(rax, 0x1234567890);
}

/* Registers can be read, and written when the process has stopped. */
TEST(registers)
{
    int pid = start(spin_until_rbx), fd;
    uint64_t rbx = 0x1234567890;
    struct ureg u;

    MUST((fd = open(path_of(pid, "regs"), ORDWR)) >= 0);
    sleep(20 * MS); /* it is in its loop by now */
    CHECK_EQ(pwrite(fd, &rbx, 8, offsetof(struct ureg, rbx)), -E_BADCTL);
    CHECK_EQ(put(pid, "ctl", "stop"), 0);
    CHECK_EQ(put(pid, "ctl", "waitstop"), 0);
    CHECK_EQ(pread(fd, &u, sizeof u, 0), sizeof u);
    CHECK(u.rip >= 0x400000 && u.rip < 0x800000);
    CHECK_EQ(u.cs & 3, 3);
    CHECK_EQ(pread(fd, text, 100, sizeof u), 0);
    CHECK_EQ(pwrite(fd, text, 1, sizeof u), -E_BADLEN);
    u.rip = 0xffffffff80000000;
    CHECK_EQ(pwrite(fd, &u, sizeof u, 0), -E_BADADDR);
    u.rip = 1ul << 63;
    CHECK_EQ(pwrite(fd, &u, sizeof u, 0), -E_BADADDR);
    CHECK_EQ(pwrite(fd, &rbx, 8, offsetof(struct ureg, rbx)), 8);
    CHECK_EQ(put(pid, "ctl", "start"), 0);
    ends_with(pid, "");
}

/* Flags and selectors that a debugger writes cannot raise privilege. */
TEST(registers_tame)
{
    int pid = start(spin), fd;
    struct ureg u, after;

    MUST((fd = open(path_of(pid, "regs"), ORDWR)) >= 0);
    CHECK_EQ(put(pid, "ctl", "stop"), 0);
    CHECK_EQ(put(pid, "ctl", "waitstop"), 0);
    CHECK_EQ(pread(fd, &u, sizeof u, 0), sizeof u);
    u.rflags = ~0ul;
    u.cs = 8;
    u.ss = 16;
    CHECK_EQ(pwrite(fd, &u, sizeof u, 0), sizeof u);
    CHECK_EQ(pread(fd, &after, sizeof after, 0), sizeof after);
    CHECK_EQ(after.rflags & 0x3000, 0); /* I/O privilege */
    CHECK_EQ(after.cs & 3, 3);
    CHECK_EQ(after.ss & 3, 3);
    CHECK_EQ(put(pid, "ctl", "start"), 0);
    CHECK_EQ(put(pid, "ctl", "kill"), 0);
    ends_with(pid, "killed");
}

static volatile uint64_t variable = 1;
static char across[3 * PAGE_SIZE] = "across";

static void
wait_for_variable(void)
{
    while (variable == 1)
        yield();
    CHECK_EQ(variable, 77);
    CHECK_EQ(across[PAGE_SIZE - across[0] % 1], 0);
}

/*
 * Another process's memory can be read and written; ours, of which it was a
 * copy, stays as it is.
 * cpus: 1 2
 */
TEST(memory)
{
    int pid = start(wait_for_variable), fd;
    uint64_t v = 0;

    MUST((fd = open(path_of(pid, "mem"), ORDWR)) >= 0);
    CHECK_EQ(pread(fd, &v, 8, (int64_t)&variable), 8);
    CHECK_EQ(v, 1);
    CHECK_EQ(pread(fd, text, 2 * PAGE_SIZE, (int64_t)across), 2 * PAGE_SIZE);
    CHECK(memcmp(text, across, 2 * PAGE_SIZE) == 0);
    CHECK_EQ(pread(fd, text, 64, (int64_t)wait_for_variable), 64);
    CHECK(memcmp(text, (const void *)wait_for_variable, 64) == 0);
    CHECK_EQ(pwrite(fd, text, 1, (int64_t)wait_for_variable), -E_BADADDR);
    v = 77;
    CHECK_EQ(pwrite(fd, &v, 8, (int64_t)&variable), 8);
    CHECK_EQ(variable, 1);
    ends_with(pid, "");
    CHECK_EQ(pread(fd, &v, 8, (int64_t)&variable), -E_NOPROC);
}

static void
use_memory(void)
{
    int64_t at = mem_map(0, 16 << 20, MEM_READ | MEM_WRITE);

    MUST(at > 0);
    for (int64_t i = 0; i < 16 << 20; i += PAGE_SIZE)
        *(volatile char *)(at + i) = 1;
}

/*
 * Memory is read to the last moment of a process that takes long to end.
 * cpus: 1 2 4
 */
TEST(memory_of_the_dying)
{
    for (int i = 0; i < 5; i++) {
        int pid = start(use_memory), fd;
        int64_t n;

        MUST((fd = open(path_of(pid, "mem"), OREAD)) >= 0);
        while ((n = pread(fd, text, 64, (int64_t)across)) == 64)
            ;
        CHECK_EQ(n, -E_NOPROC);
        close(fd);
        ends_with(pid, "");
    }
}

/* Addresses that mean nothing, the kernel's, and the end of what there is. */
TEST(bad_memory)
{
    static const uint64_t bad[] = { 0, 0x1000, 0x3fffff, USER_TOP,
        0x00007fffffffffff, 0x7ffffffffffffff0 };
    int fd = open(path_of(getpid(), "mem"), ORDWR);
    int64_t at;

    MUST(fd >= 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_EQ(pread(fd, text, 8, (int64_t)bad[i]), -E_BADADDR);
        CHECK_EQ(pwrite(fd, text, 8, (int64_t)bad[i]), -E_BADADDR);
    }
    CHECK_LT(pread(fd, text, 8, INT64_MIN), 0);
    at = mem_map(0, PAGE_SIZE, MEM_READ | MEM_WRITE);
    MUST(at > 0);
    CHECK_EQ(pread(fd, text, 100, at + (int64_t)PAGE_SIZE - 10), 10);
    CHECK_EQ(pwrite(fd, text, 100, at + (int64_t)PAGE_SIZE - 10), 10);
    CHECK_EQ(pread(fd, (void *)16, 8, at), -E_BADADDR);
}

/* note posts to one process, notepg to its group; both need a text. */
TEST(notes)
{
    int pid = start(sleep_long), a, b;

    CHECK_EQ(put(pid, "note", "\n"), -E_BADARG);
    CHECK_EQ(put(pid, "note", "hello"), 0);
    ends_with(pid, "hello");
    a = rfork(RFPROC | RFNOTEG);
    if (a == 0) {
        rfork(RFPROC);
        sleep_long();
    }
    sleep(10 * MS);
    contents(a, "noteid");
    CHECK_EQ(atoi(text), a);
    b = procs(NULL, 0);
    CHECK_EQ(put(a, "notepg", "all"), 0);
    ends_with(a, "all");
    for (int i = 0; i < 100 && procs(NULL, 0) != b - 2; i++)
        sleep(MS);
    CHECK_EQ(procs(NULL, 0), b - 2);
}

static void
exit_oops(void)
{
    exits("oops");
}

/* A child's end can be read from the own wait file, and from no other. */
TEST(wait_file)
{
    char want[64];
    int pid = start(exit_oops), fd;
    int64_t n;

    MUST((fd = open(path_of(getpid(), "wait"), OREAD)) >= 0);
    n = read(fd, text, sizeof text);
    CHECK_GT(n, 0);
    text[n < 0 ? 0 : n] = '\0';
    snprint(want, sizeof want, "%d ", pid);
    CHECK(strncmp(text, want, strlen(want)) == 0);
    CHECK(strstr(text, " 'oops'") != NULL);
    CHECK_EQ(read(fd, text, sizeof text), -E_NOCHILD);
    pid = start(sleep_long);
    CHECK_EQ(contents(pid, "wait"), -E_PERM);
    CHECK_EQ(put(pid, "ctl", "kill"), 0);
    ends_with(pid, "killed");
}

/* Regions, open files and name space as text. */
TEST(texts)
{
    int pid = getpid();
    int64_t n = contents(pid, "segment");

    CHECK(n > 0 && n % 64 == 0);
    CHECK(strstr(text, " r-x image") != NULL);
    CHECK(strstr(text, " rw- stack") != NULL);
    MUST(open("#c/null", OREAD) >= 0);
    CHECK_GT(contents(pid, "fd"), 0);
    CHECK(strstr(text, "null") != NULL);
    MUST(bind("#c", "/dev", MREPL) >= 0);
    CHECK_GT(contents(pid, "ns"), 0);
    CHECK(strstr(text, "/dev") != NULL);
}

static void
try_as_nobody(void)
{
    int pid = (int)watched;

    CHECK_EQ(write_file("#c/user", "none"), 0);
    CHECK_EQ(open(path_of(pid, "mem"), OREAD), -E_PERM);
    CHECK_EQ(open(path_of(pid, "regs"), OREAD), -E_PERM);
    CHECK_EQ(open(path_of(pid, "ctl"), OWRITE), -E_PERM);
    CHECK_EQ(open(path_of(pid, "note"), OWRITE), -E_PERM);
    CHECK_EQ(open(path_of(pid, "notepg"), OWRITE), -E_PERM);
    CHECK_GT(contents(pid, "status"), 0);
}

/* Others may look at a process's status, and nothing more. */
TEST(permissions)
{
    watched = getpid();
    ends_with(start(try_as_nobody), "");
}

/* Read every file of every process, whatever comes of it. */
static void
look_at_all(void)
{
    static const char *const files[] = { "fd", "mem", "9p", "noteid", "ns",
        "regs", "segment", "status" };

    for (int round = 0; round < 8; round++) {
        CHECK_ROUND(round);
        struct dir *d = NULL;
        int64_t n = dir_list("#p", &d);

        CHECK_GT(n, 0);
        for (int64_t i = 0; i < n; i++)
            for (size_t k = 0; k < ARRAY_LEN(files); k++) {
                int fd = open(path_of(atoi(d[i].name), files[k]), OREAD);

                pread(fd, text, 4096, k == 1 ? 0x400000 : 0);
                close(fd);
            }
        free(d);
    }
}

/* Live for a moment; some stop each other. */
static void
come_and_go(void)
{
    for (int i = 0; i < 25; i++) {
        int pid = rfork(RFPROC | RFFDG);

        if (pid == 0) {
            sleep(check_random() % 3 * MS / 10);
            exits(NULL);
        }
        if (i % 3 == 0) {
            put(pid, "ctl", "stop");
            put(pid, "ctl", "start");
        }
        if (i % 5 == 0)
            put(pid, "ctl", "kill");
        wait_for(pid, NULL);
    }
}

static void
crowd(void)
{
    struct waitmsg w;
    int pids[6];

    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        check_seed += i;
        pids[i] = start(i % 2 ? look_at_all : come_and_go);
    }
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        CHECK_GT(wait(&w), 0);
        CHECK_STR(w.msg, "");
    }
}

/*
 * Processes that end while others look at them and command them do no harm.
 * cpus: 1 4 8
 * limit: 30
 */
TEST(coming_and_going)
{
    check_gives_back(crowd);
    CHECK_EQ(check_more_procs(), 0);
}
