/*
 * tables.h - between gdt.c, idt.c and trap_entry.asm; for this folder only.
 */
#pragma once

#include "boot/boot.h"

struct table_pointer { /* operand of lgdt and lidt */
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* Entry addresses of the 256 vectors, in trap_entry.asm. */
extern const uint64_t trap_stubs[256];

/* Load the IDT that all CPUs share, filling it on the first call. */
void idt_load(void);
