/*
 * library.c - the user library inside Lux9: what the host tests cannot see,
 * because it needs real system calls, a real stack or real sharing.
 */
#include "check.h"

enum {
    MS = 1000000
};

/* ---- the way in and out ---- */

static char *const words[] = { "test/library", "echo_args", "1", "a b", "", "'",
    "last", NULL };

/* Run by exec_arguments in another image: its arguments came through. */
TEST(echo_args)
{
    if (check_args[0] == NULL)
        return; /* run alone it has nothing to look at */
    for (int i = 3; words[i] != NULL; i++)
        CHECK_STR(check_args[i - 3], words[i]);
    CHECK(check_args[4] == NULL);
    CHECK_EQ((uintptr_t)__builtin_frame_address(0) % 16, 0);
}

/* Arguments come through exec as they are: blanks, empty, quotes. */
TEST(exec_arguments)
{
    struct waitmsg w;
    int pid = fork();

    if (pid == 0) {
        exec(words[0], words);
        exits(errstr());
    }
    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_STR(w.msg, "");
}

/* As many and as long arguments as the limits allow arrive. */
TEST(exec_most_arguments)
{
    static char *many[MAX_ARGS + 1], big[MAX_ARGLEN];
    struct waitmsg w;

    for (int i = 0; i < MAX_ARGS; i++)
        many[i] = "";
    many[0] = "true";
    for (int turn = 0; turn < 2; turn++) {
        int pid = fork();

        if (pid == 0) {
            memset(big, 'x', MAX_ARGLEN - 1 - strlen("true") - 1);
            if (turn == 0)
                exec("bin/true", many);
            else
                exec("bin/true", (char *[]){ "true", big, NULL });
            exits(errstr());
        }
        CHECK_EQ(wait_for(pid, &w), pid);
        CHECK_STR(w.msg, "");
    }
}

static char order[8];

static void
first(void)
{
    strlcat(order, "1", sizeof(order));
    record("info atexit", 11);
    CHECK_STR(order, "21");
}

static void
second(void)
{
    strlcat(order, "2", sizeof(order));
}

static void
exit_in_order(void)
{
    atexit(first);
    atexit(second);
    exits("bye");
}

static unsigned rung;

static void
ring(void)
{
    rung++;
}

static void
rung_often(void)
{
    if (rung != 100)
        _exits("not all functions ran");
}

/* There may be any number of atexit functions. */
TEST(atexit_many)
{
    struct waitmsg w;
    int pid = fork();

    if (pid == 0) {
        CHECK_EQ(atexit(rung_often), 0); /* the last to run */
        for (int i = 0; i < 100; i++)
            CHECK_EQ(atexit(ring), 0);
        exits(check_failures ? "a check failed" : "");
    }
    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_STR(w.msg, "");
}

static int
child_that_says(const char *msg)
{
    int pid = fork();

    if (pid == 0)
        exits(msg);
    return pid;
}

/*
 * What wait_for meets on its way is kept: for wait_any in order, and for a
 * wait_for of that child.  A child does not inherit it.
 */
TEST(wait_for_keeps_reports)
{
    struct waitmsg w;
    int a = child_that_says("a"), b = child_that_says("b"), c, d;

    sleep(5 * MS);
    c = child_that_says("c");
    CHECK_EQ(wait_for(c, &w), c);
    CHECK_STR(w.msg, "c");
    d = fork();
    if (d == 0) {
        CHECK_EQ(wait_any(&w), -E_NOCHILD);
        exits(check_failures ? "a check failed" : "");
    }
    CHECK_EQ(wait_for(b, &w), b);
    CHECK_STR(w.msg, "b");
    CHECK_EQ(wait_any(&w), a);
    CHECK_STR(w.msg, "a");
    CHECK_EQ(wait_any(&w), d);
    CHECK_STR(w.msg, "");
    CHECK_EQ(wait_for(b, &w), -E_NOCHILD);
}

/* The end of the heap is what brk says that it is. */
TEST(brk_agrees)
{
    int64_t end = brk(0);

    CHECK_EQ(brk((uint64_t)end + 1), end + PAGE_SIZE);
    CHECK_EQ(brk(0), end + PAGE_SIZE);
    CHECK_EQ(brk((uint64_t)end), end);
}

/* exits runs the atexit functions, last first. */
TEST(atexit_order)
{
    struct waitmsg w;

    check_child(exit_in_order, &w);
    CHECK_STR(w.msg, "bye");
}

/* Waits for `prog` with one argument: its exit string. */
static const char *
exit_string(char *prog, char *arg)
{
    static struct waitmsg w;
    int pid = fork();

    if (pid == 0) {
        exec_search(prog, (char *[]){ prog, arg, NULL });
        exits(errstr());
    }
    wait_for(pid, &w);
    return w.msg;
}

/* What main returns, or how it fails, is the exit string. */
TEST(exit_strings)
{
    CHECK_STR(exit_string("true", NULL), "");
    CHECK_STR(exit_string("false", NULL), "error 1");
    CHECK_STR(exit_string("true", "-h"), "");
    CHECK_STR(exit_string("true", "-q"), "usage");
    CHECK_STR(exit_string("sleep", "nonsense"), "usage");
    CHECK_STR(exit_string("nowhere", NULL), "file does not exist");
    CHECK_STR(exit_string("etc/motd", NULL), "exec header invalid");
}

/* ---- errors, each process its own ---- */

/* errstr is private even between processes that share their memory. */
TEST(errstr_private)
{
    struct waitmsg w;
    int pid;

    CHECK_EQ(postnote(NOTE_PROC, 0xfffffff, "x"), -E_NOPROC);
    CHECK_STR(errstr(), "no such process");
    pid = rfork(RFPROC | RFMEM);
    if (pid == 0) {
        mem_unmap(1, 1);
        _exits(errstr());
    }
    wait_for(pid, &w);
    CHECK_STR(w.msg, "bad argument");
    CHECK_STR(errstr(), "no such process");
}

/* ---- memory ---- */

/* Random blocks keep their bytes; freed, the heap is whole. */
TEST(malloc_in_guest)
{
    static uint8_t *blocks[64];
    static size_t sizes[64];

    for (int i = 0; i < 4000; i++) {
        CHECK_ROUND(i);
        unsigned n = check_random() % 64;

        if (blocks[n] != NULL) {
            CHECK_EQ(blocks[n][0], n);
            CHECK_EQ(blocks[n][sizes[n] - 1], n);
            free(blocks[n]);
        }
        sizes[n] = 1 + (check_random() & (i % 16 == 0 ? 0x7ffff : 0x3ff));
        blocks[n] = malloc(sizes[n]);
        MUST(blocks[n] != NULL);
        blocks[n][0] = blocks[n][sizes[n] - 1] = (uint8_t)n;
    }
    for (int i = 0; i < 64; i++)
        free(blocks[i]);
    CHECK_EQ(malloc_check(), 0);
}

static void
map_and_forget(void)
{
    for (int i = 0; i < 20; i++) {
        char *p = malloc(1 << 20);

        MUST(p != NULL);
        memset(p, i, 1 << 20);
        free(p);
    }
}

/* Big blocks go back to the kernel when they are freed. */
TEST(big_blocks_return)
{
    uint64_t before;

    map_and_forget();
    before = check_free_memory();
    map_and_forget();
    CHECK_EQ(check_free_memory(), before);
}

/* calloc's memory is zero, fresh from the kernel or used before. */
TEST(calloc_zero)
{
    for (size_t n = 16; n <= 1 << 20; n *= 4) {
        uint8_t *p = malloc(n), *q;

        memset(p, 0xff, n);
        free(p);
        q = calloc(n / 16, 16);
        for (size_t i = 0; i < n; i++)
            if (q[i] != 0) {
                CHECK_EQ(q[i], 0);
                break;
            }
        free(q);
    }
}

static void
use_all_memory(void)
{
    char *p;

    while ((p = malloc(1 << 20)) != NULL)
        memset(p, 1, 1 << 20);
    CHECK_STR(errstr(), "out of memory");
}

/* A size that no machine has fails in words. */
TEST(malloc_too_much)
{
    CHECK(malloc(1ul << 62) == NULL);
    CHECK_STR(errstr(), "out of memory");
    CHECK(calloc(1ul << 40, 1ul << 40) == NULL);
    CHECK(realloc(NULL, 1ul << 50) == NULL);
}

/*
 * A program that takes all memory is told so by malloc or killed for a page
 * that is no more; the machine has it all back afterwards.
 * mem: 64M
 * limit: 20
 */
TEST(all_memory)
{
    struct waitmsg w;
    uint64_t before;

    check_child(use_all_memory, &w);
    before = check_free_memory();
    check_child(use_all_memory, &w);
    CHECK(w.msg[0] == '\0' || strncmp(w.msg, "sys: ", 5) == 0);
    CHECK_EQ(check_free_memory(), before);
}

/* ---- processes that share memory ---- */

static struct qlock lock;
static volatile uint64_t counter;

static void
count(int n)
{
    for (int i = 0; i < n; i++) {
        uint64_t seen;

        qlock(&lock);
        seen = counter;
        if (i % 16 == 0)
            yield(); /* invite the others in */
        counter = seen + 1;
        qunlock(&lock);
    }
}

/* cpus: 1 2 4 */
TEST(qlock_excludes)
{
    enum {
        MEMBERS = 6,
        EACH = 300
    };

    for (int i = 0; i < MEMBERS; i++) {
        int pid = rfork(RFPROC | RFMEM);

        MUST(pid >= 0);
        if (pid == 0) {
            count(EACH);
            _exits(NULL);
        }
    }
    for (int i = 0; i < MEMBERS; i++)
        CHECK_GT(wait(NULL), 0);
    CHECK_EQ(counter, MEMBERS * EACH);
    CHECK_EQ(lock.users, 0);
    CHECK(canqlock(&lock));
    CHECK(!canqlock(&lock));
    qunlock(&lock);
}

/* cpus: 1 4 */
TEST(malloc_shared)
{
    enum {
        MEMBERS = 4
    };

    for (int i = 0; i < MEMBERS; i++) {
        int pid = rfork(RFPROC | RFMEM);

        if (pid > 0)
            continue;
        for (int k = 0; k < 500; k++) {
            size_t n = (size_t)(k * 37 % 900 + 16);
            uint8_t *p = malloc(n);

            memset(p, i + 1, n);
            if (k % 8 == 0)
                yield();
            CHECK_EQ(p[n - 1], i + 1);
            free(p);
        }
        _exits(NULL);
    }
    for (int i = 0; i < MEMBERS; i++)
        CHECK_GT(wait(NULL), 0);
    CHECK_EQ(malloc_check(), 0);
}

/* ---- stack and registers ---- */

static jmp_buf back;

static void jump_from_depth(int depth);

/* Not a plain recursion: compilers see that it ends only by longjmp. */
static void (*volatile deeper)(int) = jump_from_depth;

static void
jump_from_depth(int depth)
{
    volatile char room[200];

    room[0] = (char)depth;
    if (depth == 0)
        longjmp(back, 42);
    deeper(depth - 1);
    room[1] = room[0];
}

/* longjmp comes back to setjmp with its value and the caller's variables. */
TEST(setjmp_returns)
{
    volatile int turns = 0;
    int value = setjmp(back);

    if (turns++ == 0) {
        CHECK_EQ(value, 0);
        jump_from_depth(30);
    }
    CHECK_EQ(value, 42);
    CHECK_EQ(turns, 2);
    if (setjmp(back) == 0)
        longjmp(back, 0);
    else
        turns++;
    CHECK_EQ(turns, 3);
}

/* A fault that the handler escapes from by rewriting the registers. */
static void
escape(struct ureg *u, char *note)
{
    if (strncmp(note, "sys: ", 5) != 0)
        noted(NDFLT);
    u->rdi = (uint64_t)back;
    u->rsi = 7;
    u->rip = (uint64_t)longjmp;
    noted(NCONT);
}

/* A note handler can send a program that faulted to its setjmp. */
TEST(setjmp_after_fault)
{
    volatile int *volatile nowhere = (volatile int *)16;

    notify(escape);
    for (volatile int i = 0; i < 3; i++) {
        int value = setjmp(back);

        if (value == 0)
            *nowhere = 1;
        CHECK_EQ(value, 7);
    }
}

/* Use floating point for a while, beside others that do. */
static void
add_halves(double start)
{
    double sum = start;

    for (int i = 0; i < 20000; i++) {
        sum += 0.5;
        if (i % 500 == 0)
            yield();
    }
    CHECK(sum == start + 10000);
}

/* cpus: 1 2 */
TEST(floats_kept_over_switches)
{
    for (int i = 0; i < 4; i++)
        if (fork() == 0) {
            add_halves(i * 1000.25);
            _exits(NULL);
        }
    add_halves(-3);
    for (int i = 0; i < 4; i++)
        CHECK_GT(wait(NULL), 0);
}

/* print's floating point letters work in the guest too. */
TEST(print_floats)
{
    char text[64];

    snprint(text, sizeof(text), "%.3f %e %g %8.2f|", 3.14159, 12345.678, 1e-7,
            -2.5);
    CHECK_STR(text, "3.142 1.234568e+04 1e-07    -2.50|");
}

static int
descending(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

/* seeds: 2 */
TEST(qsort_in_guest)
{
    static int a[3000];

    for (int i = 0; i < 3000; i++)
        a[i] = (int)(check_random() % 1000);
    qsort(a, 3000, sizeof(a[0]), descending);
    for (int i = 1; i < 3000; i++)
        MUST(a[i - 1] >= a[i]);
}

/* A double free ends the program, in words. */
static void
free_twice(void)
{
    void *p = malloc(100);

    free(p);
    free(p);
}

TEST(double_free_in_guest)
{
    struct waitmsg w;

    check_child(free_twice, &w);
    CHECK_STR(w.msg, "malloc: double free");
}

static void
fail_assertion(void)
{
    assert(1 + 1 == 3);
}

/* A failed assertion names its place. */
TEST(assert_in_guest)
{
    struct waitmsg w;

    check_child(fail_assertion, &w);
    CHECK(strstr(w.msg, "library.c") != NULL);
    CHECK(strstr(w.msg, "1 + 1 == 3") != NULL);
}
