/*
 * test_sched_smp.c - more CPUs than one: all work, and none remembers what
 * is unmapped.
 * cpus: 2 4 8
 * append: tick_us=100
 * limit: 1
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"
#include "mmu_test.h"

#define MS 1000000ul

static struct {
    volatile unsigned started, ended;
    volatile bool stop;
    uint32_t seen; /* bit n: CPU n has worked */
    struct spinlock lock;
    vaddr_t page;
    struct space *space;
    uint64_t late;
} work;

static bool
never(void *arg)
{
    (void)arg;
    return false;
}

static void
pause_ms(uint64_t ms)
{
    struct waitq q;

    waitq_init(&q, "pause");
    sleep(&q, never, NULL, rdtsc() + ns_to_tsc(ms * MS));
}

static void
begin(unsigned n, void (*fn)(void *))
{
    work.started = work.ended = 0;
    work.stop = false;
    work.seen = 0;
    for (uint64_t i = 0; i < n; i++)
        proc_ready(proc_kernel("worker", fn, (void *)i));
}

static void
end(unsigned n)
{
    work.stop = true;
    for (unsigned i = 0; work.ended < n && i < 1000; i++)
        pause_ms(1);
    CHECK_EQ(work.ended, n);
}

static void
note_cpu(void)
{
    __atomic_or_fetch(&work.seen, 1u << this_cpu()->id, __ATOMIC_SEQ_CST);
}

static void
busy(void *arg)
{
    (void)arg;
    intr_on();
    while (!work.stop) {
        note_cpu();
        cpu_pause();
        if (this_cpu()->resched)
            sched_yield();
    }
    __atomic_add_fetch(&work.ended, 1, __ATOMIC_SEQ_CST);
}

/* As many CPUs as the machine has are counted, online, and work. */
KTEST(cpus_all_work)
{
    uint32_t ids[MAX_CPUS];
    unsigned n = acpi_cpus(ids);

    CHECK_EQ(ncpu, n);
    begin(2 * n, busy);
    for (unsigned i = 0; i < 200 && work.seen != (1u << n) - 1; i++)
        pause_ms(1);
    CHECK_EQ(work.seen, (1u << n) - 1);
    for (unsigned i = 0; i < n; i++) {
        CHECK_EQ(cpus[i].id, i);
        CHECK(cpus[i].online);
    }
    end(2 * n);
}

/*
 * `cpus=` of the command line: no more are started, none is counted twice.
 * cpus: 4
 * append: cpus=3 tick_us=100
 */
KTEST(cpus_as_told)
{
    CHECK_EQ(ncpu, 3);
    begin(6, busy);
    pause_ms(30);
    CHECK_EQ(work.seen, 7);
    CHECK(!cpus[3].online);
    end(6);
}

/* ---- shoot-down ---- */

/* Read the page until it is gone; count reads that come after that. */
static void
reader(void *arg)
{
    struct proc *p = proc_current();
    uint64_t word;

    (void)arg;
    intr_on();
    proc_use_space(p, work.space);
    __atomic_add_fetch(&work.started, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        bool gone = work.stop;

        note_cpu();
        if (copy_in(&word, work.page, sizeof word) < 0)
            break;
        if (gone && !CHECK_EQ(word, 0)) /* it reads what is no more */
            break;
        if (this_cpu()->resched)
            sched_yield();
    }
    proc_use_space(p, NULL);
    __atomic_add_fetch(&work.ended, 1, __ATOMIC_SEQ_CST);
}

/* A page that is unmapped on one CPU is gone on all of them. */
KTEST(tlb_unmapped_everywhere)
{
    struct proc *self = proc_current();
    uint64_t word;

    work.space = space_new();
    work.page = at(0);
    CHECK_EQ(add(work.space, 0, 1, RW, &anon_region), 0);
    proc_use_space(self, work.space);
    poke(work.page, 77);
    begin(ncpu, reader);
    while (work.started < ncpu)
        pause_ms(1);
    for (unsigned i = 0; i < 100 && work.seen != (1u << ncpu) - 1; i++)
        pause_ms(1);
    CHECK_EQ(region_remove(work.space, at(0), at(1)), 0);
    work.stop = true;
    CHECK_EQ(copy_in(&word, work.page, sizeof word), -E_BADADDR);
    end(ncpu);
    proc_use_space(self, NULL);
    space_free(work.space);
}

static void
flusher(void *arg)
{
    (void)arg;
    intr_on();
    for (unsigned i = 0; i < 300; i++) {
        spin_lock(&work.lock);
        tlb_flush(NULL, 0xffff800000000000, 0xffff800000001000);
        spin_unlock(&work.lock);
        note_cpu();
        if (i % 8 == 0)
            sched_yield();
    }
    __atomic_add_fetch(&work.ended, 1, __ATOMIC_SEQ_CST);
}

/* A CPU that waits for a lock, interrupts off, answers its holder's flush. */
KTEST(tlb_flush_under_a_lock)
{
    spin_init(&work.lock, RANK_PROC, "test");
    begin(2 * ncpu, flusher);
    end(2 * ncpu);
    CHECK(work.seen & (work.seen - 1)); /* two CPUs at least */
    CHECK_GT(cpus[0].shootdowns + cpus[1].shootdowns, 0);
}
