/*
 * spinlock.c - ticket spinlocks with ranks: stage 3's side of boot/lock.h.
 *
 * A CPU draws a ticket and waits for its number, so locks are handed over in
 * order of arrival.  Interrupts stay off while any lock is held: a handler
 * that wanted the same lock would wait for the code it interrupted.
 */
#include "sched/sched.h"
#include "boot/x86_64/x86.h"

/* Interrupts off; remember, at the outermost lock, whether they were on. */
static void
enter_critical(void)
{
    bool were_on = intr_enabled();
    struct cpu *cpu;

    intr_off();
    cpu = this_cpu();
    if (cpu->lock_depth++ == 0)
        cpu->lock_intr = were_on;
}

static void
leave_critical(struct cpu *cpu)
{
    if (--cpu->lock_depth == 0 && cpu->lock_intr)
        intr_on();
}

/*
 * The order of ranks makes deadlock among spinlocks impossible; checking it
 * before waiting turns a deadlock of one run in a million into a panic on
 * the first run of the wrong path.
 */
static void
check_rank(const struct cpu *cpu, const struct spinlock *lock)
{
    if (lock->holder == cpu)
        panic("spin_lock: %s: this CPU holds it already", lock->name);
    if (cpu->lock_ranks >> lock->rank)
        panic("spin_lock: %s (rank %d) taken while ranks %#x are held: "
              "boot/lock.h has the order",
                lock->name, lock->rank, cpu->lock_ranks);
}

static void
ranked_lock(struct spinlock *lock)
{
    enter_critical();

    struct cpu *cpu = this_cpu();

    check_rank(cpu, lock);

    uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

    /*
     * Acquire: nothing that the critical section reads or writes may move up
     * before the moment the lock is ours; the former holder may still be
     * changing it.
     */
    while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket) {
        tlb_poll(); /* the holder may be waiting for our TLB flush */
        cpu_pause();
    }
    lock->holder = cpu;
    cpu->lock_ranks |= 1u << lock->rank;
}

static void
ranked_unlock(struct spinlock *lock)
{
    struct cpu *cpu = this_cpu();

    if (lock->holder != cpu)
        panic("spin_unlock: %s: not held by this CPU", lock->name);
    lock->holder = NULL;
    cpu->lock_ranks &= ~(1u << lock->rank);
    /*
     * Release: what the critical section wrote is visible before the next
     * holder can see its number come up.
     */
    __atomic_store_n(&lock->serving, lock->serving + 1, __ATOMIC_RELEASE);
    leave_critical(cpu);
}

/* From here on locks lock.  Before, one CPU ran with interrupts off. */
void
spin_plug_in(void)
{
    spin_lock = ranked_lock;
    spin_unlock = ranked_unlock;
}
