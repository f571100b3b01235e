/*
 * features.c - what each CPU is told to be strict about, and what user
 * programs may use.
 *
 * Bits that a CPU lacks are left alone (Intel SDM 3A 2.5: setting a reserved
 * one faults), so that the oldest x86-64 and the newest both start.
 */
#include "boot/boot.h"
#include "boot/x86_64/x86.h"

bool cpu_has_smap;

/* CPUID leaf 7 and leaf 1 as CR4 bits (Intel SDM 2A, CPUID). */
static uint64_t
optional_cr4_bits(void)
{
    struct cpuid basic = cpuid(1, 0);
    struct cpuid extended = { 0 };
    uint64_t bits = 0;

    if (cpuid(0, 0).eax >= 7)
        extended = cpuid(7, 0);
    if (basic.edx & 1 << 13)
        bits |= CR4_PGE;
    if (basic.edx & 1 << 7)
        bits |= CR4_MCE;
    if (extended.ebx & 1 << 7)
        bits |= CR4_SMEP;
    if (extended.ebx & 1 << 20)
        bits |= CR4_SMAP;
    if (extended.ecx & 1 << 2)
        bits |= CR4_UMIP;
    return bits;
}

void
cpu_init_features(void)
{
    uint64_t optional = optional_cr4_bits();

    /* exactly these: a bit that the firmware has left on would let programs
     * change what no switch saves (FS and GS bases, AVX, protection keys) */
    write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
    write_cr4(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | optional);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    cpu_has_smap = (optional & CR4_SMAP) != 0;
}
