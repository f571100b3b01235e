/*
 * console_owner.c - whose the console is: the note group that ^C interrupts,
 * the foreground, and the user who put it there.
 *
 * What is typed is for the foreground.  A process of it may read, ask for raw
 * mode, and give the console to another group; so may any other process that
 * could as well send the foreground notes.  While the foreground is empty, as
 * between two jobs of a shell, the user counts that had it last.
 */
#include "sched/process.h"

static struct {
    uint32_t group; /* [t]; the console's interrupt looks without */
    uint32_t turn;  /* [t] counts the groups so far; others look without */
    uint32_t since; /* [t] the first turn of this user; others look without */
    char user[MAX_NAME]; /* [t] of the process that chose the group */
} owner = { .turn = 1, .since = 1 };

/* May `from` send notes to all of a group?  *n: how many are in it.  The
 * caller holds proctab_lock. */
static bool
may_note_group(const struct proc *from, uint32_t group, unsigned *n)
{
    *n = 0;
    for (struct proc *p = proc_next(0); p; p = proc_next(p->pid)) {
        if (p->notegrp != group)
            continue;
        ++*n;
        if (!proc_hooks.may_note(from, p))
            return false;
    }
    return true;
}

/* May p use what is typed?  The caller holds proctab_lock. */
static bool
is_owner(const struct proc *p)
{
    unsigned n;

    if (p->notegrp == owner.group || proc_hooks.may_rule())
        return true;
    if (!may_note_group(p, owner.group, &n))
        return false;
    return n > 0 || strcmp(proc_hooks.user(p), owner.user) == 0;
}

int
console_right(uint32_t *turn)
{
    bool ok;

    spin_lock(&proctab_lock);
    *turn = owner.turn;
    ok = is_owner(proc_current());
    spin_unlock(&proctab_lock);
    return ok ? 0 : -E_PERM;
}

uint32_t
console_turn(void)
{
    return __atomic_load_n(&owner.turn, __ATOMIC_ACQUIRE);
}

uint32_t
console_since(void)
{
    return __atomic_load_n(&owner.since, __ATOMIC_ACQUIRE);
}

uint32_t
console_group(void)
{
    return __atomic_load_n(&owner.group, __ATOMIC_RELAXED);
}

/* The foreground is `group` from now on.  The caller holds proctab_lock. */
static void
change(uint32_t group, const char *user)
{
    uint32_t turn = owner.turn + 1;

    if (strcmp(user, owner.user) != 0)
        __atomic_store_n(&owner.since, turn, __ATOMIC_RELEASE);
    strlcpy(owner.user, user, sizeof owner.user);
    __atomic_store_n(&owner.group, group, __ATOMIC_RELAXED);
    __atomic_store_n(&owner.turn, turn, __ATOMIC_RELEASE);
}

int
console_take(uint32_t group)
{
    struct proc *p = proc_current();
    bool may;
    unsigned n;

    spin_lock(&proctab_lock);
    may = is_owner(p) && may_note_group(p, group, &n);
    if (may && n > 0)
        change(group, proc_hooks.user(p));
    spin_unlock(&proctab_lock);
    return !may ? -E_PERM : n == 0 ? -E_NOPROC : 0;
}

void
console_start(void)
{
    struct proc *p = proc_current();

    spin_lock(&proctab_lock);
    change(p->notegrp, proc_hooks.user(p));
    spin_unlock(&proctab_lock);
}
