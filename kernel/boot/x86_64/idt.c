/*
 * idt.c - one gate per vector into trap_entry.asm.
 *
 * All are interrupt gates, so that no trap is entered with interrupts on.
 * Only the breakpoint may be raised by a program's own `int3`; every other
 * `int n` from user mode is a protection fault.
 * Intel SDM 3A 6.14.1.
 */
#include "boot/boot.h"
#include "boot/x86_64/tables.h"
#include "boot/x86_64/x86.h"

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_mid;
    uint32_t offset_high;
    uint32_t reserved;
};

enum {
    GATE_INTERRUPT = 0x8e,
    GATE_USER = 0x60
};

static struct gate idt[256] __attribute__((aligned(16)));

/*
 * The interrupt stack (IST_...) on which a vector is taken: double fault, NMI
 * and machine check have their own; 0 for all others, which use the stack that
 * is current, or the TSS's when they come from user mode.
 *
 * Lab 1.8
 */
static uint8_t
gate_stack(unsigned vector)
{
    switch (vector) {
    case TRAP_DOUBLE_FAULT: return IST_DOUBLE_FAULT;
    case TRAP_NMI: return IST_NMI;
    case TRAP_MACHINE_CHECK: return IST_MACHINE_CHECK;
    default: return 0;
    }
}

/*
 * Make each of the 256 gates an interrupt gate (type 0x8e: present, privilege
 * 0) that leads to its stub in trap_stubs, in the kernel's code segment, on the
 * stack that gate_stack says.  TRAP_BREAKPOINT alone may be raised by programs:
 * its privilege is 3 (0x60 more).
 *
 * Lab 1.8
 */
static void
idt_fill(void)
{
    for (unsigned v = 0; v < ARRAY_LEN(idt); v++) {
        uint64_t addr = trap_stubs[v];

        idt[v] = (struct gate){
            .offset_low = addr,
            .selector = SEL_KCODE,
            .ist = gate_stack(v),
            .type = GATE_INTERRUPT | (v == TRAP_BREAKPOINT ? GATE_USER : 0),
            .offset_mid = addr >> 16,
            .offset_high = addr >> 32,
        };
    }
}

void
idt_load(void)
{
    struct table_pointer p = { sizeof(idt) - 1, (uint64_t)idt };

    if (idt[0].selector == 0)
        idt_fill();
    __asm__ volatile("lidt %0" : : "m"(p) : "memory");
}
