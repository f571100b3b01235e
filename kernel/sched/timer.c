/*
 * timer.c - one-shot timers: a heap of them per CPU, and the one hardware
 * timer that serves the first of them and the end of the quantum.
 *
 * A timer stays on the CPU that armed it.  `running` names the timer whose
 * function is being called, so that timer_cancel on another CPU can wait
 * until its memory is no longer looked at.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

struct timer_cpu {
    struct spinlock lock; /* RANK_TIMER */
    struct heap heap;
    struct timer *running;
    uint64_t hardware; /* TSC at which the interrupt comes; NEVER: none */
} __attribute__((aligned(64)));

#define NEVER UINT64_MAX

static struct timer_cpu timers[MAX_CPUS];

/*
 * `tick_us=` of the command line: each CPU is interrupted at least that
 * often, idle or not.  Lux9 needs no tick; record and replay under QEMU do,
 * and QEMU's CPUs that take turns change turns at timer interrupts.
 */
enum {
    MIN_TICK_US = 50, /* leaves time for something else */
    MAX_TICK_US = 1000000
};
static uint64_t tick; /* TSC ticks; 0: none */

void
timer_init(void)
{
    uint64_t us = cmdline_number("tick_us", 0);

    if (us > MAX_TICK_US)
        us = MAX_TICK_US;
    if (us > 0)
        tick = ns_to_tsc((us < MIN_TICK_US ? MIN_TICK_US : us) * 1000);
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        spin_init(&timers[i].lock, RANK_TIMER, "timers");
        timers[i].hardware = NEVER;
    }
}

void
timer_need(uint64_t when)
{
    bool were_on = intr_enabled();

    intr_off();

    struct timer_cpu *tc = &timers[this_cpu()->id];

    if (when < tc->hardware) {
        tc->hardware = when;
        apic_timer_set(clock_tsc_to_apic(when, rdtsc()));
    }
    if (were_on)
        intr_on();
}

/* The first tick, and each next one. */
void
timer_init_cpu(void)
{
    if (tick > 0)
        timer_need(rdtsc() + tick);
}

void
timer_arm(struct timer *t, uint64_t when, void (*fn)(void *), void *arg)
{
    bool were_on = intr_enabled();

    intr_off(); /* stay on this CPU */

    struct timer_cpu *tc = &timers[this_cpu()->id];

    spin_lock(&tc->lock);
    assert(!t->armed);
    t->node.key = when;
    t->fn = fn;
    t->arg = arg;
    t->cpu = this_cpu()->id;
    t->armed = true;
    heap_insert(&tc->heap, &t->node);
    spin_unlock(&tc->lock);
    timer_need(when);
    if (were_on)
        intr_on();
}

bool
timer_cancel(struct timer *t)
{
    struct timer_cpu *tc = &timers[t->cpu];
    bool was_armed;

    spin_lock(&tc->lock);
    while (tc->running == t) { /* only ever on another CPU */
        spin_unlock(&tc->lock);
        cpu_pause();
        spin_lock(&tc->lock);
    }
    was_armed = t->armed;
    if (was_armed) {
        heap_remove(&tc->heap, &t->node);
        t->armed = false;
    }
    spin_unlock(&tc->lock);
    return was_armed;
}

/* Take out the first timer if it is due; NULL: none is. */
static struct timer *
take_due(struct timer_cpu *tc, uint64_t now)
{
    struct heap_node *first = heap_first(&tc->heap);

    if (!first || first->key > now)
        return NULL;

    struct timer *t = CONTAINER_OF(first, struct timer, node);

    heap_remove(&tc->heap, first);
    t->armed = false;
    tc->running = t;
    return t;
}

void
timer_interrupt(void)
{
    struct timer_cpu *tc = &timers[this_cpu()->id];
    struct timer *t;
    uint64_t next;

    tc->hardware = NEVER;
    spin_lock(&tc->lock);
    while ((t = take_due(tc, rdtsc()))) {
        void (*fn)(void *) = t->fn;
        void *arg = t->arg;

        spin_unlock(&tc->lock);
        fn(arg);
        spin_lock(&tc->lock);
        tc->running = NULL;
    }
    next = heap_first(&tc->heap) ? heap_first(&tc->heap)->key : NEVER;
    spin_unlock(&tc->lock);
    if (next != NEVER)
        timer_need(next);
    timer_init_cpu();
}
