/*
 * clock.c - nanoseconds since boot, from the time-stamp counter.
 *
 * The TSC counts at an unknown constant rate; the ACPI timer at 3.579545 MHz
 * (ACPI 6.4 4.8.2.1).  Both are read at the two ends of a short window, and
 * the APIC timer with them.  From then on time is one multiplication.
 */
#include "sched/sched.h"
#include "boot/x86_64/x86.h"

#define PM_HZ     3579545ul
#define WINDOW_US 2000ul
#define PIT_HZ    1193182ul

static uint64_t boot_tsc;
static uint64_t tsc_hz = 1000000000; /* until measured */

/* ns = ticks * ns_mul >> 32; ticks = ns * tsc_mul >> 32, apic_mul likewise */
static uint64_t ns_mul = 1ul << 32, tsc_mul = 1ul << 32, apic_mul;

static uint64_t
mul_shift32(uint64_t a, uint64_t mul)
{
    unsigned __int128 product = (unsigned __int128)a * mul >> 32;

    return product >> 64 ? UINT64_MAX : (uint64_t)product;
}

uint64_t
tsc_to_ns(uint64_t ticks)
{
    return mul_shift32(ticks, ns_mul);
}

uint64_t
ns_to_tsc(uint64_t ns)
{
    return mul_shift32(ns, tsc_mul);
}

uint64_t
clock_ns(void)
{
    return tsc_to_ns(rdtsc() - boot_tsc);
}

uint32_t
clock_tsc_to_apic(uint64_t when, uint64_t now)
{
    uint64_t ns = when > now ? tsc_to_ns(when - now) : 0;
    uint64_t count = mul_shift32(ns, apic_mul);

    if (count == 0)
        return 1;
    return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

/* What to multiply nanoseconds with, to get ticks of a clock of hz << 32. */
static uint64_t
per_ns(uint64_t hz)
{
    return (hz / 1000000000 << 32) + (hz % 1000000000 << 32) / 1000000000;
}

/* Wait `ticks` of the 24-bit ACPI timer; returns how many passed. */
static uint64_t
wait_pm(uint16_t port, uint64_t ticks)
{
    uint32_t from = inl(port), passed;

    do {
        passed = (inl(port) - from) & 0xffffff;
    } while (passed < ticks);
    return passed;
}

/* The same on channel 2 of the 8254, for machines without the ACPI timer:
 * one countdown from `ticks`; its output shows in bit 5 of port 0x61. */
static uint64_t
wait_pit(uint64_t ticks)
{
    outb(0x61, (inb(0x61) & ~2u) | 1);
    outb(0x43, 0xb0); /* channel 2, both bytes, mode 0 */
    outb(0x42, (uint8_t)ticks);
    outb(0x42, (uint8_t)(ticks >> 8));
    while (!(inb(0x61) & 0x20))
        cpu_pause();
    return ticks;
}

void
clock_init(void)
{
    uint16_t pm = acpi_pm_timer();
    uint64_t hz = pm ? PM_HZ : PIT_HZ;
    uint64_t window = hz * WINDOW_US / 1000000, passed, tsc;
    uint32_t apic;

    boot_tsc = bootinfo.entry_tsc;
    apic_timer_set(UINT32_MAX);
    apic = apic_timer_count();
    tsc = rdtsc();
    passed = pm ? wait_pm(pm, window) : wait_pit(window);
    tsc = rdtsc() - tsc;
    apic -= apic_timer_count();
    apic_timer_set(0);

    tsc_hz = tsc * hz / passed;
    ns_mul = (1000000000ul << 32) / tsc_hz;
    tsc_mul = per_ns(tsc_hz);
    apic_mul = per_ns(apic * hz / passed);
}
