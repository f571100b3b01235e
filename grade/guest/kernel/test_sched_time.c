/*
 * test_sched_time.c - clock, timers, sleeping with deadlines, fair share and
 * EDF, from inside.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

#define MS 1000000ul

static uint64_t
tsc_in(uint64_t ns)
{
    return rdtsc() + ns_to_tsc(ns);
}

static bool
never(void *arg)
{
    (void)arg;
    return false;
}

/* Sleep, doing nothing, for so many nanoseconds. */
static void
pause_ns(uint64_t ns)
{
    struct waitq q;

    waitq_init(&q, "pause");
    CHECK_EQ(sleep(&q, never, NULL, tsc_in(ns)), -E_TIMEOUT);
}

KTEST(clock_converts)
{
    uint64_t second = ns_to_tsc(1000000000);

    CHECK_GT(second, 100000000); /* no PC is slower than 100 MHz */
    CHECK_LT(second, 10000000000);
    for (unsigned i = 0; i < 100; i++) {
        CHECK_ROUND(i);
        uint64_t ns = ktest_random(&seed) % (1000000000ul * 3600);
        uint64_t back = tsc_to_ns(ns_to_tsc(ns));

        CHECK(back <= ns && ns - back < 1000 + ns / 1000000);
    }
    CHECK_EQ(ns_to_tsc(UINT64_MAX) > ns_to_tsc(UINT64_MAX / 2), 1);
}

KTEST(clock_against_acpi_timer)
{
    uint16_t port = acpi_pm_timer();
    uint32_t from = inl(port), to;
    uint64_t ns = clock_ns(), want;

    do {
        to = inl(port);
    } while (((to - from) & 0xffffff) < 35795); /* 10 ms at 3.579545 MHz */
    ns = clock_ns() - ns;
    want = (uint64_t)((to - from) & 0xffffff) * 1000000000 / 3579545;
    CHECK(ns > want - want / 50 && ns < want + want / 50);
}

/* cpus: 1 2 4 8 */
KTEST(sleep_until_deadline)
{
    for (unsigned i = 0; i < 20; i++) {
        CHECK_ROUND(i);
        uint64_t ns = 1000 + ktest_random(&seed) % (5 * MS);
        uint64_t from = clock_ns(), slept;

        pause_ns(ns);
        slept = clock_ns() - from;
        CHECK_GE(slept, ns - 10);
        CHECK_LT(slept, ns + MS);
    }
}

static struct {
    struct timer timer[32];
    uint64_t fired[32];
    unsigned n, total;
} set;

static void
fire(void *arg)
{
    set.fired[set.n++] = *(uint64_t *)arg;
}

/* cpus: 1 2 4 8 */
KTEST(timers_fire_in_order)
{
    static uint64_t when[32];

    set.n = 0;
    for (unsigned i = 0; i < 32; i++) {
        when[i] = tsc_in(MS + ktest_random(&seed) % (8 * MS));
        set.timer[i].armed = false;
        timer_arm(&set.timer[i], when[i], fire, &when[i]);
    }
    CHECK(timer_cancel(&set.timer[7]));
    CHECK(!timer_cancel(&set.timer[7]));
    pause_ns(12 * MS);
    CHECK_EQ(set.n, 31);
    for (unsigned i = 0; i < set.n; i++) {
        CHECK(i == 0 || set.fired[i - 1] <= set.fired[i]);
        CHECK_NE(set.fired[i], when[7]);
    }
    CHECK(!timer_cancel(&set.timer[0]));
}

/* ---- which process gets the CPU ---- */

enum {
    HOGS = 6
};

static struct {
    volatile bool stop;
    volatile unsigned ended;
    uint64_t ran[HOGS]; /* ns */
    uint64_t weight[HOGS];
} hogs;

/* Use all CPU time there is, like a program that never blocks: kernel code
 * is not preempted, so it offers its CPU often. */
static void
hog(void *arg)
{
    unsigned n = (unsigned)(uint64_t)arg;
    struct proc *p = proc_current();

    intr_on();
    if (hogs.weight[n])
        CHECK_GT(group_enter_new(hogs.weight[n]), 0);
    while (!hogs.stop) {
        for (unsigned i = 0; i < 100; i++)
            cpu_pause();
        if (this_cpu()->resched)
            sched_yield();
    }
    intr_off();
    sched_charge(p, rdtsc());
    intr_on();
    hogs.ran[n] = tsc_to_ns(p->run_ticks);
    hogs.ended = hogs.ended + 1;
}

static void
run_hogs(unsigned n, uint64_t ns)
{
    hogs.stop = false;
    hogs.ended = 0;
    for (uint64_t i = 0; i < n; i++)
        proc_ready(proc_kernel("hog", hog, (void *)i));
    pause_ns(ns);
    hogs.stop = true;
    while (hogs.ended < n)
        pause_ns(MS);
}

static bool
within_percent(uint64_t got, uint64_t want, uint64_t percent)
{
    return got * 100 >= want * (100 - percent) &&
           got * 100 <= want * (100 + percent);
}

KTEST(fair_equal_weights)
{
    memset(hogs.weight, 0, sizeof hogs.weight);
    run_hogs(4, 800 * MS);
    for (unsigned i = 0; i < 4; i++)
        CHECK(within_percent(hogs.ran[i], 200 * MS, 10));
}

KTEST(fair_by_weight)
{
    hogs.weight[0] = 100;
    hogs.weight[1] = 200;
    hogs.weight[2] = 500;
    run_hogs(3, 1600 * MS);
    CHECK(within_percent(hogs.ran[0], 200 * MS, 12));
    CHECK(within_percent(hogs.ran[1], 400 * MS, 12));
    CHECK(within_percent(hogs.ran[2], 1000 * MS, 12));
}

/* cpus: 1 2 4 8 */
KTEST(fair_group_weight_bounds)
{
    CHECK_EQ(group_enter_new(0), -E_BADARG);
    CHECK_EQ(group_enter_new(10001), -E_BADARG);
    CHECK_EQ(group_enter_new(UINT64_MAX), -E_BADARG);
    for (unsigned i = 0; i < 200; i++) /* the one left behind is free again */
        CHECK_GT(group_enter_new(1 + i), 0);
}

/* ---- EDF ---- */

static struct {
    volatile unsigned ended, missed, rounds, refused;
    uint64_t period[HOGS], cost[HOGS];
    unsigned work; /* per cent of its cost that each uses */
} edfs;

static void
use_cpu(uint64_t ns)
{
    struct proc *p = proc_current();
    uint64_t until;

    intr_off();
    sched_charge(p, rdtsc());
    until = p->run_ticks + ns_to_tsc(ns);
    for (;;) {
        sched_charge(p, rdtsc());
        if (p->run_ticks >= until)
            break;
        intr_on();
        cpu_pause();
        if (this_cpu()->resched)
            sched_yield();
        intr_off();
    }
    intr_on();
}

static void
edf_worker(void *arg)
{
    unsigned n = (unsigned)(uint64_t)arg;

    intr_on();
    if (edf_enter(edfs.period[n], edfs.period[n], edfs.cost[n]) < 0) {
        __atomic_add_fetch(&edfs.refused, 1, __ATOMIC_SEQ_CST);
    } else {
        for (unsigned i = 0; i < edfs.rounds; i++) {
            use_cpu(edfs.cost[n] * edfs.work / 100);
            if (edf_next() == 1)
                __atomic_add_fetch(&edfs.missed, 1, __ATOMIC_SEQ_CST);
        }
        edf_exit(proc_current());
    }
    __atomic_add_fetch(&edfs.ended, 1, __ATOMIC_SEQ_CST);
}

static void
run_edf(unsigned n, unsigned rounds, unsigned work)
{
    edfs.ended = edfs.missed = edfs.refused = 0;
    edfs.rounds = rounds;
    edfs.work = work;
    for (uint64_t i = 0; i < n; i++)
        proc_ready(proc_kernel("edf", edf_worker, (void *)i));
    while (edfs.ended < n)
        pause_ns(MS);
}

#if KASAN
enum {
    SLOW = 4
};
#else
enum {
    SLOW = 1
};
#endif

/*
 * Three that take 80 % together, and hogs: none is late.  (On more CPUs
 * than two, the instruction clock runs each for longer than these periods.  With
 * KASAN a switch costs 0.2 ms, and two CPUs need longer ones.)
 * cpus: 1 2
 */
KTEST(edf_meets_deadlines)
{
    edfs.period[0] = 10 * SLOW * MS;
    edfs.cost[0] = 2 * SLOW * MS;
    edfs.period[1] = 20 * SLOW * MS;
    edfs.cost[1] = 6 * SLOW * MS;
    edfs.period[2] = 50 * SLOW * MS;
    edfs.cost[2] = 15 * SLOW * MS;
    memset(hogs.weight, 0, sizeof hogs.weight);
    hogs.stop = false;
    hogs.ended = 0;
    for (uint64_t i = 0; i < 3; i++)
        proc_ready(proc_kernel("hog", hog, (void *)i));
    run_edf(3, 12, 90);
    hogs.stop = true;
    CHECK_EQ(edfs.refused, 0);
    CHECK_EQ(edfs.missed, 0);
    while (hogs.ended < 3)
        pause_ns(MS);
    for (unsigned i = 0; i < 3; i++)
        CHECK_GT(hogs.ran[i], 0); /* and the rest was theirs */
}

/* cpus: 1 2 4 8 */
KTEST(edf_admission)
{
    unsigned id = proc_current()->cpu;

    (void)id;
    CHECK_EQ(edf_enter(10 * MS, 10 * MS, 1), -E_BADARG);
    CHECK_EQ(edf_enter(10 * MS, 11 * MS, MS), -E_BADARG);
    CHECK_EQ(edf_enter(10 * MS, 5 * MS, 6 * MS), -E_BADARG);
    CHECK_EQ(edf_enter(UINT64_MAX, UINT64_MAX, UINT64_MAX), -E_BADARG);
    CHECK_EQ(edf_next(), -E_BADARG);
    CHECK_EQ(edf_enter(10 * MS, 10 * MS, 95 * MS / 10), -E_ADMIT);
    CHECK_EQ(edf_enter(10 * MS, 10 * MS, 5 * MS), 0);
    CHECK_EQ(edf_enter(10 * MS, 10 * MS, MS), -E_INUSE);
    edfs.period[0] = edfs.period[1] = 10 * MS;
    edfs.cost[0] = 3 * MS; /* fits beside the 50 % above */
    edfs.cost[1] = 2 * MS; /* would make it 100 % */
    run_edf(2, 2, 50);
    CHECK_EQ(edfs.refused, ncpu == 1 ? 1 : 0);
    edf_exit(proc_current());
    edf_exit(proc_current());
    CHECK_EQ(edf_enter(10 * MS, 10 * MS, 9 * MS), 0); /* room again */
    edf_exit(proc_current());
}

/* One that uses three times its cost: the other still meets its deadlines. */
/* cpus: 1 2 4 8 */
KTEST(edf_overrun_hurts_itself)
{
    edfs.period[0] = edfs.period[1] = 10 * MS;
    edfs.cost[0] = edfs.cost[1] = 4 * MS;
    memset(hogs.weight, 0, sizeof hogs.weight);
    hogs.stop = false;
    hogs.ended = 0;
    run_edf(2, 10, 95);
    CHECK_EQ(edfs.missed, 0);
    run_edf(1, 5, 300);
    CHECK_GT(edfs.missed, 0); /* it is told */
}

/* The bound is on cost / deadline: a short deadline takes much of a CPU. */
KTEST(edf_admits_by_density)
{
    edfs.period[0] = 10 * MS;
    edfs.cost[0] = 5 * MS;
    CHECK_EQ(edf_enter(10 * MS, 2 * MS, MS), 0);
    run_edf(1, 1, 50); /* 50 % and 50 %, though 10 % and 50 % of the time */
    CHECK_EQ(edfs.refused, 1);
    edf_exit(proc_current());
    run_edf(1, 1, 50);
    CHECK_EQ(edfs.refused, 0);
}

/* What is refused leaves no promise behind, and what ends gives it back. */
KTEST(edf_promises_add_up)
{
    edfs.period[0] = 10 * MS;
    for (unsigned i = 0; i < 50; i++) {
        edfs.cost[0] = i % 2 ? 6 * MS : 95 * MS / 10;
        run_edf(1, 1, 10);
        if (!CHECK_EQ(edfs.refused, i % 2 ? 0 : 1))
            return;
    }
    CHECK_EQ(edf_enter(10 * MS, 10 * MS, 9 * MS), 0); /* 90 %: just */
    edfs.cost[0] = MS;
    run_edf(1, 1, 10);
    CHECK_EQ(edfs.refused, 1);
    edf_exit(proc_current());
}

/*
 * While hogs run, each period begins on time and with a whole budget; beyond
 * the budget it is one of the fair, until the next.
 */
KTEST(edf_periods)
{
    struct proc *p = proc_current();
    uint64_t first;

    memset(hogs.weight, 0, sizeof hogs.weight);
    hogs.stop = false;
    hogs.ended = 0;
    for (uint64_t i = 0; i < 3; i++)
        proc_ready(proc_kernel("hog", hog, (void *)i));
    CHECK_EQ(edf_enter(20 * MS, 20 * MS, 2 * MS), 0);
    first = p->edf->release;
    for (unsigned i = 1; i <= 10; i++) {
        CHECK_EQ(edf_next(), 0);
        CHECK_EQ(p->edf->release, first + i * p->edf->period);
        CHECK(rdtsc() - p->edf->release < ns_to_tsc(MS)); /* before the hogs */
        CHECK(edf_active(p));
        CHECK(p->edf->budget > (int64_t)ns_to_tsc(MS));
        if (i % 3 == 0) {
            use_cpu(3 * MS);
            CHECK(!edf_active(p));
        }
    }
    edf_exit(p);
    CHECK(!p->edf);
    hogs.stop = true;
    while (hogs.ended < 3)
        pause_ns(MS);
}

/* What it runs beyond its budget it pays for as the fair do, to the tick. */
KTEST(edf_charge_beyond_budget)
{
    struct proc *p = proc_current();
    uint64_t paid;

    edfs.period[0] = 10 * MS;
    edfs.cost[0] = MS;
    run_edf(1, 1, 50);
    CHECK_EQ(edf_enter(100 * MS, 100 * MS, 10 * MS), 0);
    intr_off();
    paid = p->vtime;
    p->edf->budget = 1000;
    edf_charge(p, 400);
    CHECK_EQ(p->edf->budget, 600);
    CHECK_EQ(p->vtime - paid, 0);
    edf_charge(p, 900);
    CHECK_EQ(p->edf->budget, -300);
    CHECK_EQ(p->vtime - paid, 300);
    edf_charge(p, 50);
    CHECK_EQ(p->edf->budget, -350);
    CHECK_EQ(p->vtime - paid, 350);
    intr_on();
    edf_exit(p);
}

/* ---- a challenge of lab 3: where is most room? ---- */

static struct {
    volatile unsigned turn, refused, ended;
    volatile bool stop;
    unsigned percent[HOGS];
    uint32_t cpu[HOGS];
} fit;

/* Ask when it is my turn, and keep what I got until the end. */
static void
fit_worker(void *arg)
{
    unsigned n = (unsigned)(uint64_t)arg;

    intr_on();
    while (fit.turn != n)
        pause_ns(MS / 4);
    if (edf_enter(10 * MS, 10 * MS, fit.percent[n] * MS / 10) < 0)
        fit.refused = fit.refused + 1;
    else
        fit.cpu[n] = proc_current()->edf->cpu;
    fit.turn = n + 1;
    while (!fit.stop)
        pause_ns(MS);
    edf_exit(proc_current());
    __atomic_add_fetch(&fit.ended, 1, __ATOMIC_SEQ_CST);
}

static void
run_fit(unsigned n)
{
    fit.turn = fit.refused = fit.ended = 0;
    fit.stop = false;
    for (uint64_t i = 0; i < n; i++)
        proc_ready(proc_kernel("fit", fit_worker, (void *)i));
    while (fit.turn < n)
        pause_ns(MS);
    fit.stop = true;
    while (fit.ended < n)
        pause_ns(MS);
}

/*
 * 50, 30, 60 and 40 % of a CPU fit on two, each put where most room is.
 * cpus: 2
 * challenge: C1
 */
KTEST(edf_fits_four)
{
    fit.percent[0] = 50;
    fit.percent[1] = 30;
    fit.percent[2] = 60;
    fit.percent[3] = 40;
    run_fit(4);
    CHECK_EQ(fit.refused, 0);
}

/*
 * Equal shares spread over all CPUs; what fits nowhere is refused still.
 * cpus: 4
 * challenge: C1
 */
KTEST(edf_spreads)
{
    uint32_t used = 0;

    for (unsigned i = 0; i < 4; i++)
        fit.percent[i] = 40;
    fit.percent[4] = 60;
    run_fit(5);
    for (unsigned i = 0; i < 4; i++)
        used |= 1u << fit.cpu[i];
    CHECK_EQ(used, 15);
    CHECK_EQ(fit.refused, 1);
}

/* The kernel itself is not preempted: its turn may be over long before it is
 * done, and the timer must not keep it from going on. */
KTEST(kernel_outlives_its_turn)
{
    uint64_t end = rdtsc() + ns_to_tsc(50000000);
    uint64_t before = this_cpu()->interrupts;

    while (rdtsc() < end)
        cpu_pause();
    CHECK_LT(this_cpu()->interrupts - before, 20);
}
