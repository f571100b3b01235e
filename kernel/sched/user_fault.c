/*
 * user_fault.c - a program did something that the CPU refuses.
 *
 * With a note handler it may deal with it; without one it ends, and what it
 * was doing is shown: registers, and its calls by the names in its file.
 */
#include "sched/process.h"
#include "boot/x86_64/x86.h"

enum {
    MAX_FRAMES = 16
};

static bool
no_memory(const struct trapframe *tf)
{
    return tf->vector == TRAP_PAGE_FAULT && tf->error & FAULT_NOMEM;
}

static void
describe(const struct trapframe *tf, vaddr_t addr, char text[MAX_ERR])
{
    if (no_memory(tf))
        snprint(text, MAX_ERR, "sys: out of memory addr=%#lx pc=%#lx", addr,
                tf->rip);
    else if (tf->vector == TRAP_PAGE_FAULT)
        snprint(text, MAX_ERR, "sys: trap: fault %s addr=%#lx pc=%#lx",
                tf->error & 2    ? "write"
                : tf->error & 16 ? "exec"
                                 : "read",
                addr, tf->rip);
    else
        snprint(text, MAX_ERR, "sys: trap: %s pc=%#lx", trap_name(tf->vector),
                tf->rip);
}

static void
print_frame(const struct proc *p, unsigned n, vaddr_t pc)
{
    char name[64];
    uint64_t offset;

    if (elf_symbol(p->program, p->program_size, pc, name, sizeof name,
                &offset) == 0)
        print("    #%u %#lx %s+%#lx\n", n, pc, name, offset);
    else
        print("    #%u %#lx ?\n", n, pc);
}

/* The calls on the user's stack, by frame pointers, none of them trusted. */
static void
print_user_calls(const struct proc *p, const struct trapframe *tf)
{
    vaddr_t fp = tf->rbp;
    struct {
        vaddr_t fp, ret;
    } frame;

    print_frame(p, 0, tf->rip);
    for (unsigned n = 1; n < MAX_FRAMES; n++) {
        if (fp % 8 || copy_in(&frame, fp, sizeof frame) < 0 || !frame.ret)
            return;
        print_frame(p, n, frame.ret - 1);
        if (frame.fp <= fp)
            return;
        fp = frame.fp;
    }
}

static void
report(const struct proc *p, const struct trapframe *tf, const char *text)
{
    print("%s %u: %s\n", p->name, p->pid, text);
    if (no_memory(tf))
        return; /* not the program's mistake: where it was tells nothing */
    print("  rax %#lx rbx %#lx rcx %#lx rdx %#lx rsi %#lx rdi %#lx\n", tf->rax,
            tf->rbx, tf->rcx, tf->rdx, tf->rsi, tf->rdi);
    print("  rsp %#lx rbp %#lx rflags %#lx\n", tf->rsp, tf->rbp, tf->rflags);
    print_user_calls(p, tf);
    print("  look closer: `make gdb`, there `lux program %s`, `break *%#lx`,\n"
          "  `continue`, and run it again\n",
            p->name, tf->rip);
}

/* user_trap of boot/boot.h. */
void
user_fault(struct trapframe *tf)
{
    struct proc *p = proc_current();
    vaddr_t addr = read_cr2();
    char text[MAX_ERR];

    describe(tf, addr, text);
    intr_on();
    if (no_memory(tf) && vital_pause()) {
        intr_off();
        return; /* and try again */
    }
    if (!p->note_handler || p->note_frame)
        report(p, tf, text);
    note_handle(tf, text);
    intr_off();
}
