/*
 * rwlock.c - reader-writer locks that sleep: many readers or one writer.
 *
 * First come, first served: a reader that comes after a waiting writer
 * waits too, so neither side can starve the other.  As with queue locks the
 * right to enter is passed on with the wakeup.
 */
#include "sched/process.h"

struct rw_waiter { /* on the waiting process's stack */
    struct list link;
    struct proc *proc;
    bool writer;
    bool granted;
};

void
rwlock_init(struct rwlock *l, const char *name)
{
    spin_init(&l->lock, RANK_QLOCK, name);
    list_init(&l->queue);
    l->readers = 0;
    l->name = name;
}

/* Count one more inside, if it may enter now. */
static bool
try_enter(struct rwlock *l, bool writer)
{
    if (writer ? l->readers != 0 : l->readers < 0)
        return false;
    l->readers = writer ? -1 : l->readers + 1;
    return true;
}

static void
enter(struct rwlock *l, bool writer)
{
    struct rw_waiter w = { .proc = proc_current(), .writer = writer };

    spin_lock(&l->lock);
    if (list_empty(&l->queue) && try_enter(l, writer)) {
        spin_unlock(&l->lock);
        return;
    }
    list_append(&l->queue, &w.link);
    while (!w.granted) {
        proc_block(&l->lock, l->name, PROC_STUBBORN, 0);
        spin_lock(&l->lock);
    }
    spin_unlock(&l->lock);
}

/* Let in the first of the queue, and the readers right behind a reader. */
static void
admit_waiters(struct rwlock *l)
{
    while (!list_empty(&l->queue)) {
        struct rw_waiter *w = LIST_FIRST(&l->queue, struct rw_waiter, link);

        if (!try_enter(l, w->writer))
            return;
        list_remove(&w->link);
        w->granted = true;
        proc_wake(w->proc);
    }
}

void
read_lock(struct rwlock *l)
{
    enter(l, false);
}

void
write_lock(struct rwlock *l)
{
    enter(l, true);
}

void
read_unlock(struct rwlock *l)
{
    spin_lock(&l->lock);
    if (l->readers <= 0)
        panic("read_unlock: %s: no reader is in", l->name);
    l->readers--;
    admit_waiters(l);
    spin_unlock(&l->lock);
}

void
write_unlock(struct rwlock *l)
{
    spin_lock(&l->lock);
    if (l->readers != -1)
        panic("write_unlock: %s: no writer is in", l->name);
    l->readers = 0;
    admit_waiters(l);
    spin_unlock(&l->lock);
}
