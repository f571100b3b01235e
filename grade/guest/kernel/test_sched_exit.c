/*
 * test_sched_exit.c - the end of a process and what its parent hears, with
 * processes of the kernel in the family.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

#define MS 1000000ul

static bool
never(void *arg)
{
    (void)arg;
    return false;
}

static void
pause_ms(uint64_t ms)
{
    struct waitq q;

    waitq_init(&q, "pause");
    sleep(&q, never, NULL, rdtsc() + ns_to_tsc(ms * MS));
}

/* A child of the running process, as rfork would join it. */
static struct proc *
child(void (*fn)(void *), void *arg)
{
    struct proc *p = proc_kernel("child", fn, arg), *self = proc_current();

    p->waitrec = kzalloc(sizeof *p->waitrec);
    spin_lock(&proctab_lock);
    p->parent = self;
    list_append(&self->children, &p->sibling);
    spin_unlock(&proctab_lock);
    return p;
}

/* Say arg after as many milliseconds as its first digit tells. */
static void
say(void *arg)
{
    const char *msg = arg;

    intr_on();
    pause_ms((uint64_t)(msg[0] - '0'));
    proc_exit(msg);
}

KTEST(wait_hears_the_end)
{
    struct proc *p = child(say, "1 oops");
    struct waitmsg w;
    uint32_t pid = p->pid;

    proc_ready(p);
    CHECK_EQ(proc_wait(&w), pid);
    CHECK_EQ(w.pid, pid);
    CHECK_EQ(strcmp(w.msg, "1 oops"), 0);
    CHECK_EQ(proc_wait(&w), -E_NOCHILD);
    CHECK(list_empty(&proc_current()->children));
}

/* Messages come in the order in which the children ended. */
KTEST(wait_in_order_of_ends)
{
    static const char *const says[] = { "7 last", "3 second", "1 first" };
    struct waitmsg w;

    for (unsigned i = 0; i < 3; i++)
        proc_ready(child(say, (void *)says[i]));
    pause_ms(12);
    for (unsigned i = 3; i-- > 0;) {
        CHECK_GT(proc_wait(&w), 0);
        CHECK_EQ(strcmp(w.msg, says[i]), 0);
    }
    CHECK_EQ(proc_wait(&w), -E_NOCHILD);
}

/* A waiting parent sleeps until the end, neither longer nor in a loop. */
KTEST(wait_sleeps)
{
    struct waitmsg w;
    uint64_t from = clock_ns(), switches = this_cpu()->switches;

    proc_ready(child(say, "5 ms"));
    CHECK_GT(proc_wait(&w), 0);
    CHECK_GE(clock_ns() - from, 5 * MS);
    CHECK_LT(clock_ns() - from, 8 * MS);
    CHECK_LT(this_cpu()->switches - switches, 12);
}

/* A note ends the wait; the child can be waited for again. */
KTEST(wait_interrupted)
{
    struct proc *self = proc_current();
    struct waitmsg w;

    proc_ready(child(say, "2 x"));
    note_post_bit(self, NOTE_BIT_INTERRUPT);
    CHECK_EQ(proc_wait(&w), -E_INTR);
    self->note_bits = self->attention = 0;
    CHECK_GT(proc_wait(&w), 0);
    CHECK_EQ(strcmp(w.msg, "2 x"), 0);
}

/* A dead process is not found, and all it held is back. */
KTEST(exit_gives_back)
{
    unsigned count = proc_count();
    uint64_t live = kheap_live();
    uint32_t pids[20], refs = groups[0].refs;
    struct waitmsg w;

    for (unsigned i = 0; i < 20; i++) {
        struct proc *p = child(say, i % 2 ? "1 x" : "2 y");

        pids[i] = p->pid;
        proc_ready(p);
    }
    CHECK_EQ(proc_count(), count + 20);
    for (unsigned i = 0; i < 20; i++)
        CHECK_GT(proc_wait(&w), 0);
    sched_yield(); /* the last one's stack is free when its CPU has left it */
    spin_lock(&proctab_lock);
    for (unsigned i = 0; i < 20; i++)
        CHECK(proc_find(pids[i]) == NULL);
    spin_unlock(&proctab_lock);
    CHECK_EQ(proc_count(), count);
    CHECK_EQ(kheap_live(), live);
    CHECK_EQ(groups[0].refs, refs);
}

static struct {
    uint32_t not_there;
    volatile bool started, go;
} elsewhere;

static void
end_elsewhere(void *arg)
{
    (void)arg;
    intr_on();
    while (this_cpu()->id == elsewhere.not_there)
        sched_yield();
    elsewhere.started = true;
    while (!elsewhere.go)
        cpu_pause();
}

/*
 * A CPU that holds another's run queue may be looking at a process that ran
 * there: the process does not go meanwhile, wherever it ends.
 * cpus: 2
 * append: tick_us=100
 */
KTEST(exit_waits_for_who_looks)
{
    struct runq *here = this_runq();
    unsigned count = proc_count();
    uint64_t until;

    elsewhere.not_there = this_cpu()->id;
    elsewhere.started = elsewhere.go = false;
    proc_ready(proc_kernel("elsewhere", end_elsewhere, NULL));
    while (!elsewhere.started)
        cpu_pause();
    spin_lock(&here->lock);
    elsewhere.go = true;
    until = rdtsc() + ns_to_tsc(3 * MS);
    while (rdtsc() < until)
        cpu_pause();
    CHECK_EQ(proc_count(), count + 1);
    spin_unlock(&here->lock);
    pause_ms(3);
    CHECK_EQ(proc_count(), count);
}

static struct proc *grandchild;

static void
leave_a_child(void *arg)
{
    intr_on();
    grandchild = child(say, "6 orphan");
    proc_ready(grandchild);
    pause_ms(1);
    proc_exit(arg);
}

/* Children of the dead have no parent: their end is not reported. */
KTEST(exit_leaves_orphans)
{
    struct waitmsg w;
    uint64_t live = kheap_live();

    proc_ready(child(leave_a_child, "done"));
    CHECK_GT(proc_wait(&w), 0);
    CHECK_EQ(strcmp(w.msg, "done"), 0);
    CHECK_EQ(grandchild->parent, NULL);
    CHECK(list_empty(&grandchild->sibling));
    CHECK_EQ(proc_wait(&w), -E_NOCHILD);
    pause_ms(10); /* it ends; its record goes with it */
    CHECK_EQ(kheap_live(), live);
}

static void
leave_records(void *arg)
{
    intr_on();
    for (unsigned i = 0; i < 4; i++)
        proc_ready(child(say, "1 unread"));
    pause_ms(4); /* all have ended, none was waited for */
    proc_exit(arg);
}

/* What dead children had to say goes with their parent. */
KTEST(exit_frees_unread_records)
{
    struct waitmsg w;
    uint64_t live = kheap_live();

    proc_ready(child(leave_records, "done"));
    CHECK_GT(proc_wait(&w), 0);
    sched_yield();
    CHECK_EQ(kheap_live(), live);
}
