/*
 * sys_sched.c - system calls about time, meeting and scheduling.
 */
#include "sched/syscall.h"
#include "boot/x86_64/x86.h"

/* A deadline `ns` from now, TSC; never 0, which means none. */
static uint64_t
deadline_in(uint64_t ns)
{
    uint64_t ticks = ns_to_tsc(ns), now = rdtsc();

    return ticks > UINT64_MAX - now ? UINT64_MAX : now + ticks;
}

int64_t
sys_nsec(void)
{
    return (int64_t)clock_ns();
}

int64_t
sys_yield(void)
{
    sched_yield();
    return 0;
}

int64_t
sys_sleep(uint64_t ns)
{
    struct proc *p = proc_current();
    uint64_t until = deadline_in(ns);
    int err = 0;

    while (err == 0) {
        spin_lock(&p->own_lock);
        err = proc_block(&p->own_lock, "sleep", PROC_INTERRUPTIBLE, until);
    }
    return err == -E_TIMEOUT ? 0 : err;
}

static void
alarm_rings(void *arg)
{
    note_post_bit(arg, NOTE_BIT_ALARM);
}

int64_t
sys_alarm(uint64_t ns)
{
    struct proc *p = proc_current();
    uint64_t left = 0, now = rdtsc();

    if (timer_cancel(&p->alarm) && p->alarm.node.key > now)
        left = tsc_to_ns(p->alarm.node.key - now);
    if (ns)
        timer_arm(&p->alarm, deadline_in(ns), alarm_rings, p);
    return (int64_t)left;
}

int64_t
sys_rendezvous(uint64_t tag, uint64_t value)
{
    return (int64_t)rendezvous(tag, value);
}

int64_t
sys_rendezvous_next(uint64_t tag, uint64_t value, uint64_t next)
{
    return (int64_t)rendezvous_next(tag, value, next);
}

int64_t
sys_semacquire(uint64_t sem, uint64_t block)
{
    return sema_acquire(sem, block != 0, 0);
}

int64_t
sys_tsemacquire(uint64_t sem, uint64_t ns)
{
    return sema_acquire(sem, ns != 0, deadline_in(ns));
}

int64_t
sys_semrelease(uint64_t sem, uint64_t n)
{
    return sema_release(sem, n);
}

int64_t
sys_sched_group(uint64_t weight)
{
    return group_enter_new(weight);
}

int64_t
sys_edf_enter(uint64_t period, uint64_t deadline, uint64_t cost)
{
    return edf_enter(period, deadline, cost);
}

int64_t
sys_edf_next(void)
{
    return edf_next();
}

int64_t
sys_edf_leave(void)
{
    if (!proc_current()->edf)
        return -E_BADARG;
    edf_exit(proc_current());
    return 0;
}
