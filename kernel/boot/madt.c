/*
 * madt.c - which CPUs and interrupt controllers there are: ACPI's MADT.
 *
 * The table is a head, then entries of varying type and length; the walk
 * stops at the first that has an impossible length.  ACPI 6.4 5.2.12.
 */
#include "boot/acpi.h"
#include "boot/x86_64/x86.h"

enum entry_type {
    ENTRY_LAPIC = 0,
    ENTRY_IOAPIC = 1,
    ENTRY_OVERRIDE = 2,
    ENTRY_X2APIC = 9,
};

enum {
    CPU_ENABLED = 1 << 0,
    IOAPIC_DEFAULT = 0xfec00000
};

struct entry {
    uint8_t type;
    uint8_t length;
};

struct entry_lapic {
    struct entry head;
    uint8_t processor, apic_id;
    uint32_t flags;
} __attribute__((packed));

struct entry_ioapic {
    struct entry head;
    uint8_t id, reserved;
    uint32_t pa, gsi_base;
} __attribute__((packed));

struct entry_override {
    struct entry head;
    uint8_t bus, source;
    uint32_t gsi;
    uint16_t flags;
} __attribute__((packed));

struct entry_x2apic {
    struct entry head;
    uint16_t reserved;
    uint32_t apic_id, flags, processor;
} __attribute__((packed));

struct madt {
    struct acpi_head head;
    uint32_t lapic_pa, flags;
    char entries[];
} __attribute__((packed));

/* what an entry that we read must have at least */
static const uint8_t entry_size[] = {
    [ENTRY_LAPIC] = sizeof(struct entry_lapic),
    [ENTRY_IOAPIC] = sizeof(struct entry_ioapic),
    [ENTRY_OVERRIDE] = sizeof(struct entry_override),
    [ENTRY_X2APIC] = sizeof(struct entry_x2apic),
};

/* The entry after `e` (NULL: the first), or NULL at the end. */
static const struct entry *
next_entry(const struct madt *madt, const struct entry *e)
{
    const char *end = (const char *)madt + madt->head.length;
    const char *p = e == NULL ? madt->entries : (const char *)e + e->length;

    e = (const void *)p;
    if (end - p < (long)sizeof(*e) || e->length < sizeof(*e) ||
            e->length > end - p)
        return NULL;
    if (e->type < ARRAY_LEN(entry_size) && e->length < entry_size[e->type])
        return NULL;
    return e;
}

static const struct madt *
find_madt(void)
{
    const struct madt *madt = acpi_find("APIC");

    return madt != NULL && madt->head.length >= sizeof(*madt) ? madt : NULL;
}

/* The entry's APIC id if it is a CPU that may be started. */
static bool
usable_cpu(const struct entry *e, uint32_t *apic_id)
{
    const struct entry_lapic *lapic = (const void *)e;
    const struct entry_x2apic *x2apic = (const void *)e;

    if (e->type == ENTRY_LAPIC) {
        *apic_id = lapic->apic_id;
        return lapic->flags & CPU_ENABLED;
    }
    if (e->type == ENTRY_X2APIC) {
        *apic_id = x2apic->apic_id;
        return x2apic->flags & CPU_ENABLED;
    }
    return false;
}

unsigned
acpi_cpus(uint32_t apic_ids[MAX_CPUS])
{
    const struct madt *madt = find_madt();
    const struct entry *e = NULL;
    unsigned n = 0;

    while (madt != NULL && n < MAX_CPUS && (e = next_entry(madt, e)) != NULL)
        if (usable_cpu(e, &apic_ids[n]))
            n++;
    if (n == 0)
        apic_ids[n++] = cpuid(1, 0).ebx >> 24; /* this one, for sure */
    return n;
}

paddr_t
acpi_ioapic(uint32_t *gsi_base, uint32_t irq_map[16])
{
    const struct madt *madt = find_madt();
    const struct entry *e = NULL;
    paddr_t pa = 0;

    *gsi_base = 0;
    for (unsigned i = 0; i < 16; i++)
        irq_map[i] = i;
    while (madt != NULL && (e = next_entry(madt, e)) != NULL) {
        const struct entry_ioapic *io = (const void *)e;
        const struct entry_override *over = (const void *)e;

        if (e->type == ENTRY_IOAPIC && pa == 0) {
            pa = io->pa;
            *gsi_base = io->gsi_base;
        } else if (e->type == ENTRY_OVERRIDE && over->source < 16) {
            irq_map[over->source] = over->gsi;
        }
    }
    return pa != 0 ? pa : IOAPIC_DEFAULT;
}
