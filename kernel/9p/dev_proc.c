/*
 * dev_proc.c - #p: a directory for each process, with files to look into it
 * and to command it.
 *
 *      status   name, user, state; ms in user mode, in the kernel, since it
 *               was born; KiB of memory; parent, note group, CPU; what it
 *               sleeps for
 *      ctl      commands: proc_ctl.c has the list
 *      note     a note to it; notepg: to its note group
 *      noteid   number of its note group
 *      mem      its memory, addresses are offsets
 *      regs     its registers, struct ureg, as it entered the kernel
 *      segment  its regions
 *      fd, ns   its open files, its name space, as text
 *      9p       its 9P messages without an answer yet, as text
 *      trace    what the trace ring says of it, as text
 *      wait     own children's ends, one a read; waits for them
 */
#include "9p/dev_proc.h"

enum {
    LINE = 256
};

struct proc_file {
    const char *name;
    uint32_t perm;
    int64_t (*read)(struct chan *c, struct io *to, uint64_t offset);
    int64_t (*write)(struct chan *c, struct io *from, uint64_t offset);
};

/* qid.path: 0 is the root, pid << 8 a process, and its files follow that. */
static uint32_t
pid_of(const struct chan *c)
{
    return (uint32_t)(c->qid.path >> 8);
}

struct proc *
proc_hold(const struct chan *c)
{
    struct proc *p;

    spin_lock(&proctab_lock);
    p = proc_find(pid_of(c));
    if (!p)
        spin_unlock(&proctab_lock);
    return p;
}

void
proc_release(void)
{
    spin_unlock(&proctab_lock);
}

/* ---- small texts ---- */

static int64_t
status_read(struct chan *c, struct io *to, uint64_t offset)
{
    char text[LINE], user[MAX_NAME];
    uint64_t user_ns, sys_ns;
    struct proc *p;
    int n;

    if (proc_user(pid_of(c), user) < 0 || !(p = proc_hold(c)))
        return -E_NOPROC;
    proc_times(p, &user_ns, &sys_ns);
    n = snprint(text, sizeof text,
            "%-31s %-31s %-8s %11lu %11lu %11lu %11lu %11u %11u %2u %s\n",
            p->name, user, proc_state_name(p), user_ns / 1000000,
            sys_ns / 1000000, (clock_ns() - p->born_ns) / 1000000,
            p->space ? p->space->resident * (PAGE_SIZE / 1024) : 0,
            p->parent ? p->parent->pid : 0, p->notegrp, p->cpu,
            p->wchan ? p->wchan : "");
    proc_release();
    return io_put_text(to, offset, text,
            (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static int64_t
noteid_read(struct chan *c, struct io *to, uint64_t offset)
{
    struct proc *p = proc_hold(c);
    char text[16];
    int n;

    if (!p)
        return -E_NOPROC;
    n = snprint(text, sizeof text, "%11u ", p->notegrp);
    proc_release();
    return io_put_text(to, offset, text, (size_t)n);
}

/* A text that may be long: made with more and more room until it fits. */
static int64_t
long_text(struct chan *c, struct io *to, uint64_t offset,
        int64_t (*make)(uint32_t pid, char *buf, size_t n))
{
    size_t room = PAGE_SIZE / 2;

    for (;;) {
        char *text = kmalloc(room);
        int64_t n;

        if (!text)
            return -E_NOMEM;
        n = make(pid_of(c), text, room);
        if (n < (int64_t)room) {
            if (n >= 0)
                n = io_put_text(to, offset, text, (size_t)n);
            kfree(text);
            return n;
        }
        kfree(text);
        room = (size_t)n + PAGE_SIZE;
    }
}

static int64_t
fd_read(struct chan *c, struct io *to, uint64_t offset)
{
    return long_text(c, to, offset, fds_text);
}

static int64_t
ns_read(struct chan *c, struct io *to, uint64_t offset)
{
    return long_text(c, to, offset, ns_text);
}

static int64_t
messages_read(struct chan *c, struct io *to, uint64_t offset)
{
    return long_text(c, to, offset, messages_text);
}

/* One child's end, as await(2) of Plan 9 tells it.  Only the parent's own
 * wait may take it away. */
static int64_t
wait_read(struct chan *c, struct io *to, uint64_t offset)
{
    struct waitmsg w;
    char text[LINE];
    int64_t pid;
    int n;

    (void)offset; /* each read is another child */
    if (pid_of(c) != proc_current()->pid)
        return -E_PERM;
    pid = proc_wait(&w);
    if (pid < 0)
        return pid;
    n = snprint(text, sizeof text, "%u %lu %lu %lu '%s'", w.pid,
            w.user_ns / 1000000, w.sys_ns / 1000000, w.real_ns / 1000000,
            w.msg);
    return io_put_text(
            to, 0, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* What was in the rings at open: see proc_open. */
static int64_t
trace_read(struct chan *c, struct io *to, uint64_t offset)
{
    return trace_copy_text((struct trace_copy *)c->aux, to, offset);
}

/* ---- the tree ---- */

static const struct proc_file files[] = {
    { "9p", 0444, messages_read, NULL },
    { "ctl", 0600, NULL, proc_ctl_write },
    { "fd", 0444, fd_read, NULL },
    { "mem", 0600, proc_mem_read, proc_mem_write },
    { "note", 0200, NULL, proc_note_write },
    { "noteid", 0444, noteid_read, NULL },
    { "notepg", 0200, NULL, proc_notepg_write },
    { "ns", 0444, ns_read, NULL },
    { "regs", 0600, proc_regs_read, proc_regs_write },
    { "segment", 0444, proc_segment_read, NULL },
    { "status", 0444, status_read, NULL },
    { "trace", 0400, trace_read, NULL },
    { "wait", 0400, wait_read, NULL },
};

/* The file that c is; NULL: a directory. */
static const struct proc_file *
file_of(const struct chan *c)
{
    unsigned i = c->qid.path & 0xff;

    return i == 0 ? NULL : &files[i - 1];
}

static int
root_entry(struct devent *e)
{
    memset(e, 0, sizeof *e);
    strlcpy(e->name, "proc", sizeof e->name);
    e->qid.type = QTDIR;
    e->perm = DMDIR | 0555;
    return 1;
}

/* A process's directory (file 0) or its file'th file; 0: it has ended. */
static int
proc_entry(uint32_t pid, unsigned file, struct devent *e)
{
    memset(e, 0, sizeof *e);
    if (proc_user(pid, e->user) < 0)
        return 0;
    e->qid.path = (uint64_t)pid << 8 | file;
    if (file == 0) {
        snprint(e->name, sizeof e->name, "%u", pid);
        e->qid.type = QTDIR;
        e->perm = DMDIR | 0555;
    } else {
        strlcpy(e->name, files[file - 1].name, sizeof e->name);
        e->perm = files[file - 1].perm;
    }
    return 1;
}

/* The next process above this pid; who has closed its files has no entry any
 * more, though it is in the table.  The caller holds proctab_lock. */
static struct proc *
next_listed(uint32_t pid)
{
    struct proc *p = proc_next(pid);

    while (p && !p->files)
        p = proc_next(p->pid);
    return p;
}

/*
 * The pid of the i-th process; 0: there are fewer.  A directory is read in order,
 * so the channel remembers the last answer: i, pid.  If that one has ended,
 * the one after it is the i-th now.
 */
static uint32_t
nth_pid(struct chan *c, unsigned i)
{
    unsigned at = (unsigned)(c->aux >> 32);
    uint32_t pid = (uint32_t)c->aux;
    bool known = pid != 0 && i >= at;
    struct proc *p;

    spin_lock(&proctab_lock);
    p = known ? proc_find(pid) : next_listed(0);
    if (!p || !p->files)
        p = next_listed(pid);
    for (unsigned k = known ? at : 0; p && k < i; k++)
        p = next_listed(p->pid);
    pid = p ? p->pid : 0;
    spin_unlock(&proctab_lock);
    c->aux = (uint64_t)i << 32 | pid;
    return pid;
}

static int
root_gen(struct chan *c, const char *name, int i, struct devent *e)
{
    uint64_t pid;

    if (!name) {
        do { /* again if it has ended between the two steps */
            pid = nth_pid(c, (unsigned)i);
        } while (pid != 0 && proc_entry((uint32_t)pid, 0, e) == 0);
        return pid != 0;
    }
    if (name[0] < '1' || name[0] > '9' || !parse_number(name, &pid) ||
            pid > UINT32_MAX)
        return 0;
    return proc_entry((uint32_t)pid, 0, e);
}

static int
proc_gen(struct chan *c, const char *name, int i, struct devent *e)
{
    uint32_t pid = pid_of(c);
    unsigned file = c->qid.path & 0xff;

    if (!name && i == DEV_SELF)
        return pid == 0 ? root_entry(e) : proc_entry(pid, file, e);
    if (!name && i == DEV_PARENT)
        return file == 0 ? root_entry(e) : proc_entry(pid, 0, e);
    if (pid == 0)
        return root_gen(c, name, i, e);
    for (unsigned k = 0; name && k < ARRAY_LEN(files); k++)
        if (strcmp(name, files[k].name) == 0)
            return proc_entry(pid, k + 1, e);
    if (name || i >= (int)ARRAY_LEN(files))
        return 0;
    return proc_entry(pid, (unsigned)i + 1, e);
}

static int
proc_walk(struct chan *from, struct chan *to, const char *const names[],
        unsigned n, struct qid qids[])
{
    int done = dev_walk(from, to, names, n, qids);

    to->aux = 0; /* what `from` keeps there is its own */
    return done;
}

static int
proc_open(struct chan *c, unsigned mode)
{
    int err = dev_open(c, mode);
    const struct proc_file *f = file_of(c);

    if (err < 0 || !f || f->read != trace_read)
        return err;
    c->aux = (uint64_t)trace_copy_new(pid_of(c));
    return c->aux ? err : -E_NOMEM;
}

static void
proc_close(struct chan *c)
{
    const struct proc_file *f = file_of(c);

    if (f && f->read == trace_read)
        kfree((void *)c->aux);
}

static int64_t
proc_read(struct chan *c, struct io *to, uint64_t offset)
{
    const struct proc_file *f = file_of(c);

    if (!f)
        return dev_read_dir(c, to, offset);
    return f->read ? f->read(c, to, offset) : -E_PERM;
}

static int64_t
proc_write(struct chan *c, struct io *from, uint64_t offset)
{
    const struct proc_file *f = file_of(c);

    return f && f->write ? f->write(c, from, offset) : -E_PERM;
}

const struct dev proc_dev = {
    .letter = 'p',
    .name = "proc",
    .gen = proc_gen,
    .init = proc_ctl_init,
    .walk = proc_walk,
    .open = proc_open,
    .close = proc_close,
    .read = proc_read,
    .write = proc_write,
};
