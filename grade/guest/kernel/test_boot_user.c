/*
 * test_boot_user.c - in and out of user mode: two instructions of a program,
 * long before there are any.
 */
#include "boot/boot.h"
#include "boot/trap.h"
#include "boot/x86_64/x86.h"

enum {
    CODE = 0x400000,
    PTE = 0x7 /* present, writable, user */
};

extern char trap_return[];

/* The program: two breakpoints. */
static uint8_t page[4096] __attribute__((aligned(4096))) = { 0xcc, 0xcc };
static uint64_t pt[512] __attribute__((aligned(4096)));
static uint64_t pd[512] __attribute__((aligned(4096)));
static uint64_t pdpt[512] __attribute__((aligned(4096)));

static struct {
    char stack[4096]; /* for what trap_return calls */
    struct trapframe tf;
} first __attribute__((aligned(16)));

static char trap_stack[8192] __attribute__((aligned(16)));
static struct trapframe seen[2];
static uint64_t gs[2], its_gs[2], last_rbp[2];
static unsigned traps, leaves;
static struct cpu its_data;         /* where the program's GS points */
static uint64_t home_rip, home_rsp; /* where the test goes on */

static paddr_t
pa_of(const void *image)
{
    return (paddr_t)image - KERNEL_BASE;
}

static void
count_leave(struct trapframe *tf)
{
    CHECK(trap_from_user(tf));
    leaves++;
}

/* The first breakpoint resumes the program, the second the test. */
static void
note_breakpoint(struct trapframe *tf)
{
    const uint64_t *dispatch = *(uint64_t **)__builtin_frame_address(0);

    gs[traps] = rdmsr(MSR_GS_BASE);
    its_gs[traps] = rdmsr(MSR_KERNEL_GS_BASE);
    last_rbp[traps] = dispatch[0];
    seen[traps++] = *tf;
    if (traps < 2)
        return;
    tf->rip = home_rip;
    tf->rsp = home_rsp;
    tf->cs = SEL_KCODE;
    tf->ss = SEL_KDATA;
}

/* Go where first.tf says; come back from the second breakpoint. */
static __attribute__((noinline)) void
run_program(void)
{
    __asm__ volatile("push %%rbp; push %%rbx;"
                     "lea 1f(%%rip), %%rax; mov %%rax, %0; mov %%rsp, %1;"
                     "mov %2, %%rsp; jmp trap_return;"
                     "1: pop %%rbx; pop %%rbp"
                     : "=m"(home_rip), "=m"(home_rsp)
                     : "r"(&first.tf)
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
                     "r11", "r12", "r13", "r14", "r15", "memory", "cc");
}

/* GS changes hands at the border, both ways; the program's registers are
 * kept, and the layer that wants to know of the return is told. */
KTEST(trap_from_program)
{
    uint64_t *pml4 = pa_to_kva(read_cr3() & ~4095ul), entry = pml4[0];
    struct cpu *cpu = this_cpu();
    uint64_t rsp0 = cpu->tss.rsp[0], old_gs = rdmsr(MSR_KERNEL_GS_BASE);
    trap_handler *leave = user_return, *old;
    bool on = intr_enabled();

    intr_off();
    pt[0] = pa_of(page) | PTE;
    pd[CODE >> 21] = pa_of(pt) | PTE;
    pdpt[0] = pa_of(pd) | PTE;
    pml4[0] = pa_of(pdpt) | PTE;
    cpu->tss.rsp[0] = (uint64_t)trap_stack + sizeof(trap_stack);
    its_data = *this_cpu(); /* a kernel that errs comes through to the checks */
    its_data.self = &its_data;
    wrmsr(MSR_KERNEL_GS_BASE, (uint64_t)&its_data);
    user_return = count_leave;
    old = trap_register(TRAP_BREAKPOINT, note_breakpoint);
    first.tf = (struct trapframe){ .rip = CODE,
        .cs = SEL_UCODE,
        .ss = SEL_UDATA,
        .rflags = 2,
        .rbx = 0xb0b,
        .rbp = 0xbeef,
        .r15 = 15 };
    run_program();
    trap_register(TRAP_BREAKPOINT, old);
    user_return = leave;
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    wrmsr(MSR_KERNEL_GS_BASE, old_gs);
    cpu->tss.rsp[0] = rsp0;
    pml4[0] = entry;
    write_cr3(read_cr3());
    if (on)
        intr_on();
    CHECK_EQ(traps, 2);
    CHECK_EQ(leaves, 2);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_EQ(gs[i], (uint64_t)cpu);
        CHECK_EQ(its_gs[i], (uint64_t)&its_data);
        CHECK_EQ(last_rbp[i], 0); /* its frames are not the kernel's */
        CHECK_EQ(seen[i].rip, CODE + 1 + i);
        CHECK_EQ(seen[i].cs, SEL_UCODE);
        CHECK_EQ(seen[i].rbx, 0xb0b);
        CHECK_EQ(seen[i].rbp, 0xbeef);
        CHECK_EQ(seen[i].r15, 15);
    }
}
