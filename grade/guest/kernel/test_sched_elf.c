/*
 * test_sched_elf.c - program files that lie, one field at a time.
 * append: early
 * limit: 3
 */
#include "sched/sched.h"

enum {
    BASE = USER_BASE,
    SIZE = 0x2000,
    READ = 4,
    WRITE = 2,
    EXEC = 1,
    /* fields of a program header */
    FLAGS = 4,
    OFFSET = 8,
    VADDR = 16,
    FILESZ = 32,
    MEMSZ = 40,
    ENTRY = 24 /* of the file's header */
};

static uint8_t file[SIZE];
static struct elf_image image;

static void
put(unsigned at, uint64_t value, unsigned bytes)
{
    memcpy(file + at, &value, bytes);
}

/* Set a field of program header n. */
static void
set(unsigned n, unsigned field, uint64_t value)
{
    put(64 + 56 * n + field, value, field == FLAGS ? 4 : 8);
}

static void
segment(unsigned n, uint64_t flags, uint64_t offset, vaddr_t va, uint64_t size)
{
    put(64 + 56 * n, 1, 4); /* PT_LOAD */
    set(n, FLAGS, flags);
    set(n, OFFSET, offset);
    set(n, VADDR, va);
    set(n, FILESZ, size);
    set(n, MEMSZ, size);
    put(56, n + 1, 2); /* phnum */
}

/* A program of one page of code and one of data. */
static void
plain(void)
{
    memset(file, 0, sizeof file);
    memcpy(file, "\177ELF\2\1\1", 7);
    put(16, 2, 2);  /* ET_EXEC */
    put(18, 62, 2); /* x86-64 */
    put(ENTRY, BASE + 0x800, 8);
    put(32, 64, 8); /* phoff */
    put(54, 56, 2); /* phentsize */
    segment(0, READ | EXEC, 0, BASE, 0x1000);
    segment(1, READ | WRITE, 0x1000, BASE + 0x1000, 0x1000);
}

/* The plain program with one field changed. */
static int
with(unsigned n, unsigned field, uint64_t value)
{
    plain();
    set(n, field, value);
    return elf_check(file, sizeof file, &image);
}

/* An ordinary program is accepted, and is what its headers say. */
KTEST(elf_plain_program)
{
    plain();
    CHECK_EQ(elf_check(file, sizeof file, &image), 0);
    CHECK_EQ(image.nseg, 2);
    CHECK_EQ(image.entry, BASE + 0x800);
    CHECK_EQ(image.end, BASE + 0x2000);
    CHECK_EQ(image.seg[0].start, BASE);
    CHECK_EQ(image.seg[0].end, BASE + 0x1000);
    CHECK_EQ(image.seg[0].prot, PROT_READ | PROT_EXEC);
    CHECK_EQ(image.seg[1].offset, 0x1000);
    CHECK_EQ(image.seg[1].length, 0x1000);
    CHECK_EQ(image.seg[1].prot, PROT_READ | PROT_WRITE);
}

/* A segment's bytes lie in the file, whatever its numbers add up to. */
KTEST(elf_segment_in_file)
{
    CHECK_EQ(with(1, OFFSET, SIZE - 0x1000), 0);
    CHECK_EQ(with(1, OFFSET, SIZE), -E_BADEXEC);
    CHECK_EQ(with(1, OFFSET, UINT64_MAX - 0xfff), -E_BADEXEC);
    CHECK_EQ(with(1, FILESZ, 0x1001), -E_BADEXEC);
    CHECK_EQ(with(1, FILESZ, UINT64_MAX), -E_BADEXEC);
    plain(); /* offset + filesz wraps to 0x1000 */
    set(1, FILESZ, UINT64_MAX - 0xfff);
    set(1, MEMSZ, UINT64_MAX - 0xfff);
    CHECK_EQ(elf_check(file, sizeof file, &image), -E_BADEXEC);
    CHECK_EQ(with(1, MEMSZ, 0xfff), -E_BADEXEC); /* less than filesz */
}

/* A segment's memory lies where programs may have some. */
KTEST(elf_segment_in_user_space)
{
    CHECK_EQ(with(1, MEMSZ, USER_ANON_BASE - BASE - 0x1000), 0);
    CHECK_EQ(with(1, MEMSZ, USER_ANON_BASE - BASE - 0xfff), -E_BADEXEC);
    CHECK_EQ(with(1, MEMSZ, UINT64_MAX), -E_BADEXEC);
    CHECK_EQ(with(1, MEMSZ, -(uint64_t)BASE), -E_BADEXEC); /* ends at 4096 */
    CHECK_EQ(with(0, VADDR, BASE - 0x1000), -E_BADEXEC);
    CHECK_EQ(with(0, VADDR, 0), -E_BADEXEC);
    CHECK_EQ(with(1, VADDR, USER_ANON_BASE), -E_BADEXEC);
    CHECK_EQ(with(1, VADDR, 0xffffffff80000000), -E_BADEXEC);
}

/* Segments rise and share no page. */
KTEST(elf_segments_rise)
{
    CHECK_EQ(with(1, VADDR, BASE), -E_BADEXEC);
    plain();
    segment(1, READ | WRITE, 0x1ff0, BASE + 0xff0, 0x10); /* the same page */
    CHECK_EQ(elf_check(file, sizeof file, &image), -E_BADEXEC);
    plain();
    segment(0, READ | WRITE, 0x1000, BASE + 0x1000, 0x1000);
    segment(1, READ | EXEC, 0, BASE, 0x1000); /* falls */
    CHECK_EQ(elf_check(file, sizeof file, &image), -E_BADEXEC);
}

/* No segment may be both written and executed, or be of no use. */
KTEST(elf_write_xor_execute)
{
    CHECK_EQ(with(0, FLAGS, READ | WRITE | EXEC), -E_BADEXEC);
    CHECK_EQ(with(0, FLAGS, WRITE | EXEC), -E_BADEXEC);
    CHECK_EQ(with(0, FLAGS, EXEC), 0);
    CHECK_EQ(with(1, FLAGS, 0), -E_BADEXEC);
    CHECK_EQ(with(1, FLAGS, 8), -E_BADEXEC); /* no bit that we know */
}

/* The first instruction lies in a segment that may be executed. */
KTEST(elf_entry_point)
{
    static const uint64_t bad[] = { 0, BASE - 1, BASE + 0x1000, BASE + 0x1800,
        BASE + 0x2000, 0xffffffff80100000 };

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        plain();
        put(ENTRY, bad[i], 8);
        CHECK_EQ(elf_check(file, sizeof file, &image), -E_BADEXEC);
    }
    plain();
    put(ENTRY, BASE + 0xfff, 8);
    CHECK_EQ(elf_check(file, sizeof file, &image), 0);
}

/* Segments that begin or end inside a page are made whole pages. */
KTEST(elf_part_pages)
{
    plain();
    segment(1, READ | WRITE, 0x1234, BASE + 0x5234, 0x100);
    set(1, MEMSZ, 0x2000);
    CHECK_EQ(elf_check(file, sizeof file, &image), 0);
    CHECK_EQ(image.seg[1].start, BASE + 0x5000);
    CHECK_EQ(image.seg[1].end, BASE + 0x8000);
    CHECK_EQ(image.seg[1].offset, 0x1000);
    CHECK_EQ(image.seg[1].length, 0x334);
    segment(1, READ | WRITE, 0x233, BASE + 0x5234, 0x100);
    CHECK_EQ(elf_check(file, sizeof file, &image), -E_BADEXEC);
    segment(1, READ | WRITE, 0x1234, BASE + 0x5234, 0); /* all of it zeros */
    set(1, MEMSZ, 0x100);
    CHECK_EQ(elf_check(file, sizeof file, &image), 0);
    CHECK_EQ(image.seg[1].length, 0);
}

/* Eight segments are accepted, nine are not. */
KTEST(elf_most_segments)
{
    plain();
    for (unsigned n = 1; n < ELF_MAX_SEGMENTS; n++)
        segment(n, READ, 0x1000, BASE + n * 0x1000, 0x100);
    CHECK_EQ(elf_check(file, sizeof file, &image), 0);
    CHECK_EQ(image.nseg, ELF_MAX_SEGMENTS);
    segment(ELF_MAX_SEGMENTS, READ, 0x1000, BASE + 0x10000, 0x100);
    CHECK_EQ(elf_check(file, sizeof file, &image), -E_BADEXEC);
}
