/*
 * power.c - off and on again, and the timer that ticks while it is on: what
 * the kernel wants of ACPI's fixed hardware (the FADT).
 *
 * Powering off means writing a number to a register whose value stands in
 * the firmware's AML program, as the package _S5_.  Lux9 has no interpreter
 * for AML; every known compiler writes that package the same way, so it is
 * looked for as bytes.  ACPI 6.4: 4.8.3, 5.2.9, 7.4.2, 20.2.
 */
#include "boot/acpi.h"
#include "boot/panic.h"
#include "boot/x86_64/x86.h"

enum {
    SCI_ENABLE = 1 << 0, /* PM1 control: ACPI mode is on */
    SLEEP_TYPE_SHIFT = 10,
    SLEEP_ENABLE = 1 << 13,
    FLAG_RESET_REGISTER = 1 << 10,
    SPACE_MEMORY = 0,
    SPACE_IO = 1,
    PATIENCE = 1000000, /* reads of a port, about a second */

    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_BYTE = 0x0a,
    AML_PACKAGE = 0x12,

    PORT_RESET = 0xcf9, /* PCI chip sets: 2 then 6 */
    PORT_KEYBOARD = 0x64,
};

/* A FADT of the oldest revision ends before the reset register. */
static const struct acpi_fadt *
find_fadt(void)
{
    const struct acpi_fadt *f = acpi_find("FACP");

    if (f == NULL || f->head.length < offsetof(struct acpi_fadt, reset))
        return NULL;
    return f;
}

uint16_t
acpi_pm_timer(void)
{
    const struct acpi_fadt *f = find_fadt();

    return f == NULL ? 0 : f->pm_timer;
}

/* One integer of a package: value, and the byte after it; NULL: none. */
static const uint8_t *
aml_integer(const uint8_t *p, const uint8_t *end, unsigned *value)
{
    if (p < end && (*p == AML_ZERO || *p == AML_ONE)) {
        *value = *p;
        return p + 1;
    }
    if (end - p >= 2 && *p == AML_BYTE) {
        *value = p[1];
        return p + 2;
    }
    return NULL;
}

/* The first two integers of the package that starts at p. */
static bool
aml_sleep_types(const uint8_t *p, const uint8_t *end, unsigned types[2])
{
    if (end - p < 3 || *p++ != AML_PACKAGE)
        return false;
    p += 1 + (*p >> 6); /* package length: 1 to 4 bytes (20.2.4) */
    p++;                /* number of elements */
    p = aml_integer(p, end, &types[0]);
    return p != NULL && aml_integer(p, end, &types[1]) != NULL;
}

bool
acpi_sleep_types(const void *aml, size_t len, unsigned types[2])
{
    const uint8_t *p = aml, *end = p + len;

    for (; end - p > 4; p++)
        if (memcmp(p, "_S5_", 4) == 0 && aml_sleep_types(p + 4, end, types))
            return true;
    return false;
}

static const struct acpi_head *
find_dsdt(const struct acpi_fadt *f)
{
    const struct acpi_head *dsdt = NULL;

    if (f->head.length >= sizeof(*f))
        dsdt = acpi_table(f->x_dsdt);
    return dsdt != NULL ? dsdt : acpi_table(f->dsdt);
}

/* Take the power registers over from the firmware, if that is not done. */
static void
acpi_mode_on(const struct acpi_fadt *f)
{
    if (f->smi_command == 0 || f->acpi_enable == 0)
        return;
    if (inw(f->pm1a_control) & SCI_ENABLE)
        return;
    outb(f->smi_command, f->acpi_enable);
    for (int i = 0; i < PATIENCE; i++)
        if (inw(f->pm1a_control) & SCI_ENABLE)
            return;
}

void
acpi_power_off(void)
{
    const struct acpi_fadt *f = find_fadt();
    const struct acpi_head *dsdt = f == NULL ? NULL : find_dsdt(f);
    unsigned types[2];

    if (dsdt == NULL || f->pm1a_control == 0 ||
            !acpi_sleep_types(dsdt, dsdt->length, types))
        return;
    intr_off();
    acpi_mode_on(f);
    outw(f->pm1a_control, types[0] << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);
    if (f->pm1b_control != 0)
        outw(f->pm1b_control, types[1] << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);
    for (int i = 0; i < PATIENCE; i++)
        cpu_pause();
}

static void
wait_a_little(void)
{
    for (int i = 0; i < 100000; i++)
        cpu_pause();
}

static void
reset_by_register(void)
{
    const struct acpi_fadt *f = find_fadt();
    volatile uint8_t *memory;

    if (f == NULL || !(f->flags & FLAG_RESET_REGISTER) ||
            f->head.length < offsetof(struct acpi_fadt, x_facs))
        return;
    if (f->reset.space == SPACE_IO)
        outb(f->reset.address, f->reset_value);
    memory = pa_to_kva(f->reset.address);
    if (f->reset.space == SPACE_MEMORY && address_mapped((vaddr_t)memory))
        *memory = f->reset_value;
    wait_a_little();
}

/* An exception that finds no table, thrice, resets any CPU. */
static void
reset_by_triple_fault(void)
{
    static const char no_table[10];

    __asm__ volatile("lidt %0; int3" : : "m"(no_table));
}

void
acpi_reboot(void)
{
    intr_off();
    reset_by_register();
    outb(PORT_RESET, 2);
    outb(PORT_RESET, 6);
    wait_a_little();
    outb(PORT_KEYBOARD, 0xfe);
    wait_a_little();
    reset_by_triple_fault();
}
