/*
 * ureg.h - the registers of a user program as a note handler sees them; the
 * same layout as the kernel's struct trapframe (boot/boot.h), lowest first.
 */
#pragma once

#include <lux/types.h>

struct ureg {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
