/*
 * hooks.c - what later layers do in a process's life, as it is while they are
 * not there: nothing.  They put their own functions here before the first
 * process starts.
 */
#include "sched/process.h"

static void
start_nothing(void)
{
}

static int
fork_nothing(struct proc *parent, struct proc *child, uint64_t flags)
{
    (void)parent;
    (void)child;
    (void)flags;
    return 0;
}

static int
change_nothing(uint64_t flags)
{
    (void)flags;
    return 0;
}

static void
exit_nothing(struct proc *p)
{
    (void)p;
}

static int
exec_anything(struct exec_args *args)
{
    (void)args;
    return 0;
}

static void
exec_ended(int err)
{
    (void)err;
}

/* Programs of the boot archive; they stay where they are for ever. */
static int
open_archived(const char *path, struct program *out)
{
    struct archive_file f;
    int err = archive_find(path, &f);

    if (err == 0)
        *out = (struct program){ f.data, f.size, &image_region };
    return err;
}

static bool
anyone_notes(const struct proc *from, const struct proc *to)
{
    (void)from;
    (void)to;
    return true;
}

static const char *
no_user(const struct proc *p)
{
    (void)p;
    return "";
}

static bool
anyone_rules(void)
{
    return true;
}

static void
stop_never(struct proc *p)
{
    p->stop = STOP_NONE;
}

struct proc_hooks proc_hooks = {
    .start = start_nothing,
    .fork = fork_nothing,
    .change_self = change_nothing,
    .exit = exit_nothing,
    .exec = exec_anything,
    .exec_done = exec_ended,
    .program_open = open_archived,
    .may_note = anyone_notes,
    .user = no_user,
    .may_rule = anyone_rules,
    .stop = stop_never,
};
