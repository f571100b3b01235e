/*
 * files.c - what a process has of stage 4, from fork to exit: its files, its
 * name space, its environment, its user.
 *
 * rfork's flags say for each of the groups: shared, copied, or new.  All that
 * can fail is made first; then the process gets it in one step, which those
 * who look at it from outside (/proc) cannot see half done.
 */
#include "9p/private.h"

enum {
    RF_FILES = RFNAMEG | RFENVG | RFFDG | RFCNAMEG | RFCENVG | RFCFDG,
};

/* The groups that rfork shares or not; what a process begins with. */
struct groups {
    struct fd_table *fds;
    struct name_space *ns;
    struct env_group *env;
};

static void
groups_unref(struct groups *g)
{
    fds_unref(g->fds);
    ns_unref(g->ns);
    env_unref(g->env);
}

/* Both a copy and a new one of the same makes no sense. */
static bool
good_flags(uint64_t flags)
{
    return (flags & (RFNAMEG | RFCNAMEG)) != (RFNAMEG | RFCNAMEG) &&
           (flags & (RFENVG | RFCENVG)) != (RFENVG | RFCENVG) &&
           (flags & (RFFDG | RFCFDG)) != (RFFDG | RFCFDG);
}

/*
 * What f's process, or its child, has after rfork(flags): each group new,
 * copied or the same, a reference to each.  0; -E_NOMEM, -E_MAXFD (the table
 * is too long to be copied at once) with no reference.
 */
static int
groups_make(struct groups *g, const struct proc_files *f, uint64_t flags)
{
    if (flags & RFFDG && fds_too_many(f->fds))
        return -E_MAXFD;
    g->fds = flags & RFCFDG  ? fds_new()
             : flags & RFFDG ? fds_copy(f->fds)
                             : f->fds;
    g->ns = flags & RFCNAMEG  ? ns_new()
            : flags & RFNAMEG ? ns_copy(f->ns)
                              : f->ns;
    g->env = flags & RFCENVG  ? env_new()
             : flags & RFENVG ? env_copy(f->env)
                              : f->env;
    if (g->fds == f->fds)
        fds_ref(g->fds);
    if (g->ns == f->ns)
        ns_ref(g->ns);
    if (g->env == f->env)
        env_ref(g->env);
    if (g->fds && g->ns && g->env)
        return 0;
    groups_unref(g);
    return -E_NOMEM;
}

static int
files_fork(struct proc *parent, struct proc *child, uint64_t flags)
{
    struct proc_files *f = parent->files, *new;
    struct groups g;
    int err;

    if (!good_flags(flags))
        return -E_BADARG;
    new = kzalloc(sizeof *new);
    if (!new)
        return -E_NOMEM;
    err = groups_make(&g, f, flags);
    if (err < 0) {
        kfree(new);
        return err;
    }
    new->fds = g.fds;
    new->ns = g.ns;
    new->env = g.env;
    new->root = f->root;
    new->dot = f->dot;
    chan_ref(new->root);
    chan_ref(new->dot);
    memcpy(new->user, f->user, sizeof new->user);
    new->program = f->program;
    program_ref(new->program);
    child->program = parent->program;
    child->program_size = parent->program_size;
    child->files = new;
    return 0;
}

static int
files_change_self(uint64_t flags)
{
    struct proc_files *f = my_files();
    struct groups g, old = { f->fds, f->ns, f->env };
    int err;

    if (!good_flags(flags))
        return -E_BADARG;
    err = groups_make(&g, f, flags);
    if (err < 0)
        return err;
    spin_lock(&proctab_lock);
    f->fds = g.fds;
    f->ns = g.ns;
    f->env = g.env;
    spin_unlock(&proctab_lock);
    groups_unref(&old);
    return 0;
}

/* What f has of groups, which from now on nobody finds there. */
static struct groups
groups_take(struct proc_files *f)
{
    struct groups g = { f->fds, f->ns, f->env };

    spin_lock(&proctab_lock);
    f->fds = NULL;
    f->ns = NULL;
    f->env = NULL;
    spin_unlock(&proctab_lock);
    return g;
}

/*
 * To close files may mean to wait for servers.  Meanwhile the process keeps
 * its user, so that it is seen in /proc, and can be killed there; and if it
 * ends by a kill, that interrupts these waits, too.
 */
static void
files_exit(struct proc *p)
{
    struct proc_files *f = p->files;
    struct groups g;

    if (!f)
        return;
    proc_gone(p);
    if (__atomic_load_n(&p->note_bits, __ATOMIC_SEQ_CST) & NOTE_BIT_KILL)
        __atomic_store_n(&p->attention, 1, __ATOMIC_SEQ_CST);
    g = groups_take(f);
    groups_unref(&g);
    chan_close(f->dot);
    chan_close(f->root);
    program_unref(f->program);
    spin_lock(&proctab_lock);
    p->files = NULL;
    spin_unlock(&proctab_lock);
    kfree(f);
}

/*
 * The first process: no open files, nothing bound, the root is #/ and the
 * current directory is the boot archive, where its program is.
 */
static void
files_start(void)
{
    struct proc *p = proc_current();
    struct proc_files *f = kzalloc(sizeof *f);

    p->files = f;
    if (!f)
        panic("files_start: no memory");
    strlcpy(f->user, SYSTEM_USER, sizeof f->user);
    f->fds = fds_new();
    f->ns = ns_new();
    f->env = env_new();
    dev_init();
    if (!f->fds || !f->ns || !f->env || dev_start('/', "", &f->root) < 0 ||
            dev_start('B', "", &f->dot) < 0)
        panic("files_start: no memory");
}

/* One's own, and the system's user all; as /proc permits it. */
static bool
may_note(const struct proc *from, const struct proc *to)
{
    const struct proc_files *f = from->files, *t = to->files;

    return !f || !t || strcmp(f->user, SYSTEM_USER) == 0 ||
           strcmp(f->user, t->user) == 0;
}

static const char *
user_of(const struct proc *p)
{
    return p->files ? p->files->user : "";
}

static bool
may_rule(void)
{
    return strcmp(my_files()->user, SYSTEM_USER) == 0;
}

void
files_init(void)
{
    proc_hooks = (struct proc_hooks){
        .rfork_flags = RF_FILES,
        .start = files_start,
        .fork = files_fork,
        .change_self = files_change_self,
        .exit = files_exit,
        .exec = program_exec,
        .exec_done = program_exec_done,
        .program_open = program_open,
        .may_note = may_note,
        .user = user_of,
        .may_rule = may_rule,
        .stop = proc_stop_here,
    };
}
