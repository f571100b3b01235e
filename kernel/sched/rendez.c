/*
 * rendez.c - rendezvous: two processes meet under a tag and swap a value
 * (rendezvous(2)).
 *
 * Who comes first waits in its group's hash.  Who comes second takes it out,
 * swaps, and wakes it onto this CPU, since as a rule the second is about to
 * wait for the next meeting.
 */
#include "sched/process.h"

enum {
    RENDEZ_BUCKETS = 16
};

struct rendez_group {
    struct spinlock lock; /* RANK_RENDEZ */
    uint32_t refs;        /* atomic */
    struct list waiting[RENDEZ_BUCKETS];
};

struct rendez_group *
rendez_group_new(void)
{
    struct rendez_group *g = kmalloc(sizeof *g);

    if (!g)
        return NULL;
    *g = (struct rendez_group){ .refs = 1 };
    spin_init(&g->lock, RANK_RENDEZ, "rendezvous");
    for (unsigned i = 0; i < RENDEZ_BUCKETS; i++)
        list_init(&g->waiting[i]);
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

static struct proc *
find_partner(struct list *bucket, uint64_t tag)
{
    LIST_EACH(bucket, node)
    {
        struct proc *p = CONTAINER_OF(node, struct proc, wait_link);

        if (p->rendez_tag == tag)
            return p;
    }
    return NULL;
}

/* Wait in the bucket, whose group's lock is held (and released). */
static uint64_t
wait_for_partner(struct rendez_group *g, struct list *bucket, uint64_t tag,
        uint64_t value)
{
    struct proc *p = proc_current();
    int err;

    p->rendez_tag = tag;
    p->rendez_value = value;
    p->rendez_done = false;
    list_append(bucket, &p->wait_link);
    for (;;) {
        err = proc_block(&g->lock, "rendezvous", PROC_INTERRUPTIBLE, 0);
        /* the partner wrote the value first and took us off the list */
        if (__atomic_load_n(&p->rendez_done, __ATOMIC_ACQUIRE))
            return p->rendez_value;
        spin_lock(&g->lock);
        /* it may have come since, and found nobody asleep to wake */
        if (err || p->rendez_done)
            break;
    }
    if (!p->rendez_done)
        list_remove(&p->wait_link);
    value = p->rendez_done ? p->rendez_value : UINT64_MAX;
    spin_unlock(&g->lock);
    return value;
}

/* The partner's value, or all ones if a note came first.  Sleeps. */
uint64_t
rendezvous(uint64_t tag, uint64_t value)
{
    struct rendez_group *g = proc_current()->rendez;
    struct list *bucket = &g->waiting[(tag ^ tag >> 4) % RENDEZ_BUCKETS];
    struct proc *partner;
    uint64_t theirs;

    spin_lock(&g->lock);
    partner = find_partner(bucket, tag);
    if (!partner)
        return wait_for_partner(g, bucket, tag, value);
    list_remove(&partner->wait_link);
    theirs = partner->rendez_value;
    partner->rendez_value = value;
    proc_wake_next(partner);
    /* last: if it is awake, it may be gone the moment it sees this */
    __atomic_store_n(&partner->rendez_done, true, __ATOMIC_RELEASE);
    spin_unlock(&g->lock);
    return theirs;
}
