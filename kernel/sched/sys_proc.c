/*
 * sys_proc.c - system calls about processes: arguments checked and copied,
 * then the work is done elsewhere.
 */
#include "sched/syscall.h"
#include "boot/x86_64/x86.h"

int64_t
sys_nop(void)
{
    return 0;
}

int64_t
sys_getpid(void)
{
    return proc_current()->pid;
}

int64_t
sys_rfork(uint64_t flags)
{
    return proc_rfork(flags);
}

int
copy_path_in(char buf[MAX_PATH], vaddr_t path)
{
    int len = copy_str_in(buf, path, MAX_PATH);

    return len == -E_TOOBIG ? -E_NAMELEN : len;
}

/* Copy the vector of strings at `argv` in: 0, -E_TOOBIG, -E_BADADDR, -E_NOMEM. */
static int
copy_args(struct exec_args *args, vaddr_t argv)
{
    size_t used = 0;

    for (args->argc = 0;; args->argc++) {
        vaddr_t arg;
        int len = copy_in(&arg, argv + args->argc * sizeof arg, sizeof arg);

        if (len < 0)
            return len;
        if (!arg)
            return 0;
        if (args->argc == MAX_ARGS || used == MAX_ARGLEN)
            return -E_TOOBIG;
        len = copy_str_in(args->bytes + used, arg, MAX_ARGLEN - used);
        if (len < 0)
            return len;
        args->argv[args->argc] = args->bytes + used;
        used += (size_t)len + 1;
    }
}

int64_t
sys_exec(uint64_t path, uint64_t argv)
{
    struct exec_args *args = exec_args_new();
    int err;

    if (!args)
        return -E_NOMEM;
    err = copy_path_in(args->path, path);
    if (err >= 0)
        err = copy_args(args, argv);
    if (err >= 0)
        err = proc_hooks.exec(args);
    if (err >= 0)
        err = proc_exec(args->path, args->argv, args->argc);
    proc_hooks.exec_done(err);
    exec_args_free(args);
    if (err == 0)
        vital_exec(proc_current());
    if (err == 0) /* exec_done may have slept, and resched is gone then */
        this_cpu()->resched = 1;
    /* the new program finds 0 in rax: exec has cleared all registers */
    return err;
}

int64_t
sys_exits(uint64_t msg)
{
    char text[MAX_ERR] = "";

    int len = msg ? copy_str_in(text, msg, sizeof text) : 0;

    if (len < 0 && len != -E_TOOBIG)
        strlcpy(text, "sys: bad exit string", sizeof text);
    text[sizeof text - 1] = '\0';
    proc_exit(text);
}

int64_t
sys_wait(uint64_t msg)
{
    struct waitmsg w;
    int64_t pid;
    int err = 0;

    /* find out that msg is bad before the record is gone */
    if (msg != 0)
        err = copy_in(&w, msg, sizeof w);
    if (err == 0 && msg != 0)
        err = copy_out(msg, &w, sizeof w);
    if (err < 0)
        return err;
    pid = proc_wait(&w);
    if (msg != 0 && pid >= 0)
        err = copy_out(msg, &w, sizeof w);
    return err < 0 ? err : pid;
}

int64_t
sys_notify(uint64_t handler)
{
    return note_notify(handler);
}

int64_t
sys_noted(uint64_t how)
{
    return note_done(how, proc_current()->tf);
}

static int
post_to_process(uint32_t pid, const char *text)
{
    int err = -E_NOPROC;
    struct proc *p;

    spin_lock(&proctab_lock);
    p = proc_find(pid);
    if (p && !proc_hooks.may_note(proc_current(), p))
        err = -E_PERM;
    else if (p)
        err = note_post_text(p, text, NOTE_PROC);
    spin_unlock(&proctab_lock);
    return err;
}

int64_t
sys_postnote(uint64_t target, uint64_t id, uint64_t note)
{
    struct proc *p = proc_current();
    char text[MAX_ERR];
    int err = copy_str_in(text, note, sizeof text);

    if (err < 0)
        return err;
    if (text[0] == '\0' || id > UINT32_MAX || target > NOTE_GROUP)
        return -E_BADARG;
    if (target == NOTE_PROC)
        return post_to_process((uint32_t)id, text);
    return note_post_group(id ? (uint32_t)id : p->notegrp, text, p) ? 0
                                                                    : -E_NOPROC;
}

const char *
proc_state_name(const struct proc *p)
{
    if (p->stop == STOP_DONE)
        return "Stopped";
    switch (p->state) {
    case PROC_NEW: return "New";
    case PROC_READY: return "Ready";
    case PROC_RUNNING: return "Running";
    case PROC_SLEEPING: return "Sleeping";
    default: return "Dying";
    }
}

/* Caller holds proctab_lock, so p stays; the rest may be a moment old. */
static void
fill_procinfo(struct procinfo *i, const struct proc *p)
{
    const char *wchan = p->wchan;

    memset(i, 0, sizeof *i);
    i->pid = p->pid;
    i->ppid = p->parent ? p->parent->pid : 0;
    i->notegrp = p->notegrp;
    i->group = group_id(p->group);
    i->cpu = p->cpu;
    i->edf = p->edf != NULL;
    i->pages = p->space ? p->space->resident : 0;
    proc_times(p, &i->user_ns, &i->sys_ns);
    strlcpy(i->state, proc_state_name(p), sizeof i->state);
    strlcpy(i->wchan, wchan ? wchan : "", sizeof i->wchan);
    strlcpy(i->name, p->name, sizeof i->name);
}

int64_t
sys_procs(uint64_t buf, uint64_t room)
{
    struct procinfo info;
    uint32_t pid = 0;
    uint64_t n = 0;
    int err = 0;

    for (;; n++) {
        struct proc *p;

        spin_lock(&proctab_lock);
        p = proc_next(pid);
        if (p) {
            pid = p->pid;
            if (n < room)
                fill_procinfo(&info, p);
        }
        spin_unlock(&proctab_lock);
        if (!p)
            return (int64_t)n;
        if (n < room)
            err = copy_out(buf + n * sizeof info, &info, sizeof info);
        if (err < 0)
            return err;
    }
}
