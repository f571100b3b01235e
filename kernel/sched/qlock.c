/*
 * qlock.c - queue locks: to be held across sleeps, given in order of arrival.
 *
 * The lock is passed on, not let go: qunlock names the next holder, so that
 * nobody can slip in between.  A waiter is woken only by being the holder;
 * notes do not disturb it, unless it asks for that (qlock_noted), as it should
 * where the holder may wait for another program.
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

/* 0, or if how allows it -E_INTR; not if it is ours by the time we look. */
static int
acquire(struct qlock *l, enum block_how how)
{
    struct proc *p = proc_current();
    int err = 0;

    if (qlock_try(l))
        return 0;
    __atomic_store_n(&p->wait_lock, l, __ATOMIC_SEQ_CST);
    waitfor_check(p, l);
    spin_lock(&l->lock);
    if (!l->holder)
        l->holder = p;
    else
        list_append(&l->queue, &p->wait_link);
    while (l->holder != p && err == 0) {
        err = proc_block(&l->lock, l->name, how, 0);
        spin_lock(&l->lock);
    }
    if (l->holder == p)
        err = 0;
    else
        list_remove(&p->wait_link);
    __atomic_store_n(&p->wait_lock, NULL, __ATOMIC_RELEASE);
    spin_unlock(&l->lock);
    return err;
}

void
qlock(struct qlock *l)
{
    acquire(l, PROC_STUBBORN);
}

int
qlock_noted(struct qlock *l)
{
    return acquire(l, PROC_INTERRUPTIBLE);
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
