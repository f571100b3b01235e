/*
 * gdt.c - what long mode still wants of segments: two privilege levels, a
 * TSS with the stacks to switch to, and GS for the per-CPU data.
 *
 * Each CPU has its own GDT and TSS inside its struct cpu.
 * Intel SDM 3A 3.4.5 (descriptors), 7.7 (64-bit TSS).
 */
#include "boot/boot.h"
#include "boot/x86_64/tables.h"
#include "boot/x86_64/x86.h"

enum {
    IST_STACK_SIZE = 8192,
    NIST = 3
};

/* flat segments: only type, privilege and the long bit matter */
static const uint64_t flat_segments[] = {
    [SEL_KCODE / 8] = 0x00af9b000000ffff,
    [SEL_KDATA / 8] = 0x00cf93000000ffff,
    [SEL_UDATA / 8] = 0x00cff3000000ffff,
    [SEL_UCODE / 8] = 0x00affb000000ffff,
};

struct cpu cpus[MAX_CPUS];
unsigned ncpu = 1;

/* own stacks for the three vectors that may find any rsp */
static char ist_stacks[MAX_CPUS][NIST][IST_STACK_SIZE]
        __attribute__((aligned(16)));

/* The TSS descriptor is two entries wide: base and limit are cut in pieces. */
static void
set_tss_descriptor(uint64_t *entry, const struct tss *tss)
{
    uint64_t base = (uint64_t)tss, limit = sizeof(*tss) - 1;

    entry[0] = limit | (base & 0xffffff) << 16 | 0x89ul << 40 |
               (base >> 24 & 0xff) << 56;
    entry[1] = base >> 32;
}

static void
load_gdt(const struct cpu *cpu)
{
    struct table_pointer p = { sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt };

    __asm__ volatile("lgdt %0" : : "m"(p) : "memory");
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                     :
                     : "i"(SEL_KCODE)
                     : "rax", "memory");
    __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss;"
                     "mov %1, %%fs; mov %1, %%gs"
                     :
                     : "r"(SEL_KDATA), "r"(0)
                     : "memory");
    __asm__ volatile("ltr %w0" : : "r"(SEL_TSS) : "memory");
}

void
cpu_init_tables(struct cpu *cpu)
{
    unsigned i = cpu - cpus;

    cpu->self = cpu;
    cpu->id = i;
    for (unsigned n = 0; n < NIST; n++)
        cpu->tss.ist[n] = (uint64_t)ist_stacks[i][n] + IST_STACK_SIZE;
    cpu->tss.iomap_base = sizeof(cpu->tss); /* none: user I/O faults */
    memcpy(cpu->gdt, flat_segments, sizeof(flat_segments));
    set_tss_descriptor(&cpu->gdt[SEL_TSS / 8], &cpu->tss);
    load_gdt(cpu);
    idt_load();
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    wrmsr(MSR_KERNEL_GS_BASE, 0); /* what user mode finds in GS */
}
