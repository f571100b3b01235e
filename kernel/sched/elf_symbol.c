/*
 * elf_symbol.c - function names out of a program's file, for the backtrace
 * of a fault.  The file is as hostile as any: every number is checked
 * against its size before it is used.
 */
#include "sched/process.h"

enum {
    SHT_SYMTAB = 2,
    STT_FUNC = 2
};

struct elf_section {
    uint32_t name, type;
    uint64_t flags, addr, offset, size;
    uint32_t link, info;
    uint64_t align, entsize;
};

struct elf_sym {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, size;
};

struct file {
    const uint8_t *data;
    uint64_t size;
};

/* Copy n bytes at `at` of the file; false: they are not all there. */
static bool
fetch(const struct file *f, uint64_t at, void *to, size_t n)
{
    if (at > f->size || n > f->size - at)
        return false;
    memcpy(to, f->data + at, n);
    return true;
}

static bool
section_at(const struct file *f, uint32_t index, struct elf_section *s)
{
    uint64_t shoff;
    uint16_t shnum;

    return fetch(f, 40, &shoff, sizeof shoff) && /* e_shoff, e_shnum */
           fetch(f, 60, &shnum, sizeof shnum) && index < shnum &&
           shoff <= f->size &&
           fetch(f, shoff + index * sizeof *s, s, sizeof *s) &&
           s->offset <= f->size && s->size <= f->size - s->offset;
}

/* The last function that starts at or before pc. */
static bool
find_function(const struct file *f, const struct elf_section *symtab,
        uint64_t pc, struct elf_sym *best)
{
    bool found = false;

    for (uint64_t at = 0; at + sizeof(struct elf_sym) <= symtab->size;
            at += sizeof(struct elf_sym)) {
        struct elf_sym sym;

        if (!fetch(f, symtab->offset + at, &sym, sizeof sym))
            return false;
        if ((sym.info & 15) != STT_FUNC || sym.value > pc)
            continue;
        if (!found || sym.value > best->value)
            *best = sym;
        found = true;
    }
    return found;
}

static bool
copy_name(const struct file *f, const struct elf_section *strings, uint32_t at,
        char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at + i >= strings->size)
            return false;
        name[i] = (char)f->data[strings->offset + at + i];
        if (!name[i])
            return true;
    }
    name[len - 1] = '\0';
    return true;
}

/*
 * The function of the ELF file that holds pc: its name (cut to len bytes)
 * and how far into it pc is.  0, or -E_NOEXIST.
 */
int
elf_symbol(const uint8_t *data, uint64_t size, uint64_t pc, char *name,
        size_t len, uint64_t *offset)
{
    struct file f = { data, size };
    struct elf_section s, strings;
    struct elf_sym sym = { 0 };

    for (uint32_t i = 0; section_at(&f, i, &s); i++) {
        if (s.type != SHT_SYMTAB)
            continue;
        if (!find_function(&f, &s, pc, &sym) ||
                !section_at(&f, s.link, &strings) ||
                !copy_name(&f, &strings, sym.name, name, len))
            return -E_NOEXIST;
        *offset = pc - sym.value;
        return 0;
    }
    return -E_NOEXIST;
}
