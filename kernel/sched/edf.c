/*
 * edf.c - earliest deadline first, with admission control.
 *
 * A process asks for `cost` of CPU time, to be done within `deadline` after
 * the start of each `period`.  It is admitted to one CPU and stays there,
 * and a CPU admits only while the sum of cost / deadline is at most 90 %:
 * then earliest-deadline-first meets every deadline (Liu & Layland 1973; the
 * density bound covers deadline < period).  The rest is the fair class's.
 *
 * A promise binds both sides: who has used up its cost runs on as a fair
 * process until its next period starts.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

enum {
    SHARE_ALL = 1 << 20,
    SHARE_EDF = SHARE_ALL * 9 / 10
};

/*
 * Shortest cost.  Promises of 90 % leave a ninth of a cost to others, less two
 * interrupts and two switches: in emulation up to 0.05 ms.  With much shorter
 * costs the machine would do nothing but begin periods.
 */
#define EDF_MIN_NS 1000000ul
#define EDF_MAX_NS 10000000000ul /* longest period */

static struct spinlock admission_lock = SPINLOCK_INIT(RANK_GROUP, "edf");
static uint32_t promised[MAX_CPUS]; /* shares, by CPU */

bool
edf_active(const struct proc *p)
{
    return p->edf && p->edf->budget > 0;
}

/*
 * p, an EDF process, ran for `ticks`: its budget shrinks by as much, below 0
 * too.  Beyond its budget it runs as a fair process, and pays like one for
 * just the ticks beyond: else it would keep its place before all others and
 * starve them.
 *
 * Lab 3.6
 */
void
edf_charge(struct proc *p, uint64_t ticks)
{
    int64_t left = p->edf->budget > 0 ? p->edf->budget : 0;

    p->edf->budget -= (int64_t)ticks;
    if ((int64_t)ticks > left)
        fair_charge(p, ticks - (uint64_t)left);
}

/*
 * The first CPU on which all promises and `share` together are no more than
 * SHARE_EDF; the share is promised there from now on.  -E_ADMIT: none.
 * Guarded by admission_lock.
 *
 * Lab 3.6
 */
static int
admit(uint32_t share)
{
    int found = -E_ADMIT;

    spin_lock(&admission_lock);
    for (unsigned i = 0; i < ncpu && found < 0; i++) {
        if (promised[i] + share <= SHARE_EDF) {
            promised[i] += share;
            found = (int)i;
        }
    }
    spin_unlock(&admission_lock);
    return found;
}

/*
 * A period starts: the budget is whole again, edf_next need not wait.  Runs
 * in a timer interrupt of the CPU that the process is bound to, or is about
 * to be.  The start of a period is one period after the last one's, however
 * late the timer came.  A process that waits in the fair queue goes over to
 * the EDF queue; one that sleeps is woken; the timer is armed for the next.
 * Fields are changed with the run queue's lock held, the rest is done
 * without.
 *
 * Lab 3.6
 */
static void
edf_release(void *arg)
{
    struct edf *e = arg;
    struct proc *p = e->proc;
    struct runq *rq = &runqs[e->cpu];
    bool queued;

    spin_lock(&rq->lock);
    e->release += e->period;
    e->budget = (int64_t)e->cost;
    e->released = true;
    queued = p->queued == QUEUED_FAIR;
    if (queued)
        fair_remove(rq, p);
    spin_unlock(&rq->lock);
    if (queued)
        runq_add(p);
    else
        proc_wake(p);
    timer_arm(&e->timer, e->release + e->period, edf_release, e);
}

/*
 * Make the running process EDF and go on where it was admitted.  It sleeps
 * for a moment, since a CPU may not take a process that still runs on
 * another one, and the timer that wakes it fires when it is off this CPU.
 */
static void
bind_to(struct proc *p, struct edf *e)
{
    struct spinlock *lock = &p->own_lock;

    spin_lock(lock);
    sched_charge(p, rdtsc());
    p->edf = e;
    while (p->cpu != e->cpu) {
        proc_block(lock, "edf", PROC_STUBBORN, rdtsc());
        spin_lock(lock);
    }
    spin_unlock(lock);
}

/*
 * EDF_MIN_NS <= cost <= deadline <= period <= EDF_MAX_NS, whatever numbers a
 * program sends.
 *
 * Lab 3.6
 */
static bool
edf_times_ok(uint64_t period, uint64_t deadline, uint64_t cost)
{
    return cost >= EDF_MIN_NS && cost <= deadline && deadline <= period &&
           period <= EDF_MAX_NS;
}

/*
 * Make the running process EDF, all times in ns (struct edf has ticks); its
 * first period starts now, with a whole budget.  Its share is cost / deadline.
 * Once admitted it is bound to that CPU by bind_to, then its timer is armed
 * for the end of the period.  0, -E_BADARG, -E_INUSE (it is EDF already),
 * -E_ADMIT, -E_NOMEM; nothing is kept or promised if it fails.
 *
 * Lab 3.6
 */
int
edf_enter(uint64_t period, uint64_t deadline, uint64_t cost)
{
    struct proc *p = proc_current();
    struct edf *e;
    int cpu;

    if (!edf_times_ok(period, deadline, cost))
        return -E_BADARG;
    if (p->edf)
        return -E_INUSE;
    e = kzalloc(sizeof *e);
    if (!e)
        return -E_NOMEM;
    e->share = (uint32_t)(cost * SHARE_ALL / deadline);
    cpu = admit(e->share);
    if (cpu < 0) {
        kfree(e);
        return cpu;
    }
    e->cpu = (uint32_t)cpu;
    e->period = ns_to_tsc(period);
    e->deadline = ns_to_tsc(deadline);
    e->cost = ns_to_tsc(cost);
    e->proc = p;
    e->release = rdtsc();
    e->budget = (int64_t)e->cost;
    bind_to(p, e);
    timer_arm(&e->timer, e->release + e->period, edf_release, e);
    return 0;
}

/*
 * The running process is done for this period: wait for the next.
 * 0, or 1 if it is late: the next has started already.  -E_BADARG if it is
 * not EDF, -E_INTR.
 */
int
edf_next(void)
{
    struct proc *p = proc_current();
    struct edf *e = p->edf;
    bool late;

    if (!e)
        return -E_BADARG;
    late = rdtsc() > e->release + e->deadline || e->released;
    if (late)
        e->missed++;

    struct spinlock *lock = &p->own_lock;

    spin_lock(lock);
    while (!e->released) {
        int err = proc_block(lock, "edf", PROC_INTERRUPTIBLE, 0);

        if (err)
            return err;
        spin_lock(lock);
    }
    e->released = false;
    spin_unlock(lock);
    return late;
}

/* Back to the fair class, or nothing if it is there. */
void
edf_exit(struct proc *p)
{
    struct edf *e = p->edf;

    if (!e)
        return;
    timer_cancel(&e->timer);
    spin_lock(&admission_lock);
    promised[e->cpu] -= e->share;
    spin_unlock(&admission_lock);
    intr_off();
    sched_charge(p, rdtsc());
    p->edf = NULL;
    intr_on();
    kfree(e);
}
