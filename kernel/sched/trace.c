/*
 * trace.c - the trace ring: what each CPU did lately.
 *
 * Each CPU writes its own ring with interrupts off for a few instructions,
 * so there is no lock and no event is torn.  Old events are overwritten.
 * While tracing is off the cost is one test per TRACE.
 */
#include "sched/process.h"
#include "boot/x86_64/x86.h"

enum {
    RING_ORDER = 6,
    RING_EVENTS = TRACE_KEPT
}; /* 2^6 pages / 32 bytes */

_Static_assert(
        sizeof(struct trace_record) * RING_EVENTS == PAGE_SIZE << RING_ORDER,
        "the ring fills its pages");

bool trace_enabled;

static struct trace_record *rings[MAX_CPUS];
static uint64_t heads[MAX_CPUS]; /* events ever written, by CPU */

void
trace_add(enum trace_event event, uint64_t a, uint64_t b)
{
    bool were_on = intr_enabled();

    intr_off();

    struct cpu *cpu = this_cpu();
    uint64_t n = heads[cpu->id]++;
    struct trace_record *r = &rings[cpu->id][n % RING_EVENTS];

    *r = (struct trace_record){ .tsc = rdtsc(),
        .pid = cpu->proc ? cpu->proc->pid : 0,
        .cpu = (uint8_t)cpu->id,
        .event = (uint8_t)event,
        .a = a,
        .b = b };
    if (were_on)
        intr_on();
}

int
trace_start(void)
{
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        paddr_t pa;

        if (rings[i] || i >= ncpu)
            continue;
        pa = pages_alloc(RING_ORDER);
        if (!pa)
            return -E_NOMEM;
        rings[i] = pa_to_kva(pa);
    }
    __atomic_store_n(&trace_enabled, true, __ATOMIC_RELEASE);
    return 0;
}

uint64_t
trace_count(unsigned cpu)
{
    return __atomic_load_n(&heads[cpu], __ATOMIC_ACQUIRE);
}

/* It is copied first and believed if nothing has been written over it then. */
bool
trace_get(unsigned cpu, uint64_t n, struct trace_record *r)
{
    if (!rings[cpu] || n >= trace_count(cpu))
        return false;
    *r = rings[cpu][n % RING_EVENTS];
    return n + RING_EVENTS > trace_count(cpu);
}

void
trace_pause(void)
{
    __atomic_store_n(&trace_enabled, false, __ATOMIC_RELEASE);
}

/* Name every process, so that the picture can. */
static void
record_names(void)
{
    spin_lock(&proctab_lock);
    for (struct proc *p = proc_next(0); p; p = proc_next(p->pid))
        record_printf("procname", "%u %s", p->pid, p->name);
    spin_unlock(&proctab_lock);
}

void
trace_stop(void)
{
    enum {
        CHUNK = 512
    }; /* events a record */

    if (!trace_enabled)
        return;
    trace_pause();
    record_printf("tracehz", "%lu", ns_to_tsc(1000000000));
    record_names();
    for (unsigned i = 0; i < ncpu; i++) {
        uint64_t from = heads[i] > RING_EVENTS ? heads[i] - RING_EVENTS : 0;

        while (from < heads[i]) {
            uint64_t at = from % RING_EVENTS, n = heads[i] - from;

            if (n > CHUNK)
                n = CHUNK;
            if (n > RING_EVENTS - at)
                n = RING_EVENTS - at;
            record("trace", &rings[i][at], n * sizeof rings[i][0]);
            from += n;
        }
    }
}
