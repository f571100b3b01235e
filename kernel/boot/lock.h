/*
 * lock.h - spinlocks as every layer sees them: the object, the ranks, and
 * two calls.
 *
 * Memory management needs locks, but locks belong to stage 3 (they are about
 * CPUs, of which stages 1 and 2 run one, with interrupts off).  So the calls
 * go through two pointers that do nothing until kernel/sched/spinlock.c puts
 * itself there, before it starts a second CPU or enables an interrupt.
 *
 * A lock may be taken only while every lock held has a smaller rank: that
 * order cannot deadlock, and a wrong order panics on its first run, not on
 * the unlucky one.
 */
#pragma once

#include <lux/types.h>

struct cpu;

/*
 * Are ranks and holders kept and checked?  In kernels for tests and debugging
 * they are; in others a lock costs a third less without.
 */
#ifndef LOCK_CHECKS
#define LOCK_CHECKS 0
#endif

/* every spinlock of the kernel, outermost first, with what it protects */
enum lock_rank {
    RANK_NONE,      /* ktest only: not checked against others */
    RANK_GROUP,     /* sched: table of scheduling groups, EDF admission */
    RANK_RENDEZ,    /* sched: a rendezvous group's hash */
    RANK_SEMA,      /* sched: one bucket of the semaphore hash */
    RANK_PROCTAB,   /* sched: pid hash, parents and children, note groups */
    RANK_FDTABLE,   /* 9p: one table of file descriptors */
    RANK_NAMESPACE, /* 9p: one name space's table of joins */
    RANK_CONNS,     /* 9p: the list of connections */
    RANK_MNT,       /* 9p: one connection's requests, tags, fids */
    RANK_QUEUE,     /* 9p: one queue's blocks */
    RANK_DEVICE,    /* 9p: what a device keeps, env groups, srv's list */
    RANK_QLOCK,     /* sched: inside of one queue lock or reader-writer lock */
    RANK_SPACE,     /* mmu: one address space's regions and page tables */
    RANK_SHARED,    /* mmu: one shared memory object's pages and size */
    RANK_SLEEPQ,    /* sched: inside of one wait queue */
    RANK_TIMER,     /* sched: one CPU's list of timers */
    RANK_PROC,      /* sched: one process's state and notes */
    RANK_RUNQ,      /* sched: one CPU's run queue */
    RANK_KVM,       /* mmu: kernel virtual ranges (stacks, registers) */
    RANK_HEAP,      /* mmu: one size class of the kernel heap */
    RANK_FRAMES,    /* mmu: free lists of frames and their counters */
    RANK_SHOOTDOWN, /* mmu: one TLB shoot-down at a time */
    RANK_CONSOLE,   /* boot: characters of one line stay together */
    RANK_COUNT
};

struct spinlock {
    uint32_t next;    /* ticket that the next comer draws */
    uint32_t serving; /* ticket that may enter */
    const struct cpu *holder;
    enum lock_rank rank;
    const char *name; /* for panics and the debugger */
};

#define SPINLOCK_INIT(rank_, name_)                                            \
    {                                                                          \
        .rank = rank_, .name = name_                                           \
    }

/*
 * Take a lock; interrupts are off on this CPU from here to the matching
 * spin_unlock (the calls nest).  Never sleeps.  Panics (with LOCK_CHECKS) if
 * the caller holds this lock or one of the same or a higher rank.
 */
extern void (*spin_lock)(struct spinlock *lock);

/* Give it back.  Panics (with LOCK_CHECKS) if this CPU does not hold it. */
extern void (*spin_unlock)(struct spinlock *lock);

void spin_init(struct spinlock *lock, enum lock_rank rank, const char *name);
