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
    SEMA_BUCKETS = 64
};

struct sema_bucket {
    struct spinlock lock; /* RANK_SEMA */
    struct list waiters;
};

struct sema_waiter { /* on the waiting process's stack */
    struct list link;
    paddr_t key;
    struct proc *proc;
};

static struct sema_bucket buckets[SEMA_BUCKETS];

void
sema_init(void)
{
    for (unsigned i = 0; i < SEMA_BUCKETS; i++) {
        spin_init(&buckets[i].lock, RANK_SEMA, "semaphores");
        list_init(&buckets[i].waiters);
    }
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

static struct sema_bucket *
bucket_of(paddr_t key)
{
    return &buckets[(key >> 2 ^ key >> 12) % SEMA_BUCKETS];
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

/* Wait until the count could be taken; `deadline` in TSC, 0: none. */
static int64_t
wait_for_count(vaddr_t va, uint64_t deadline)
{
    struct sema_waiter w = { .proc = proc_current(), .key = sema_key(va) };
    struct sema_bucket *b = bucket_of(w.key);
    int64_t count;
    int err = 0;

    list_init(&w.link);
    spin_lock(&b->lock);
    for (;;) {
        list_remove(&w.link);
        list_append(&b->waiters, &w.link);
        count = add_to_count(va, -1);
        if (count != 0 || err)
            break;
        err = proc_block(&b->lock, "semacquire", PROC_INTERRUPTIBLE, deadline);
        spin_lock(&b->lock);
    }
    list_remove(&w.link);
    spin_unlock(&b->lock);
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

/* Wake at most n of those who wait for the word. */
static void
wake_waiters(vaddr_t va, uint64_t n)
{
    paddr_t key = sema_key(va);
    struct sema_bucket *b = bucket_of(key);
    struct list *node, *next;

    spin_lock(&b->lock);
    for (node = b->waiters.next; node != &b->waiters && n > 0; node = next) {
        struct sema_waiter *w = CONTAINER_OF(node, struct sema_waiter, link);

        next = node->next;
        if (w->key != key)
            continue;
        list_remove(node); /* it comes back if it finds the count taken */
        proc_wake_next(w->proc);
        n--;
    }
    spin_unlock(&b->lock);
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
