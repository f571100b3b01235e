/*
 * note.c - notes: short texts that interrupt a process (notify(2)).
 *
 * Posting raises p->attention and then looks at p's state; going to sleep
 * (wake.c:proc_block) sets the state and then looks for notes; so a process
 * never sleeps on top of a note.  Delivery happens on the way to user mode
 * only, where the process holds nothing.
 *
 * While a handler runs, or a debugger has stopped the process, further notes
 * wait; "kill" waits for nobody.  The
 * three notes that interrupts send are bits, which need no memory.  Notes to a
 * group are note_group.c's.
 */
#include "sched/process.h"
#include "boot/x86_64/x86.h"

enum {
    RED_ZONE = 128,     /* below rsp, the compiler's (System V ABI 3.2.2) */
    USER_FLAGS = 0xcd5, /* what a handler may change: CF PF AF ZF SF DF OF */
};

static const char *const bit_text[] = {
    [NOTE_BIT_INTERRUPT] = "interrupt",
    [NOTE_BIT_ALARM] = "alarm",
};

bool
note_pending(const struct proc *p)
{
    uint32_t bits = __atomic_load_n(&p->note_bits, __ATOMIC_SEQ_CST);

    if (bits & NOTE_BIT_KILL)
        return true;
    if (p->note_frame || p->stop == STOP_DONE)
        return false;
    return bits || __atomic_load_n(&p->nnote, __ATOMIC_SEQ_CST);
}

int
notes_waive(void)
{
    struct proc *p = proc_current();

    /* the count first: a kill that it counts is seen below */
    p->notes_waived = __atomic_load_n(&p->note_count, __ATOMIC_SEQ_CST);
    if (!(__atomic_load_n(&p->note_bits, __ATOMIC_SEQ_CST) & NOTE_BIT_KILL))
        return 0;
    notes_heed();
    return -E_INTR;
}

void
notes_heed(void)
{
    proc_current()->notes_waived = 0;
}

/* Have p look at its notes, and whether to stop, soon, wherever it is. */
void
note_attention(struct proc *p)
{
    __atomic_store_n(&p->attention, 1, __ATOMIC_SEQ_CST);
    proc_wake(p);
    if (__atomic_load_n(&p->state, __ATOMIC_SEQ_CST) == PROC_RUNNING) {
        unsigned cpu = p->cpu;

        __atomic_store_n(&cpus[cpu].resched, 1, __ATOMIC_RELEASE);
        if (&cpus[cpu] != this_cpu())
            apic_send(cpu, VEC_RESCHED);
    }
}

/* The same for a note that has just come. */
static void
draw_attention(struct proc *p)
{
    __atomic_add_fetch(&p->note_count, 1, __ATOMIC_SEQ_CST);
    note_attention(p);
}

void
note_post_bit(struct proc *p, uint32_t bit)
{
    __atomic_or_fetch(&p->note_bits, bit, __ATOMIC_SEQ_CST);
    draw_attention(p);
}

static int
post(struct proc *p, const char *text, enum note_target to)
{
    struct posted_note *n = kmalloc(sizeof *n);
    int err = 0;

    if (!n)
        return -E_NOMEM;
    n->of_group = to == NOTE_GROUP;
    strlcpy(n->text, text, sizeof n->text);
    spin_lock(&p->lock);
    if (p->nnote == MAX_NOTES) {
        err = -E_NOTESFULL;
    } else {
        list_append(&p->notes, &n->link);
        __atomic_store_n(&p->nnote, p->nnote + 1, __ATOMIC_SEQ_CST);
    }
    spin_unlock(&p->lock);
    if (err)
        kfree(n);
    else
        draw_attention(p);
    return err;
}

int
note_post(struct proc *p, const char *text)
{
    return post(p, text, NOTE_PROC);
}

/* "kill" and the interrupts' notes by name are the bits. */
int
note_post_text(struct proc *p, const char *text, enum note_target to)
{
    if (strcmp(text, "kill") == 0)
        note_post_bit(p, NOTE_BIT_KILL);
    else if (strcmp(text, "interrupt") != 0)
        return post(p, text, to);
    else if (to == NOTE_GROUP)
        note_post_bit(p, NOTE_BIT_INTERRUPT | NOTE_BIT_OF_GROUP);
    else
        note_post_bit(p, NOTE_BIT_INTERRUPT);
    return 0;
}

void
notes_free(struct proc *p)
{
    while (!list_empty(&p->notes)) {
        struct posted_note *n = LIST_FIRST(&p->notes, struct posted_note, link);

        list_remove(&n->link);
        kfree(n);
    }
}

/*
 * Take the next note's text; false: there is none.  "kill" is not taken: it
 * may come at any moment from another CPU, and has no text.
 */
static bool
take_note(struct proc *p, char text[MAX_ERR])
{
    uint32_t bits = __atomic_load_n(&p->note_bits, __ATOMIC_SEQ_CST) &
                    (NOTE_BIT_INTERRUPT | NOTE_BIT_ALARM);
    uint32_t bit = bits & -bits;
    uint32_t group = bit == NOTE_BIT_INTERRUPT ? NOTE_BIT_OF_GROUP : 0;
    struct posted_note *n = NULL;

    if (bit) {
        __atomic_and_fetch(&p->note_bits, ~(bit | group), __ATOMIC_SEQ_CST);
        strlcpy(text, bit_text[bit], MAX_ERR);
        return true;
    }
    spin_lock(&p->lock);
    if (!list_empty(&p->notes)) {
        n = LIST_FIRST(&p->notes, struct posted_note, link);
        list_remove(&n->link);
        p->nnote--;
    }
    spin_unlock(&p->lock);
    if (!n)
        return false;
    strlcpy(text, n->text, MAX_ERR);
    kfree(n);
    return true;
}

/*
 * Make the process go on in its handler.  What it finds on its stack:
 *
 *      rsp ->  0                return address: a handler must not return
 *              struct ureg      the registers to go on with   <- rdi
 *              text[MAX_ERR]    the note                      <- rsi
 *              red zone         of the code that was interrupted
 *
 * 0, -E_BADADDR, -E_NOMEM.
 */
static int
deliver(struct proc *p, struct trapframe *tf, const char *text)
{
    vaddr_t at_text = tf->rsp - RED_ZONE - MAX_ERR;
    vaddr_t at_ureg = ROUND_DOWN(at_text - sizeof(struct ureg), 16);
    uint64_t no_return = 0;
    int err = copy_out(at_text, text, MAX_ERR);

    if (err == 0)
        err = copy_out(at_ureg, tf, sizeof(struct ureg));
    if (err == 0)
        err = copy_out(at_ureg - 8, &no_return, 8);
    if (err < 0)
        return err;
    fpu_save(p->note_fpu);
    p->note_frame = at_ureg;
    tf->rsp = at_ureg - 8;
    tf->rip = p->note_handler;
    tf->rdi = at_ureg;
    tf->rsi = at_text;
    tf->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_TF | RFLAGS_AC | RFLAGS_NT);
    return 0;
}

/*
 * The process must deal with `text` now: in its handler, or die of it.
 * Interrupts are on.
 */
void
note_handle(struct trapframe *tf, const char *text)
{
    struct proc *p = proc_current();
    int err;

    strlcpy(p->note_text, text, sizeof p->note_text);
    if (!p->note_handler || p->note_frame)
        proc_exit(text);
    do {
        err = deliver(p, tf, p->note_text);
    } while (err == -E_NOMEM && vital_pause());
    if (err < 0)
        proc_exit(err == -E_NOMEM ? "sys: out of memory for a note"
                                  : "sys: no stack for a note");
}

void
note_return(struct trapframe *tf)
{
    struct proc *p = proc_current();
    char text[MAX_ERR];

    __atomic_store_n(&p->attention, 0, __ATOMIC_SEQ_CST);
    intr_on();
    if (p->stop != STOP_NONE)
        proc_hooks.stop(p);
    if (__atomic_load_n(&p->note_bits, __ATOMIC_SEQ_CST) & NOTE_BIT_KILL)
        proc_exit("killed");
    if (!p->note_frame && take_note(p, text))
        note_handle(tf, text);
    intr_off();
}

/* notify(2): 0 takes the handler away. 0, -E_BADADDR, -E_NOMEM. */
int64_t
note_notify(vaddr_t handler)
{
    struct proc *p = proc_current();

    if (handler >= USER_TOP)
        return -E_BADADDR;
    if (handler && !p->note_fpu) {
        p->note_fpu = kmalloc(sizeof *p->note_fpu);
        if (!p->note_fpu)
            return -E_NOMEM;
    }
    p->note_handler = handler;
    return 0;
}

/*
 * noted(2).  The registers come from user memory, where the handler may have
 * changed them: nothing in them is believed that matters to the kernel.
 */
int64_t
note_done(uint64_t how, struct trapframe *tf)
{
    struct proc *p = proc_current();
    struct ureg u;

    if (!p->note_frame || how > NDFLT)
        return -E_BADARG;
    if (how == NDFLT)
        proc_exit(p->note_text);
    if (copy_in(&u, p->note_frame, sizeof u) < 0 || u.rip >= USER_TOP)
        proc_exit("sys: bad registers in noted");
    p->note_frame = 0;
    memcpy(tf, &u, sizeof u);
    tf->cs = SEL_UCODE;
    tf->ss = SEL_UDATA;
    tf->rflags = (u.rflags & USER_FLAGS) | RFLAGS_IF | 2;
    fpu_restore(p->note_fpu);
    __atomic_store_n(&p->attention, 1, __ATOMIC_SEQ_CST); /* more may wait */
    this_cpu()->resched = 1; /* and all registers change: leave by iret */
    return (int64_t)tf->rax;
}
