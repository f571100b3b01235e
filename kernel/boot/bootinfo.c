/*
 * bootinfo.c - what the loader told us, whichever loader it was.
 *
 * The loader's data lie in memory that will be given out later, so all of it
 * is copied into the one global bootinfo.  Loaders have bugs and modules have
 * odd names: every address and length is checked before it is used.
 */
#include "boot/bootinfo.h"

struct bootinfo bootinfo;

const void *
early_data(uint64_t pa, uint64_t len)
{
    if (pa == 0 || len > EARLY_LIMIT || pa > EARLY_LIMIT - len)
        return NULL;
    return pa_to_kva(pa);
}

/* Types are those of the BIOS call E820 (ACPI 6.4 15.1) in both loaders. */
static enum mem_kind
kind_of_type(uint32_t type)
{
    switch (type) {
    case 1: return MEM_USABLE;
    case 3: return MEM_ACPI;
    case 4: return MEM_NVS;
    case 5: return MEM_BAD;
    default: return MEM_RESERVED;
    }
}

void
bootinfo_add_range(uint64_t start, uint64_t len, uint32_t type)
{
    if (len == 0 || start + len < start)
        return;
    if (bootinfo.nmem == MAX_MEM_RANGES) {
        print("boot: memory map too long, 0x%lx..0x%lx left out\n", start,
                start + len);
        return;
    }
    bootinfo.mem[bootinfo.nmem++] = (struct mem_range){
        .start = start,
        .end = start + len,
        .kind = kind_of_type(type),
    };
}

void
bootinfo_set_cmdline(const char *text, size_t len)
{
    len = strnlen(text, len);
    if (len >= MAX_CMDLINE) {
        print("boot: the command line has more than %d bytes; it is left out\n",
                MAX_CMDLINE - 1);
        return;
    }
    memcpy(bootinfo.cmdline, text, len);
    bootinfo.cmdline[len] = '\0';
}

/* The first word of s, which has at most max bytes. */
static void
first_word(char *name, size_t room, const char *s, size_t max)
{
    size_t n = 0;

    while (n + 1 < room && n < max && s[n] != '\0' && s[n] != ' ') {
        name[n] = s[n];
        n++;
    }
    name[n] = '\0';
}

void
bootinfo_add_module(
        uint64_t start, uint64_t end, const char *cmdline, size_t max)
{
    struct module *m = &bootinfo.modules[bootinfo.nmodule];

    if (start >= end) {
        print("boot: module at 0x%lx..0x%lx is empty, left out\n", start, end);
        return;
    }
    if (bootinfo.nmodule == MAX_MODULES) {
        print("boot: too many modules, one left out\n");
        return;
    }
    m->start = start;
    m->end = end;
    first_word(m->name, sizeof(m->name), cmdline, max);
    bootinfo.nmodule++;
}

static bool
any_usable(void)
{
    for (unsigned i = 0; i < bootinfo.nmem; i++)
        if (bootinfo.mem[i].kind == MEM_USABLE)
            return true;
    return false;
}

void
bootinfo_init(uint32_t magic, paddr_t info)
{
    if (magic == MULTIBOOT2_MAGIC)
        multiboot2_parse(info);
    else
        pvh_parse(info);
    debugport_init();
    if (!any_usable())
        panic("%s gave no map of usable memory; Lux9 cannot start",
                bootinfo.loader);
}
