/*
 * check.h - what a user test program is made of.
 *
 * TEST(name) { ... } defines a test; the program runs the one that its first
 * argument names, with the second as seed.  It passes if every CHECK held,
 * in this process and in every child: a failed check is a record of its own,
 * and the harness counts it, from any process.  Results go through the
 * `record` system call, never through the console.
 *
 * Included once, by the program's only file: main is here.
 */
#pragma once

#include "lib/lux.h"

struct test {
    const char *name;
    void (*run)(void);
};

extern const struct test tests_start[], tests_end[]; /* user/user.ld */

#define TEST(name_)                                                            \
    static void test_##name_(void);                                            \
    static const struct test entry_##name_ __attribute__((                     \
            used, section("tests"))) = { #name_, test_##name_ };               \
    static void test_##name_(void)

/*
 * A failed check is recorded with its place and values; the test goes on.  CHECK
 * is for what has no value but true and false.  `want` may be evaluated twice.
 */
#define CHECK(cond)         check(!!(cond), __FILE__, __LINE__, #cond)
#define CHECK_LT(got, want) CHECK_OP(got, <, want, #got " < " #want)
#define CHECK_LE(got, want) CHECK_OP(got, <=, want, #got " <= " #want)
#define CHECK_GT(got, want) CHECK_OP(got, >, want, #got " > " #want)
#define CHECK_GE(got, want) CHECK_OP(got, >=, want, #got " >= " #want)
#define CHECK_NE(got, want) CHECK_OP(got, !=, want, #got " != " #want)
#define CHECK_EQ(got, want)                                                    \
    check_eq((int64_t)(got), (int64_t)(want), __FILE__, __LINE__,              \
            #got " == " #want)
#define CHECK_OP(got, op, want, what)                                          \
    ({                                                                         \
        __auto_type got_ = (got);                                              \
        check_op(got_ op(want), (int64_t)got_, #op, (int64_t)(want), __FILE__, \
                __LINE__, what);                                               \
    })
#define CHECK_STR(got, want)                                                   \
    check_str(got, want, __FILE__, __LINE__, #got " == " #want)

/* A check without which the rest makes no sense: ends this process. */
#define MUST(cond)                                                             \
    do {                                                                       \
        if (!CHECK(cond))                                                      \
            exits("a check failed");                                           \
    } while (0)

static unsigned check_failures; /* in this process */
static uint64_t check_seed;     /* the test's own generator */
static char **check_args;       /* more arguments, NULL ends them */
static int check_procs;         /* processes when the test began */

/* A record of printed text: "info ..." is shown, other words are failures. */
[[maybe_unused]] static void
check_record(const char *fmt, ...)
{
    char text[512];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprint(text, sizeof(text), fmt, args);
    va_end(args);
    record(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/*
 * First in the body of a loop: checks that fail there name this round.  n is
 * what tells the rounds apart.
 */
#define CHECK_ROUND(n)                                                         \
    [[maybe_unused, gnu::cleanup(check_round_end)]] uint64_t outer_##n##_ =    \
            check_round_begin((uint64_t)(n))

static uint64_t check_round = UINT64_MAX; /* none */

[[maybe_unused]] static uint64_t
check_round_begin(uint64_t n)
{
    uint64_t before = check_round;

    check_round = n;
    return before;
}

[[maybe_unused]] static void
check_round_end(const uint64_t *before)
{
    check_round = *before;
}

[[maybe_unused]] static const char *
check_in_round(char text[32])
{
    text[0] = '\0';
    if (check_round != UINT64_MAX)
        snprint(text, 32, "round %lu: ", check_round);
    return text;
}

[[maybe_unused]] static bool
check(bool ok, const char *file, int line, const char *what)
{
    char round[32];

    if (!ok) {
        check_failures++;
        check_record("%s:%d: %s%s: last error: %r", file, line,
                check_in_round(round), what);
    }
    return ok;
}

/* The error's text stands by a negative number, which is one in most cases. */
[[maybe_unused]] static bool
check_op(bool ok, int64_t got, const char *op, int64_t want, const char *file,
        int line, const char *what)
{
    char error[MAX_ERR] = "", round[32];

    if (!ok) {
        if (got < 0)
            snprint(error, sizeof error, "; last error: %r");
        check_failures++;
        check_record("%s:%d: %s%s: got %ld (0x%lx%s), want %s %ld (0x%lx)",
                file, line, check_in_round(round), what, got, got, error, op,
                want, want);
    }
    return ok;
}

[[maybe_unused]] static bool
check_eq(
        int64_t got, int64_t want, const char *file, int line, const char *what)
{
    char round[32];

    if (got != want) {
        check_failures++;
        check_record("%s:%d: %s%s: got %ld (0x%lx), want %ld (0x%lx)", file,
                line, check_in_round(round), what, got, got, want, want);
    }
    return got == want;
}

[[maybe_unused]] static bool
check_str(const char *got, const char *want, const char *file, int line,
        const char *what)
{
    bool same = strcmp(got, want) == 0;
    char round[32];

    if (!same) {
        check_failures++;
        check_record("%s:%d: %s%s: got \"%s\", want \"%s\"", file, line,
                check_in_round(round), what, got, want);
    }
    return same;
}

/* Check that cond comes true, however long it takes: only a broken kernel needs
 * more than PATIENCE.  A test that would wait for a fixed time instead depends
 * on how fast the host is. */
#define PATIENCE 20000000000ul /* ns */
#define CHECK_SOON(cond)                                                       \
    do {                                                                       \
        uint64_t end_ = nsec() + PATIENCE;                                     \
                                                                               \
        while (!(cond) && nsec() < end_)                                       \
            sleep(1000000);                                                    \
        CHECK(cond);                                                           \
    } while (0)

/* The next number of this test, the same for the same seed. */
[[maybe_unused]] static uint64_t
check_random(void)
{
    return random_next(&check_seed);
}

/* Does a process sleep now, for what its wchan names?  NULL: for anything. */
[[maybe_unused]] static bool
check_sleeps(int pid, const char *wchan)
{
    static struct procinfo rows[256];
    int n = procs(rows, ARRAY_LEN(rows));

    for (int i = 0; i < n; i++)
        if (rows[i].pid == (uint32_t)pid)
            return strcmp(rows[i].state, "Sleeping") == 0 &&
                   (wchan == NULL || strcmp(rows[i].wchan, wchan) == 0);
    return false;
}

/* A child ends, and no check has failed in it. */
[[maybe_unused]] static void
check_ends_well(int pid)
{
    struct waitmsg w;

    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_STR(w.msg, "");
}

/* How many more processes there are than when the test began. */
[[maybe_unused]] static int
check_more_procs(void)
{
    return procs(NULL, 0) - check_procs;
}

/* Free frames of the machine. */
[[maybe_unused]] static uint64_t
check_free_memory(void)
{
    struct cpustat stat;

    return sysstat(&stat, 1) >= 1 ? stat.mem_free : 0;
}

/* Run fn in a child to its end; its exit string is in *w. */
[[maybe_unused]] static void
check_child(void (*fn)(void), struct waitmsg *w)
{
    int pid = rfork(RFPROC);

    MUST(pid >= 0);
    if (pid == 0) {
        fn();
        exits(check_failures ? "a check failed" : "");
    }
    CHECK_EQ(wait_for(pid, w), pid);
}

/*
 * Run fn in a child until a run leaves as much memory free as the one before
 * it: the kernel may keep some for later after the first runs, but what
 * loses a page each time never gets there.
 */
[[maybe_unused]] static void
check_gives_back(void (*fn)(void))
{
    struct waitmsg w;
    uint64_t before, after = 0;

    for (int run = 0; run < 8; run++) {
        check_child(fn, &w);
        before = after;
        after = check_free_memory();
        if (after == before)
            return;
    }
    CHECK_EQ(after, before);
}

/* Run the test called name, record the result, and end this process. */
static NORETURN void
check_run(const char *name)
{
    for (const struct test *t = tests_start; t < tests_end; t++) {
        if (strcmp(t->name, name) != 0)
            continue;
        check_procs = procs(NULL, 0);
        t->run();
        check_record("%s %s", name, check_failures ? "fail" : "pass");
        exits(check_failures ? "a check failed" : "");
    }
    check_record("no test is named '%s'", name);
    exits("no such test");
}

/* Of all that a process may share, the next test gets its own. */
#define CHECK_APART (RFPROC | RFNOTEG | RFREND | CHECK_FILES_APART)
#if STAGE >= 4
#define CHECK_FILES_APART (RFNAMEG | RFFDG | RFENVG)
#else
#define CHECK_FILES_APART 0
#endif

/* Run each test of a+b+c in a process of its own, one after the other. */
static void
check_run_each(char *names)
{
    for (char *name = names, *end; name != NULL; name = end) {
        int pid;

        end = strchr(name, '+');
        if (end != NULL)
            *end++ = '\0';
        pid = rfork(CHECK_APART);
        if (pid == 0)
            check_run(name);
        wait_for(pid, NULL);
    }
}

int
main(int argc, char **argv)
{
    char *name = argc > 1 ? argv[1] : "";

    check_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    check_args = argv + (argc > 3 ? 3 : argc);
    if (strchr(name, '+') == NULL)
        check_run(name);
    check_run_each(name);
    return 0;
}
