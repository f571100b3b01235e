/*
 * trap_dump.c - a struct trapframe for human eyes.
 *
 * Names of vectors: Intel SDM 3A 6.3.1; page-fault error code: 4.7; selector
 * error code: 6.13; control registers: 2.3, 2.5.
 */
#include "boot/boot.h"
#include "boot/trap.h"
#include "boot/x86_64/x86.h"

static const char *const trap_names[32] = {
    [0] = "divide error",
    [1] = "debug",
    [2] = "non-maskable interrupt",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range exceeded",
    [6] = "invalid opcode",
    [7] = "device not available",
    [8] = "double fault",
    [10] = "invalid TSS",
    [11] = "segment not present",
    [12] = "stack fault",
    [13] = "general protection",
    [14] = "page fault",
    [16] = "x87 floating-point error",
    [17] = "alignment check",
    [18] = "machine check",
    [19] = "SIMD floating-point error",
};

struct bit_name {
    uint64_t bit;
    const char *name;
};

static const struct bit_name rflags_bits[] = {
    { 1 << 0, "CF" },
    { 1 << 2, "PF" },
    { 1 << 4, "AF" },
    { 1 << 6, "ZF" },
    { 1 << 7, "SF" },
    { 1 << 8, "TF" },
    { 1 << 9, "IF" },
    { 1 << 10, "DF" },
    { 1 << 11, "OF" },
    { 1 << 14, "NT" },
    { 1 << 16, "RF" },
    { 1 << 18, "AC" },
};

static const struct bit_name cr0_bits[] = {
    { 1 << 0, "PE" },
    { 1 << 1, "MP" },
    { 1 << 2, "EM" },
    { 1 << 3, "TS" },
    { 1 << 4, "ET" },
    { 1 << 5, "NE" },
    { 1 << 16, "WP" },
    { 1 << 18, "AM" },
    { 1ul << 31, "PG" },
};

static const struct bit_name cr4_bits[] = {
    { 1 << 4, "PSE" },
    { 1 << 5, "PAE" },
    { 1 << 6, "MCE" },
    { 1 << 7, "PGE" },
    { 1 << 9, "OSFXSR" },
    { 1 << 10, "OSXMMEXCPT" },
    { 1 << 11, "UMIP" },
    { 1 << 16, "FSGSBASE" },
    { 1 << 18, "OSXSAVE" },
    { 1 << 20, "SMEP" },
    { 1 << 21, "SMAP" },
};

const char *
trap_name(unsigned vector)
{
    return vector < ARRAY_LEN(trap_names) ? trap_names[vector] : NULL;
}

static void
print_bits(const char *name, uint64_t value, const struct bit_name *bits,
        unsigned n)
{
    print("%s %lx", name, value);
    for (unsigned i = 0; i < n; i++)
        if (value & bits[i].bit)
            print(" %s", bits[i].name);
    print("\n");
}

/* "write to 0x18 from the kernel: page not present" */
static void
print_page_fault(uint64_t error)
{
    print("%s 0x%lx from %s mode: %s%s\n",
            error & 1 << 4   ? "execution at"
            : error & 1 << 1 ? "write to"
                             : "read of",
            read_cr2(), error & 1 << 2 ? "user" : "kernel",
            error & 1 << 0 ? "not permitted" : "page not present",
            error & 1 << 3 ? ", reserved bit set in its table entry" : "");
}

/* Which descriptor an exception blames. */
static void
print_selector(uint64_t error)
{
    if (error != 0)
        print("about entry 0x%lx of the %s%s\n", error >> 3 & 0x1fff,
                error & 2   ? "IDT"
                : error & 4 ? "LDT"
                            : "GDT",
                error & 1 ? ", by an external event" : "");
}

static void
print_cause(const struct trapframe *tf)
{
    if (trap_name(tf->vector) != NULL)
        print("trap %lu (%s), error code 0x%lx\n", tf->vector,
                trap_name(tf->vector), tf->error);
    else
        print("interrupt 0x%lx\n", tf->vector);
    if (tf->vector == TRAP_PAGE_FAULT)
        print_page_fault(tf->error);
    else if (tf->vector >= 10 && tf->vector <= TRAP_GP)
        print_selector(tf->error);
}

void
trap_dump(const struct trapframe *tf)
{
    print_cause(tf);
    print("rip %04lx:%016lx %y\n", tf->cs, tf->rip, tf->rip);
    print("rsp %04lx:%016lx  rbp %016lx\n", tf->ss, tf->rsp, tf->rbp);
    print("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", tf->rax, tf->rbx,
            tf->rcx, tf->rdx);
    print("rsi %016lx  rdi %016lx  r8  %016lx  r9  %016lx\n", tf->rsi, tf->rdi,
            tf->r8, tf->r9);
    print("r10 %016lx  r11 %016lx  r12 %016lx  r13 %016lx\n", tf->r10, tf->r11,
            tf->r12, tf->r13);
    print("r14 %016lx  r15 %016lx  cr2 %016lx  cr3 %016lx\n", tf->r14, tf->r15,
            read_cr2(), read_cr3());
    print_bits("rflags", tf->rflags, rflags_bits, ARRAY_LEN(rflags_bits));
    print_bits("cr0", read_cr0(), cr0_bits, ARRAY_LEN(cr0_bits));
    print_bits("cr4", read_cr4(), cr4_bits, ARRAY_LEN(cr4_bits));
}

void
trap_breakpoint(const struct trapframe *tf)
{
    print("breakpoint at %y\n", tf->rip);
    trap_dump(tf);
    backtrace(tf->rip, tf->rbp);
}
