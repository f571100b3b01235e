/*
 * features.h - the table of what the kernel and its programs use of a CPU, and
 * once-only settings of start.c; for this folder only.
 */
#pragma once

#include "boot/boot.h"

enum cpuid_register {
    CPUID_EAX,
    CPUID_EBX,
    CPUID_ECX,
    CPUID_EDX
};

struct cpu_feature {
    uint32_t leaf;         /* of CPUID; its subleaf is 0 */
    uint16_t reg;          /* enum cpuid_register */
    uint16_t bit;          /* its number there */
    const char *must_have; /* its name; NULL: Lux9 can do without */
    uint64_t cr4;          /* the bit of CR4 that turns it on; 0: none */
};

extern const struct cpu_feature cpu_features[NFEATURES];

/* Choose the value that guards stacks; before any function that is guarded. */
void stack_guard_init(void);
