/*
 * proc_ctl.c - commands to a process, in words, by /proc/n/ctl; and notes.
 *
 *      kill       end it, whatever it does
 *      stop       stop it when it next goes to user mode
 *      waitstop   wait until it has stopped
 *      start      let a stopped process go on
 *
 * Who waits for a stop sleeps under proctab_lock in the list `watchers`, and
 * every stop and every end of a process wakes all of them: they are few.
 */
#include "9p/dev_proc.h"

static struct list watchers; /* [t] by wait_link */

/* The caller holds proctab_lock. */
static void
wake_watchers(void)
{
    LIST_EACH(&watchers, node)
    proc_wake(CONTAINER_OF(node, struct proc, wait_link));
}

void
proc_gone(struct proc *p)
{
    spin_lock(&proctab_lock);
    p->stop = STOP_GONE;
    wake_watchers();
    spin_unlock(&proctab_lock);
}

static bool
killed(const struct proc *p)
{
    return __atomic_load_n(&p->note_bits, __ATOMIC_SEQ_CST) & NOTE_BIT_KILL;
}

/* STOP_WANTED -> STOP_DONE, told to all who watch; false: it was taken back. */
static bool
stop_now(struct proc *p)
{
    uint32_t wanted = STOP_WANTED;
    bool stopped;

    spin_lock(&proctab_lock);
    stopped = __atomic_compare_exchange_n(&p->stop, &wanted, STOP_DONE, false,
            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    wake_watchers();
    spin_unlock(&proctab_lock);
    return stopped;
}

/* Only a kill is a note to a stopped process. */
void
proc_stop_here(struct proc *p)
{
    if (!stop_now(p))
        return;
    spin_lock(&p->own_lock);
    while (p->stop == STOP_DONE && !killed(p)) {
        proc_block(&p->own_lock, "stopped", PROC_INTERRUPTIBLE, 0);
        spin_lock(&p->own_lock);
    }
    spin_unlock(&p->own_lock);
}

/* ---- the commands; all but waitstop are called with proctab_lock held ---- */

static int
command_kill(struct proc *p)
{
    note_post_bit(p, NOTE_BIT_KILL);
    return 0;
}

static int
command_stop(struct proc *p)
{
    uint32_t none = STOP_NONE;

    if (!p->space)
        return -E_BADCTL; /* the kernel's own never goes to user mode */
    if (__atomic_compare_exchange_n(&p->stop, &none, STOP_WANTED, false,
                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        note_attention(p);
    return 0;
}

static int
command_start(struct proc *p)
{
    if (p->stop == STOP_GONE)
        return -E_NOPROC;
    spin_lock(&p->own_lock);
    __atomic_store_n(&p->stop, STOP_NONE, __ATOMIC_SEQ_CST);
    spin_unlock(&p->own_lock);
    note_attention(p); /* notes may have come meanwhile */
    return 0;
}

/* 0: it has stopped; -E_NOPROC, -E_INTR. */
static int
wait_stopped(struct chan *c)
{
    struct proc *me = proc_current(), *p;
    int err = 0;

    while ((p = proc_hold(c)) != NULL) {
        if (p->stop == STOP_DONE || p->stop == STOP_GONE || err) {
            err = p->stop == STOP_DONE   ? 0
                  : p->stop == STOP_GONE ? -E_NOPROC
                                         : err;
            proc_release();
            return err;
        }
        list_append(&watchers, &me->wait_link);
        err = proc_block(&proctab_lock, "waitstop", PROC_INTERRUPTIBLE, 0);
        spin_lock(&proctab_lock);
        list_remove(&me->wait_link);
        spin_unlock(&proctab_lock);
    }
    return -E_NOPROC;
}

static const struct {
    const char *word;
    int (*run)(struct proc *p);
} commands[] = {
    { "kill", command_kill },
    { "stop", command_stop },
    { "start", command_start },
};

/* 0, -E_BADCTL (no such command), -E_NOPROC, what the command says. */
static int
run_command(struct chan *c, const char *word)
{
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        struct proc *p;
        int err;

        if (strcmp(word, commands[i].word) != 0)
            continue;
        p = proc_hold(c);
        if (!p)
            return -E_NOPROC;
        err = commands[i].run(p);
        proc_release();
        return err;
    }
    return strcmp(word, "waitstop") == 0 ? wait_stopped(c) : -E_BADCTL;
}

int64_t
proc_ctl_write(struct chan *c, struct io *from, uint64_t offset)
{
    int64_t n = (int64_t)from->left;
    char word[32];
    int64_t err = io_get_text(from, word, sizeof word);

    (void)offset;
    if (err == -E_TOOBIG)
        return -E_BADCTL;
    if (err >= 0)
        err = run_command(c, word);
    return err < 0 ? err : n;
}

/* ---- notes ---- */

/* A note's text: its length, not 0; -E_BADARG, -E_TOOBIG, -E_BADADDR. */
static int64_t
get_note(struct io *from, char text[MAX_ERR])
{
    int64_t n = io_get_text(from, text, MAX_ERR);

    return n == 0 ? -E_BADARG : n;
}

int64_t
proc_note_write(struct chan *c, struct io *from, uint64_t offset)
{
    int64_t n = (int64_t)from->left;
    char text[MAX_ERR];
    int64_t err = get_note(from, text);
    struct proc *p;

    (void)offset;
    if (err < 0)
        return err;
    p = proc_hold(c);
    if (!p)
        return -E_NOPROC;
    err = note_post_text(p, text, NOTE_PROC);
    proc_release();
    return err < 0 ? err : n;
}

/* To all of its note group but the caller. */
int64_t
proc_notepg_write(struct chan *c, struct io *from, uint64_t offset)
{
    int64_t n = (int64_t)from->left;
    char text[MAX_ERR];
    int64_t err = get_note(from, text);
    uint32_t group;
    struct proc *p;

    (void)offset;
    if (err < 0)
        return err;
    p = proc_hold(c);
    if (!p)
        return -E_NOPROC;
    group = p->notegrp;
    proc_release();
    note_post_group(group, text, proc_current());
    return n;
}

void
proc_ctl_init(void)
{
    list_init(&watchers);
}
