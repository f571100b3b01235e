/*
 * test_sched_fair.c - the order of the fair class, played through without a
 * process: queues, clocks and weights alone.
 * append: early
 * limit: 3
 */
#include "sched/runq.h"

enum {
    PROCS = 12,
    GROUPS = 4
};

static struct proc procs[PROCS];
static uint64_t quantum;

/* Empty queues and clocks at 0; groups of weight 100. */
static struct runq *
fresh(void)
{
    quantum = ns_to_tsc(QUANTUM_NS);
    runqs[0].groups = runqs[0].floor = runqs[0].count = 0;
    for (unsigned g = 0; g < GROUPS; g++) {
        memset(groups[g].on, 0, sizeof groups[g].on);
        groups[g].weight = DEFAULT_WEIGHT;
    }
    memset(procs, 0, sizeof procs);
    for (unsigned i = 0; i < PROCS; i++)
        procs[i].group = &groups[0];
    return &runqs[0];
}

/* Queue process i of group g, at a virtual time. */
static void
queue(struct runq *rq, unsigned i, unsigned g, uint64_t vtime)
{
    procs[i].group = &groups[g];
    procs[i].vtime = vtime;
    fair_add(rq, &procs[i]);
}

/* Take out the first: its number, or PROCS if there is none. */
static unsigned
take(struct runq *rq)
{
    struct proc *p = fair_first(rq);

    if (!p)
        return PROCS;
    fair_remove(rq, p);
    return (unsigned)(p - procs);
}

/* seeds: 3 */
KTEST(fair_furthest_behind_first)
{
    struct runq *rq = fresh();
    bool in[PROCS] = { false };

    CHECK(fair_first(rq) == NULL);
    for (unsigned i = 0; i < PROCS; i++) {
        CHECK_ROUND(i);
        queue(rq, i, 0, ktest_random(&seed) % quantum);
        in[i] = true;
        CHECK_EQ(procs[i].queued, QUEUED_FAIR);
        CHECK_EQ(rq->count, i + 1);
    }
    for (unsigned n = PROCS; n > 0; n--) {
        unsigned first = take(rq);

        if (!CHECK_LT(first, PROCS) || !CHECK(in[first]))
            return;
        in[first] = false;
        for (unsigned i = 0; i < PROCS; i++)
            CHECK(!in[i] || procs[i].vtime >= procs[first].vtime);
    }
    CHECK(fair_first(rq) == NULL);
    CHECK_EQ(rq->count, 0);
}

/* To look is not to take. */
KTEST(fair_first_leaves_it)
{
    struct runq *rq = fresh();

    queue(rq, 0, 0, 5);
    queue(rq, 1, 0, 3);
    CHECK_EQ(fair_first(rq), &procs[1]);
    CHECK_EQ(fair_first(rq), &procs[1]);
    CHECK_EQ(rq->count, 2);
    CHECK_EQ(procs[1].queued, QUEUED_FAIR);
}

/* The group that is furthest behind goes first, whatever its processes are. */
KTEST(fair_groups_before_processes)
{
    struct runq *rq = fresh();

    groups[1].on[0].vtime = 100;
    groups[2].on[0].vtime = 50;
    queue(rq, 0, 1, 1);
    queue(rq, 1, 2, 900);
    queue(rq, 2, 2, 800);
    CHECK_EQ(take(rq), 2);
    CHECK_EQ(take(rq), 1);
    CHECK_EQ(take(rq), 0);
    CHECK_EQ(take(rq), PROCS);
}

/* A group's clock runs by its weight, on the CPU where its process ran. */
KTEST(fair_charge_by_weight)
{
    static const uint32_t weights[] = { 1, 50, 100, 200, 10000 };

    fresh();
    for (unsigned i = 0; i < ARRAY_LEN(weights); i++) {
        uint64_t before = procs[0].vtime;

        memset(groups[1].on, 0, sizeof groups[1].on);
        groups[1].weight = weights[i];
        procs[0].group = &groups[1];
        procs[0].cpu = 3;
        fair_charge(&procs[0], 1000000);
        CHECK_EQ(procs[0].vtime - before, 1000000);
        CHECK_EQ(groups[1].on[3].vtime, 100000000ul / weights[i]);
        CHECK_EQ(groups[1].on[0].vtime, 0);
    }
}

/* A process that slept starts a quantum behind the others and no more. */
KTEST(fair_late_comer)
{
    struct runq *rq = fresh();

    queue(rq, 0, 0, 0);
    CHECK_EQ(procs[0].vtime, 0); /* the floor is 0: nothing below it */
    take(rq);
    queue(rq, 0, 0, 100 * quantum);
    take(rq); /* the floor is there now */
    queue(rq, 1, 0, 0);
    CHECK_EQ(procs[1].vtime, 99 * quantum);
    queue(rq, 2, 0, 99 * quantum + 7);
    CHECK_EQ(procs[2].vtime, 99 * quantum + 7);
    queue(rq, 3, 0, 200 * quantum);
    CHECK_EQ(procs[3].vtime, 200 * quantum);
    CHECK_EQ(take(rq), 1);
    CHECK_EQ(take(rq), 2);
    CHECK_EQ(take(rq), 3);
}

/* So does a group that had no process here, but only then. */
KTEST(fair_late_group)
{
    struct runq *rq = fresh();

    groups[1].on[0].vtime = 100 * quantum;
    queue(rq, 0, 1, 0);
    CHECK_EQ(take(rq), 0);
    CHECK_EQ(rq->floor, 100 * quantum);
    queue(rq, 1, 2, 0);
    CHECK_EQ(groups[2].on[0].vtime, 99 * quantum);
    rq->floor = 500 * quantum;
    queue(rq, 2, 2, 0);
    CHECK_EQ(groups[2].on[0].vtime, 99 * quantum);
    CHECK_EQ(take(rq), 1);
    CHECK_EQ(take(rq), 2);
}

/*
 * Random weights, members and turns: at every moment no group's clock is
 * more than a turn away from another's, and no member's from its fellows'.
 * seeds: 4
 */
KTEST(fair_shares_follow_weights)
{
    static const uint32_t weights[] = { 50, 100, 200, 400 };
    struct runq *rq = fresh();
    uint64_t ran[GROUPS] = { 0 };

    for (unsigned g = 0; g < GROUPS; g++)
        groups[g].weight = weights[ktest_random(&seed) % 4];
    for (unsigned i = 0; i < PROCS; i++)
        queue(rq, i, i < GROUPS ? i : (unsigned)(ktest_random(&seed) % GROUPS),
                0);
    for (unsigned turn = 0; turn < 4000; turn++) {
        CHECK_ROUND(turn);
        uint64_t ticks = 1 + ktest_random(&seed) % quantum;
        unsigned i = take(rq);

        if (!CHECK_LT(i, PROCS))
            return;
        fair_charge(&procs[i], ticks);
        ran[procs[i].group - groups] += ticks;
        fair_add(rq, &procs[i]);
    }
    for (unsigned g = 0; g < GROUPS; g++) {
        uint64_t due = ran[g] * 100 / groups[g].weight;

        for (unsigned h = 0; h < GROUPS; h++)
            CHECK_LE(ran[h] * 100 / groups[h].weight, due + 4 * quantum);
    }
    for (unsigned i = 0; i < PROCS; i++)
        for (unsigned k = 0; k < PROCS; k++)
            CHECK(procs[i].group != procs[k].group ||
                    procs[i].vtime <= procs[k].vtime + 2 * quantum);
}
