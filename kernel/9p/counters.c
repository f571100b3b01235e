/*
 * counters.c - files of #c that count: the CPUs' events, memory, and the CPU
 * time of the process that asks.
 *
 * The kernel's own counters only ever grow.  To clear them is to remember what
 * they are now, and to show the difference from then on.
 */
#include "9p/private.h"
#include "boot/x86_64/x86.h"

enum {
    FIELD = 12, /* a number and a blank */
    COUNTS = 8, /* of a CPU */
};

static uint64_t cleared[MAX_CPUS][COUNTS]; /* [cleared_lock] */
static struct spinlock cleared_lock = SPINLOCK_INIT(RANK_DEVICE, "sysstat");

static void
count(const struct cpu *s, uint64_t counts[COUNTS])
{
    counts[0] = s->switches;
    counts[1] = s->interrupts;
    counts[2] = s->syscalls;
    counts[3] = s->faults;
    counts[4] = s->cr3_loads;
    counts[5] = s->shootdowns;
    counts[6] = s->traps;
    counts[7] = s->idle_ns;
}

/* What has been counted since they were cleared last. */
static void
count_since(unsigned cpu, uint64_t counts[COUNTS])
{
    spin_lock(&cleared_lock);
    count(&cpus[cpu], counts);
    for (unsigned i = 0; i < COUNTS; i++)
        counts[i] -= cleared[cpu][i];
    spin_unlock(&cleared_lock);
}

int64_t
sysstat_read(struct chan *c, struct io *to, uint64_t offset)
{
    enum {
        ROW = (COUNTS + 1) * FIELD + 1
    };
    char *text = kmalloc(MAX_CPUS * ROW + 1);
    uint64_t n[COUNTS];
    int64_t len = 0;

    (void)c;
    if (!text)
        return -E_NOMEM;
    for (unsigned i = 0; i < ncpu; i++) {
        count_since(i, n);
        len += snprint(text + len, ROW + 1,
                "%11u %11lu %11lu %11lu %11lu %11lu %11lu %11lu %11lu \n", i,
                n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7] / 1000000);
    }
    len = io_put_text(to, offset, text, (size_t)len);
    kfree(text);
    return len;
}

/* Whatever is written clears them, of all CPUs. */
int64_t
sysstat_write(struct chan *c, struct io *from, uint64_t offset)
{
    (void)c, (void)offset;
    spin_lock(&cleared_lock);
    for (unsigned i = 0; i < ncpu; i++)
        count(&cpus[i], cleared[i]);
    spin_unlock(&cleared_lock);
    return (int64_t)from->left;
}

int64_t
swap_read(struct chan *c, struct io *to, uint64_t offset)
{
    struct mem_counters m;
    char text[128];
    int n;

    (void)c;
    kheap_trim(); /* free, though at hand */
    frame_counters(&m);
    n = snprint(text, sizeof text,
            "%lu memory\n%lu pagesize\n%lu kernel\n%lu/%lu user\n",
            m.total * PAGE_SIZE, PAGE_SIZE, m.kernel, m.used, m.total);
    return io_put_text(to, offset, text, (size_t)n);
}

int64_t
cputime_read(struct chan *c, struct io *to, uint64_t offset)
{
    struct proc *p = proc_current();
    uint64_t user, sys, ended[3];
    char text[CPUTIME_LENGTH + 1];
    int n;

    (void)c;
    intr_off();
    sched_charge(p, rdtsc()); /* up to this moment */
    intr_on();
    proc_times(p, &user, &sys);
    spin_lock(&proctab_lock); /* children may end */
    ended[0] = p->ended.user_ns;
    ended[1] = p->ended.sys_ns;
    ended[2] = p->ended.real_ns;
    spin_unlock(&proctab_lock);
    n = snprint(text, sizeof text, "%11lu %11lu %11lu %11lu %11lu %11lu ",
            user / 1000000, sys / 1000000, (clock_ns() - p->born_ns) / 1000000,
            ended[0] / 1000000, ended[1] / 1000000, ended[2] / 1000000);
    return io_put_text(to, offset, text, (size_t)n);
}
