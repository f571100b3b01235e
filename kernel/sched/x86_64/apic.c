/*
 * apic.c - local APICs and the I/O APIC (Intel SDM 3A 11; 82093AA data
 * sheet): who is interrupted by what, timer interrupts, and interrupts from
 * one CPU to another.
 */
#include "sched/sched.h"
#include "boot/x86_64/x86.h"

enum { /* byte offsets of the local APIC's registers */
    LAPIC_ID = 0x20,
    LAPIC_TPR = 0x80,
    LAPIC_EOI = 0xb0,
    LAPIC_SVR = 0xf0,
    LAPIC_ESR = 0x280,
    LAPIC_ICR_LOW = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_INITIAL_COUNT = 0x380,
    LAPIC_CURRENT_COUNT = 0x390,
    LAPIC_DIVIDE = 0x3e0,
};

enum {
    SVR_ENABLE = 1 << 8,
    LVT_MASKED = 1 << 16,
    DIVIDE_BY_1 = 0xb,
    ICR_PENDING = 1 << 12,
    ICR_NMI = 4 << 8,
    ICR_INIT = 5 << 8,
    ICR_STARTUP = 6 << 8,
    ICR_ASSERT = 1 << 14,
};

#define APIC_BASE_ADDR 0xffffff000ul

static volatile uint32_t *lapic;
static volatile uint32_t *ioapic; /* [0] index, [4] data */
static uint32_t gsi_base, irq_to_gsi[16];

static uint32_t
lapic_read(unsigned reg)
{
    return lapic[reg / 4];
}

static void
lapic_write(unsigned reg, uint32_t value)
{
    lapic[reg / 4] = value;
}

static void
ioapic_write(uint32_t reg, uint32_t value)
{
    ioapic[0] = reg;
    ioapic[4] = value;
}

static uint32_t
ioapic_read(uint32_t reg)
{
    ioapic[0] = reg;
    return ioapic[4];
}

/* The two 8259s: move their interrupts away from the exceptions, mask all. */
static void
pic_off(void)
{
    outb(0x20, 0x11);
    outb(0xa0, 0x11);
    outb(0x21, TRAP_IRQ0);
    outb(0xa1, TRAP_IRQ0 + 8);
    outb(0x21, 4);
    outb(0xa1, 2);
    outb(0x21, 1);
    outb(0xa1, 1);
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

/* An interrupt that went away before it was taken: no EOI is due. */
static void
spurious(struct trapframe *tf)
{
    (void)tf;
}

void
apic_init(void)
{
    paddr_t io = acpi_ioapic(&gsi_base, irq_to_gsi);

    pic_off();
    lapic = mmio_map(rdmsr(MSR_APIC_BASE) & APIC_BASE_ADDR, PAGE_SIZE);
    if (!lapic)
        panic("apic_init: no memory to map the local APIC");
    if (io) {
        ioapic = mmio_map(io, PAGE_SIZE);
        if (!ioapic)
            panic("apic_init: no memory to map the I/O APIC");
        for (uint32_t n = 0; n <= (ioapic_read(1) >> 16 & 0xff); n++)
            ioapic_write(0x10 + 2 * n, LVT_MASKED);
    }
    trap_register(TRAP_SPURIOUS, spurious);
    apic_init_cpu();
}

void
apic_init_cpu(void)
{
    struct cpu *cpu = this_cpu();

    lapic_write(LAPIC_SVR, SVR_ENABLE | TRAP_SPURIOUS);
    lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
    lapic_write(LAPIC_LVT_TIMER, VEC_TIMER);
    lapic_write(LAPIC_INITIAL_COUNT, 0);
    lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT1, ICR_NMI);
    lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
    lapic_write(LAPIC_TPR, 0);
    cpu->apic_id = lapic_read(LAPIC_ID) >> 24;
}

void
apic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

void
apic_timer_set(uint32_t count)
{
    lapic_write(LAPIC_INITIAL_COUNT, count);
}

uint32_t
apic_timer_count(void)
{
    return lapic_read(LAPIC_CURRENT_COUNT);
}

/* Send one interrupt command; interrupts off, so that no other comes between
 * the halves of the register. */
static void
send_command(uint32_t apic_id, uint32_t command)
{
    bool were_on = intr_enabled();

    intr_off();
    while (lapic_read(LAPIC_ICR_LOW) & ICR_PENDING)
        cpu_pause();
    lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
    lapic_write(LAPIC_ICR_LOW, command);
    if (were_on)
        intr_on();
}

void
apic_send(unsigned cpu, unsigned vector)
{
    TRACE(TRACE_IPI, vector, cpu);
    send_command(cpus[cpu].apic_id, ICR_ASSERT | vector);
}

/*
 * May run in a panic, in the middle of anything: no lock, no trace.  Only to
 * CPUs that are counted: one that halts in the trampoline has no IDT, and an
 * NMI would reset the machine.
 */
void
apic_nmi_others(void)
{
    for (unsigned i = 0; lapic && i < ncpu; i++)
        if (&cpus[i] != this_cpu())
            send_command(cpus[i].apic_id, ICR_ASSERT | ICR_NMI);
}

/* INIT, then start-up at the page `entry` (below 1 MiB): SDM 3A 9.4.4.1.
 * The waits between them are the caller's. */
void
apic_send_init(uint32_t apic_id)
{
    send_command(apic_id, ICR_ASSERT | ICR_INIT);
}

void
apic_send_startup(uint32_t apic_id, paddr_t entry)
{
    send_command(apic_id, ICR_ASSERT | ICR_STARTUP | (uint32_t)(entry >> 12));
}

void
apic_route_isa(unsigned irq, unsigned vector)
{
    uint32_t pin = irq_to_gsi[irq] - gsi_base;

    if (!ioapic)
        return;
    ioapic_write(0x10 + 2 * pin + 1, cpus[0].apic_id << 24);
    ioapic_write(0x10 + 2 * pin, vector);
}
