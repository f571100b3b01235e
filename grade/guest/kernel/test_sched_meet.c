/*
 * test_sched_meet.c - the table of processes that wait for each other: right,
 * and as fast with ten thousand in it as with none.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

enum {
    CROWD = 10000,
    ROUNDS = 200,
    PING = 1000000, /* a tag that the crowd does not use */
};

/* A process of the caller's rendezvous group that runs fn(arg). */
static void
start_beside(void (*fn)(void *), uint64_t arg)
{
    struct rendez_group *g = proc_current()->rendez;
    struct proc *p = proc_kernel("beside", fn, (void *)arg);

    CHECK(p != NULL);
    rendez_group_unref(p->rendez);
    rendez_group_ref(g);
    p->rendez = g;
    proc_ready(p);
}

static void
meet_once(void *arg)
{
    intr_on();
    CHECK_EQ(rendezvous((uint64_t)arg, 1), 2);
}

static void
meet_often(void *arg)
{
    intr_on();
    for (uint64_t i = 0; i < (uint64_t)arg; i++)
        rendezvous(PING, i);
}

/* Ticks of ROUNDS meetings. */
static uint64_t
ticks_of_rounds(void)
{
    uint64_t from;

    start_beside(meet_often, ROUNDS + 20);
    for (unsigned i = 0; i < 10; i++)
        rendezvous(PING, i);
    from = rdtsc();
    for (unsigned i = 0; i < ROUNDS; i++)
        rendezvous(PING, i);
    from = rdtsc() - from;
    for (unsigned i = 0; i < 10; i++)
        rendezvous(PING, i);
    sched_yield();
    return from;
}

/*
 * Ten thousand that wait under other tags cost a meeting no more than a few
 * percent.
 * mem: 512M
 * shifts: 0
 */
KTEST(meeting_in_a_crowd)
{
    uint64_t alone, crowded;

    ticks_of_rounds();
    alone = ticks_of_rounds();
    for (uint64_t tag = 0; tag < CROWD; tag++)
        start_beside(meet_once, tag * 16);
    sched_yield();
    crowded = ticks_of_rounds();
    print("a meeting: %lu ticks alone, %lu in a crowd\n", alone / ROUNDS,
            crowded / ROUNDS);
    CHECK_LT(crowded, alone + alone / 10);
    for (uint64_t tag = 0; tag < CROWD; tag++)
        CHECK_EQ(rendezvous(tag * 16, 2), 1);
}
