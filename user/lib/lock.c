/*
 * lock.c - a lock between processes that share memory (RFMEM).
 *
 * `users` counts holder and waiters.  Who makes it 1 has the lock without a
 * system call; all others wait for the semaphore, and who leaves while
 * others wait releases it once: one release for each waiter, so none is
 * lost.
 */
#include "lib/lux.h"

/* Take l; blocks while another process has it. */
void
qlock(struct qlock *l)
{
    if (__atomic_fetch_add(&l->users, 1, __ATOMIC_ACQUIRE) == 0)
        return;
    while (semacquire(&l->sem, 1) == -E_INTR)
        ; /* a note was handled; the lock is still wanted */
}

/* Give l, which the caller holds, to one that waits, if any. */
void
qunlock(struct qlock *l)
{
    if (__atomic_fetch_sub(&l->users, 1, __ATOMIC_RELEASE) > 1)
        semrelease(&l->sem, 1);
}

/* Take l only if nobody has it or waits; never blocks. */
bool
canqlock(struct qlock *l)
{
    uint32_t none = 0;

    return __atomic_compare_exchange_n(
            &l->users, &none, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
