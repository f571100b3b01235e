/*
 * ktest.c - test functions that are linked into test kernels, run by name.
 *
 * The functions lie in grade/guest/kernel/; the linker gathers their entries
 * (KTEST in boot.h) between ktests_start and ktests_end.  In other kernels
 * that range is empty and nothing here runs.
 */
#include "boot/boot.h"

extern const struct ktest ktests_start[], ktests_end[];

static unsigned failures; /* of the test that runs */
static uint64_t round;    /* the same, or NO_ROUND */
#define NO_ROUND UINT64_MAX

uint64_t
ktest_round(uint64_t n)
{
    uint64_t before = round;

    round = n;
    return before;
}

void
ktest_round_end(const uint64_t *before)
{
    round = *before;
}

#ifdef __clang__
#define A_FUNCTION __attribute__((noinline))
#else
#define A_FUNCTION __attribute__((noipa)) /* no copy for one value of ok */
#endif

/* All failed checks come through here, as a function of its own: a debugger
 * that stops here when ok is false stops at each of them. */
A_FUNCTION bool
ktest_check(bool ok, const char *file, int line, const char *what)
{
    char where[32] = "";

    if (!ok) {
        failures++;
        if (round != NO_ROUND)
            snprint(where, sizeof where, "round %lu: ", round);
        print("%s:%d: check failed: %s%s\n", file, line, where, what);
        record_printf("check", "%s:%d: %s%s", file, line, where, what);
    }
    return ok;
}

bool
ktest_check_op(bool ok, uint64_t got, const char *op, uint64_t want,
        const char *file, int line, const char *what)
{
    char text[400];

    if (!ok) {
        snprint(text, sizeof text, "%s: got %ld (0x%lx), want %s%s%ld (0x%lx)",
                what, got, got, op, *op ? " " : "", want, want);
        ktest_check(false, file, line, text);
    }
    return ok;
}

bool
ktest_check_eq(uint64_t got, uint64_t want, const char *file, int line,
        const char *what)
{
    return ktest_check_op(got == want, got, "", want, file, line, what);
}

/* splitmix64: any 64-bit state will do, and every seed is a good one. */
uint64_t
ktest_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* "name pass", put together by hand: print may be what is on trial. */
static void
record_verdict(const char *name, bool passed)
{
    char text[80];
    size_t n = strlcpy(text, name, sizeof(text) - 5);

    if (n > sizeof(text) - 6)
        n = sizeof(text) - 6;
    memcpy(text + n, passed ? " pass" : " fail", 5);
    record("test", text, n + 5);
}

/* Returns whether a test of that name was run and passed. */
static bool
run_one(const char *name, uint64_t seed)
{
    const struct ktest *t = ktests_start;

    while (t < ktests_end && strcmp(t->name, name) != 0)
        t++;
    if (t == ktests_end) {
        print("ktest: there is no test named %s in this kernel\n", name);
        record_printf("error", "no test named %s in this kernel", name);
        return false;
    }
    failures = 0;
    round = NO_ROUND;
    t->fn(seed);
    print("ktest: %s %s\n", name, failures == 0 ? "pass" : "fail");
    record_verdict(name, failures == 0);
    return failures == 0;
}

static void
list_all(void)
{
    for (const struct ktest *t = ktests_start; t < ktests_end; t++) {
        print("%s\n", t->name);
        record("ktest", t->name, strlen(t->name));
    }
}

/* Each name of a list with commas, cut in place. */
static bool
run_list(char *names, uint64_t seed)
{
    bool all = true;

    while (*names != '\0') {
        char *end = names;

        while (*end != '\0' && *end != ',')
            end++;
        if (*end == ',')
            *end++ = '\0';
        all &= run_one(names, seed);
        names = end;
    }
    return all;
}

void
ktest_run(void)
{
    static char names[MAX_CMDLINE];

    if (cmdline_get("ktest", names, sizeof(names)) < 0)
        return;
    if (strcmp(names, "list") == 0) {
        list_all();
        test_exit(0);
    }
    test_exit(run_list(names, cmdline_number("seed", 1)) ? 0 : 1);
}
