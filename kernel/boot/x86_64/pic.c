/*
 * pic.c - the two 8259A interrupt controllers of a PC: moved out of the way
 * of the exceptions, then masked for ever, because the I/O APIC does the work.
 *
 * Even a masked PIC can deliver a spurious interrupt 7 or 15, and after a
 * reset those would look like exceptions.  Intel 8259A data sheet.
 */
#include "boot/boot.h"
#include "boot/x86_64/pic.h"
#include "boot/x86_64/x86.h"

enum {
    PIC1 = 0x20,
    PIC2 = 0xa0,
    ICW1_INIT = 0x11, /* edge triggered, cascade, ICW4 follows */
    ICW3_SECOND_AT_2 = 1 << 2,
    ICW3_I_AM_2 = 2,
    ICW4_8086 = 0x01,
};

void
pic_disable(void)
{
    outb(PIC1, ICW1_INIT);
    outb(PIC2, ICW1_INIT);
    outb(PIC1 + 1, TRAP_IRQ0);
    outb(PIC2 + 1, TRAP_IRQ0 + 8);
    outb(PIC1 + 1, ICW3_SECOND_AT_2);
    outb(PIC2 + 1, ICW3_I_AM_2);
    outb(PIC1 + 1, ICW4_8086);
    outb(PIC2 + 1, ICW4_8086);
    outb(PIC1 + 1, 0xff);
    outb(PIC2 + 1, 0xff);
}
