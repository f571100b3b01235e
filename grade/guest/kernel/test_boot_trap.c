/*
 * test_boot_trap.c - exceptions taken for real, handled, reported, counted.
 */
#include "boot/boot.h"
#include "boot/trap.h"
#include "boot/x86_64/x86.h"

static struct trapframe seen;
static unsigned hits;

static void
note_trap(struct trapframe *tf)
{
    seen = *tf;
    hits++;
}

/* The same, and then leave no register as it was that C may change. */
static void
note_and_scramble(struct trapframe *tf)
{
    note_trap(tf);
    __asm__ volatile(
            "mov $-1, %%rax; mov %%rax, %%rcx; mov %%rax, %%rdx;"
            "mov %%rax, %%rsi; mov %%rax, %%rdi; mov %%rax, %%r8;"
            "mov %%rax, %%r9; mov %%rax, %%r10; mov %%rax, %%r11"
            :
            :
            : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
}

/* Without a handler it is reported, and the kernel goes on. */
KTEST(trap_breakpoint_returns)
{
    uint64_t before, after, end = 0;
    bool on = intr_enabled();

    intr_off(); /* a timer's interrupt counts too */
    before = this_cpu()->traps;
    __asm__ volatile("int3; mov $42, %0" : "=r"(end));
    after = this_cpu()->traps;
    if (on)
        intr_on();
    CHECK_EQ(end, 42);
    CHECK_EQ(after, before + 1);
}

/* Every register arrives in the handler's frame and comes back unharmed. */
KTEST(trap_keeps_registers)
{
    uint64_t in[14], out[14], rsp;

    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        in[i] = ktest_random(&seed);
    hits = 0;
    trap_register(0x81, note_and_scramble);
    __asm__ volatile("push %%rbx; push %%rbp; push %[out];"
                     "mov 0(%[in]), %%rax; mov 8(%[in]), %%rbx;"
                     "mov 16(%[in]), %%rdx; mov 24(%[in]), %%rdi;"
                     "mov 32(%[in]), %%rbp; mov 40(%[in]), %%r8;"
                     "mov 48(%[in]), %%r9; mov 56(%[in]), %%r10;"
                     "mov 64(%[in]), %%r11; mov 72(%[in]), %%r12;"
                     "mov 80(%[in]), %%r13; mov 88(%[in]), %%r14;"
                     "mov 96(%[in]), %%r15; mov 104(%[in]), %%rsi;"
                     "int $0x81;"
                     "mov (%%rsp), %%rcx;"
                     "mov %%rax, 0(%%rcx); mov %%rbx, 8(%%rcx);"
                     "mov %%rdx, 16(%%rcx); mov %%rdi, 24(%%rcx);"
                     "mov %%rbp, 32(%%rcx); mov %%r8, 40(%%rcx);"
                     "mov %%r9, 48(%%rcx); mov %%r10, 56(%%rcx);"
                     "mov %%r11, 64(%%rcx); mov %%r12, 72(%%rcx);"
                     "mov %%r13, 80(%%rcx); mov %%r14, 88(%%rcx);"
                     "mov %%r15, 96(%%rcx); mov %%rsi, 104(%%rcx);"
                     "mov %%rsp, %%rcx; pop %%rax; pop %%rbp; pop %%rbx"
                     : "=&c"(rsp)
                     : [in] "S"(in), [out] "D"(out)
                     : "rax", "rdx", "r8", "r9", "r10", "r11", "r12", "r13",
                     "r14", "r15", "memory", "cc");
    CHECK_EQ(hits, 1);
    CHECK(memcmp(in, out, sizeof(in)) == 0);
    CHECK_EQ(seen.rax, in[0]);
    CHECK_EQ(seen.rbx, in[1]);
    CHECK_EQ(seen.rdx, in[2]);
    CHECK_EQ(seen.rdi, in[3]);
    CHECK_EQ(seen.rbp, in[4]);
    CHECK_EQ(seen.r8, in[5]);
    CHECK_EQ(seen.r12, in[9]);
    CHECK_EQ(seen.r15, in[12]);
    CHECK_EQ(seen.rsi, in[13]);
    CHECK_EQ(seen.vector, 0x81);
    CHECK_EQ(seen.error, 0);
    CHECK_EQ(seen.cs, SEL_KCODE);
    CHECK_EQ(seen.rsp, rsp);
    trap_register(0x81, NULL);
}

/* The handler's C code may rely on a clear direction flag. */
KTEST(trap_clears_direction)
{
    static uint64_t inside;

    hits = 0;
    trap_register(0x81, note_trap);
    __asm__ volatile("std; int $0x81; pushfq; popq %0; cld"
                     : "=r"(inside)
                     :
                     : "memory", "cc");
    CHECK_EQ(hits, 1);
    CHECK(seen.rflags & RFLAGS_DF);
    CHECK(inside & RFLAGS_DF); /* and get it back as it was */
    trap_register(0x81, NULL);
}

static uint64_t handler_flags;

static void
note_flags(struct trapframe *tf)
{
    (void)tf;
    __asm__ volatile("pushfq; popq %0" : "=r"(handler_flags));
}

/* In a handler interrupts are off, and AC and DF clear, whatever was before */
KTEST(trap_handler_flags)
{
    uint64_t flags = RFLAGS_AC | RFLAGS_DF | 2;

    trap_register(0x81, note_flags);
    __asm__ volatile("pushfq; push %0; popfq; int $0x81; popfq"
                     :
                     : "r"(flags)
                     : "memory", "cc");
    CHECK_EQ(handler_flags & (RFLAGS_AC | RFLAGS_DF | RFLAGS_IF), 0);
    trap_register(0x81, NULL);
}

static void
skip_divide(struct trapframe *tf)
{
    note_trap(tf);
    tf->rip += 3; /* div %rcx: 48 f7 f1 */
}

/* A handler can change what is resumed. */
KTEST(trap_divide_handled)
{
    hits = 0;
    trap_register(TRAP_DIVIDE, skip_divide);
    __asm__ volatile("div %%rcx" : : "c"(0ul), "a"(1ul), "d"(0ul) : "cc");
    trap_register(TRAP_DIVIDE, NULL);
    CHECK_EQ(hits, 1);
    CHECK_EQ(seen.vector, TRAP_DIVIDE);
}

static void
skip_load(struct trapframe *tf)
{
    note_trap(tf);
    tf->rip += 3; /* mov (%rcx), %rax: 48 8b 01 */
}

/* The CPU's error code for a non-canonical address is 0; faults are counted */
KTEST(trap_general_protection_handled)
{
    hits = 0;
    trap_register(TRAP_GP, skip_load);
    __asm__ volatile("mov (%%rcx), %%rax" : : "c"(1ul << 63) : "rax", "memory");
    trap_register(TRAP_GP, NULL);
    CHECK_EQ(hits, 1);
    CHECK_EQ(seen.vector, TRAP_GP);
    CHECK_EQ(seen.error, 0);
}

KTEST(trap_counters)
{
    struct cpu *cpu = this_cpu();
    uint64_t traps = cpu->traps, interrupts = cpu->interrupts;

    trap_register(0x81, note_trap);
    __asm__ volatile("int $0x81; int $0x81; int $0xff");
    trap_register(0x81, NULL);
    CHECK_EQ(cpu->traps, traps + 3);
    CHECK_EQ(cpu->interrupts, interrupts + 3);
}

/* The masked PIC's phantom interrupts are nothing, not a panic. */
KTEST(trap_spurious_ignored)
{
    uint64_t traps = this_cpu()->traps;

    __asm__ volatile("int $0x27; int $0x2f; int $0xff");
    CHECK_EQ(this_cpu()->traps, traps + 3);
}

KTEST(trap_names)
{
    CHECK(strcmp(trap_name(TRAP_PAGE_FAULT), "page fault") == 0);
    CHECK(strcmp(trap_name(TRAP_DIVIDE), "divide error") == 0);
    CHECK(trap_name(9) == NULL);
    CHECK(trap_name(0x81) == NULL);
    CHECK(trap_name(100000) == NULL);
}

/* panic: divide error */
KTEST(trap_divide_unhandled)
{
    __asm__ volatile("div %%rcx" : : "c"(0ul), "a"(1ul), "d"(0ul) : "cc");
}

/* panic: invalid opcode */
KTEST(trap_invalid_opcode)
{
    __asm__ volatile("ud2");
}

/* A null pointer with a small index faults in every stage.
 * panic: page fault */
KTEST(trap_null_pointer)
{
    __asm__ volatile("movb $1, (%0)" : : "r"(8ul) : "memory");
}

/* panic: interrupt 0x81 without handler */
KTEST(trap_no_handler)
{
    __asm__ volatile("int $0x81");
}

/*
 * A stack pointer that points nowhere leaves no place for a page fault's
 * frame; the double fault has its own stack.
 * panic: double fault
 */
KTEST(trap_no_stack)
{
    __asm__ volatile("mov %0, %%rsp; push %%rax"
                     :
                     : "r"(0xffffa00000000000ul)
                     : "memory");
}

/* ---- trap_dispatch, called with frames that no CPU has pushed ---- */

static struct trapframe *handled, *blamed;

static void
note_handled(struct trapframe *tf)
{
    handled = tf;
}

static void
note_blamed(struct trapframe *tf)
{
    blamed = tf;
}

/* trap_dispatch with a frame of that vector, from a program or the kernel */
static struct trapframe *
dispatch(unsigned vector, uint64_t cs)
{
    static struct trapframe tf;

    tf = (struct trapframe){ .vector = vector, .cs = cs };
    handled = blamed = NULL;
    trap_dispatch(&tf);
    return &tf;
}

KTEST(dispatch_calls_handler)
{
    trap_handler *blame = user_trap, *fpu;
    struct trapframe *tf;

    user_trap = note_blamed;
    trap_register(0x81, note_handled);
    fpu = trap_register(TRAP_FPU, note_handled);
    tf = dispatch(0x81, SEL_KCODE);
    CHECK_EQ(handled, tf);
    CHECK(blamed == NULL);
    tf = dispatch(TRAP_FPU, SEL_UCODE);
    CHECK_EQ(handled, tf);
    CHECK(blamed == NULL); /* the handler comes first */
    trap_register(TRAP_FPU, fpu);
    trap_register(0x81, NULL);
    user_trap = blame;
}

KTEST(dispatch_counts)
{
    static const unsigned vectors[] = { 0, 14, 31, 0x20, 0x81, 255 };
    struct cpu *cpu, before;
    bool on = intr_enabled();

    intr_off(); /* a timer's interrupt counts too */
    cpu = this_cpu();
    before = *cpu;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        trap_handler *old = trap_register(vectors[i], note_handled);

        dispatch(vectors[i], SEL_KCODE);
        trap_register(vectors[i], old);
        CHECK_EQ(cpu->traps, before.traps + i + 1);
        CHECK_EQ(cpu->faults, before.faults + (i >= 1)); /* vector 14 */
        CHECK_EQ(cpu->interrupts,
                before.interrupts + (i >= 3 ? i - 2 : 0)); /* from 0x20 on */
    }
    if (on)
        intr_on();
}

/* A program is blamed for its exceptions, not for the machine's events. */
KTEST(dispatch_blames_programs)
{
    static const unsigned its_own[] = { 0, 1, 3, 6, 13, 14, 17, 19, 31 };
    trap_handler *blame = user_trap;

    user_trap = note_blamed;
    for (size_t i = 0; i < ARRAY_LEN(its_own); i++) {
        trap_handler *old = trap_register(its_own[i], NULL);
        struct trapframe *tf = dispatch(its_own[i], SEL_UCODE);

        CHECK_EQ(blamed, tf);
        trap_register(its_own[i], old);
    }
    user_trap = blame;
}

/* A program's fault is the kernel's when there is no layer to blame it.
 * panic: general protection at 0x0 */
KTEST(dispatch_nobody_to_blame)
{
    user_trap = NULL;
    dispatch(TRAP_GP, SEL_UCODE);
}

/* An interrupt without handler is not a program's fault.
 * panic: interrupt 0x82 without handler */
KTEST(dispatch_interrupt_of_program)
{
    user_trap = note_blamed;
    dispatch(0x82, SEL_UCODE);
}

/* Nor is a double fault, wherever it strikes.
 * panic: double fault at 0x0 */
KTEST(dispatch_double_fault_of_program)
{
    user_trap = note_blamed;
    dispatch(TRAP_DOUBLE_FAULT, SEL_UCODE);
}

static void
skip_move(struct trapframe *tf)
{
    note_trap(tf);
    tf->rip += 2;
}

/* An error code that the CPU pushes is not pushed again: a selector that is no
 * descriptor's is its own. */
KTEST(trap_error_code)
{
    hits = 0;
    trap_register(TRAP_GP, skip_move);
    __asm__ volatile("mov %0, %%fs" : : "a"(0x3f8) : "memory"); /* 8e e0 */
    trap_register(TRAP_GP, NULL);
    CHECK_EQ(hits, 1);
    CHECK_EQ(seen.error, 0x3f8);
    CHECK_EQ(seen.vector, TRAP_GP);
}
