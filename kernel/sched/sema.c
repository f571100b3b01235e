/*
 * sema.c - semaphores in user memory (semacquire(2)): the count is a word of
 * the program's, and the kernel is needed only to wait and to wake.
 *
 * Waiters are found by the physical address of the word, which is the same
 * for all who share the memory.  Who must wait enters the list first and
 * then looks at the count again; who releases adds to the count first and
 * then looks at the list; so one of them sees the other.
 */
#include "sched/process.h"

enum {
    WAKE_PIECE = 16 /* woken in one hold of a lock */
};

struct sema_waiter {       /* on the waiting process's stack */
    struct wait_node node; /* in the table only while it is the oldest */
    struct list same;      /* ring of all that wait for the word, in order */
    struct proc *proc;
};

static struct wait_table words; /* RANK_SEMA; by address the oldest waiter */

void
sema_init(void)
{
    wait_table_init(&words, RANK_SEMA, "semaphores");
}

/* The frame address of a word that has just been written; 0: gone again. */
static paddr_t
sema_key(vaddr_t va)
{
    struct space *s = space_current();
    paddr_t pa = 0;
    pte_t *pte;

    spin_lock(&s->lock);
    pte = pt_walk(s->root, va, PT_FIND);
    if (pte && (*pte & PTE_PRESENT))
        pa = (*pte & PTE_ADDR) | (va & PAGE_MASK);
    spin_unlock(&s->lock);
    return pa;
}

/*
 * Add `n` to the count, or take 1 if n is -1 and the count is not 0.
 * The old count, -E_BADADDR, or -E_BADARG if it would pass INT32_MAX.
 */
static int64_t
add_to_count(vaddr_t va, int64_t n)
{
    uint32_t old = 0;
    int done;

    do {
        uint64_t sum = old + (uint64_t)n;

        if (n < 0 && old == 0)
            sum = 0; /* compare 0 with 0: fetches the count */
        if (n >= 0 && sum > INT32_MAX)
            return -E_BADARG;
        done = user_cas32(va, &old, (uint32_t)sum);
    } while (done == 0);
    return done < 0 ? done : (int64_t)old;
}

/* The one that has waited longest for a word; NULL: none waits. */
static struct sema_waiter *
oldest(unsigned slot, paddr_t key)
{
    struct wait_node *n = wait_find(&words, slot, NULL, key);

    return n ? CONTAINER_OF(n, struct sema_waiter, node) : NULL;
}

/* w, which does not wait, waits behind all others for its word. */
static void
waiter_add(unsigned slot, struct sema_waiter *w)
{
    struct sema_waiter *first = oldest(slot, w->node.number);

    if (first)
        list_append(&first->same, &w->same);
    else
        wait_add(&words, slot, &w->node);
}

/* w waits no more; nothing if it does not.  The next takes its place. */
static void
waiter_remove(unsigned slot, struct sema_waiter *w)
{
    struct sema_waiter *next = LIST_FIRST(&w->same, struct sema_waiter, same);

    if (w->node.at) {
        wait_remove(&w->node);
        if (next != w)
            wait_add(&words, slot, &next->node);
    }
    list_remove(&w->same);
}

/* Wait until the count could be taken; `deadline` in TSC, 0: none. */
static int64_t
wait_for_count(vaddr_t va, uint64_t deadline)
{
    struct sema_waiter w = { .proc = proc_current() };
    unsigned slot;
    struct spinlock *lock;
    int64_t count;
    int err = 0;

    w.node.number = sema_key(va);
    list_init(&w.same);
    slot = wait_slot(NULL, w.node.number);
    lock = wait_lock(&words, slot);
    spin_lock(lock);
    for (;;) {
        waiter_remove(slot, &w);
        waiter_add(slot, &w);
        count = add_to_count(va, -1);
        if (count != 0 || err)
            break;
        err = proc_block(lock, "semacquire", PROC_INTERRUPTIBLE, deadline);
        spin_lock(lock);
    }
    waiter_remove(slot, &w);
    spin_unlock(lock);
    if (count != 0)
        return count < 0 ? count : 1;
    return err == -E_TIMEOUT ? 0 : err;
}

/* 1: taken; 0: not (would block, or the deadline passed); -E_BADADDR,
 * -E_BADARG (unaligned), -E_INTR.  Sleeps if `block`. */
int64_t
sema_acquire(vaddr_t va, bool block, uint64_t deadline)
{
    int64_t count;

    if (va % 4 != 0)
        return -E_BADARG;
    count = add_to_count(va, -1);
    if (count != 0)
        return count < 0 ? count : 1;
    return block ? wait_for_count(va, deadline) : 0;
}

/* Wake at most n processes that wait for the word, and at most WAKE_PIECE: how
 * many.  One that finds the count taken comes back. */
static unsigned
wake_some(paddr_t key, uint64_t n)
{
    unsigned woken = 0, slot = wait_slot(NULL, key);
    struct sema_waiter *w;

    spin_lock(wait_lock(&words, slot));
    while (woken < WAKE_PIECE && woken < n && (w = oldest(slot, key)) != NULL) {
        waiter_remove(slot, w);
        proc_wake_next(w->proc);
        woken++;
    }
    spin_unlock(wait_lock(&words, slot));
    return woken;
}

/* Wake at most n processes that wait for the word. */
static void
wake_waiters(vaddr_t va, uint64_t n)
{
    paddr_t key = sema_key(va);
    unsigned woken;

    do {
        woken = wake_some(key, n);
        n -= woken;
    } while (woken == WAKE_PIECE && n > 0);
}

/* Add n (1 to INT32_MAX) to the count: the new count, -E_BADARG,
 * -E_BADADDR. */
int64_t
sema_release(vaddr_t va, uint64_t n)
{
    int64_t old;

    if (va % 4 != 0 || n == 0 || n > INT32_MAX)
        return -E_BADARG;
    old = add_to_count(va, (int64_t)n);
    if (old < 0)
        return old;
    wake_waiters(va, n);
    return old + (int64_t)n;
}
