/*
 * features.c - what Lux9 and its programs use of a CPU: one table; what each
 * CPU is told to be strict about, and what user programs may use.
 *
 * A CPU that lacks what must be there is refused before C begins (features.asm:
 * check_features), since the compiler uses some of it in any function.  Bits
 * that a CPU may lack are left alone (Intel SDM 3A 2.5: setting a reserved one
 * faults), so that the oldest x86-64 and the newest both start.
 */
#include "boot/boot.h"
#include "boot/features.h"
#include "boot/x86_64/x86.h"

bool cpu_has_smap;

/*
 * Leaves and bits: Intel SDM 2A, CPUID; AMD64 APM 3 appendix D.  Long mode and
 * NX are not here: entry.asm:check_cpu asks for them before all others.
 */
#define NEEDS(id, leaf_, reg_, bit_, name)                                     \
    [id] = { .leaf = leaf_, .reg = reg_, .bit = bit_, .must_have = name }
#define USES(id, leaf_, reg_, bit_, cr4_)                                      \
    [id] = { .leaf = leaf_, .reg = reg_, .bit = bit_, .cr4 = cr4_ }

const struct cpu_feature cpu_features[NFEATURES] = {
    NEEDS(FEATURE_FPU, 1, CPUID_EDX, 0, "floating point (FPU)"),
    NEEDS(FEATURE_TSC, 1, CPUID_EDX, 4, "time-stamp counter (TSC)"),
    NEEDS(FEATURE_MSR, 1, CPUID_EDX, 5, "model-specific registers (MSR)"),
    NEEDS(FEATURE_PAE, 1, CPUID_EDX, 6, "8-byte page-table entries (PAE)"),
    NEEDS(FEATURE_APIC, 1, CPUID_EDX, 9, "local APIC (APIC)"),
    NEEDS(FEATURE_CMOV, 1, CPUID_EDX, 15, "conditional moves (CMOV)"),
    NEEDS(FEATURE_FXSR, 1, CPUID_EDX, 24, "FXSAVE and FXRSTOR (FXSR)"),
    NEEDS(FEATURE_SSE, 1, CPUID_EDX, 25, "vector instructions (SSE)"),
    NEEDS(FEATURE_SSE2, 1, CPUID_EDX, 26, "vector instructions (SSE2)"),
    NEEDS(FEATURE_SYSCALL, 0x80000001, CPUID_EDX, 11,
            "system-call instruction (SYSCALL)"),

    USES(FEATURE_MCE, 1, CPUID_EDX, 7, CR4_MCE),
    USES(FEATURE_PGE, 1, CPUID_EDX, 13, CR4_PGE),
    USES(FEATURE_SMEP, 7, CPUID_EBX, 7, CR4_SMEP),
    USES(FEATURE_SMAP, 7, CPUID_EBX, 20, CR4_SMAP),
    USES(FEATURE_UMIP, 7, CPUID_ECX, 2, CR4_UMIP),
    USES(FEATURE_RDRAND, 1, CPUID_ECX, 30, 0),
    USES(FEATURE_GIB_PAGES, 0x80000001, CPUID_EDX, 26, 0),
};

bool
cpu_has(enum cpu_feature_id id)
{
    const struct cpu_feature *f = &cpu_features[id];
    struct cpuid is;
    uint32_t registers[4];

    if (cpuid(f->leaf & 1u << 31, 0).eax < f->leaf)
        return false;
    is = cpuid(f->leaf, 0);
    registers[CPUID_EAX] = is.eax;
    registers[CPUID_EBX] = is.ebx;
    registers[CPUID_ECX] = is.ecx;
    registers[CPUID_EDX] = is.edx;
    return registers[f->reg] >> f->bit & 1;
}

uint64_t
cpu_random(void)
{
    uint64_t value = 0;
    bool ok = false;

    if (!cpu_has(FEATURE_RDRAND))
        return 0;
    for (int tries = 0; tries < 10 && !ok; tries++) /* Intel SDM 1, 7.3.17 */
        __asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(ok));
    return ok ? value : 0;
}

void
cpu_init_features(void)
{
    uint64_t optional = 0;

    for (unsigned i = 0; i < NFEATURES; i++)
        if (cpu_features[i].cr4 && cpu_has(i))
            optional |= cpu_features[i].cr4;
    /* exactly these: a bit that the firmware has left on would let programs
     * change what no switch saves (FS and GS bases, AVX, protection keys) */
    write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
    write_cr4(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | optional);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    cpu_has_smap = (optional & CR4_SMAP) != 0;
}
