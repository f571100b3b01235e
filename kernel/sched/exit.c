/*
 * exit.c - the end of a process, and how its parent hears of it.
 *
 * A dying process frees everything itself but the stack it stands on and
 * its struct proc; those go in sched.c:sched_finish, once its CPU has left
 * that stack.  There are no zombies: what the parent will be told is a small
 * record made at fork, so exit needs no memory.
 */
#include "sched/process.h"
#include "boot/x86_64/x86.h"

/* CPU time so far, in the proportion that the timer's samples found. */
void
proc_times(const struct proc *p, uint64_t *user_ns, uint64_t *sys_ns)
{
    uint64_t samples = p->user_samples + p->sys_samples;
    uint64_t all = tsc_to_ns(p->run_ticks);

    *user_ns = samples ? all / samples * p->user_samples : all;
    *sys_ns = all - *user_ns;
}

/*
 * What p's parent will be told.  CPU time includes that of p's own children
 * that have ended before, as wait(2) of Plan 9 has it, and is added to what the
 * parent's have used, whether or not it will ever ask.
 */
static void
fill_waitmsg(struct proc *p, const char *msg)
{
    struct waitmsg *w = &p->waitrec->msg;

    intr_off();
    sched_charge(p, rdtsc());
    intr_on();
    w->pid = p->pid;
    proc_times(p, &w->user_ns, &w->sys_ns);
    w->real_ns = clock_ns() - p->born_ns;
    strlcpy(w->msg, msg, sizeof w->msg);
    spin_lock(&proctab_lock);
    w->user_ns += p->ended.user_ns;
    w->sys_ns += p->ended.sys_ns;
    if (p->parent) {
        p->parent->ended.user_ns += w->user_ns;
        p->parent->ended.sys_ns += w->sys_ns;
        p->parent->ended.real_ns += w->real_ns;
    }
    spin_unlock(&proctab_lock);
}

/*
 * Leave the table (proc_unpublish) and the family, in one step for all who
 * hold proctab_lock: children become nobody's, records that nobody will ask
 * for go, and the parent, if there is one, gets p's record as its newest and
 * is woken.  Afterwards nothing leads to p, and its record is the parent's.
 * Memory is given back without the lock.
 *
 * Lab 3.5
 */
static void
leave_family(struct proc *p)
{
    struct list forgotten;

    list_init(&forgotten);
    spin_lock(&proctab_lock);
    proc_unpublish(p);
    while (!list_empty(&p->children)) {
        struct proc *c = LIST_FIRST(&p->children, struct proc, sibling);

        list_remove(&c->sibling);
        c->parent = NULL;
    }
    while (!list_empty(&p->waitrecs)) {
        struct list *node = p->waitrecs.next;

        list_remove(node);
        list_append(&forgotten, node);
    }
    if (p->parent) {
        list_remove(&p->sibling);
        list_append(&p->parent->waitrecs, &p->waitrec->link);
        p->waitrec = NULL;
        proc_wake(p->parent);
    }
    spin_unlock(&proctab_lock);
    while (!list_empty(&forgotten)) {
        struct waitrec *w = LIST_FIRST(&forgotten, struct waitrec, link);

        list_remove(&w->link);
        kfree(w);
    }
}

/* Change the running process's address space, for ps and switches at once. */
void
proc_use_space(struct proc *p, struct space *s)
{
    spin_lock(&proctab_lock);
    p->space = s;
    space_load(s);
    spin_unlock(&proctab_lock);
}

static void
leave_memory(struct proc *p)
{
    struct space *s = p->space;

    if (!s)
        return;
    proc_use_space(p, NULL);
    space_free(s);
}

void
proc_exit(const char *msg)
{
    struct proc *p = proc_current();
    char text[MAX_ERR];

    strlcpy(text, msg, sizeof text);
    if (p->pid == 1)
        init_died(text);
    TRACE(TRACE_EXIT, p->pid, 0);
    timer_cancel(&p->alarm);
    edf_exit(p);
    proc_hooks.exit(p);
    leave_memory(p);
    rendez_group_unref(p->rendez);
    p->rendez = NULL;
    if (p->waitrec)
        fill_waitmsg(p, text);
    sched_forget();
    leave_family(p);
    notes_free(p); /* nobody can find it any more, so no more will come */
    intr_off();
    p->state = PROC_DEAD;
    sched_switch();
    panic("proc_exit: a dead process runs");
}

/*
 * Take the oldest record off p's list; NULL: none is there.  The caller holds
 * proctab_lock.
 *
 * Lab 3.5
 */
static struct waitrec *
take_record(struct proc *p)
{
    struct waitrec *w;

    if (list_empty(&p->waitrecs))
        return NULL;
    w = LIST_FIRST(&p->waitrecs, struct waitrec, link);
    list_remove(&w->link);
    return w;
}

/*
 * Wait for a child to end.  Fills *msg and gives back the record: the child's
 * pid; -E_NOCHILD if there is no record and no child to wait for, -E_INTR if
 * a note came first.  A record that is there is taken without sleeping.
 * Sleeps as "wait", under proctab_lock.
 *
 * Lab 3.5
 */
int64_t
proc_wait(struct waitmsg *msg)
{
    struct proc *p = proc_current();
    struct waitrec *w;
    int err = 0;

    spin_lock(&proctab_lock);
    while (!(w = take_record(p)) && !list_empty(&p->children) && err == 0) {
        err = proc_block(&proctab_lock, "wait", PROC_INTERRUPTIBLE, 0);
        spin_lock(&proctab_lock);
    }
    spin_unlock(&proctab_lock);
    if (!w)
        return err ? err : -E_NOCHILD;
    *msg = w->msg;
    kfree(w);
    return msg->pid;
}
