/*
 * waitfor.c - debug builds: find a deadlock among queue locks as it closes.
 *
 * Who waits for a queue lock waits for its holder, who may wait for another
 * lock, and so on.  If that chain leads back to the caller, nobody on it can
 * ever go on.
 *
 * A waiter says what it waits for before it looks, so of two that close a
 * circle at the same time one sees the other.  The process table's lock
 * keeps every holder on the chain from ending while it is looked at; a bound
 * ends the walk over a chain that is in motion.
 */
#include "sched/process.h"

#ifdef DEBUG
void
waitfor_check(const struct proc *self, const struct qlock *wanted)
{
    const struct qlock *l = wanted;

    spin_lock(&proctab_lock);
    for (unsigned steps = 0; l && steps < MAX_PROCS; steps++) {
        const struct proc *holder =
                __atomic_load_n(&l->holder, __ATOMIC_ACQUIRE);

        if (!holder)
            break;
        if (holder == self)
            panic("deadlock: process %u (%s) wants %s, held at the end of "
                  "a chain of %u locks by itself",
                    self->pid, self->name, wanted->name, steps + 1);
        l = __atomic_load_n(&holder->wait_lock, __ATOMIC_ACQUIRE);
    }
    spin_unlock(&proctab_lock);
}
#else
void
waitfor_check([[maybe_unused]] const struct proc *self,
        [[maybe_unused]] const struct qlock *wanted)
{
}
#endif
