/*
 * fork.c - rfork: a child that is a copy, or shares what the flags say.
 *
 * Everything that can fail comes first and is undone in reverse; from the
 * moment the child is in the process table nothing fails any more.
 */
#include "sched/process.h"

enum {
    RF_KNOWN = RFPROC | RFMEM | RFNOWAIT | RFNOTEG | RFREND
};

/* A child's first instructions in the kernel: none; it returns to user mode. */
static void
child_start(void *arg)
{
    (void)arg;
}

/* rfork without RFPROC: change the caller itself. */
static int
change_self(uint64_t flags)
{
    struct proc *p = proc_current();
    struct rendez_group *g = NULL;
    int err;

    if (flags & (RFMEM | RFNOWAIT))
        return -E_BADARG;
    if (flags & RFREND && !(g = rendez_group_new()))
        return -E_NOMEM;
    err = proc_hooks.change_self(flags);
    if (err) {
        rendez_group_unref(g);
        return err;
    }
    if (g) {
        rendez_group_unref(p->rendez);
        p->rendez = g;
    }
    if (flags & RFNOTEG) {
        spin_lock(&proctab_lock);
        notes_keep(p);
        p->notegrp = p->pid;
        spin_unlock(&proctab_lock);
    }
    return 0;
}

/*
 * What the child copies or gets anew; undone by child_undo.  An address space
 * (space_copy); a rendezvous group, new with RFREND, else the parent's; a
 * record for wait unless RFNOWAIT; room for the FPU's registers under a note
 * handler if the parent has such.  0 or -E_NOMEM: then what was got so far
 * stands in *child.
 *
 * Lab 3.10
 */
static int
child_resources(struct proc *parent, struct proc *child, uint64_t flags)
{
    child->space = space_new();
    if (!child->space)
        return -E_NOMEM;
    if (flags & RFREND) {
        child->rendez = rendez_group_new();
    } else {
        rendez_group_ref(parent->rendez);
        child->rendez = parent->rendez;
    }
    if (!(flags & RFNOWAIT))
        child->waitrec = kzalloc(sizeof *child->waitrec);
    if (parent->note_fpu)
        child->note_fpu = kmalloc(sizeof *child->note_fpu);
    if (!child->rendez || (!child->waitrec && !(flags & RFNOWAIT)) ||
            (parent->note_fpu && !child->note_fpu))
        return -E_NOMEM;
    return space_copy(parent->space, child->space, flags & RFMEM);
}

static void
child_undo(struct proc *child)
{
    proc_hooks.exit(child);
    if (child->space)
        space_free(child->space);
    rendez_group_unref(child->rendez);
    notes_free(child);
    proc_free(child);
}

/*
 * The plain fields: the parent's registers (but 0 in rax: the child's result),
 * the FPU's and the selectors as they are in this CPU (fpu_save,
 * selectors_now), note handler, frame, text and saved FPU registers, and the
 * scheduling group, whose members are counted.  Its first
 * switch calls child_start.
 *
 * Lab 3.10
 */
static void
child_fields(struct proc *parent, struct proc *child)
{
    *child->tf = *parent->tf;
    child->tf->rax = 0;
    fpu_save(&child->fpu);
    child->selectors = selectors_now();
    child->note_handler = parent->note_handler;
    child->note_frame = parent->note_frame;
    memcpy(child->note_text, parent->note_text, sizeof child->note_text);
    if (child->note_fpu)
        *child->note_fpu = *parent->note_fpu;
    group_unref(child->group);
    child->group = parent->group;
    group_ref(child->group);
    proc_set_entry(child, child_start, NULL);
}

/*
 * Enter the table and the family; 0, -E_MAXPROC, -E_NOMEM.  All at one moment
 * for whoever posts a note: see note_group.c.  A parent that is being killed
 * has a child that dies with it, in whatever group: else one sweep over a note
 * group would miss what the group forks meanwhile, and a fork bomb could not
 * be killed.
 */
static int
child_join(struct proc *parent, struct proc *child, uint64_t flags)
{
    int err = 0;

    spin_lock(&proctab_lock);
    if (!(flags & RFNOTEG))
        err = notes_inherit(child, parent);
    if (err == 0)
        err = proc_publish(child);
    if (err == 0) {
        child->notegrp = flags & RFNOTEG ? child->pid : parent->notegrp;
        vital_inherit(child, parent);
        if (!(flags & RFNOWAIT)) {
            child->parent = parent;
            list_append(&parent->children, &child->sibling);
        }
        if (__atomic_load_n(&parent->note_bits, __ATOMIC_SEQ_CST) &
                NOTE_BIT_KILL)
            note_post_bit(child, NOTE_BIT_KILL);
    }
    spin_unlock(&proctab_lock);
    return err;
}

/*
 * rfork(2) of Plan 9, for the flags of lux/sys.h.  The child's pid in the
 * parent, 0 in the child; or -E_BADARG (a flag neither in RF_KNOWN nor
 * in proc_hooks.rfork_flags), -E_NOMEM, -E_MAXPROC with nothing changed.
 * Without RFPROC: change_self.  With its resources the child gets what
 * proc_hooks.fork gives.  It enters the table and the family (child_join) when
 * it is complete, then the run queue; after that it may be gone at any moment.
 *
 * Lab 3.10
 */
int64_t
proc_rfork(uint64_t flags)
{
    struct proc *parent = proc_current(), *child;
    uint32_t pid;
    int err;

    if (flags & ~(RF_KNOWN | proc_hooks.rfork_flags))
        return -E_BADARG;
    if (!(flags & RFPROC))
        return change_self(flags);
    child = proc_alloc(parent->name);
    if (!child)
        return -E_NOMEM;
    err = child_resources(parent, child, flags);
    if (err == 0)
        err = proc_hooks.fork(parent, child, flags);
    if (err == 0) {
        child_fields(parent, child);
        err = child_join(parent, child, flags);
    }
    if (err < 0) {
        child_undo(child);
        return err;
    }
    pid = child->pid;
    TRACE(TRACE_FORK, pid, 0);
    proc_ready(child); /* it may run, and be gone, before we return */
    return pid;
}
