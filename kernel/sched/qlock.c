/*
 * qlock.c - queue locks: to be held across sleeps, given in order of arrival.
 *
 * The lock is passed on, not let go: qunlock names the next holder, so that
 * nobody can slip in between.  A waiter is woken only by being the holder,
 * and notes do not disturb it.
 */
#include "sched/process.h"

void
qlock_init(struct qlock *l, const char *name)
{
    spin_init(&l->lock, RANK_QLOCK, name);
    list_init(&l->queue);
    l->holder = NULL;
    l->name = name;
}

void
qlock(struct qlock *l)
{
    struct proc *p = proc_current();

    if (qlock_try(l))
        return;
    __atomic_store_n(&p->wait_lock, l, __ATOMIC_SEQ_CST);
    waitfor_check(p, l);
    spin_lock(&l->lock);
    if (!l->holder)
        l->holder = p;
    else
        list_append(&l->queue, &p->wait_link);
    while (l->holder != p) {
        proc_block(&l->lock, l->name, PROC_STUBBORN, 0);
        spin_lock(&l->lock);
    }
    __atomic_store_n(&p->wait_lock, NULL, __ATOMIC_RELEASE);
    spin_unlock(&l->lock);
}

bool
qlock_try(struct qlock *l)
{
    bool got;

    spin_lock(&l->lock);
    got = !l->holder;
    if (got)
        l->holder = proc_current();
    spin_unlock(&l->lock);
    return got;
}

void
qunlock(struct qlock *l)
{
    struct proc *next = NULL;

    spin_lock(&l->lock);
    if (l->holder != proc_current())
        panic("qunlock: %s: not held by the caller", l->name);
    if (!list_empty(&l->queue)) {
        next = LIST_FIRST(&l->queue, struct proc, wait_link);
        list_remove(&next->wait_link);
    }
    l->holder = next;
    if (next)
        proc_wake(next);
    spin_unlock(&l->lock);
}
