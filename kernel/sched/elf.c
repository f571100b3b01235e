/*
 * elf.c - check a program file before anything of it is believed.
 *
 * Accepted: static ELF64 for x86-64 (System V ABI, chapters 4 and 5) whose
 * loadable segments rise, do not share pages, lie in user space and in the
 * file, and are never both writable and executable.  All sums are checked
 * for wrapping before they are used.
 */
#include "sched/sched.h"

enum {
    ELFCLASS64 = 2,
    ELFDATA2LSB = 1,
    ET_EXEC = 2,
    EM_X86_64 = 62,
    PT_LOAD = 1,
    PT_DYNAMIC = 2,
    PT_INTERP = 3,
    PF_X = 1,
    PF_W = 2,
    PF_R = 4,
};

struct elf_header {
    uint8_t magic[4], class, data, ident_version, abi[9];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static bool
header_ok(const struct elf_header *h, uint64_t size)
{
    return memcmp(h->magic, "\177ELF", 4) == 0 && h->class == ELFCLASS64 &&
           h->data == ELFDATA2LSB && h->type == ET_EXEC &&
           h->machine == EM_X86_64 && h->phentsize == sizeof(struct elf_phdr) &&
           h->phnum > 0 && h->phoff <= size &&
           h->phnum <= (size - h->phoff) / sizeof(struct elf_phdr);
}

/*
 * The bytes of the segment lie in a file of `size` bytes, and are no more
 * than the memory it asks for.  Any field may hold any number: no sum may
 * wrap.
 *
 * Lab 3.7
 */
static bool
segment_in_file(const struct elf_phdr *ph, uint64_t size)
{
    return ph->offset <= size && ph->filesz <= size - ph->offset &&
           ph->filesz <= ph->memsz;
}

/*
 * The segment's memory lies in [USER_BASE, USER_ANON_BASE); again no sum may
 * wrap.
 *
 * Lab 3.7
 */
static bool
segment_in_user_space(const struct elf_phdr *ph)
{
    return ph->vaddr >= USER_BASE && ph->vaddr < USER_ANON_BASE &&
           ph->memsz <= USER_ANON_BASE - ph->vaddr;
}

static uint32_t
segment_prot(const struct elf_phdr *ph)
{
    return (ph->flags & PF_R ? PROT_READ : 0u) |
           (ph->flags & PF_W ? PROT_WRITE : 0u) |
           (ph->flags & PF_X ? PROT_EXEC : 0u);
}

/*
 * Check one loadable segment and add it; false: it is not acceptable.  Not
 * acceptable are a ninth segment, one that is not in the file or not in user
 * space, one below or on a page of the one before it, one that nothing may be
 * done with or that may be both written and executed, and one whose file
 * offset is too small for the part of its first page before it.  What is
 * added is whole pages: offset and length grow to begin at the page.  A
 * segment without bytes in the file has length 0.
 *
 * Lab 3.7
 */
static bool
add_segment(const struct elf_phdr *ph, uint64_t size, struct elf_image *out)
{
    struct elf_segment *s = &out->seg[out->nseg];
    uint64_t in_page = ph->vaddr & PAGE_MASK;

    if (out->nseg == ELF_MAX_SEGMENTS || !segment_in_file(ph, size) ||
            !segment_in_user_space(ph) || ph->offset < in_page)
        return false;
    s->prot = segment_prot(ph);
    s->start = ph->vaddr - in_page;
    s->end = ROUND_UP(ph->vaddr + ph->memsz, PAGE_SIZE);
    s->offset = ph->offset - in_page;
    s->length = ph->filesz ? ph->filesz + in_page : 0;
    if (s->start < out->end || s->start == s->end || !s->prot ||
            (s->prot & PROT_WRITE && s->prot & PROT_EXEC))
        return false;
    out->end = s->end;
    out->nseg++;
    return true;
}

/*
 * The first instruction lies in a segment that may be executed.
 *
 * Lab 3.7
 */
static bool
entry_executable(const struct elf_image *image)
{
    for (unsigned i = 0; i < image->nseg; i++) {
        const struct elf_segment *s = &image->seg[i];

        if (image->entry >= s->start && image->entry < s->end)
            return s->prot & PROT_EXEC;
    }
    return false;
}

int
elf_check(const uint8_t *file, uint64_t size, struct elf_image *out)
{
    struct elf_header h;
    struct elf_phdr ph;

    memset(out, 0, sizeof *out);
    if (size < sizeof h)
        return -E_BADEXEC;
    memcpy(&h, file, sizeof h);
    if (!header_ok(&h, size))
        return -E_BADEXEC;
    out->entry = h.entry;
    for (unsigned i = 0; i < h.phnum; i++) {
        memcpy(&ph, file + h.phoff + i * sizeof ph, sizeof ph);
        if (ph.type == PT_INTERP || ph.type == PT_DYNAMIC)
            return -E_BADEXEC; /* needs a dynamic linker: there is none */
        if (ph.type == PT_LOAD && ph.memsz > 0 && !add_segment(&ph, size, out))
            return -E_BADEXEC;
    }
    return entry_executable(out) ? 0 : -E_BADEXEC;
}
