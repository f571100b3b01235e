/*
 * wake.c - falling asleep, and waking who sleeps.
 *
 * Why no wakeup is lost in proc_block: the sleeper becomes SLEEPING while it
 * holds the lock under which wakers look for it, so a waker that comes later
 * finds it asleep, and one that came earlier has changed the condition that
 * the sleeper then checked.  For notes, which come without that lock, see
 * note.c: the sender raises the flag, then looks at the state; the sleeper
 * sets the state, then looks at the flag; so one of them sees the other.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

static uint64_t handoff_ticks;

void
wake_init(void)
{
    handoff_ticks = ns_to_tsc(HANDOFF_NS);
}

/* ---- waking ---- */

/* Where a woken process should queue: see the rule of sched.c. */
static unsigned
choose_cpu(const struct proc *p)
{
    unsigned here = this_cpu()->id;
    uint32_t idle = __atomic_load_n(&idle_cpus, __ATOMIC_RELAXED);

    if (__atomic_load_n(&p->on_cpu, __ATOMIC_ACQUIRE))
        return p->cpu;
    if (p->edf)
        return p->edf->cpu;
    if (idle & 1u << p->cpu)
        return p->cpu;
    if (idle & 1u << here)
        return here;
    return idle ? (unsigned)__builtin_ctz(idle) : p->cpu;
}

/* Should p take the CPU from the process that runs there? */
static bool
preempts(const struct proc *p, const struct proc *running)
{
    if (running->is_idle)
        return true;
    if (edf_active(p))
        return !edf_active(running) ||
               p->runq_node.key < running->runq_node.key;
    return !edf_active(running) && !running->edf && fair_before(p, running);
}

void
runq_add(struct proc *p)
{
    unsigned id = choose_cpu(p);
    struct runq *rq = &runqs[id];
    bool kick;

    fair_move(p, id);
    spin_lock(&rq->lock);
    if (edf_active(p)) {
        p->runq_node.key = p->edf->release + p->edf->deadline;
        p->queued = QUEUED_EDF;
        heap_insert(&rq->edf, &p->runq_node);
        rq->count++;
    } else {
        fair_add(rq, p);
    }
    kick = p != cpus[id].proc && preempts(p, cpus[id].proc);
    spin_unlock(&rq->lock);
    if (!kick)
        return;
    __atomic_store_n(&cpus[id].resched, 1, __ATOMIC_RELEASE);
    if (id != this_cpu()->id)
        apic_send(id, VEC_RESCHED);
}

/*
 * Make p READY if it is SLEEPING.  Of all callers that try at the same time
 * one gets true: it made the change, and must queue p.  The others get false,
 * and so does a caller that finds p awake.
 *
 * Lab 3.4
 */
static bool
win_wakeup(struct proc *p)
{
    uint32_t expected = PROC_SLEEPING;

    return __atomic_compare_exchange_n(&p->state, &expected, PROC_READY, false,
            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* The caller keeps p from being freed until this returns. */
void
proc_wake(struct proc *p)
{
    if (!win_wakeup(p))
        return;
    TRACE(TRACE_WAKE, p->pid, 0);
    runq_add(p);
}

/*
 * Give p the hand-off slot if that is free and p may run here.  Only the own
 * CPU fills it, so a slot seen empty stays empty.
 */
static bool
hand_off(struct proc *p)
{
    bool were_on = intr_enabled(), taken = false;

    intr_off();

    struct runq *rq = this_runq();

    if (!rq->handoff && !p->edf &&
            !__atomic_load_n(&p->on_cpu, __ATOMIC_ACQUIRE)) {
        fair_move(p, this_cpu()->id);
        __atomic_store_n(&rq->handoff, p, __ATOMIC_RELEASE);
        if (__atomic_load_n(&idle_cpus, __ATOMIC_RELAXED))
            timer_need(rdtsc() + handoff_ticks);
        taken = true;
    }
    if (were_on)
        intr_on();
    return taken;
}

void
proc_wake_next(struct proc *p)
{
    if (!win_wakeup(p))
        return;
    TRACE(TRACE_WAKE, p->pid, 1);
    if (!hand_off(p))
        runq_add(p);
}

void
proc_ready(struct proc *p)
{
    fair_newcomer(p);
    __atomic_store_n(&p->state, PROC_READY, __ATOMIC_RELEASE);
    runq_add(p);
}

/* ---- sleeping ---- */

static void
sleep_timed_out(void *arg)
{
    struct proc *p = arg;

    __atomic_store_n(&p->timed_out, true, __ATOMIC_RELEASE);
    proc_wake(p);
}

/* A note came before p was asleep, so its sender woke nobody. */
static bool
note_forbids_sleep(struct proc *p, enum block_how how)
{
    if (how == PROC_STUBBORN || !notes_wait(p))
        return false;
    /* stay awake, unless somebody has woken and queued us meanwhile */
    if (!win_wakeup(p))
        return false;
    this_cpu()->resched =
            1; /* the sender saw us asleep and asked for nothing */
    return true;
}

/*
 * Sleep until a waker comes, or a note (if `how` allows it), or the deadline.
 * See sched.h for what callers may rely on.
 *
 * Needs: the caller holds `lock`, under which its wakers look for it, and no
 * other.
 * While it sleeps: p->wchan is `why`; p->sleep_timer is armed if and only if
 * there is a deadline, with sleep_timed_out.
 * No wakeup is lost: a waker that holds `lock` finds the process either still
 * awake, with its condition not yet examined, or SLEEPING.  A note's sender,
 * who does not hold it, either sees SLEEPING or is seen by note_forbids_sleep
 * (both sides in one total order); after that the process runs on without a
 * switch.  A time-out is noted before the wakeup, and none of an earlier
 * sleep remains.
 * No interrupt comes between the release of `lock` and the switch: spin_unlock
 * turns interrupts on only if this_cpu()->lock_intr says so.
 * Returns with interrupts on, `lock` released, the process RUNNING, the timer
 * not armed, wchan NULL: -E_INTR if `how` is PROC_INTERRUPTIBLE and a note
 * waits, else -E_TIMEOUT if the deadline passed, else 0.
 *
 * Lab 3.4
 */
int
proc_block(struct spinlock *lock, const char *why, enum block_how how,
        uint64_t deadline)
{
    struct proc *p = proc_current();

    p->wchan = why;
    p->timed_out = false;
    __atomic_store_n(&p->state, PROC_SLEEPING, __ATOMIC_SEQ_CST);
    this_cpu()->lock_intr = false; /* spin_unlock leaves interrupts off */
    spin_unlock(lock);
    if (deadline)
        timer_arm(&p->sleep_timer, deadline, sleep_timed_out, p);
    if (note_forbids_sleep(p, how))
        __atomic_store_n(&p->state, PROC_RUNNING, __ATOMIC_RELAXED);
    else
        sched_switch();
    intr_on();
    if (deadline)
        timer_cancel(&p->sleep_timer);
    p->wchan = NULL;
    if (how == PROC_INTERRUPTIBLE && notes_wait(p))
        return -E_INTR;
    return p->timed_out ? -E_TIMEOUT : 0;
}
