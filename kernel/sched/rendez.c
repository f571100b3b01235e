/*
 * rendez.c - rendezvous: two processes meet under a tag and swap a value
 * (rendezvous(2)).
 *
 * The first of two waits in a table, by its group and tag.  The second takes it
 * out, swaps, and wakes it onto this CPU, since as a rule the second is about
 * to wait for the next meeting.
 */
#include "sched/process.h"

struct rendez_group {
    uint32_t refs; /* atomic */
};

/* RANK_RENDEZ; in a group no two wait under the same tag */
static struct wait_table waiting;

void
rendez_init(void)
{
    wait_table_init(&waiting, RANK_RENDEZ, "rendezvous");
}

struct rendez_group *
rendez_group_new(void)
{
    struct rendez_group *g = kmalloc(sizeof *g);

    if (!g)
        return NULL;
    *g = (struct rendez_group){ .refs = 1 };
    return g;
}

void
rendez_group_ref(struct rendez_group *g)
{
    __atomic_add_fetch(&g->refs, 1, __ATOMIC_RELAXED);
}

void
rendez_group_unref(struct rendez_group *g)
{
    if (g && __atomic_sub_fetch(&g->refs, 1, __ATOMIC_ACQ_REL) == 0)
        kfree(g);
}

/* Wait in this slot, whose lock is held (and released). */
static uint64_t
wait_for_partner(unsigned slot, uint64_t tag, uint64_t value)
{
    struct spinlock *lock = wait_lock(&waiting, slot);
    struct proc *p = proc_current();
    int err;

    p->rendez_value = value;
    p->rendez_done = false;
    p->rendez_node.space = p->rendez;
    p->rendez_node.number = tag;
    wait_add(&waiting, slot, &p->rendez_node);
    for (;;) {
        err = proc_block(lock, "rendezvous", PROC_INTERRUPTIBLE, 0);
        /* the partner wrote the value first and took us out */
        if (__atomic_load_n(&p->rendez_done, __ATOMIC_ACQUIRE))
            return p->rendez_value;
        spin_lock(lock);
        /* it may have come since, and found nobody asleep to wake */
        if (err || p->rendez_done)
            break;
    }
    if (!p->rendez_done)
        wait_remove(&p->rendez_node);
    value = p->rendez_done ? p->rendez_value : UINT64_MAX;
    spin_unlock(lock);
    return value;
}

/* The partner's value, or all ones if a note came first.  Sleeps. */
uint64_t
rendezvous(uint64_t tag, uint64_t value)
{
    const struct rendez_group *g = proc_current()->rendez;
    unsigned slot = wait_slot(g, tag);
    struct wait_node *node;
    struct proc *partner;
    uint64_t theirs;

    spin_lock(wait_lock(&waiting, slot));
    node = wait_find(&waiting, slot, g, tag);
    if (!node)
        return wait_for_partner(slot, tag, value);
    partner = CONTAINER_OF(node, struct proc, rendez_node);
    wait_remove(&partner->rendez_node);
    theirs = partner->rendez_value;
    partner->rendez_value = value;
    proc_wake_next(partner);
    /* last: if it is awake, it may be gone the moment it sees this */
    __atomic_store_n(&partner->rendez_done, true, __ATOMIC_RELEASE);
    spin_unlock(wait_lock(&waiting, slot));
    return theirs;
}
