/*
 * test_sched_switch.c - from one kernel stack to another, before there is any
 * process: the stacks are made by hand.
 * append: early
 * limit: 3
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

void context_switch(uint64_t *save_rsp, uint64_t load_rsp);

enum {
    R15,
    R14,
    R13,
    R12,
    RBX,
    RBP,
    RIP,
    WORDS
};

static uint64_t side_stack[512] __attribute__((aligned(16)));
__attribute__((used)) static uint64_t main_rsp, side_rsp, seen[6], saved[6];
static unsigned visits;

/* Load in[6] (in the order above), switch, and store what is there again. */
void switch_with(const uint64_t *in, uint64_t *out);

/* Where side stacks begin: notes the six registers and what the other stack
 * has in their words, spoils them, goes back. */
void note_and_spoil(void);
__asm__(".text\n"
        "switch_with:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "push %rsi\n"
        "mov (%rdi), %r15; mov 8(%rdi), %r14; mov 16(%rdi), %r13\n"
        "mov 24(%rdi), %r12; mov 32(%rdi), %rbx; mov 40(%rdi), %rbp\n"
        "mov $main_rsp, %rdi; mov side_rsp, %rsi\n"
        "call context_switch\n"
        "pop %rsi\n"
        "mov %r15, (%rsi); mov %r14, 8(%rsi); mov %r13, 16(%rsi)\n"
        "mov %r12, 24(%rsi); mov %rbx, 32(%rsi); mov %rbp, 40(%rsi)\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n"
        "note_and_spoil:\n"
        "mov %r15, seen; mov %r14, seen+8; mov %r13, seen+16\n"
        "mov %r12, seen+24; mov %rbx, seen+32; mov %rbp, seen+40\n"
        "mov main_rsp, %rsi; mov $saved, %rdi; mov $6, %ecx; rep movsq\n"
        "mov $-1, %r15; mov %r15, %r14; mov %r15, %r13\n"
        "mov %r15, %r12; mov %r15, %rbx; mov %r15, %rbp\n"
        "mov $side_rsp, %rdi; mov main_rsp, %rsi\n"
        "call context_switch\n"
        "jmp note_and_spoil\n");

/* A side stack as if fn had been left: the first switch there enters it. */
static uint64_t *
make_side(void (*fn)(void))
{
    uint64_t *frame = side_stack + ARRAY_LEN(side_stack) - WORDS - 1;

    memset(frame, 0, WORDS * sizeof *frame);
    frame[RIP] = (uint64_t)fn;
    side_rsp = (uint64_t)frame;
    return frame;
}

static void
visit(void)
{
    for (;;) {
        visits++;
        context_switch(&side_rsp, main_rsp);
    }
}

/* There and back, a hundred times: each side goes on where it left. */
KTEST(switch_there_and_back)
{
    intr_off();
    visits = 0;
    make_side(visit);
    for (unsigned i = 1; i <= 100; i++) {
        context_switch(&main_rsp, side_rsp);
        if (!CHECK_EQ(visits, i))
            return;
    }
    CHECK(side_rsp >= (uint64_t)side_stack);
    CHECK(side_rsp < (uint64_t)(side_stack + ARRAY_LEN(side_stack)));
}

/* The six registers that C code relies on are there again afterwards. */
KTEST(switch_keeps_registers)
{
    uint64_t in[6], out[6] = { 0 };

    intr_off();
    make_side(note_and_spoil);
    for (unsigned round = 0; round < 3; round++) {
        CHECK_ROUND(round);
        for (unsigned i = 0; i < 6; i++)
            in[i] = ktest_random(&seed);
        switch_with(in, out);
        for (unsigned i = 0; i < 6; i++)
            CHECK_EQ(out[i], in[i]);
    }
}

/* Each register has its own word in a stack that is not in use. */
KTEST(switch_layout)
{
    uint64_t in[6], out[6], other[6], *frame = make_side(note_and_spoil);

    intr_off();
    for (unsigned i = 0; i < 6; i++) {
        in[i] = ktest_random(&seed);
        frame[i] = other[i] = ktest_random(&seed);
    }
    switch_with(in, out);
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQ(seen[i], other[i]);
        CHECK_EQ(saved[i], in[i]);
    }
}

static void *entered_with;
static uint64_t entered_frame;

static void
entered(void *arg)
{
    entered_with = arg;
    entered_frame = (uint64_t)__builtin_frame_address(0);
    context_switch(&side_rsp, main_rsp);
}

/* proc_set_entry makes the frame that context_switch takes. */
KTEST(entry_frame)
{
    struct proc *p = proc_alloc("new");
    uint64_t *frame = (uint64_t *)p->tf - WORDS;

    memset(frame, 0xff, WORDS * sizeof *frame);
    proc_set_entry(p, entered, &entered_with);
    CHECK_EQ(p->ksp, frame);
    CHECK_EQ(frame[RBX], entered);
    CHECK_EQ(frame[R12], &entered_with);
    CHECK_EQ(frame[RBP], 0); /* a backtrace ends here */
    CHECK_EQ(frame[R15] | frame[R14] | frame[R13], 0);
    proc_free(p);
}

/* A new process runs its function with its argument, on an aligned stack
 * (System V ABI 3.2.2), and lets go of the process before it. */
KTEST(entry_runs_function)
{
    static struct proc before;
    struct proc *p = proc_alloc("new"), *old = runqs[0].prev;

    intr_off();
    before.state = PROC_SLEEPING;
    before.on_cpu = 1;
    runqs[0].prev = &before;
    entered_with = NULL;
    proc_set_entry(p, entered, &before);
    context_switch(&main_rsp, p->ksp);
    CHECK_EQ(entered_with, &before);
    CHECK_EQ(entered_frame % 16, 0);
    CHECK_EQ(before.on_cpu, 0);
    runqs[0].prev = old;
    proc_free(p);
}

/* sched_finish: on_cpu falls, the state is not its business. */
KTEST(finish_lets_go)
{
    static struct proc left;
    struct proc *old = runqs[0].prev;

    intr_off();
    left.state = PROC_READY;
    left.on_cpu = 1;
    runqs[0].prev = &left;
    sched_finish();
    CHECK_EQ(left.on_cpu, 0);
    CHECK_EQ(left.state, PROC_READY);
    runqs[0].prev = old;
}

/* A dead process is freed: structure, stack, record. */
KTEST(finish_frees_the_dead)
{
    uint64_t before = kheap_live();
    struct proc *p = proc_alloc("dead"), *old = runqs[0].prev;
    void *stack = p->kstack_top;

    intr_off();
    p->waitrec = kzalloc(sizeof *p->waitrec);
    p->state = PROC_DEAD;
    runqs[0].prev = p;
    sched_finish();
    CHECK_EQ(kheap_live(), before);
    p = proc_alloc("again");
    CHECK_EQ(p->kstack_top, stack); /* stacks are used again, newest first */
    proc_free(p);
    CHECK_EQ(this_cpu()->lock_depth, 0);
    runqs[0].prev = old;
}
