/*
 * spinlock.c - ticket spinlocks with ranks: stage 3's side of boot/lock.h.
 *
 * A CPU draws a ticket and waits for its number, so locks are handed over in
 * order of arrival.  Interrupts stay off while any lock is held: a handler
 * that wanted the same lock would wait for the code it interrupted.
 */
#include "sched/sched.h"
#include "boot/x86_64/x86.h"

static const char *const rank_names[RANK_COUNT] = {
    [RANK_NONE] = "NONE",
    [RANK_GROUP] = "GROUP",
    [RANK_RENDEZ] = "RENDEZ",
    [RANK_SEMA] = "SEMA",
    [RANK_PROCTAB] = "PROCTAB",
    [RANK_FDTABLE] = "FDTABLE",     /* 9p */
    [RANK_NAMESPACE] = "NAMESPACE", /* 9p */
    [RANK_CONNS] = "CONNS",         /* 9p */
    [RANK_MNT] = "MNT",             /* 9p */
    [RANK_QUEUE] = "QUEUE",         /* 9p */
    [RANK_DEVICE] = "DEVICE",       /* 9p */
    [RANK_QLOCK] = "QLOCK",
    [RANK_SPACE] = "SPACE",
    [RANK_SHARED] = "SHARED",
    [RANK_SLEEPQ] = "SLEEPQ",
    [RANK_TIMER] = "TIMER",
    [RANK_PROC] = "PROC",
    [RANK_RUNQ] = "RUNQ",
    [RANK_KVM] = "KVM",
    [RANK_HEAP] = "HEAP",
    [RANK_FRAMES] = "FRAMES",
    [RANK_SHOOTDOWN] = "SHOOTDOWN",
    [RANK_CONSOLE] = "CONSOLE",
};

const char *
lock_ranks_text(uint32_t ranks, char *buf, size_t len)
{
    size_t at = 0;

    strlcpy(buf, ranks ? "" : "none", len);
    for (unsigned r = 0; r < RANK_COUNT && at < len; r++)
        if (ranks >> r & 1 && rank_names[r])
            at += (size_t)snprint(buf + at, len - at, "%sRANK_%s",
                    at > 0 ? ", " : "", rank_names[r]);
    return buf;
}

/*
 * The order of ranks makes deadlock among spinlocks impossible; checking it
 * before waiting turns a deadlock of one run in a million into a panic on
 * the first run of the wrong path.  Out of line, because its buffer would give
 * ranked_lock a stack protector.
 */
static __attribute__((noinline, cold)) void
wrong_order(const struct cpu *cpu, const struct spinlock *lock)
{
    char held[160];

    if (lock->holder == cpu)
        panic("spin_lock: %s: this CPU holds it already", lock->name);
    panic("spin_lock: %s (RANK_%s) taken while ranks %s are held: boot/lock.h "
          "has the order",
            lock->name, rank_names[lock->rank],
            lock_ranks_text(cpu->lock_ranks, held, sizeof held));
}

/* Wait until a ticket is served. */
static __attribute__((noinline)) void
wait_turn(struct spinlock *lock, uint32_t ticket)
{
    while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) {
        tlb_poll(); /* the holder may be waiting for our TLB flush */
        cpu_pause();
    }
}

/*
 * spin_lock of boot/lock.h: wait until this CPU holds the lock.
 *
 * Needs: every lock that this CPU holds has a lower rank (bit r of
 * cpu->lock_ranks: it holds one of rank r).  Otherwise wrong_order, and no
 * ticket is drawn: a ticket that is not served would stop all other CPUs.
 * On return: interrupts are off; lock->holder, the rank's bit in lock_ranks
 * and lock_depth (one more) say that this CPU holds the lock; lock_intr says
 * whether interrupts were on before the outermost of its locks.  A kernel
 * without LOCK_CHECKS may leave out the check, holder and lock_ranks.
 * In between: tickets are served in the order in which they were drawn, and a
 * CPU that waits calls tlb_poll, since the holder may wait for its answer.
 * Throughout: no interrupt can move this code to another CPU while it uses
 * this_cpu(), and nothing of the critical section happens before the lock is
 * this CPU's.
 *
 * Lab 3.1
 */
static void
ranked_lock(struct spinlock *lock)
{
    bool were_on = intr_enabled();
    uint32_t ticket;
    struct cpu *cpu;

    intr_off(); /* before this_cpu: an interrupt could move us elsewhere */
    cpu = this_cpu();
    if (LOCK_CHECKS && unlikely(cpu->lock_ranks >> lock->rank))
        wrong_order(cpu, lock);
    if (cpu->lock_depth++ == 0)
        cpu->lock_intr = were_on;
    ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
    /*
     * Acquire: nothing that the critical section reads or writes may move up
     * before the moment the lock is ours; the former holder may still be
     * changing it.
     */
    if (unlikely(__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket))
        wait_turn(lock, ticket);
    if (LOCK_CHECKS) {
        lock->holder = cpu;
        cpu->lock_ranks |= 1u << lock->rank;
    }
}

/*
 * spin_unlock of boot/lock.h: the next ticket's CPU may have the lock.
 *
 * Needs: this CPU is the holder.  Otherwise a panic: "spin_unlock: NAME: not
 * held by this CPU".
 * On return: holder, lock_ranks and lock_depth are as they were before the
 * lock was taken.  Interrupts are on only if this was the last lock that the
 * CPU held and they were on before the first.
 * Throughout: all that the critical section read or wrote happens before
 * another CPU can see that the lock is free, and so does the bookkeeping.
 *
 * Lab 3.1
 */
static void
ranked_unlock(struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();

    if (LOCK_CHECKS) {
        if (unlikely(lock->holder != cpu))
            panic("spin_unlock: %s: not held by this CPU", lock->name);
        lock->holder = NULL;
        cpu->lock_ranks &= ~(1u << lock->rank);
    }
    /*
     * Release: what the critical section wrote is visible before the next
     * holder can see its number come up.
     */
    __atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
    if (--cpu->lock_depth == 0 && cpu->lock_intr)
        intr_on();
}

/* From here on locks lock.  Before, one CPU ran with interrupts off. */
void
spin_plug_in(void)
{
    spin_lock = ranked_lock;
    spin_unlock = ranked_unlock;
}
