/*
 * test_sched_sleep.c - wait queues: nobody sleeps through a wakeup, and
 * deadlines and notes end a sleep.
 */
#include "sched/process.h"
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
