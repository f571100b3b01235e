/*
 * runq.h - the scheduler's own structures: run queues and groups.  Only
 * sched.c, wake.c, fair.c, edf.c and timer.c include it.
 *
 * One run queue a CPU.  In it, EDF processes come before fair ones; fair
 * ones are ordered first between groups, then inside the group, both by
 * virtual time: CPU time used, divided by the weight.
 */
#pragma once

#include "sched/process.h"

#define QUANTUM_NS 10000000ul /* fair class: longest turn if others wait */
#define HANDOFF_NS 200000ul   /* then others may take a handed-off process */

enum {
    MAX_GROUPS = 64,
    DEFAULT_WEIGHT = 100,
    MAX_WEIGHT = 10000
};

struct group_queue {   /* one group on one CPU; its run queue's lock */
    struct heap procs; /* by the process's virtual time */
    uint64_t vtime;    /* the group's own */
    uint64_t floor;    /* virtual time of the last process picked */
};

struct sched_group {
    uint32_t refs;   /* [group_lock] processes in it; 0: free slot */
    uint32_t weight; /* set at creation */
    struct group_queue on[MAX_CPUS];
};

struct runq {
    struct spinlock lock; /* RANK_RUNQ */
    struct heap edf;      /* by absolute deadline */
    uint64_t groups;      /* bit g: group g has processes queued here */
    uint64_t floor;       /* virtual time of the last group picked */
    uint32_t count;       /* processes queued here */
    struct proc *handoff; /* atomic: owner fills; owner or thief empties */
    struct proc *idle;    /* its idle process */
    struct proc *prev;    /* own CPU only: whom the last switch left */
    uint64_t quantum_end; /* own CPU only: TSC */
} __attribute__((aligned(64)));

extern struct runq runqs[MAX_CPUS];
extern uint32_t idle_cpus; /* atomic: bit n: CPU n halts or is about to */

static inline struct runq *
this_runq(void)
{
    return &runqs[this_cpu()->id];
}

/* fair.c; callers hold rq->lock */
void fair_add(struct runq *rq, struct proc *p);
void fair_remove(struct runq *rq, struct proc *p);
void fair_move(struct proc *p, unsigned cpu); /* sets p->cpu; no lock */
void fair_newcomer(struct proc *p); /* its vtime; before fair_add, no lock */
struct proc *fair_first(struct runq *rq);         /* NULL: none */
void fair_charge(struct proc *p, uint64_t ticks); /* own CPU, no lock */
bool fair_before(const struct proc *p, const struct proc *running);
struct proc *fair_stealable(struct runq *rq);

void fair_init(void);
extern struct sched_group groups[MAX_GROUPS];

/* edf.c */
struct edf {
    uint64_t period, deadline, cost; /* TSC ticks */
    uint64_t release;                /* start of the current period, TSC */
    int64_t budget;                  /* ticks left in it; <= 0: runs as fair */
    uint32_t cpu;                    /* admitted there, runs only there */
    uint32_t share;  /* of that CPU: cost / deadline, 1 << 20 is all */
    uint32_t missed; /* deadlines missed */
    bool released;   /* a new period began while it ran the last */
    struct timer timer;
    struct proc *proc;
};
bool edf_active(const struct proc *p); /* has budget left in this period */
void edf_charge(struct proc *p, uint64_t ticks);

void runq_init(void);
void wake_init(void);
void sched_tick(bool from_user);
void sched_user_return(struct trapframe *tf);

/* wake.c: queue p, which the caller made READY, and see that a CPU looks */
void runq_add(struct proc *p);
