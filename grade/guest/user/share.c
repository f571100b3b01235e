/*
 * share.c - which process gets the CPU: weights, deadlines, and that none is
 * left without.
 */
#include "check.h"

enum {
    MS = 1000000
};

static uint32_t ready, go, made;
static uint64_t counts[16];
static uint32_t stop;

struct look {
    struct procinfo rows[32];
    int n;
    uint64_t ns; /* when */
};

static struct look before, after;

static void
look(struct look *look)
{
    look->ns = nsec();
    look->n = procs(look->rows, ARRAY_LEN(look->rows));
}

/*
 * Let the n processes that wait for `go` run for at least ns, and look at
 * all before and after; the time between the looks, ns.
 */
static uint64_t
watch(uint64_t ns, uint32_t n)
{
    look(&before);
    semrelease(&go, n);
    sleep(ns);
    look(&after);
    return after.ns - before.ns;
}

static uint64_t
time_in(const struct look *look, int pid)
{
    for (int i = 0; i < look->n && i < (int)ARRAY_LEN(look->rows); i++)
        if (look->rows[i].pid == (uint32_t)pid)
            return look->rows[i].user_ns + look->rows[i].sys_ns;
    return 0;
}

/* CPU time that a process got while we watched, ns. */
static uint64_t
got(int pid)
{
    return time_in(&after, pid) - time_in(&before, pid);
}

/* A process that computes for ever, in a group of its own if weight > 0. */
static int
spinner(uint32_t weight)
{
    int pid = rfork(RFPROC | RFMEM);

    MUST(pid >= 0);
    if (pid == 0) {
        if (weight > 0)
            CHECK_GT(sched_group(weight), 0);
        semrelease(&ready, 1);
        semacquire(&go, 1);
        while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0)
            ;
        _exits("");
    }
    semacquire(&ready, 1);
    return pid;
}

static void
stop_all(int n)
{
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < n; i++)
        CHECK_GT(wait(NULL), 0);
}

/* `ns` of `all` is so many thousandths, give or take a tenth of that. */
static void
check_share(uint64_t ns, uint64_t all, uint64_t permille)
{
    uint64_t is = ns * 1000 / all;

    if (is * 10 < permille * 9 || is * 10 > permille * 11)
        check_record("%lu thousandths instead of %lu", is, permille);
}

/* Groups get CPU time in proportion to their weights. */
TEST(weights)
{
    static const uint32_t weight[] = { 100, 200, 500 };
    int pids[3];
    uint64_t all;

    for (int i = 0; i < 3; i++)
        pids[i] = spinner(weight[i]);
    all = watch(3000 * (uint64_t)MS, 3);
    check_share(got(pids[0]), all, 125);
    check_share(got(pids[1]), all, 250);
    check_share(got(pids[2]), all, 625);
    stop_all(3);
}

/* One group with many processes gets no more than one with a single one. */
TEST(groups_not_heads)
{
    int single = spinner(100);
    uint64_t all;

    if (rfork(RFPROC | RFMEM) == 0) {
        CHECK_GT(sched_group(100), 0);
        for (int i = 1; i < 4; i++) /* children come into the group */
            spinner(0);
        semrelease(&made, 1);
        for (int i = 1; i < 4; i++)
            CHECK_GT(wait(NULL), 0);
        _exits("");
    }
    semacquire(&made, 1);
    all = watch(1000 * (uint64_t)MS, 4);
    check_share(got(single), all, 500);
    stop_all(2);
}

/* Processes of one group share it evenly. */
TEST(even_in_a_group)
{
    int pids[4];
    uint64_t all;

    for (int i = 0; i < 4; i++)
        pids[i] = spinner(0);
    all = watch(1600 * (uint64_t)MS, 4);
    for (int i = 0; i < 4; i++)
        check_share(got(pids[i]), all, 250);
    stop_all(4);
}

/*
 * Spinners do not keep a sleeper from waking soon.  With the instruction
 * clock, CPUs run in turns that are longer than a quantum: more of them only
 * show that no process waits for ever.
 * cpus: 1 2 4
 */
TEST(sleeper_wakes_among_spinners)
{
    uint64_t worst = 0;

    for (int i = 0; i < 4; i++)
        spinner(0);
    semrelease(&go, 4);
    sleep(100 * (uint64_t)MS);
    for (int i = 0; i < 10; i++) {
        uint64_t late = nsec() + 3 * MS;

        CHECK_EQ(sleep(3 * MS), 0);
        late = nsec() - late;
        if (late > worst)
            worst = late;
    }
    stop_all(4);
    CHECK(worst < (sysstat(NULL, 0) == 1 ? 2 : 200) * (uint64_t)MS);
}

static void
take_turns(int who)
{
    semacquire(&go, 1);
    while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0) {
        counts[who]++;
        yield();
    }
    _exits("");
}

/* yield lets the others run: all get about as many turns. */
TEST(yield_is_fair)
{
    for (int i = 0; i < 4; i++)
        if (rfork(RFPROC | RFMEM) == 0)
            take_turns(i);
    sleep(MS);
    semrelease(&go, 4);
    sleep(400 * (uint64_t)MS);
    stop_all(4);
    for (int i = 0; i < 4; i++) {
        CHECK_GT(counts[i], 50);
        CHECK(counts[i] * 4 > counts[0] * 3 && counts[i] * 3 < counts[0] * 4);
    }
}

/* A process that always moves to a new group gets no more than its share. */
TEST(new_groups_win_nothing)
{
    int honest = spinner(100), mover = rfork(RFPROC | RFMEM);
    uint64_t all;

    if (mover == 0) {
        semacquire(&go, 1);
        while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0)
            CHECK_GT(sched_group(100), 0);
        _exits("");
    }
    sleep(MS);
    all = watch(500 * (uint64_t)MS, 2);
    check_share(got(honest), all, 500);
    stop_all(2);
}

/* Weights outside 1..10000 are refused, the ends are not. */
TEST(weight_limits)
{
    int first;

    CHECK_EQ(sched_group(0), -E_BADARG);
    CHECK_EQ(sched_group(10001), -E_BADARG);
    CHECK_EQ(sched_group(UINT32_MAX), -E_BADARG);
    first = sched_group(1);
    CHECK_GT(first, 0);
    CHECK_GT(sched_group(10000), 0);
}

static void
take_groups(void)
{
    int n = 0, got = 0;

    while (n < 500) {
        int pid = rfork(RFPROC | RFMEM);

        MUST(pid >= 0);
        n++;
        if (pid == 0) {
            int group = sched_group(50);

            CHECK(group > 0 || group == -E_MAXGROUP);
            counts[0] += group > 0;
            counts[1] += group == -E_MAXGROUP;
            semrelease(&ready, 1);
            semacquire(&go, 1);
            _exits("");
        }
        semacquire(&ready, 1);
        if (counts[1] > 2)
            break;
    }
    semrelease(&go, (uint32_t)n);
    while (wait(NULL) > 0)
        got++;
    CHECK_EQ(got, n);
    CHECK_GE(counts[0], 8);
    CHECK_EQ(counts[1], 3);
    counts[1] = 0;
}

/* When all groups are taken that is an error; their end makes room. */
TEST(groups_exhausted)
{
    uint64_t taken;

    take_groups();
    taken = counts[0];
    counts[0] = 0;
    take_groups();
    CHECK_EQ(counts[0], taken);
}

/* ---- deadlines ---- */

/* Times that make no sense are refused. */
TEST(edf_refused)
{
    CHECK_EQ(edf_enter(0, 0, 0), -E_BADARG);
    CHECK_EQ(edf_enter(10 * MS, 10 * MS, 0), -E_BADARG);
    CHECK_EQ(edf_enter(10 * MS, 10 * MS, 11 * MS), -E_BADARG);
    CHECK_EQ(edf_enter(10 * MS, 5 * MS, 6 * MS), -E_BADARG);
    CHECK_EQ(edf_enter(10 * MS, 11 * MS, 5 * MS), -E_BADARG);
    CHECK_EQ(edf_enter(UINT64_MAX, UINT64_MAX, 1), -E_BADARG);
    CHECK_EQ(edf_next(), -E_BADARG);
    CHECK_EQ(edf_leave(), -E_BADARG);
    CHECK_EQ(edf_enter(20 * MS, 20 * MS, 2 * MS), 0);
    CHECK_LT(edf_enter(20 * MS, 20 * MS, 2 * MS), 0);
    CHECK_EQ(edf_leave(), 0);
    CHECK_EQ(edf_leave(), -E_BADARG);
}

static int
promise(uint64_t cost)
{
    int pid = rfork(RFPROC | RFMEM);

    if (pid == 0) {
        CHECK_EQ(edf_enter(100 * MS, 100 * MS, cost), 0);
        semrelease(&ready, 1);
        sleep(UINT64_MAX);
    }
    semacquire(&ready, 1);
    return pid;
}

/* What is promised is not promised again, until its holder is gone. */
TEST(edf_admission)
{
    int a = promise(40 * MS), b = promise(40 * MS);

    CHECK_EQ(edf_enter(100 * MS, 100 * MS, 40 * MS), -E_ADMIT);
    CHECK_EQ(edf_enter(100 * MS, 40 * MS, 39 * MS), -E_ADMIT);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)a, "kill"), 0);
    CHECK_EQ(wait(NULL), a);
    CHECK_EQ(edf_enter(100 * MS, 100 * MS, 40 * MS), 0);
    CHECK_EQ(edf_leave(), 0);
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(edf_enter(100 * MS, 100 * MS, 40 * MS), 0);
        CHECK_EQ(edf_leave(), 0);
    }
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)b, "kill"), 0);
    CHECK_EQ(wait(NULL), b);
}

static void
work(uint64_t ns)
{
    uint64_t from = nsec();

    while (nsec() < from + ns)
        ;
}

/* A process that keeps its promise meets its deadlines, spinners or not. */
TEST(edf_meets_deadlines)
{
    uint64_t from;

    for (int i = 0; i < 5; i++)
        spinner(10000);
    semrelease(&go, 5);
    MUST(edf_enter(10 * MS, 8 * MS, 3 * MS) == 0);
    from = nsec();
    for (int i = 0; i < 15; i++) {
        work(2 * MS);
        CHECK_EQ(edf_next(), 0);
    }
    CHECK(nsec() >= from + 148 * MS && nsec() < from + 165 * MS);
    CHECK_EQ(edf_leave(), 0);
    stop_all(5);
}

/* A deadline that was missed is told by edf_next: 1. */
TEST(edf_tells_misses)
{
    MUST(edf_enter(10 * MS, 5 * MS, 2 * MS) == 0);
    CHECK_EQ(edf_next(), 0);
    work(7 * MS);
    CHECK_EQ(edf_next(), 1);
    work(MS);
    CHECK_EQ(edf_next(), 0);
    work(12 * MS);
    CHECK_EQ(edf_next(), 1);
}

/* An EDF process that never stops gets its cost, and its fair share. */
TEST(edf_overrun_bounded)
{
    int greedy = rfork(RFPROC | RFMEM), honest;
    uint64_t all;

    if (greedy == 0) {
        MUST(edf_enter(20 * MS, 20 * MS, 4 * MS) == 0);
        for (;;)
            ;
    }
    honest = spinner(0);
    all = watch(400 * (uint64_t)MS, 1);
    CHECK_GE(got(honest) * 100, all * 35); /* half of the rest: 40 % */
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)greedy, "kill"), 0);
    stop_all(2);
}
