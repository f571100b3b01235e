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

/*
 * Fill the task-state segment of CPU number i, all of it zero before.
 *
 * The vectors that may find any rsp (IST_DOUBLE_FAULT, IST_NMI,
 * IST_MACHINE_CHECK) get stacks of their own, of 8 KiB, one for each vector and
 * CPU.  ist[n - 1] is where IST n begins: behind the end of its
 * stack, since pushes go down; a multiple of 16.  No I/O permission bitmap:
 * iomap_base is the TSS's size, and user I/O faults.
 *
 * Lab 1.7
 */
static void
set_tss(struct tss *tss, unsigned i)
{
    for (unsigned n = 0; n < NIST; n++)
        tss->ist[n] = (uint64_t)ist_stacks[i][n] + IST_STACK_SIZE;
    tss->iomap_base = sizeof(*tss);
}

/*
 * The TSS descriptor, two entries wide (Intel SDM 3A 7.2.3): limit 15..0 in
 * bits 15..0, base 23..0 in 39..16, 0x89 (present, 64-bit TSS) in 47..40, limit
 * 19..16 in 51..48, base 31..24 in 63..56; base 63..32 in the second entry.
 * The limit is the offset of the last byte.
 *
 * Lab 1.7
 */
static void
set_tss_descriptor(uint64_t *entry, const struct tss *tss)
{
    uint64_t base = (uint64_t)tss, limit = sizeof(*tss) - 1;

    entry[0] = limit | (base & 0xffffff) << 16 | 0x89ul << 40 |
               (base >> 24 & 0xff) << 56;
    entry[1] = base >> 32;
}

/*
 * Fill a CPU's GDT: the null descriptor, flat code and data segments for the
 * kernel (privilege 0) and for programs (privilege 3) at the places that
 * SEL_KCODE, SEL_KDATA, SEL_UDATA and SEL_UCODE say (a selector is an index
 * times 8, plus the privilege), and the descriptor of its TSS at SEL_TSS.  In
 * the code segments the long bit is set (Intel SDM 3A 3.4.5, 5.2.1).
 *
 * Lab 1.7
 */
static void
set_gdt(struct cpu *cpu)
{
    memcpy(cpu->gdt, flat_segments, sizeof(flat_segments));
    set_tss_descriptor(&cpu->gdt[SEL_TSS / 8], &cpu->tss);
}

/* Loading a selector into GS clears its base: that comes after this.  64-bit
 * code needs none in the other four, and what is there now is what the first
 * program will find. */
static void
load_gdt(const struct cpu *cpu)
{
    struct table_pointer p = { sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt };

    __asm__ volatile("lgdt %0" : : "m"(p) : "memory");
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                     :
                     : "i"(SEL_KCODE)
                     : "rax", "memory");
    __asm__ volatile("mov %0, %%ss; mov %1, %%ds; mov %1, %%es;"
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
    set_tss(&cpu->tss, i);
    set_gdt(cpu);
    load_gdt(cpu);
    wrmsr(MSR_FS_BASE, 0); /* what user mode finds in FS */
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    wrmsr(MSR_KERNEL_GS_BASE, 0); /* what user mode finds in GS */
    idt_load();
}
