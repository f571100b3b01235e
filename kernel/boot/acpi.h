/*
 * acpi.h - layouts of the ACPI tables that stage 1 reads, between acpi.c,
 * madt.c and power.c; for this folder only.
 *
 * ACPI 6.4: 5.2.5 (RSDP), 5.2.6 (head), 5.2.9 (FADT), 5.2.12 (MADT).
 */
#pragma once

#include "boot/boot.h"

struct acpi_rsdp {
    char signature[8]; /* "RSD PTR " */
    uint8_t checksum;  /* of the first 20 bytes */
    char oem[6];
    uint8_t revision; /* 2 and up: the rest exists */
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t checksum_all;
    uint8_t reserved[3];
} __attribute__((packed));

struct acpi_head {
    char signature[4];
    uint32_t length; /* with this head */
    uint8_t revision, checksum;
    char oem[14];
    uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

struct acpi_address { /* 5.2.3.2: generic address structure */
    uint8_t space, bits, offset, access;
    uint64_t address;
} __attribute__((packed));

struct acpi_fadt {
    struct acpi_head head;
    uint32_t facs, dsdt;
    uint8_t reserved0[4];
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable;
    uint8_t reserved1[2];
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control;
    uint32_t pm_timer;
    uint8_t reserved2[32];
    uint32_t flags;
    struct acpi_address reset; /* from here on: revision 2 and up */
    uint8_t reset_value;
    uint8_t reserved3[3];
    uint64_t x_facs, x_dsdt;
} __attribute__((packed));

/* The table at pa if it is mapped, whole and its checksum right; or NULL. */
const struct acpi_head *acpi_table(paddr_t pa);

/* Whether the sum of len bytes is 0, as every ACPI checksum makes it. */
bool acpi_sum_ok(const void *p, size_t len);

/* power.c: SLP_TYPa and SLP_TYPb of the package _S5_ in AML; false: none. */
bool acpi_sleep_types(const void *aml, size_t len, unsigned types[2]);
