/*
 * proc.c - the process table: making, finding and freeing processes.
 *
 * A pid's slot is pid % MAX_PROCS, and pids only grow until they wrap at
 * PID_MAX, so a pid is not used again soon and finding one costs no search.
 * Whoever uses a process found by pid holds proctab_lock as long as it does:
 * a process leaves the table before it is freed.
 */
#include "sched/process.h"
#include "boot/x86_64/x86.h"

enum {
    PID_MAX = 1 << 30,
    VITAL_PLACES = 16, /* the last of the table: see vital.c */
    BLOCK = 64 /* slots that proc_next passes over at once when none is used */
};

struct spinlock proctab_lock = SPINLOCK_INIT(RANK_PROCTAB, "process table");

static struct proc *table[MAX_PROCS];             /* [t] */
static unsigned char in_block[MAX_PROCS / BLOCK]; /* [t] slots in use */
static uint32_t last_pid;                         /* [t] */
static unsigned nproc;                            /* [t] */

void proc_entry(void); /* x86_64/switch.asm */

/* What x86_64/switch.asm:context_switch takes from a stack. */
struct switch_frame {
    uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

/*
 * Lay out p's empty kernel stack as if p had called context_switch: just
 * below its trap frame p->tf lies a struct switch_frame whose return address
 * is proc_entry; rbx and r12 carry fn and arg, all other registers are 0.
 * p->ksp says where context_switch finds it.
 *
 * Lab 3.2
 */
void
proc_set_entry(struct proc *p, void (*fn)(void *), void *arg)
{
    struct switch_frame *f = (struct switch_frame *)p->tf - 1;

    memset(f, 0, sizeof *f);
    f->rip = (uint64_t)proc_entry;
    f->rbx = (uint64_t)fn;
    f->r12 = (uint64_t)arg;
    p->ksp = (uint64_t)f;
}

/* The frame of what a new process runs; back from here it enters user mode. */
void
proc_main(void (*fn)(void *), void *arg)
{
    fn(arg);
    if (!proc_current()->space)
        proc_exit("");
    intr_off();
    if (proc_current()->attention) /* a note came before this first run */
        this_cpu()->resched = 1;
}

static void
init_fields(struct proc *p, const char *name)
{
    p->tf = (struct trapframe *)p->kstack_top - 1;
    p->born_ns = clock_ns();
    p->group = group_default();
    list_init(&p->wait_link);
    list_init(&p->children);
    list_init(&p->sibling);
    list_init(&p->waitrecs);
    list_init(&p->notes);
    spin_init(&p->own_lock, RANK_SLEEPQ, "own");
    spin_init(&p->lock, RANK_PROC, "process");
    strlcpy(p->name, name, sizeof p->name);
    fpu_reset(&p->fpu);
}

struct proc *
proc_alloc(const char *name)
{
    struct proc *p = kzalloc(sizeof *p);

    if (!p)
        return NULL;
    p->kstack_top = kstack_alloc();
    if (!p->kstack_top) {
        kfree(p);
        return NULL;
    }
    init_fields(p, name);
    group_ref(p->group);
    return p;
}

void
proc_free(struct proc *p)
{
    group_unref(p->group);
    kstack_free(p->kstack_top);
    kfree(p->note_fpu);
    kfree(p->waitrec);
    kfree(p);
}

/* Caller holds proctab_lock. */
int
proc_publish(struct proc *p)
{
    unsigned places = MAX_PROCS - (proc_current()->vital ? 0 : VITAL_PLACES);

    for (unsigned tries = 0; nproc < places && tries < MAX_PROCS; tries++) {
        last_pid = last_pid == PID_MAX ? 1 : last_pid + 1;
        if (table[last_pid % MAX_PROCS])
            continue;
        p->pid = last_pid;
        table[p->pid % MAX_PROCS] = p;
        in_block[p->pid % MAX_PROCS / BLOCK]++;
        nproc++;
        return 0;
    }
    return -E_MAXPROC;
}

/* Caller holds proctab_lock. */
void
proc_unpublish(struct proc *p)
{
    table[p->pid % MAX_PROCS] = NULL;
    in_block[p->pid % MAX_PROCS / BLOCK]--;
    nproc--;
}

struct proc *
proc_find(uint32_t pid)
{
    struct proc *p = table[pid % MAX_PROCS];

    return p && p->pid == pid ? p : NULL;
}

/*
 * Pids in use lie within MAX_PROCS of each other save after a wrap, so the
 * scan goes by slot, leaps over empty blocks and takes the smallest pid above.
 */
struct proc *
proc_next(uint32_t pid)
{
    struct proc *best = NULL;

    for (unsigned i = 1; i <= MAX_PROCS; i++) {
        unsigned slot = (pid + i) % MAX_PROCS;
        struct proc *p = table[slot];

        if (slot % BLOCK == 0 && in_block[slot / BLOCK] == 0)
            i += BLOCK - 1;
        if (!p || p->pid <= pid)
            continue;
        if (p->pid == pid + i)
            return p; /* no smaller one is possible */
        if (!best || p->pid < best->pid)
            best = p;
    }
    return best;
}

unsigned
proc_count(void)
{
    return __atomic_load_n(&nproc, __ATOMIC_RELAXED);
}

struct proc *
proc_kernel(const char *name, void (*fn)(void *), void *arg)
{
    struct proc *p = proc_alloc(name);
    int err = -E_NOMEM;

    if (!p)
        return NULL;
    p->rendez = rendez_group_new();
    if (p->rendez) {
        spin_lock(&proctab_lock);
        err = proc_publish(p);
        p->notegrp = p->pid;
        spin_unlock(&proctab_lock);
    }
    if (err < 0) {
        rendez_group_unref(p->rendez);
        proc_free(p);
        return NULL;
    }
    proc_set_entry(p, fn, arg);
    return p;
}
