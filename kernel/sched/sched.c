/*
 * sched.c - who runs: choosing and switching.
 *
 * A process switches straight to the next one; there is no scheduler thread.
 * While a CPU still works on the stack of a process that is already queued
 * or asleep, that process's on_cpu is set, and the rule that keeps two CPUs
 * off one stack is: a process with on_cpu set is queued on its own CPU and
 * no other takes it.  (If the own CPU picks it, there is nothing to switch.)
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

struct runq runqs[MAX_CPUS];

uint32_t idle_cpus;

static uint64_t quantum_ticks;

/* x86_64/switch.asm: save this stack, continue on that one. */
void context_switch(uint64_t *save_rsp, uint64_t load_rsp);

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
 * Whom to run next on this CPU; the caller has queued the running process,
 * `leaving`, or put it to sleep.  A handed-off process goes before the fair queue, but
 * only until the quantum in which it was handed over ends.
 */
static struct proc *
pick(struct runq *rq, const struct proc *leaving, uint64_t now)
{
    struct proc *p = NULL;

    if (now < rq->quantum_end && !first_edf(rq))
        p = take_handoff(rq);
    if (p) {
        if (leaving->edf || leaving->is_idle) /* else it is armed already */
            arm_quantum(rq, p, now);
        return p;
    }
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
    struct proc *prev = this_runq()->prev;

    if (likely(prev->state != PROC_DEAD)) {
        __atomic_store_n(&prev->on_cpu, 0, __ATOMIC_RELEASE);
        return;
    }
    /* a holder of the lock may have found it in cpus[] and look at it */
    spin_lock(&this_runq()->lock);
    spin_unlock(&this_runq()->lock);
    proc_free(prev);
}

/* Rare, and kept out of switch_to: one of the two has loaded a selector. */
static __attribute__((noinline)) void
switch_selectors(struct proc *prev, struct proc *next)
{
    prev->selectors = selectors_now();
    selectors_load(next->selectors);
    next->selectors = 0; /* they are in the CPU now */
}

static void
switch_to(
        struct cpu *cpu, struct runq *rq, struct proc *prev, struct proc *next)
{
    uint64_t top = (uint64_t)next->kstack_top;

    next->on_cpu = 1;
    next->cpu = cpu->id;
    cpu->proc = next;
    cpu->kernel_rsp = top;
    cpu->tss.rsp[0] = top;
    cpu->switches++;
    TRACE(TRACE_SWITCH, next->pid, prev->pid);
    if (selectors_loaded() | next->selectors)
        switch_selectors(prev, next);
    if (prev->space)
        fpu_save(&prev->fpu);
    if (next->space)
        fpu_restore(&next->fpu);
    space_switch(cpu, next->space);
    rq->prev = prev;
    context_switch(&prev->ksp, next->ksp);
    /* perhaps much later, perhaps on another CPU */
    sched_finish();
}

/* Out of line: its buffer would give sched_switch a stack protector. */
static __attribute__((noreturn, noinline)) void
switch_forbidden(const struct cpu *cpu)
{
    char held[160];

    if (cpu->lock_depth == 0)
        panic("sched_switch: called with interrupts on");
    panic("sched_switch: %s gives the CPU away while it holds spinlocks: %s",
            cpu->proc->name,
            lock_ranks_text(cpu->lock_ranks, held, sizeof held));
}

void
sched_switch(void)
{
    struct cpu *cpu = this_cpu();
    struct runq *rq = &runqs[cpu->id];
    struct proc *prev = cpu->proc, *next;
    uint64_t now = rdtsc();

    if (cpu->lock_depth != 0 || (LOCK_CHECKS && intr_enabled()))
        switch_forbidden(cpu);
    sched_charge(prev, now);
    cpu->resched = 0;
    next = pick(rq, prev, now);
    next->ran_from = now;
    /* before it looks at `attention` below: see note.c:note_attention */
    __atomic_store_n(&next->state, PROC_RUNNING, __ATOMIC_SEQ_CST);
    if (next != prev)
        switch_to(cpu, rq, prev, next);
    if (proc_current()->attention)
        this_cpu()->resched = 1;
}

/*
 * What sched_finish does for the CPU where the running process is about to
 * die, for those where it ran before: who found it there and looks at it still
 * (wake.c:runq_add) does so in that CPU's lock.  A look takes no time, unless
 * a host lets the looking CPU wait.
 */
void
sched_forget(void)
{
    for (unsigned i = 0; i < ncpu; i++) {
        if (i == this_cpu()->id)
            continue; /* sched_finish */
        spin_lock(&runqs[i].lock);
        spin_unlock(&runqs[i].lock);
    }
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

void
sched_give_way(void)
{
    if (this_cpu()->resched)
        sched_yield();
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
    wake_init();
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
