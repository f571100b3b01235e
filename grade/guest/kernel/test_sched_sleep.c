/*
 * test_sched_sleep.c - wait queues: no process sleeps through a wakeup, and
 * deadlines and notes end a sleep.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

enum {
    SLOTS = 3,
    ITEMS = 600,
    MAKERS = 3
};

/* A buffer of SLOTS places between makers and takers. */
static struct {
    struct waitq q; /* its lock guards the numbers */
    unsigned filled, made, taken;
    uint64_t sum;
    struct waitq done;
    unsigned ended;
} buffer;

static bool
has_room(void *arg)
{
    (void)arg;
    return buffer.filled < SLOTS;
}

static bool
has_item(void *arg)
{
    (void)arg;
    return buffer.filled > 0;
}

static bool
all_ended(void *arg)
{
    (void)arg;
    return buffer.ended == 2 * MAKERS;
}

static void
end_worker(void)
{
    spin_lock(&buffer.done.lock);
    buffer.ended++;
    spin_unlock(&buffer.done.lock);
    wakeup(&buffer.done);
}

/* Change `filled` by one once the condition holds; true if it was done. */
static bool
step(bool (*cond)(void *), int change, unsigned *count)
{
    bool done = false;

    CHECK_EQ(sleep(&buffer.q, cond, NULL, 0), 0);
    spin_lock(&buffer.q.lock);
    if (cond(NULL)) { /* another may have been faster */
        buffer.filled += (unsigned)change;
        buffer.sum += ++*count;
        done = true;
    }
    spin_unlock(&buffer.q.lock);
    wakeup(&buffer.q);
    return done;
}

static void
maker(void *arg)
{
    (void)arg;
    intr_on();
    for (unsigned n = 0; n < ITEMS / MAKERS;)
        n += step(has_room, 1, &buffer.made);
    end_worker();
}

static void
taker(void *arg)
{
    (void)arg;
    intr_on();
    for (unsigned n = 0; n < ITEMS / MAKERS;)
        n += step(has_item, -1, &buffer.taken);
    end_worker();
}

/*
 * Makers and takers through a small buffer: with one wakeup lost, it stops.
 * cpus: 1 2 4 8
 * seeds: 2
 */
KTEST(sleep_loses_no_wakeup)
{
    memset(&buffer, 0, sizeof buffer);
    waitq_init(&buffer.q, "buffer");
    waitq_init(&buffer.done, "done");
    for (unsigned i = 0; i < MAKERS; i++) {
        proc_ready(proc_kernel("maker", maker, NULL));
        proc_ready(proc_kernel("taker", taker, NULL));
    }
    CHECK_EQ(sleep(&buffer.done, all_ended, NULL, 0), 0);
    CHECK_EQ(buffer.made, ITEMS);
    CHECK_EQ(buffer.taken, ITEMS);
    CHECK_EQ(buffer.filled, 0);
    CHECK_EQ(buffer.sum, (uint64_t)ITEMS * (ITEMS + 1));
}

static bool
never(void *arg)
{
    (void)arg;
    return false;
}

static bool
always(void *arg)
{
    (void)arg;
    return true;
}

/* A condition that holds costs no sleep, whatever the deadline. */
KTEST(sleep_condition_first)
{
    struct waitq q;

    waitq_init(&q, "test");
    CHECK_EQ(sleep(&q, always, NULL, 1), 0);
    CHECK_EQ(sleep(&q, never, NULL, 1), -E_TIMEOUT); /* long past */
    CHECK(list_empty(&q.procs));
}

/* A note ends a sleep, and leaves the queue empty. */
KTEST(sleep_interrupted)
{
    struct waitq q;

    waitq_init(&q, "test");
    CHECK_EQ(note_post(proc_current(), "hello"), 0);
    CHECK_EQ(sleep(&q, never, NULL, 0), -E_INTR);
    CHECK_EQ(sleep(&q, always, NULL, 0), 0);
    CHECK(list_empty(&q.procs));
    notes_free(proc_current());
    proc_current()->nnote = 0;
}

/* ---- at every moment ---- */

#define US 1000ul
#define MS 1000000ul

/* A sleeper, and a timer that ends its sleep from an interrupt. */
static struct {
    struct waitq q;
    bool set;
    struct proc *proc;
    struct timer timer;
} moment;

static bool
is_set(void *arg)
{
    (void)arg;
    return moment.set;
}

static void
set_and_wake(void *arg)
{
    (void)arg;
    spin_lock(&moment.q.lock);
    moment.set = true;
    wakeup_locked(&moment.q);
    spin_unlock(&moment.q.lock);
}

static void
interrupt_it(void *arg)
{
    (void)arg;
    note_post_bit(moment.proc, NOTE_BIT_INTERRUPT);
}

static uint64_t
tsc_in(uint64_t ns)
{
    return rdtsc() + ns_to_tsc(ns);
}

/* As a process is after any sleep. */
static bool
check_awake(void)
{
    struct proc *p = proc_current();

    return CHECK(intr_enabled()) && CHECK_EQ(this_cpu()->lock_depth, 0) &&
           CHECK_EQ(p->wchan, NULL) && CHECK(!p->sleep_timer.armed) &&
           CHECK(list_empty(&moment.q.procs)) &&
           CHECK_EQ(p->state, PROC_RUNNING);
}

/*
 * Sleep again and again while a timer calls fn a little later each time, so
 * that it hits between every two instructions on the way to sleep.  The
 * sleep must end as `want`, and long before its deadline.
 */
static void
at_every_moment(void (*fn)(void *), int want)
{
    waitq_init(&moment.q, "moment");
    moment.proc = proc_current();
    moment.timer.armed = false;
    for (uint64_t ns = 0; ns < 40 * US; ns += 32) {
        CHECK_ROUND(ns);
        uint64_t from = clock_ns(), slept;
        int got;

        moment.set = false;
        timer_arm(&moment.timer, tsc_in(ns), fn, NULL);
        got = sleep(&moment.q, is_set, NULL, tsc_in(20 * MS));
        slept = clock_ns() - from;
        timer_cancel(&moment.timer);
        moment.proc->note_bits = moment.proc->attention = 0;
        if (!CHECK_EQ(got, want) || !CHECK_LT(slept, 10 * MS) || !check_awake())
            return;
    }
}

/*
 * A wakeup at any moment between the look at the condition and the sleep
 * ends that sleep.
 * shifts: 4 5 6
 */
KTEST(sleep_woken_at_every_moment)
{
    at_every_moment(set_and_wake, 0);
}

/*
 * So does a note, which comes without the queue's lock.
 * shifts: 4 5 6
 */
KTEST(sleep_noted_at_every_moment)
{
    at_every_moment(interrupt_it, -E_INTR);
}

/* A deadline at any moment, long past or about to come, ends the sleep. */
KTEST(sleep_due_at_every_moment)
{
    waitq_init(&moment.q, "moment");
    for (uint64_t ns = 0; ns < 40 * US; ns += 32) {
        CHECK_ROUND(ns);
        uint64_t from = clock_ns();

        CHECK_EQ(sleep(&moment.q, never, NULL, tsc_in(ns)), -E_TIMEOUT);
        if (!CHECK_LT(clock_ns() - from, 10 * MS) || !check_awake())
            return;
    }
}

/* ---- several ---- */

enum {
    SLEEPERS = 6,
    BATONS = 300
};

static struct {
    struct waitq q, back, parked;
    bool set;
    unsigned up, turn;
} many;

/* End without ending: the machine stops with the test. */
static void
park(void)
{
    for (;;)
        sleep(&many.parked, never, NULL, 0);
}

static bool
many_set(void *arg)
{
    (void)arg;
    return many.set;
}

static bool
many_up(void *arg)
{
    return many.up >= (uint64_t)arg;
}

static void
start(void (*fn)(void *), unsigned n)
{
    memset(&many, 0, sizeof many);
    waitq_init(&many.q, "many");
    waitq_init(&many.back, "back");
    waitq_init(&many.parked, "parked");
    for (uint64_t i = 0; i < n; i++)
        proc_ready(proc_kernel("sleeper", fn, (void *)i));
}

static void
tell(void)
{
    spin_lock(&many.back.lock);
    many.up++;
    wakeup_locked(&many.back);
    spin_unlock(&many.back.lock);
}

static void
sleeper(void *arg)
{
    (void)arg;
    intr_on();
    CHECK_EQ(sleep(&many.q, many_set, NULL, 0), 0);
    tell();
    park();
}

/* One wakeup is for all who sleep. */
KTEST(wakeup_wakes_all)
{
    unsigned asleep = 0;

    start(sleeper, SLEEPERS);
    CHECK_EQ(sleep(&many.back, never, NULL, tsc_in(MS)), -E_TIMEOUT);
    spin_lock(&many.q.lock);
    LIST_EACH(&many.q.procs, node)
    asleep++;
    spin_unlock(&many.q.lock);
    CHECK_EQ(asleep, SLEEPERS); /* all, or this test proves nothing */
    CHECK_EQ(many.up, 0);
    spin_lock(&many.q.lock);
    many.set = true;
    spin_unlock(&many.q.lock);
    wakeup(&many.q);
    CHECK_EQ(sleep(&many.back, many_up, (void *)SLEEPERS, tsc_in(100 * MS)), 0);
    CHECK_EQ(many.up, SLEEPERS);
    CHECK(list_empty(&many.q.procs));
}

/* A wakeup for nothing: the condition is looked at again, the sleep goes on. */
KTEST(wakeup_for_nothing)
{
    start(sleeper, 1);
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(sleep(&many.back, never, NULL, tsc_in(MS)), -E_TIMEOUT);
        wakeup(&many.q);
    }
    CHECK_EQ(sleep(&many.back, many_up, (void *)1, tsc_in(MS)), -E_TIMEOUT);
    many.set = true;
    wakeup(&many.q);
    CHECK_EQ(sleep(&many.back, many_up, (void *)1, tsc_in(100 * MS)), 0);
}

/* Woken twice at once, a process is queued once. */
KTEST(woken_once)
{
    struct proc *p;
    unsigned before;

    start(sleeper, 1);
    CHECK_EQ(sleep(&many.back, never, NULL, tsc_in(MS)), -E_TIMEOUT);
    CHECK(!list_empty(&many.q.procs));
    p = LIST_FIRST(&many.q.procs, struct proc, wait_link);
    CHECK_EQ(p->state, PROC_SLEEPING);
    intr_off();
    before = runqs[0].count;
    proc_wake(p);
    CHECK_EQ(p->state, PROC_READY);
    CHECK_EQ(runqs[0].count, before + 1);
    proc_wake(p);
    CHECK_EQ(runqs[0].count, before + 1);
    intr_on();
}

static bool
my_turn(void *arg)
{
    return many.turn % 2 == (uint64_t)arg;
}

static void
pass_baton(void *arg)
{
    intr_on();
    while (many.turn < BATONS) {
        sleep(&many.q, my_turn, arg, 0);
        spin_lock(&many.q.lock);
        many.turn++;
        wakeup_locked(&many.q);
        spin_unlock(&many.q.lock);
    }
    tell();
    park();
}

/* Two that wait for each other, hundreds of times. */
KTEST(sleep_in_turns)
{
    start(pass_baton, 2);
    CHECK_EQ(sleep(&many.back, many_up, (void *)1, tsc_in(1000 * MS)), 0);
    CHECK_GE(many.turn, BATONS);
}
