/*
 * note_group.c - notes to all of a note group, while its members fork.
 *
 * A note to a group reaches each of its processes exactly once, and for a child
 * it is as if it had come either wholly before the rfork or wholly after.
 * Who posts holds proctab_lock from the first member to the last, and a child
 * enters the table and its parent's group under the same lock (fork.c:
 * child_join), which also gives it what the parent has been sent as a member
 * and not taken yet (notes_inherit).  So the note finds
 *
 *      the child in the group     both get it
 *      no child yet, and the      it is in the parent's queue until child_join,
 *      parent inside of rfork     and from there in both
 *      no child yet, and the      the child is a copy of a process that has
 *      parent before rfork        taken it; or, if the parent runs a handler,
 *                                 that will take it next, as the child will
 *
 * The parent runs child_join itself, so it takes no note meanwhile.  What came
 * to the parent alone is not the child's.
 */
#include "sched/process.h"

unsigned
note_post_group(uint32_t notegrp, const char *text, struct proc *except)
{
    unsigned n = 0;

    spin_lock(&proctab_lock);
    for (struct proc *p = proc_next(0); p; p = proc_next(p->pid))
        if (p->notegrp == notegrp && p != except &&
                (!except || proc_hooks.may_note(except, p)))
            n += note_post_text(p, text, NOTE_GROUP) == 0;
    spin_unlock(&proctab_lock);
    return n;
}

/* Append copies of p's notes of the group to `copies`: how many, -E_NOMEM. */
static int
copy_notes(struct proc *p, struct list *copies)
{
    int n = 0;

    spin_lock(&p->lock);
    LIST_EACH(&p->notes, node)
    {
        struct posted_note *note = CONTAINER_OF(node, struct posted_note, link);
        struct posted_note *copy =
                note->of_group ? kmalloc(sizeof *copy) : NULL;

        if (note->of_group && !copy) {
            n = -E_NOMEM;
            break;
        }
        if (copy) {
            memcpy(copy, note, sizeof *copy);
            list_append(copies, &copy->link);
            n++;
        }
    }
    spin_unlock(&p->lock);
    return n;
}

/*
 * child, which nobody else knows yet, joins the note group of parent, the
 * caller: it gets the notes that wait in parent as a member, in their order.
 * 0; -E_NOMEM, and notes_free must follow.  Holds proctab_lock.
 */
int
notes_inherit(struct proc *child, struct proc *parent)
{
    uint32_t bits = __atomic_load_n(&parent->note_bits, __ATOMIC_SEQ_CST);
    int n = copy_notes(parent, &child->notes);

    if (n < 0)
        return n;
    child->nnote = (uint32_t)n;
    if (bits & NOTE_BIT_OF_GROUP)
        child->note_bits = NOTE_BIT_INTERRUPT | NOTE_BIT_OF_GROUP;
    child->note_count = child->nnote + (child->note_bits != 0);
    child->attention = child->note_count != 0;
    return 0;
}

/* p leaves its group: what it has been sent as a member is its own now, and
 * not for the children that it has elsewhere.  Holds proctab_lock. */
void
notes_keep(struct proc *p)
{
    __atomic_and_fetch(
            &p->note_bits, ~(uint32_t)NOTE_BIT_OF_GROUP, __ATOMIC_SEQ_CST);
    spin_lock(&p->lock);
    LIST_EACH(&p->notes, node)
    CONTAINER_OF(node, struct posted_note, link)->of_group = false;
    spin_unlock(&p->lock);
}
