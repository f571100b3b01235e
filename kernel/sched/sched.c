/*
 * sched.c - who runs: sleeping, waking, choosing and switching.
 *
 * A process switches straight to the next one; there is no scheduler thread.
 * While a CPU still works on the stack of a process that is already queued
 * or asleep, that process's on_cpu is set, and the rule that keeps two CPUs
 * off one stack is: a process with on_cpu set is queued on its own CPU and
 * no other takes it.  (If the own CPU picks it, there is nothing to switch.)
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

struct runq runqs[MAX_CPUS];

static uint64_t quantum_ticks, handoff_ticks;
static uint32_t idle_cpus; /* atomic: bit n: CPU n halts or is about to */

/* x86_64/switch.asm: save this stack, continue on that one. */
void context_switch(uint64_t *save_rsp, uint64_t load_rsp);

static struct runq *
this_runq(void)
{
    return &runqs[this_cpu()->id];
}

struct proc *
proc_current(void)
{
    return this_cpu()->proc;
}

/* Account for the time since the last look; p is running on this CPU. */
void
sched_charge(struct proc *p, uint64_t now)
{
    uint64_t ticks = now - p->ran_from;

    p->ran_from = now;
    p->run_ticks += ticks;
    if (p->is_idle)
        return;
    if (p->edf)
        edf_charge(p, ticks);
    else
        fair_charge(p, ticks);
}

/* ---- choosing ---- */

static struct proc *
first_edf(struct runq *rq)
{
    struct heap_node *n = heap_first(&rq->edf);

    return n ? CONTAINER_OF(n, struct proc, runq_node) : NULL;
}

static void
runq_remove(struct runq *rq, struct proc *p)
{
    if (p->queued == QUEUED_EDF) {
        heap_remove(&rq->edf, &p->runq_node);
        p->queued = NOT_QUEUED;
        rq->count--;
    } else {
        fair_remove(rq, p);
    }
}

static struct proc *
take_first(struct runq *rq)
{
    struct proc *p;

    if (__atomic_load_n(&rq->count, __ATOMIC_RELAXED) == 0)
        return NULL;
    spin_lock(&rq->lock);
    p = first_edf(rq);
    if (!p)
        p = fair_first(rq);
    if (p)
        runq_remove(rq, p);
    spin_unlock(&rq->lock);
    return p;
}

static struct proc *
take_handoff(struct runq *rq)
{
    if (!rq->handoff)
        return NULL;
    return __atomic_exchange_n(&rq->handoff, NULL, __ATOMIC_ACQ_REL);
}

/* For a CPU with nothing to do: a waiting process of another. */
static struct proc *
steal(struct runq *self)
{
    for (unsigned i = 1; i < ncpu; i++) {
        struct runq *rq = &runqs[(self - runqs + i) % ncpu];
        struct proc *p;

        if (__atomic_load_n(&rq->count, __ATOMIC_RELAXED) == 0)
            continue;
        spin_lock(&rq->lock);
        p = fair_stealable(rq);
        if (p)
            runq_remove(rq, p);
        spin_unlock(&rq->lock);
        if (p) {
            fair_move(p, this_cpu()->id);
            return p;
        }
    }
    return NULL;
}

/* When this CPU must be interrupted for the sake of what it runs next. */
static void
arm_quantum(struct runq *rq, struct proc *next, uint64_t now)
{
    if (next->is_idle)
        return;
    timer_need(edf_active(next) ? now + (uint64_t)next->edf->budget
                                : rq->quantum_end);
}

/*
 * Whom to run next on this CPU; the caller has queued the running process or
 * put it to sleep.  A handed-off process goes before the fair queue, but
 * only until the quantum in which it was handed over ends.
 */
static struct proc *
pick(struct runq *rq, uint64_t now)
{
    struct proc *p = NULL;

    if (now < rq->quantum_end && !first_edf(rq))
        p = take_handoff(rq);
    if (p)
        return p;
    rq->quantum_end = now + quantum_ticks;
    p = take_first(rq);
    if (!p)
        p = take_handoff(rq);
    if (!p)
        p = steal(rq);
    if (!p)
        p = rq->idle;
    arm_quantum(rq, p, now);
    return p;
}

/* ---- switching ---- */

/*
 * The first thing a process does after a switch to it, old or new: let go of
 * the one before it (the run queue's `prev`), whose stack is no longer in
 * use.  If that is DEAD it is freed here, since it could not free the stack
 * it stood on; but first this CPU's run queue lock is taken and given back.
 * Else its on_cpu falls, so that other CPUs may run it: not before all that
 * was written on its stack can be seen by them.
 *
 * Lab 3.2
 */
void
sched_finish(void)
{
    struct runq *rq = this_runq();
    struct proc *prev = rq->prev;

    if (prev->state == PROC_DEAD) {
        /* who holds the lock may have found it in cpus[] and look at it */
        spin_lock(&rq->lock);
        spin_unlock(&rq->lock);
        proc_free(prev);
        return;
    }
    __atomic_store_n(&prev->on_cpu, 0, __ATOMIC_RELEASE);
}

static void
switch_to(struct cpu *cpu, struct proc *prev, struct proc *next)
{
    next->on_cpu = 1;
    next->cpu = cpu->id;
    cpu->proc = next;
    cpu->kernel_rsp = (uint64_t)next->kstack_top;
    cpu->tss.rsp[0] = (uint64_t)next->kstack_top;
    cpu->switches++;
    TRACE(TRACE_SWITCH, next->pid, prev->pid);
    if (prev->space)
        fpu_save(&prev->fpu);
    if (next->space)
        fpu_restore(&next->fpu);
    space_load(next->space);
    runqs[cpu->id].prev = prev;
    context_switch(&prev->ksp, next->ksp);
    /* perhaps much later, perhaps on another CPU */
    sched_finish();
}

void
sched_switch(void)
{
    struct cpu *cpu = this_cpu();
    struct runq *rq = &runqs[cpu->id];
    struct proc *prev = cpu->proc, *next;
    uint64_t now = rdtsc();

    if (cpu->lock_depth != 0 || intr_enabled())
        panic("sched_switch: locks %#x held, or interrupts on",
                cpu->lock_ranks);
    sched_charge(prev, now);
    cpu->resched = 0;
    next = pick(rq, now);
    next->ran_from = now;
    /* before it looks at `attention` below: see note.c:note_attention */
    __atomic_store_n(&next->state, PROC_RUNNING, __ATOMIC_SEQ_CST);
    if (next != prev)
        switch_to(cpu, prev, next);
    if (proc_current()->attention)
        this_cpu()->resched = 1;
}

/* Put the running process behind the others; interrupts are off. */
static void
requeue_current(void)
{
    struct proc *p = proc_current();

    if (p->is_idle)
        return;
    sched_charge(p, rdtsc());
    __atomic_store_n(&p->state, PROC_READY, __ATOMIC_RELAXED);
    runq_add(p);
}

void
sched_yield(void)
{
    bool were_on = intr_enabled();

    intr_off();
    requeue_current();
    sched_switch();
    if (were_on)
        intr_on();
}

/* ---- waking ---- */

/* Where a woken process should queue: see the rule at the top. */
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
 * SLEEPING -> READY, for one of all who try at the same time: true for who
 * made the change, false if p was not asleep (any more).
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

/* Attention is drawn to every note, so without it there is none. */
static bool
notes_wait(const struct proc *p)
{
    return __atomic_load_n(&p->attention, __ATOMIC_SEQ_CST) &&
           __atomic_load_n(&p->note_count, __ATOMIC_SEQ_CST) !=
                   p->notes_waived &&
           note_pending(p);
}

/* A note came before p was asleep, so its sender woke nobody. */
static bool
note_forbids_sleep(struct proc *p, enum block_how how)
{
    if (how == PROC_STUBBORN || !notes_wait(p))
        return false;
    /* stay awake, unless somebody has woken and queued us meanwhile */
    return win_wakeup(p);
}

/*
 * See sched.h for what callers may rely on.  In this order: note why, and
 * that no time-out has happened; become SLEEPING while `lock` is still held;
 * give up the lock, but leave interrupts off (spin_unlock turns them on if
 * lock_intr says so); arm the sleep timer if there is a deadline; switch
 * away, unless note_forbids_sleep, after which the process is RUNNING again.
 * Awake, with interrupts on: no timer is left armed, wchan is NULL, and a
 * note (if how allows it) counts more than a time-out.
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

/* ---- interrupts and the way back to user mode ---- */

/*
 * Others may have what this CPU will not get to soon: the process handed to
 * it whose turn did not come, and what is queued while a CPU idles.
 */
static void
offer_work(struct runq *rq)
{
    struct proc *waiting = take_handoff(rq);
    uint32_t idle = __atomic_load_n(&idle_cpus, __ATOMIC_RELAXED);

    if (waiting)
        runq_add(waiting);
    else if (rq->count > 0 && idle)
        apic_send((unsigned)__builtin_ctz(idle), VEC_RESCHED);
}

/* In the timer interrupt, after the timers: is the turn over? */
void
sched_tick(bool from_user)
{
    struct cpu *cpu = this_cpu();
    struct runq *rq = &runqs[cpu->id];
    struct proc *p = cpu->proc;
    uint64_t now = rdtsc();

    if (p->is_idle)
        return;
    if (from_user)
        p->user_samples++;
    else
        p->sys_samples++;
    sched_charge(p, now);
    if (now >= rq->quantum_end || (p->edf && !edf_active(p)))
        cpu->resched = 1;
    offer_work(rq);
    /*
     * A quantum that is over must not be armed: it would interrupt at once,
     * for ever.  The switch that is due begins a new one.
     */
    if (edf_active(p) || now < rq->quantum_end)
        arm_quantum(rq, p, now);
}

/*
 * Last on the way to user mode, interrupts off: switch if asked to, deliver
 * notes.  Every round can bring the next reason.
 */
void
sched_user_return(struct trapframe *tf)
{
    while (this_cpu()->resched) {
        struct proc *p = proc_current();

        this_cpu()->resched = 0;
        if (p->attention)
            note_return(tf);
        sched_yield();
    }
}

/* ---- idle ---- */

void
runq_init(void)
{
    for (unsigned i = 0; i < MAX_CPUS; i++)
        spin_init(&runqs[i].lock, RANK_RUNQ, "run queue");
    quantum_ticks = ns_to_tsc(QUANTUM_NS);
    handoff_ticks = ns_to_tsc(HANDOFF_NS);
}

/* What a CPU does when it has nothing to do; its boot stack ends up here. */
void
sched_become_idle(void)
{
    struct cpu *cpu = this_cpu();
    uint32_t bit = 1u << cpu->id;

    intr_off();
    __atomic_store_n(&cpu->online, 1, __ATOMIC_RELEASE);
    for (;;) {
        sched_switch();
        __atomic_or_fetch(&idle_cpus, bit, __ATOMIC_SEQ_CST);
        if (runqs[cpu->id].count == 0 && !cpu->resched) {
            uint64_t from = rdtsc();

            intr_on_and_halt();
            cpu->idle_ns += tsc_to_ns(rdtsc() - from);
        }
        __atomic_and_fetch(&idle_cpus, ~bit, __ATOMIC_SEQ_CST);
    }
}
