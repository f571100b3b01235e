/*
 * acpi.c - the firmware's tables: found, checked, handed out by signature.
 *
 *     RSDP --> XSDT (64-bit addresses) or RSDT (32-bit) --> tables
 *
 * Firmware has bugs too: a table that is not mapped, cut short or has a wrong
 * sum does not exist.  Nothing is cached; the callers ask once.
 */
#include "boot/acpi.h"
#include "boot/panic.h"

enum {
    TABLE_MAX = 1 << 20, /* longer than any real one */
    RSDP_SIZE_1 = 20,    /* revision 0 and 1 */
    EBDA_POINTER = 0x40e,
    EBDA_SIZE = 1024,
    BIOS_START = 0xe0000,
    BIOS_END = 0x100000,
};

bool
acpi_sum_ok(const void *p, size_t len)
{
    const uint8_t *bytes = p;
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += bytes[i];
    return sum == 0;
}

static bool
range_mapped(const void *p, size_t len)
{
    vaddr_t va = (vaddr_t)p, end = va + len;

    for (va = ROUND_DOWN(va, PAGE_SIZE); va < end; va += PAGE_SIZE)
        if (!address_mapped(va))
            return false;
    return true;
}

const struct acpi_head *
acpi_table(paddr_t pa)
{
    const struct acpi_head *t = pa_to_kva(pa);

    if (pa == 0 || pa > DIRECT_END - DIRECT_BASE - TABLE_MAX ||
            !range_mapped(t, sizeof(*t)) || t->length < sizeof(*t) ||
            t->length > TABLE_MAX || !range_mapped(t, t->length))
        return NULL;
    return acpi_sum_ok(t, t->length) ? t : NULL;
}

static bool
is_rsdp(const struct acpi_rsdp *r)
{
    return memcmp(r->signature, "RSD PTR ", 8) == 0 &&
           acpi_sum_ok(r, RSDP_SIZE_1);
}

/* It stands on a 16-byte boundary (ACPI 6.4 5.2.5.1). */
static const struct acpi_rsdp *
rsdp_scan(paddr_t start, paddr_t end)
{
    for (paddr_t pa = start; pa + sizeof(struct acpi_rsdp) <= end; pa += 16)
        if (is_rsdp(pa_to_kva(pa)))
            return pa_to_kva(pa);
    return NULL;
}

/* The loader's word first; then where a BIOS puts it. */
static const struct acpi_rsdp *
rsdp_find(void)
{
    const struct acpi_rsdp *r = pa_to_kva(bootinfo.rsdp);
    paddr_t ebda;

    if (bootinfo.rsdp != 0 && range_mapped(r, sizeof(*r)) && is_rsdp(r))
        return r;
    if (!range_mapped(pa_to_kva(0), BIOS_END))
        return NULL;
    ebda = (paddr_t) * (const uint16_t *)pa_to_kva(EBDA_POINTER) << 4;
    if (ebda >= 0x80000 && ebda < 0xa0000)
        r = rsdp_scan(ebda, ebda + EBDA_SIZE);
    else
        r = NULL;
    return r != NULL ? r : rsdp_scan(BIOS_START, BIOS_END);
}

/* Addresses in the root table are `width` bytes and may be unaligned. */
static paddr_t
root_entry(const struct acpi_head *root, size_t width, size_t i)
{
    paddr_t pa = 0;

    memcpy(&pa, (const char *)(root + 1) + i * width, width);
    return pa;
}

static const void *
find_below(const struct acpi_head *root, size_t width, const char signature[4])
{
    size_t n = root == NULL ? 0 : (root->length - sizeof(*root)) / width;

    for (size_t i = 0; i < n; i++) {
        const struct acpi_head *t = acpi_table(root_entry(root, width, i));

        if (t != NULL && memcmp(t->signature, signature, 4) == 0)
            return t;
    }
    return NULL;
}

const void *
acpi_find(const char signature[4])
{
    const struct acpi_rsdp *rsdp = rsdp_find();
    const struct acpi_head *root;

    if (rsdp == NULL)
        return NULL;
    if (rsdp->revision >= 2 && acpi_sum_ok(rsdp, sizeof(*rsdp))) {
        root = acpi_table(rsdp->xsdt);
        if (root != NULL && memcmp(root->signature, "XSDT", 4) == 0)
            return find_below(root, sizeof(uint64_t), signature);
    }
    root = acpi_table(rsdp->rsdt);
    if (root == NULL || memcmp(root->signature, "RSDT", 4) != 0)
        return NULL;
    return find_below(root, sizeof(uint32_t), signature);
}
