/*
 * syscall.c - from a system-call number to the function that answers.
 *
 * lux/syscalls.def makes the table.  Each function takes up to five words and
 * returns a result or -E_...; what each call means to a program stands in
 * user/lib/lux.h.
 */
#include "sched/syscall.h"
#include "boot/x86_64/x86.h"

void syscall_entry(void); /* x86_64/syscall_entry.asm */

/* Called with more words than it takes, a function reads only its own
 * (System V ABI 3.2.3: they are in registers). */
typedef int64_t syscall_fn(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static syscall_fn *const table[SYS_COUNT] = {
#define SYSCALL(number, stage, name, nargs)                                    \
    IN_STAGE_##stage([number] = (syscall_fn *)(void (*)(void))sys_##name)
#include <lux/syscalls.def>
#undef SYSCALL
};

/*
 * Called by syscall_entry.asm, interrupts off; returns with them off.  Counts
 * the call in this CPU's `syscalls`, traces it, and with interrupts on calls
 * the function of the number in tf->rax with the words in rdi, rsi, rdx, r10
 * and r8.  Its result, or -E_NOSYS for any number that has none, goes to
 * tf->rax, where rfork and noted look for it.
 *
 * Lab 3.9
 */
void
syscall_dispatch(struct trapframe *tf)
{
    uint64_t number = tf->rax;

    this_cpu()->syscalls++;
    TRACE(TRACE_SYSCALL, number, 0);
    intr_on();
    if (number < SYS_COUNT && table[number])
        tf->rax = (uint64_t)table[number](
                tf->rdi, tf->rsi, tf->rdx, tf->r10, tf->r8);
    else
        tf->rax = (uint64_t)-E_NOSYS;
    intr_off();
    TRACE(TRACE_SYSRET, number, tf->rax);
}

/*
 * Where `syscall` goes on this CPU, and which flags it clears on the way:
 * interrupts, single step, direction, nested task, alignment check.
 */
void
syscall_init_cpu(void)
{
    wrmsr(MSR_STAR,
            (uint64_t)(SEL_KDATA | 3) << 48 | (uint64_t)SEL_KCODE << 32);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
    wrmsr(MSR_FMASK, RFLAGS_IF | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
}
