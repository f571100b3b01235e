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

/* How a meeting ended, in two registers. */
struct meeting {
    uint64_t theirs; /* the partner's value */
    bool met;        /* false: a note came first */
};

/* Wait in this slot, whose lock is held (and released). */
static struct meeting
wait_for_partner(unsigned slot, uint64_t tag, uint64_t value)
{
    struct spinlock *lock = wait_lock(&waiting, slot);
    struct proc *p = proc_current();
    bool met;
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
            return (struct meeting){ p->rendez_value, true };
        spin_lock(lock);
        /* it may have come since, and found nobody asleep to wake */
        if (err || p->rendez_done)
            break;
    }
    met = p->rendez_done;
    if (!met)
        wait_remove(&p->rendez_node);
    spin_unlock(lock);
    return (struct meeting){ p->rendez_value, met };
}

/* Meet the next process of the group that comes with this tag. */
static struct meeting
meet(uint64_t tag, uint64_t value)
{
    const struct rendez_group *g = proc_current()->rendez;
    unsigned slot = wait_slot(g, tag);
    struct spinlock *lock = wait_lock(&waiting, slot);
    struct wait_node *node;
    struct proc *partner;
    uint64_t theirs;

    spin_lock(lock);
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
    spin_unlock(lock);
    return (struct meeting){ theirs, true };
}

/* The partner's value, or all ones if a note came first.  Sleeps. */
uint64_t
rendezvous(uint64_t tag, uint64_t value)
{
    struct meeting m = meet(tag, value);

    return m.met ? m.theirs : RENDEZ_INTR;
}

/*
 * One meeting, then another; see user/lib/lux.h.  No lock is held between the
 * two: a note that comes there ends the second wait as it begins.  Sleeps.
 */
uint64_t
rendezvous_next(uint64_t tag, uint64_t value, uint64_t next)
{
    struct meeting m = meet(tag, value);

    if (!m.met)
        return RENDEZ_INTR;
    m = meet(next, 0);
    return m.met ? m.theirs : RENDEZ_GIVEN;
}
