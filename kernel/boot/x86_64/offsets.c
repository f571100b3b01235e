/*
 * offsets.c - what assembly must know of C's structures.
 *
 * Never linked: the Makefile compiles it to assembly text and turns each
 * "offset NAME n" line into a NASM definition in offsets.inc.
 */
#include "boot/boot.h"
#include "boot/features.h"

#define CONSTANT(name, value)                                                  \
    __asm__ volatile("# offset " #name " %c0" : : "i"(value))

void offsets(void);

void
offsets(void)
{
    CONSTANT(KERNEL_BASE, KERNEL_BASE);
    CONSTANT(BOOTINFO_ENTRY_TSC, offsetof(struct bootinfo, entry_tsc));
    CONSTANT(NFEATURES, NFEATURES);
    CONSTANT(FEATURE_LEAF, offsetof(struct cpu_feature, leaf));
    CONSTANT(FEATURE_REG, offsetof(struct cpu_feature, reg));
    CONSTANT(FEATURE_BIT, offsetof(struct cpu_feature, bit));
    CONSTANT(FEATURE_MUST_HAVE, offsetof(struct cpu_feature, must_have));
    CONSTANT(FEATURE_SIZE, sizeof(struct cpu_feature));
    CONSTANT(CPU_KERNEL_RSP, offsetof(struct cpu, kernel_rsp));
    CONSTANT(CPU_USER_RSP, offsetof(struct cpu, user_rsp));
    CONSTANT(CPU_PROC, offsetof(struct cpu, proc));
    CONSTANT(CPU_SYSCALLS, offsetof(struct cpu, syscalls));
    CONSTANT(CPU_RESCHED, offsetof(struct cpu, resched));
    CONSTANT(TF_VECTOR, offsetof(struct trapframe, vector));
    CONSTANT(TF_CS, offsetof(struct trapframe, cs));
    CONSTANT(TF_RFLAGS, offsetof(struct trapframe, rflags));
    CONSTANT(TF_RIP, offsetof(struct trapframe, rip));
    CONSTANT(TF_RSP, offsetof(struct trapframe, rsp));
    CONSTANT(TF_RAX, offsetof(struct trapframe, rax));
    CONSTANT(TF_RDX, offsetof(struct trapframe, rdx));
    CONSTANT(TF_RSI, offsetof(struct trapframe, rsi));
    CONSTANT(TF_RDI, offsetof(struct trapframe, rdi));
    CONSTANT(TF_RBP, offsetof(struct trapframe, rbp));
    CONSTANT(TF_R8, offsetof(struct trapframe, r8));
    CONSTANT(TF_R9, offsetof(struct trapframe, r9));
    CONSTANT(TF_R10, offsetof(struct trapframe, r10));
    CONSTANT(TF_SIZE, sizeof(struct trapframe));
    CONSTANT(SEL_KCODE, SEL_KCODE);
    CONSTANT(SEL_KDATA, SEL_KDATA);
    CONSTANT(SEL_UCODE, SEL_UCODE);
    CONSTANT(SEL_UDATA, SEL_UDATA);
}
