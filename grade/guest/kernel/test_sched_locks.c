/*
 * test_sched_locks.c - spinlocks, queue locks, reader-writer locks and the
 * pairing heap, from inside.
 */
#include "sched/process.h"
#include "boot/x86_64/x86.h"

/*
 * Interrupts stay off until the outermost lock is given back, and then are as
 * they were before it.
 * append: early
 */
KTEST(spinlock_interrupts_nest)
{
    struct spinlock outer, inner;

    spin_init(&outer, RANK_GROUP, "outer");
    spin_init(&inner, RANK_CONSOLE, "inner");
    intr_on();
    spin_lock(&outer);
    CHECK(!intr_enabled());
    spin_lock(&inner);
    spin_unlock(&inner);
    CHECK(!intr_enabled());
    spin_unlock(&outer);
    CHECK(intr_enabled());
    intr_off();
    spin_lock(&outer);
    spin_unlock(&outer);
    CHECK(!intr_enabled()); /* as it was before */
    intr_on();
}

/*
 * A lock of a smaller rank than one held is refused, before any waiting.
 * append: early
 * limit: 3
 * panic: low (RANK_GROUP) taken while ranks RANK_CONSOLE are held
 */
KTEST(spinlock_wrong_rank)
{
    struct spinlock low, high;

    spin_init(&low, RANK_GROUP, "low");
    spin_init(&high, RANK_CONSOLE, "high");
    spin_lock(&high);
    spin_lock(&low);
}

/*
 * A process that gives the CPU away with locks held is told which.
 * append: early
 * limit: 3
 * panic: while it holds spinlocks: RANK_PROC, RANK_HEAP
 */
KTEST(spinlock_held_over_a_switch)
{
    struct spinlock outer, inner;

    spin_init(&outer, RANK_PROC, "outer");
    spin_init(&inner, RANK_HEAP, "inner");
    spin_lock(&outer);
    spin_lock(&inner);
    sched_yield();
}

/* Each rank has a name. */
KTEST(spinlock_names_of_ranks)
{
    char text[16];

    for (unsigned r = 0; r < RANK_COUNT; r++)
        CHECK(strncmp(lock_ranks_text(1u << r, text, sizeof text), "RANK_",
                      5) == 0);
    CHECK(strcmp(lock_ranks_text(0, text, sizeof text), "none") == 0);
}

/*
 * Two locks of one rank are never held together.
 * append: early
 * limit: 3
 * panic: taken while ranks
 */
KTEST(spinlock_same_rank)
{
    struct spinlock a, b;

    spin_init(&a, RANK_PROC, "a");
    spin_init(&b, RANK_PROC, "b");
    spin_lock(&a);
    spin_lock(&b);
}

/*
 * To take a lock that one holds is a panic, not a hang.
 * append: early
 * limit: 3
 * panic: this CPU holds it already
 */
KTEST(spinlock_twice)
{
    struct spinlock a;

    spin_init(&a, RANK_PROC, "a");
    spin_lock(&a);
    spin_lock(&a);
}

/*
 * Only the CPU that holds a lock gives it back.
 * append: early
 * limit: 3
 * panic: not held by this CPU
 */
KTEST(spinlock_unlock_free)
{
    struct spinlock a;

    spin_init(&a, RANK_PROC, "a");
    spin_unlock(&a);
}

/*
 * While locks are held, they and the CPU say which; afterwards nothing is left.
 * append: early
 */
KTEST(spinlock_books)
{
    struct spinlock outer, inner;
    struct cpu *cpu = this_cpu();

    spin_init(&outer, RANK_PROC, "outer");
    spin_init(&inner, RANK_HEAP, "inner");
    CHECK_EQ(cpu->lock_ranks, 0);
    spin_lock(&outer);
    CHECK_EQ(cpu->lock_ranks, 1u << RANK_PROC);
    CHECK_EQ(outer.holder, cpu);
    spin_lock(&inner);
    CHECK_EQ(cpu->lock_ranks, 1u << RANK_PROC | 1u << RANK_HEAP);
    CHECK_EQ(cpu->lock_depth, 2);
    spin_unlock(&outer); /* in any order */
    CHECK_EQ(cpu->lock_ranks, 1u << RANK_HEAP);
    CHECK_EQ(outer.holder, NULL);
    spin_unlock(&inner);
    CHECK_EQ(cpu->lock_ranks, 0);
    CHECK_EQ(cpu->lock_depth, 0);
    spin_lock(&outer); /* free again */
    spin_unlock(&outer);
}

/*
 * Tickets are numbers of 32 bits: after the largest comes 0.
 * append: early
 */
KTEST(spinlock_tickets_wrap)
{
    struct spinlock a;

    spin_init(&a, RANK_PROC, "a");
    a.next = a.serving = UINT32_MAX - 1;
    for (unsigned i = 0; i < 4; i++) {
        spin_lock(&a);
        CHECK_EQ(a.next, (uint32_t)(UINT32_MAX + i));
        CHECK_EQ(a.serving, (uint32_t)(UINT32_MAX - 1 + i));
        spin_unlock(&a);
    }
    CHECK_EQ(a.serving, 2);
}

/* What several kernel processes do to shared state, and its bookkeeping. */
static struct {
    struct spinlock spin;
    struct qlock q;
    struct rwlock rw;
    struct waitq done;
    unsigned finished, expected;
    uint64_t plain, inside, worst, order[16], norder;
} shared;

static bool
all_finished(void *arg)
{
    (void)arg;
    return shared.finished == shared.expected;
}

static void
finish(void)
{
    spin_lock(&shared.done.lock);
    shared.finished++;
    wakeup_locked(&shared.done);
    spin_unlock(&shared.done.lock);
}

/* Run fn in n kernel processes, each given its number, and wait for all. */
static void
run_processes(unsigned n, void (*fn)(void *))
{
    shared.finished = 0;
    shared.expected = n;
    waitq_init(&shared.done, "test");
    for (unsigned i = 0; i < n; i++) {
        struct proc *p = proc_kernel("worker", fn, (void *)(uint64_t)i);

        if (!p)
            panic("run_processes: no memory");
        proc_ready(p);
    }
    CHECK_EQ(sleep(&shared.done, all_finished, NULL, 0), 0);
}

enum {
    WORKERS = 8,
    ROUNDS = 400
};

/* Read, wait a little, write: loses counts unless a lock keeps others out. */
static void
slow_increment(void)
{
    uint64_t value = *(volatile uint64_t *)&shared.plain;

    for (unsigned i = value % 7; i > 0; i--)
        cpu_pause();
    *(volatile uint64_t *)&shared.plain = value + 1;
}

static void
spin_worker(void *arg)
{
    (void)arg;
    intr_on();
    for (unsigned i = 0; i < ROUNDS; i++) {
        spin_lock(&shared.spin);
        slow_increment();
        spin_unlock(&shared.spin);
        if (i % 16 == 0)
            sched_yield();
    }
    finish();
}

/* cpus: 1 2 4 8 */
KTEST(spinlock_excludes)
{
    spin_init(&shared.spin, RANK_QLOCK, "test");
    shared.plain = 0;
    run_processes(WORKERS, spin_worker);
    CHECK_EQ(shared.plain, WORKERS * ROUNDS);
}

static void
qlock_worker(void *arg)
{
    (void)arg;
    intr_on();
    for (unsigned i = 0; i < ROUNDS / 4; i++) {
        qlock(&shared.q);
        slow_increment();
        if (i % 3 == 0)
            sched_yield(); /* with the lock held */
        slow_increment();
        qunlock(&shared.q);
    }
    finish();
}

/* cpus: 1 2 4 8 */
KTEST(qlock_excludes)
{
    qlock_init(&shared.q, "test");
    shared.plain = 0;
    run_processes(WORKERS, qlock_worker);
    CHECK_EQ(shared.plain, WORKERS * (ROUNDS / 4) * 2);
    CHECK(qlock_try(&shared.q));
    CHECK(!qlock_try(&shared.q));
    qunlock(&shared.q);
}

static void
queue_worker(void *arg)
{
    intr_on();
    while (__atomic_load_n(&shared.norder, __ATOMIC_SEQ_CST) != (uint64_t)arg)
        sched_yield();
    __atomic_add_fetch(&shared.norder, 1, __ATOMIC_SEQ_CST);
    qlock(&shared.q);
    shared.order[shared.plain++] = (uint64_t)arg;
    qunlock(&shared.q);
    finish();
}

/* Each starts to wait after the one before: they must get it in that order. */
KTEST(qlock_is_fifo)
{
    struct proc *p;

    qlock_init(&shared.q, "test");
    shared.plain = shared.norder = 0;
    qlock(&shared.q);
    waitq_init(&shared.done, "test");
    shared.finished = 0;
    shared.expected = WORKERS;
    for (uint64_t i = 0; i < WORKERS; i++) {
        p = proc_kernel("worker", queue_worker, (void *)i);
        proc_ready(p);
    }
    while (__atomic_load_n(&shared.norder, __ATOMIC_SEQ_CST) < WORKERS)
        sched_yield();
    for (unsigned i = 0; i < 3; i++)
        sched_yield(); /* let the last one reach the queue */
    qunlock(&shared.q);
    CHECK_EQ(sleep(&shared.done, all_finished, NULL, 0), 0);
    for (uint64_t i = 0; i < WORKERS; i++)
        CHECK_EQ(shared.order[i], i);
}

static void
rw_worker(void *arg)
{
    bool writer = (uint64_t)arg % 4 == 0;

    intr_on();
    for (unsigned i = 0; i < ROUNDS / 8; i++) {
        if (writer) {
            write_lock(&shared.rw);
            CHECK_EQ(__atomic_add_fetch(&shared.inside, 1000, __ATOMIC_SEQ_CST),
                    1000);
            sched_yield();
            slow_increment();
            __atomic_sub_fetch(&shared.inside, 1000, __ATOMIC_SEQ_CST);
            write_unlock(&shared.rw);
        } else {
            uint64_t n;

            read_lock(&shared.rw);
            n = __atomic_add_fetch(&shared.inside, 1, __ATOMIC_SEQ_CST);
            CHECK_LT(n, 1000);
            if (n > shared.worst)
                shared.worst = n;
            for (unsigned k = 0; k < 20; k++)
                cpu_pause();
            sched_yield();
            __atomic_sub_fetch(&shared.inside, 1, __ATOMIC_SEQ_CST);
            read_unlock(&shared.rw);
        }
    }
    finish();
}

/* cpus: 1 2 4 8 */
KTEST(rwlock_many_readers_one_writer)
{
    rwlock_init(&shared.rw, "test");
    shared.plain = shared.inside = shared.worst = 0;
    run_processes(WORKERS, rw_worker);
    CHECK_EQ(shared.inside, 0);
    CHECK_EQ(shared.plain, WORKERS / 4 * (ROUNDS / 8));
    CHECK_GT(shared.worst, 1); /* readers were in together */
}

static struct qlock first, second;

static void
other_order(void *arg)
{
    (void)arg;
    intr_on();
    qlock(&second);
    while (!first.holder)
        sched_yield();
    qlock(&first); /* whose holder is about to want `second` */
    qunlock(&first);
    qunlock(&second);
}

/*
 * kernel: debug
 * panic: deadlock: process
 */
KTEST(qlock_deadlock_found)
{
    struct proc *p = proc_kernel("other", other_order, NULL);

    qlock_init(&first, "first");
    qlock_init(&second, "second");
    proc_ready(p);
    while (!second.holder)
        sched_yield();
    qlock(&first);
    for (unsigned i = 0; i < 5; i++)
        sched_yield();
    qlock(&second);
}

/* Random inserts and removals against a plain array. */
KTEST(heap_against_model)
{
    enum {
        N = 64
    };
    static struct heap_node nodes[N];
    static bool in[N];
    struct heap h = { 0 };

    for (unsigned step = 0; step < 5000; step++) {
        CHECK_ROUND(step);
        unsigned i = ktest_random(&seed) % N;
        uint64_t least = UINT64_MAX;

        if (in[i]) {
            heap_remove(&h, &nodes[i]);
        } else {
            nodes[i].key = ktest_random(&seed) % 50;
            heap_insert(&h, &nodes[i]);
        }
        in[i] = !in[i];
        for (unsigned k = 0; k < N; k++)
            if (in[k] && nodes[k].key < least)
                least = nodes[k].key;
        if (least == UINT64_MAX)
            CHECK(heap_first(&h) == NULL);
        else if (!CHECK_EQ(heap_first(&h)->key, least))
            return;
    }
}
