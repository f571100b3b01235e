/*
 * fair.c - fair share by weight: who of the fair class runs next.
 *
 * Virtual time is CPU time used.  A group's runs slower the more weight the
 * group has; inside a group all processes weigh the same.  The one that is
 * furthest behind goes first, so over time groups get CPU in proportion to
 * their weights, however many processes each has.
 *
 * Who slept has a small virtual time and could run alone until it has caught
 * up.  So it is raised, when queued, to at most one quantum behind the rest.
 * The rest is at the floor: of a CPU for its groups, of a group on a CPU for
 * its processes.  Each CPU's clocks run on their own; who moves keeps its
 * distance to the floor.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

struct sched_group groups[MAX_GROUPS];

static struct spinlock group_lock = SPINLOCK_INIT(RANK_GROUP, "groups");
static uint64_t quantum_ticks;

void
fair_init(void)
{
    quantum_ticks = ns_to_tsc(QUANTUM_NS);
    groups[0].weight = DEFAULT_WEIGHT;
    groups[0].refs = 1; /* never goes */
}

/*
 * CPU time to a group's virtual time: as much as it is, at weight 100
 * (DEFAULT_WEIGHT), half of it at weight 200.
 *
 * Lab 3.3
 */
static uint64_t
weighted(const struct sched_group *g, uint64_t ticks)
{
    return ticks * DEFAULT_WEIGHT / g->weight;
}

/*
 * A late comer starts at most a quantum behind the others: vtime, or the
 * floor less quantum_ticks if that is more.  Floors begin at 0 and no time
 * is negative.
 *
 * Lab 3.3
 */
static uint64_t
not_far_behind(uint64_t vtime, uint64_t floor)
{
    uint64_t low = floor > quantum_ticks ? floor - quantum_ticks : 0;

    return vtime < low ? low : vtime;
}

/* A floor never falls: else each late comer would be put behind the last. */
static void
raise(uint64_t *floor, uint64_t vtime)
{
    if (*floor < vtime)
        *floor = vtime;
}

/*
 * The floor is where the last one picked was.  Who runs alone is not picked
 * again, and yet the time it takes must not count against it when others
 * come: the floor goes along.
 */
static void
raise_floors(struct runq *rq)
{
    const struct proc *running = cpus[rq - runqs].proc;
    struct group_queue *gq = &running->group->on[rq - runqs];
    uint64_t ticks;

    if (running->is_idle || running->edf)
        return;
    ticks = rdtsc() - running->ran_from;
    if (!rq->groups)
        raise(&rq->floor, gq->vtime + weighted(running->group, ticks));
    if (!heap_first(&gq->procs))
        raise(&gq->floor, running->vtime + ticks);
}

/* p, in no queue, is on another CPU from now on. */
void
fair_move(struct proc *p, unsigned cpu)
{
    if (p->cpu == cpu)
        return;

    uint64_t from = p->group->on[p->cpu].floor;
    uint64_t to = p->group->on[cpu].floor;

    p->vtime = p->vtime + to > from ? p->vtime + to - from : 0;
    p->cpu = cpu;
}

/*
 * Queue p on rq.
 *
 * Needs: p is in no queue; the caller holds rq->lock.
 * On return: p is in its group's heap by its virtual time; its group's bit in
 * rq->groups is set; p->queued and rq->count say so.  The floors are where
 * they belong now, not where the last pick left them: raise_floors.
 * Nobody gains by coming late: p's virtual time is at most a quantum below
 * its group's floor.  The same holds for the group's, below the floor of the
 * CPU, if none of its processes was queued here.
 *
 * Lab 3.3
 */
void
fair_add(struct runq *rq, struct proc *p)
{
    struct sched_group *g = p->group;
    struct group_queue *gq = &g->on[rq - runqs];
    uint64_t bit = 1ul << group_id(g);

    raise_floors(rq);
    if (!(rq->groups & bit)) {
        gq->vtime = not_far_behind(gq->vtime, rq->floor);
        rq->groups |= bit;
    }
    p->vtime = not_far_behind(p->vtime, gq->floor);
    p->runq_node.key = p->vtime;
    p->queued = QUEUED_FAIR;
    heap_insert(&gq->procs, &p->runq_node);
    rq->count++;
}

/*
 * A new process of this CPU goes behind all who wait here for a turn.  If it
 * began where they are, a crowd that only forks and dies would be served
 * before everyone who has run for longer: a fork bomb's guard, say.
 */
void
fair_newcomer(struct proc *p)
{
    p->vtime = p->group->on[this_cpu()->id].floor + quantum_ticks;
}

void
fair_remove(struct runq *rq, struct proc *p)
{
    struct group_queue *gq = &p->group->on[rq - runqs];

    heap_remove(&gq->procs, &p->runq_node);
    p->queued = NOT_QUEUED;
    rq->count--;
    if (!heap_first(&gq->procs))
        rq->groups &= ~(1ul << group_id(p->group));
}

/*
 * The queue of the group with the smallest virtual time on rq's CPU, of the
 * groups that have somebody queued there; there is one.
 *
 * Lab 3.3
 */
static struct group_queue *
first_group(struct runq *rq)
{
    struct group_queue *best = NULL;

    for (uint64_t left = rq->groups; left; left &= left - 1) {
        unsigned id = (unsigned)__builtin_ctzl(left);
        struct group_queue *gq = &groups[id].on[rq - runqs];

        if (!best || gq->vtime < best->vtime)
            best = gq;
    }
    return best;
}

/*
 * Whom the fair class would run next: in the group that is furthest behind
 * the process that is; NULL if nobody is queued.  It stays in its queue.  The
 * floors of the run queue and of the group rise to where these two are, and
 * never fall.  The caller holds rq->lock.
 *
 * Lab 3.3
 */
struct proc *
fair_first(struct runq *rq)
{
    if (!rq->groups)
        return NULL;

    struct group_queue *gq = first_group(rq);
    struct proc *p =
            CONTAINER_OF(heap_first(&gq->procs), struct proc, runq_node);

    raise(&rq->floor, gq->vtime);
    raise(&gq->floor, p->vtime);
    return p;
}

/*
 * p ran for `ticks` on CPU p->cpu: its virtual time moves by as much, that of
 * its group on this CPU by less the more weight the group has.
 *
 * Lab 3.3
 */
void
fair_charge(struct proc *p, uint64_t ticks)
{
    p->vtime += ticks;
    p->group->on[p->cpu].vtime += weighted(p->group, ticks);
}

/* Whether p, just woken, should take the CPU from a running fair process:
 * only if it is so far behind that the switch is worth it. */
bool
fair_before(const struct proc *p, const struct proc *running)
{
    const struct group_queue *mine = &p->group->on[running->cpu];
    const struct group_queue *other = &running->group->on[running->cpu];
    uint64_t ticks = rdtsc() - running->ran_from; /* not charged so far */
    uint64_t slack = quantum_ticks / 8;

    if (p->group == running->group)
        return p->vtime + slack < running->vtime + ticks;
    return mine->vtime + weighted(p->group, slack) <
           other->vtime + weighted(running->group, ticks);
}

/* A process that another CPU may run: one whose registers are saved. */
struct proc *
fair_stealable(struct runq *rq)
{
    for (uint64_t left = rq->groups; left; left &= left - 1) {
        unsigned id = (unsigned)__builtin_ctzl(left);
        struct heap_node *n = heap_first(&groups[id].on[rq - runqs].procs);

        for (; n; n = n->child) { /* any will do: look down one path */
            struct proc *p = CONTAINER_OF(n, struct proc, runq_node);

            if (!p->edf && !__atomic_load_n(&p->on_cpu, __ATOMIC_ACQUIRE))
                return p;
        }
    }
    return NULL;
}

struct sched_group *
group_default(void)
{
    return &groups[0];
}

unsigned
group_id(const struct sched_group *g)
{
    return (unsigned)(g - groups);
}

void
group_ref(struct sched_group *g)
{
    spin_lock(&group_lock);
    g->refs++;
    spin_unlock(&group_lock);
}

void
group_unref(struct sched_group *g)
{
    spin_lock(&group_lock);
    g->refs--;
    spin_unlock(&group_lock);
}

/*
 * Move the running process to a new group with a weight of 1 to 10000 (the
 * first group has 100); children made later are in it too.  The group goes
 * with its last process.  Its number, -E_BADARG, -E_MAXGROUP.
 */
int
group_enter_new(uint64_t weight)
{
    struct proc *p = proc_current();
    struct sched_group *old = p->group, *found = NULL;

    if (weight < 1 || weight > MAX_WEIGHT)
        return -E_BADARG;
    spin_lock(&group_lock);
    for (unsigned i = 1; i < MAX_GROUPS && !found; i++)
        if (groups[i].refs == 0)
            found = &groups[i];
    if (found) {
        found->refs = 1;
        found->weight = (uint32_t)weight;
        for (unsigned i = 0; i < MAX_CPUS; i++)
            found->on[i] = (struct group_queue){
                .vtime = old->on[i].vtime, /* a new name wins no time */
                .floor = old->on[i].floor,
            };
        old->refs--;
        p->group = found; /* it runs, so it is in no queue */
    }
    spin_unlock(&group_lock);
    return found ? (int)group_id(found) : -E_MAXGROUP;
}
