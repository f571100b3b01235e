/*
 * pvh.c - the start info of `qemu -kernel`, turned into bootinfo.
 *
 * Layouts: Xen public/arch-x86/hvm/start_info.h, described in docs/misc/pvh.
 * QEMU gives one module (-initrd) and no name for it; it is "boot.tar".
 */
#include "boot/bootinfo.h"

struct pvh_info {
    uint32_t magic, version, flags, nmodule;
    uint64_t modules, cmdline, rsdp;
    uint64_t memmap; /* from here on: version 1 */
    uint32_t nmemmap, reserved;
};

struct pvh_module {
    uint64_t pa, size, cmdline, reserved;
};

struct pvh_range {
    uint64_t start, len;
    uint32_t type, reserved;
};

enum {
    VERSION0_SIZE = 40
};

static void
parse_memmap(const struct pvh_info *info)
{
    const struct pvh_range *r =
            early_data(info->memmap, info->nmemmap * sizeof(*r));

    for (uint32_t i = 0; r != NULL && i < info->nmemmap; i++)
        bootinfo_add_range(r[i].start, r[i].len, r[i].type);
}

static void
parse_modules(const struct pvh_info *info)
{
    const struct pvh_module *m =
            early_data(info->modules, info->nmodule * sizeof(*m));

    for (uint32_t i = 0; m != NULL && i < info->nmodule; i++) {
        const char *name = early_data(m[i].cmdline, MAX_NAME);

        if (m[i].pa + m[i].size < m[i].pa)
            continue;
        if (name == NULL || *name == '\0')
            name = "boot.tar";
        bootinfo_add_module(m[i].pa, m[i].pa + m[i].size, name, MAX_NAME);
    }
}

void
pvh_parse(paddr_t pa)
{
    const struct pvh_info *info = early_data(pa, VERSION0_SIZE);
    const char *cmdline;

    bootinfo.loader = "PVH";
    if (info == NULL || info->version < 1)
        panic("boot: the PVH start info at 0x%lx has no memory map", pa);
    cmdline = early_data(info->cmdline, MAX_CMDLINE);
    if (cmdline != NULL)
        bootinfo_set_cmdline(cmdline, MAX_CMDLINE);
    bootinfo.rsdp = info->rsdp;
    parse_memmap(info);
    parse_modules(info);
}
