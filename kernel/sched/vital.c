/*
 * vital.c - processes that a shortage of memory must not end: the first one,
 * and each child of it until that runs a program.
 *
 * They may take the pages of the reserve (mmu/reserve.c) and the last places in
 * the process table, and exec has a buffer for them.  Where even the reserve is
 * empty, the first process waits till others have ended.
 */
#include "sched/process.h"
#include "boot/x86_64/x86.h"

enum {
    PAUSE_NS = 20000000
};

static struct exec_args spare;
static struct qlock spare_lock;

static bool
is_vital(void)
{
    return proc_current()->vital;
}

void
vital_init(void)
{
    qlock_init(&spare_lock, "exec of a vital process");
    reserve_init(is_vital);
}

void
vital_inherit(struct proc *child, const struct proc *parent)
{
    child->vital = parent->vital && parent->pid == 1;
}

void
vital_exec(struct proc *p)
{
    p->vital = p->vital && p->pid == 1;
}

bool
vital_pause(void)
{
    struct proc *p = proc_current();
    uint64_t until = rdtsc() + ns_to_tsc(PAUSE_NS);
    uint32_t bits = __atomic_load_n(&p->note_bits, __ATOMIC_SEQ_CST);

    if (p->pid != 1 || bits & NOTE_BIT_KILL)
        return false;
    spin_lock(&p->own_lock);
    proc_block(&p->own_lock, "memory", PROC_STUBBORN, until);
    return true;
}

struct exec_args *
exec_args_new(void)
{
    struct exec_args *args = kmalloc(sizeof *args);

    if (args || !is_vital())
        return args;
    qlock(&spare_lock);
    return &spare;
}

void
exec_args_free(struct exec_args *args)
{
    if (args == &spare)
        qunlock(&spare_lock);
    else
        kfree(args);
}
