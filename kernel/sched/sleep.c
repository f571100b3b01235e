/*
 * sleep.c - wait queues: sleep until a condition holds.
 *
 * The condition is passed in, so that no caller can forget to check it again
 * after waking: several may be woken for what only one can have.
 */
#include "sched/process.h"

void
waitq_init(struct waitq *q, const char *name)
{
    spin_init(&q->lock, RANK_SLEEPQ, name);
    list_init(&q->procs);
}

/*
 * See sched.h.  The condition is looked at with q->lock held, before the
 * first sleep and after each; while the process sleeps it stands in q's list
 * by its wait_link, and never when this returns.  If a sleep ends with an
 * error, the condition is looked at once more: if it has come true, 0.
 *
 * Lab 3.4
 */
int
sleep(struct waitq *q, bool (*cond)(void *arg), void *arg, uint64_t deadline)
{
    struct proc *p = proc_current();
    int err = 0;

    spin_lock(&q->lock);
    while (!cond(arg) && err == 0) {
        list_append(&q->procs, &p->wait_link);
        err = proc_block(&q->lock, q->lock.name, PROC_INTERRUPTIBLE, deadline);
        spin_lock(&q->lock);
        list_remove(&p->wait_link);
    }
    if (err && cond(arg))
        err = 0; /* it came true in the last moment: that counts */
    spin_unlock(&q->lock);
    return err;
}

/*
 * Make everyone ready who sleeps in q; they leave the list themselves.  The
 * caller holds q->lock.
 *
 * Lab 3.4
 */
void
wakeup_locked(struct waitq *q)
{
    LIST_EACH(&q->procs, node)
    proc_wake(CONTAINER_OF(node, struct proc, wait_link));
}

void
wakeup(struct waitq *q)
{
    spin_lock(&q->lock);
    wakeup_locked(q);
    spin_unlock(&q->lock);
}
