/*
 * test_elf.c - the kernel's check of program files, under ASan: it reads
 * nothing outside the file, and what it accepts can be mapped.
 *
 * sources: kernel/sched/elf.c
 */
#include "kernel_env.h"
#include "sched/sched.h"

enum {
    HEADER = 64,
    PHDR = 56,
    NPHDR = 3,
    SIZE = 0x3100
};

/* The kernel's own are in assembly, which ASan does not see. */
void *
lux_memcpy(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    return to;
}

void *
lux_memset(void *to, int c, size_t n)
{
    return memset(to, c, n);
}

int
lux_memcmp(const void *a, const void *b, size_t n)
{
    return memcmp(a, b, n);
}

static void
put(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void
put_segment(uint8_t *at, uint32_t flags, uint64_t offset, uint64_t vaddr,
        uint64_t filesz, uint64_t memsz)
{
    put(at, 1, 4); /* PT_LOAD */
    put(at + 4, flags, 4);
    put(at + 8, offset, 8);
    put(at + 16, vaddr, 8);
    put(at + 32, filesz, 8);
    put(at + 40, memsz, 8);
}

/* A good program: text, constants, data with bss. */
static void
make_good(uint8_t *file)
{
    static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

    for (int i = 0; i < SIZE; i++)
        file[i] = i < (int)sizeof(ident) ? ident[i] : 0;
    put(file + 16, 2, 2);        /* ET_EXEC */
    put(file + 18, 62, 2);       /* EM_X86_64 */
    put(file + 24, 0x400010, 8); /* entry */
    put(file + 32, HEADER, 8);   /* phoff */
    put(file + 54, PHDR, 2);     /* phentsize */
    put(file + 56, NPHDR, 2);
    put_segment(file + HEADER, 5, 0x1000, 0x400000, 0x800, 0x800);
    put_segment(file + HEADER + PHDR, 4, 0x2000, 0x401000, 0x20, 0x20);
    put_segment(file + HEADER + 2 * PHDR, 6, 0x3080, 0x402080, 0x80, 0x4000);
}

TEST(good_file)
{
    uint8_t file[SIZE];
    struct elf_image image;

    make_good(file);
    CHECK_EQ(elf_check(file, SIZE, &image), 0);
    CHECK_EQ(image.nseg, 3);
    CHECK_EQ(image.entry, 0x400010);
    CHECK_EQ(image.end, 0x407000);
    CHECK_EQ(image.seg[2].start, 0x402000);
    CHECK_EQ(image.seg[2].offset, 0x3000);
    CHECK_EQ(image.seg[2].length, 0x100);
    CHECK_EQ(image.seg[2].prot, PROT_READ | PROT_WRITE);
}

/* What was accepted can be mapped from a file of `size` bytes. */
static void
check_accepted(const struct elf_image *image, uint64_t size)
{
    uint64_t below = USER_BASE;
    bool entry = false;

    CHECK(image->nseg >= 1 && image->nseg <= ELF_MAX_SEGMENTS);
    for (unsigned i = 0; i < image->nseg; i++) {
        const struct elf_segment *s = &image->seg[i];

        CHECK(s->start % PAGE_SIZE == 0 && s->end % PAGE_SIZE == 0);
        CHECK(s->start >= below && s->start < s->end);
        CHECK(s->end <= USER_ANON_BASE);
        CHECK(s->length == 0 ||
                (s->offset <= size && s->length <= size - s->offset));
        CHECK(s->length <= s->end - s->start);
        CHECK(s->prot != 0 && (~s->prot & (PROT_WRITE | PROT_EXEC)) != 0);
        entry |= image->entry >= s->start && image->entry < s->end &&
                 (s->prot & PROT_EXEC);
        below = s->end;
    }
    CHECK(entry);
    CHECK_EQ(image->end, below);
}

/* Check a copy of exactly `size` bytes, so that ASan sees a step outside. */
static bool
try_file(const uint8_t *file, uint64_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    struct elf_image image;
    int result;

    for (uint64_t i = 0; i < size; i++)
        copy[i] = file[i];
    result = elf_check(copy, size, &image);
    CHECK(result == 0 || result == -E_BADEXEC);
    if (result == 0)
        check_accepted(&image, size);
    free(copy);
    return result == 0;
}

TEST(cut_file)
{
    uint8_t file[SIZE];

    make_good(file);
    for (uint64_t size = 0; size < SIZE; size++)
        CHECK(!try_file(file, size)); /* its last segment ends at SIZE */
    CHECK(try_file(file, SIZE));
}

TEST(lying_fields)
{
    static const uint64_t edges[] = { 0, 1, 0xfff, 0x1000, 0x3fffff, 0x400000,
        0x7fffffff, 0xffffffff, USER_TOP - 1, USER_TOP, USER_ANON_BASE,
        1ul << 47, 1ul << 63, 0xffff800000000000, 0xffffffff80100000, ~0xffful,
        ~0ul };
    uint8_t file[SIZE];

    for (int at = 0; at < HEADER + NPHDR * PHDR; at++)
        for (unsigned i = 0; i < ARRAY_LEN(edges); i++)
            for (int bytes = 1; bytes <= 8; bytes *= 2) {
                make_good(file);
                put(file + at, edges[i], bytes);
                try_file(file, SIZE);
            }
}

TEST(random_fields)
{
    uint8_t file[SIZE];
    unsigned accepted = 0;

    for (int round = 0; round < 20000; round++) {
        make_good(file);
        for (uint64_t n = next(&seed) % 4; n > 0; n--) {
            uint64_t at = next(&seed) % (HEADER + NPHDR * PHDR - 8);
            uint64_t value = next(&seed) >> next(&seed) % 64;

            put(file + at, value, 1 << next(&seed) % 4);
        }
        accepted += try_file(file, SIZE - next(&seed) % 2);
    }
    CHECK(accepted > 1000 && accepted < 15000); /* both ways are taken */
}

TEST(one_fault_each)
{
    static const struct {
        int at, bytes;
        uint64_t value;
    } faults[] = {
        { 0, 1, 0x7e },                         /* magic */
        { 4, 1, 1 },                            /* 32 bits */
        { 5, 1, 2 },                            /* big endian */
        { 16, 2, 3 },                           /* ET_DYN */
        { 18, 2, 3 },                           /* i386 */
        { 24, 8, 0x401000 },                    /* entry: constants */
        { 24, 8, 0x500000 },                    /* entry: nowhere */
        { 54, 2, 32 },                          /* phentsize */
        { 56, 2, 0 },                           /* no segment */
        { 32, 8, SIZE - PHDR },                 /* headers leave the file */
        { 32, 8, SIZE - 2 * PHDR },             /* by one */
        { HEADER, 4, 3 },                       /* PT_INTERP */
        { HEADER, 4, 2 },                       /* PT_DYNAMIC */
        { HEADER + 4, 4, 7 },                   /* writable and executable */
        { HEADER + 4, 4, 0 },                   /* no permission */
        { HEADER + 8, 8, ~0ul - 0x7ff },        /* offset wraps */
        { HEADER + 16, 8, 0x3ff000 },           /* below user space */
        { HEADER + 16, 8, 0xffffffff80100000 }, /* the kernel */
        { HEADER + 32, 8, 0x801 },              /* more in file than memory */
        { HEADER + 40, 8, 0x1801 },             /* runs into the next */
        { HEADER + 40, 8, ~0ul },               /* memory wraps */
        { HEADER + PHDR + 16, 8, 0x400800 },    /* shares a page */
    };
    uint8_t file[SIZE];

    for (unsigned i = 0; i < ARRAY_LEN(faults); i++) {
        make_good(file);
        put(file + faults[i].at, faults[i].value, faults[i].bytes);
        if (try_file(file, SIZE)) {
            printf("fault %u is not seen\n", i);
            CHECK(!"refused");
        }
    }
}
