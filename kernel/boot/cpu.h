/*
 * cpu.h - what is known of each CPU, reached through the GS base.
 *
 * In the kernel GS always points at the running CPU's struct cpu; user code
 * has its own GS base, and `swapgs` exchanges them at the border.  Assembly
 * finds the fields through offsets generated from this file
 * (boot/x86_64/offsets.c), never through typed numbers.
 */
#pragma once

#include <lux/types.h>
#include <lux/limits.h>

struct proc; /* belongs to sched; boot only keeps the pointer */

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7]; /* ist[0] is IST 1 */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_base;
} __attribute__((packed));

enum {
    GDT_ENTRIES = 8
};

struct cpu {
    struct cpu *self;    /* [gs:0]: lets C load this pointer in one move */
    uint64_t kernel_rsp; /* top of the running process's kernel stack */
    uint64_t user_rsp;   /* syscall entry parks the user's rsp here */
    struct proc *proc;   /* running process, NULL: none yet, or idle */
    uint32_t id;         /* 0 .. ncpu-1, index of per-CPU arrays */
    uint32_t apic_id;    /* the local APIC's own number */
    uint32_t lock_depth; /* spinlocks held: nested interrupt-off count */
    uint32_t lock_intr;  /* interrupts were on before the first of them */
    uint32_t lock_ranks; /* bit r: a lock of rank r is held */
    uint32_t resched;    /* switch before going back to user mode */
    uint32_t in_panic;
    uint32_t online;   /* it has entered its idle loop */
    uint64_t syscalls; /* counters for struct cpustat */
    uint64_t traps;
    uint64_t faults;
    uint64_t interrupts;
    uint64_t switches;
    uint64_t cr3_loads;
    uint64_t shootdowns;
    uint64_t idle_ns;
    struct tss tss;
    uint64_t gdt[GDT_ENTRIES];
} __attribute__((aligned(64)));

extern struct cpu cpus[MAX_CPUS];
extern unsigned ncpu; /* CPUs that run; 1 until sched starts the others */

/*
 * The running CPU.  With interrupts on the answer may be old by the time it
 * is used: the caller has them off, or only wants its own process.
 */
static inline struct cpu *
this_cpu(void)
{
    struct cpu *cpu;

    __asm__ volatile("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/* selectors; their order is what sysret demands (Intel SDM 2B, SYSRET) */
enum {
    SEL_KCODE = 0x08,
    SEL_KDATA = 0x10,
    SEL_UDATA = 0x18 | 3,
    SEL_UCODE = 0x20 | 3,
    SEL_TSS = 0x28,
};

/* interrupt stack table slots (1-based, as the IDT counts) */
enum {
    IST_DOUBLE_FAULT = 1,
    IST_NMI,
    IST_MACHINE_CHECK
};
