/*
 * test_boot_loader.c - what loaders tell, from well-formed to hostile.
 *
 * The parsers take physical addresses; the test data lie in the kernel image,
 * whose physical address is known.
 */
#include "boot/bootinfo.h"

enum {
    ROOM = 512
};

static uint32_t data[ROOM / 4] __attribute__((aligned(8)));
static unsigned used; /* words */
static struct bootinfo saved;

static paddr_t
pa_of(const void *image)
{
    return (paddr_t)image - KERNEL_BASE;
}

/* Start an empty list of tags in place of the real loader's data. */
static void
begin(void)
{
    saved = bootinfo;
    memset(&bootinfo, 0, sizeof(bootinfo));
    memset(data, 0, sizeof(data));
    used = 2;
}

/* Add a tag of n further words (and what its size says). */
static void
tag(uint32_t type, uint32_t size, const uint32_t *words, unsigned n)
{
    data[used] = type;
    data[used + 1] = size;
    memcpy(&data[used + 2], words, n * 4);
    used += 2 + ROUND_UP(n, 2);
}

static void
parse(void)
{
    data[used + 1] = 8; /* end tag */
    used += 2;
    data[0] = used * 4;
    multiboot2_parse(pa_of(data));
}

static void
end(void)
{
    bootinfo = saved;
}

static const uint32_t mmap_words[] = {
    24, 0,                                   /* entry size, version */
    0x100000, 0, 0x8000, 0, 1, 0,            /* usable */
    0x0, 0x1, 0x1000, 0, 3, 0,               /* ACPI, above 4 GiB */
    0xfffff000, 0xffffffff, 0x2000, 0, 1, 0, /* ends past the last address */
    0x5000, 0, 0, 0, 1, 0,                   /* empty */
};

KTEST(multiboot2_memory_map)
{
    begin();
    tag(6, 8 + sizeof(mmap_words), mmap_words, ARRAY_LEN(mmap_words));
    parse();
    CHECK_EQ(bootinfo.nmem, 2);
    CHECK_EQ(bootinfo.mem[0].start, 0x100000);
    CHECK_EQ(bootinfo.mem[0].end, 0x108000);
    CHECK_EQ(bootinfo.mem[0].kind, MEM_USABLE);
    CHECK_EQ(bootinfo.mem[1].start, 0x100000000);
    CHECK_EQ(bootinfo.mem[1].kind, MEM_ACPI);
    end();
}

/* Entries may have grown since; the parts we know come first. */
KTEST(multiboot2_memory_map_of_the_future)
{
    static const uint32_t words[] = { 32, 1, /* entry size, version */
        0x1000, 0, 0x1000, 0, 1, 0, 7, 7,    /* as long as it says */
        0x4000, 0, 0x1000, 0, 1, 0, 7, 7, 0x8000, 0, 0x1000, 0, 1, 0, 7 };

    begin();
    tag(6, 8 + sizeof(words), words, ARRAY_LEN(words));
    parse();
    CHECK_EQ(bootinfo.nmem, 2); /* the third is cut off */
    CHECK_EQ(bootinfo.mem[1].start, 0x4000);
    end();
}

/* A tag begins on a multiple of 8 bytes, wherever the one before ended. */
KTEST(multiboot2_padding)
{
    uint32_t text[3];

    for (uint32_t len = 1; len <= 9; len++) {
        memcpy(text, "key=12345\0\0", 12);
        begin();
        tag(1, 8 + len, text, len > 8 ? 3 : 2);
        tag(6, 8 + sizeof(mmap_words), mmap_words, ARRAY_LEN(mmap_words));
        parse();
        CHECK_EQ(strlen(bootinfo.cmdline), len);
        CHECK_EQ(bootinfo.nmem, 2);
        end();
    }
}

/* A list without an end tag ends where the data do. */
KTEST(multiboot2_list_without_end)
{
    for (uint32_t more = 0; more < 8; more++) {
        begin();
        tag(6, 8 + sizeof(mmap_words), mmap_words, ARRAY_LEN(mmap_words));
        data[0] = used * 4 + more; /* the rest is not a whole tag */
        data[used] = 6;
        data[used + 1] = 8 + sizeof(mmap_words);
        multiboot2_parse(pa_of(data));
        CHECK_EQ(bootinfo.nmem, 2);
        end();
    }
}

/* What follows the end tag is not for us. */
KTEST(multiboot2_end_tag)
{
    begin();
    tag(0, 8, NULL, 0);
    tag(6, 8 + sizeof(mmap_words), mmap_words, ARRAY_LEN(mmap_words));
    parse();
    CHECK_EQ(bootinfo.nmem, 0);
    end();
}

KTEST(multiboot2_memory_map_bad_entry_size)
{
    static const uint32_t words[] = { 0, 0, 1, 2, 3, 4 };

    begin();
    tag(6, 8 + sizeof(words), words, ARRAY_LEN(words));
    parse();
    CHECK_EQ(bootinfo.nmem, 0);
    end();
}

KTEST(multiboot2_command_line_and_module)
{
    uint32_t text[2], module[5] = { 0x200000, 0x201000 };

    memcpy(text, "a=1 b\0\0\0", 8);
    memcpy(&module[2], "disk rest\0\0\0", 12);
    begin();
    tag(1, 8 + 6, text, 2);
    tag(3, 8 + 8 + 10, module, 5);
    parse();
    CHECK(strcmp(bootinfo.cmdline, "a=1 b") == 0);
    CHECK_EQ(bootinfo.nmodule, 1);
    CHECK_EQ(bootinfo.modules[0].start, 0x200000);
    CHECK_EQ(bootinfo.modules[0].end, 0x201000);
    CHECK(strcmp(bootinfo.modules[0].name, "disk") == 0);
    end();
}

/* A text whose NUL is missing ends with its tag. */
KTEST(multiboot2_text_without_end)
{
    uint32_t text[2];

    memcpy(text, "abcdefgh", 8);
    begin();
    tag(1, 8 + 5, text, 2);
    parse();
    CHECK(strcmp(bootinfo.cmdline, "abcde") == 0);
    end();
}

/* GRUB's command line is kept as a whole, or left out as a whole. */
KTEST(multiboot2_longest_command_line)
{
    static char line[MAX_CMDLINE + 1];

    memset(line, 'x', sizeof line);
    for (size_t len = MAX_CMDLINE - 1; len <= sizeof line; len++) {
        begin();
        bootinfo_set_cmdline(line, len);
        CHECK_EQ(strlen(bootinfo.cmdline), len < MAX_CMDLINE ? len : 0);
        end();
    }
}

KTEST(multiboot2_backward_module_left_out)
{
    static const uint32_t module[3] = { 0x201000, 0x200000, 0 };

    begin();
    tag(3, 8 + 9, module, 3);
    parse();
    CHECK_EQ(bootinfo.nmodule, 0);
    end();
}

/* More modules and ranges than there is room for: the first ones stay. */
KTEST(multiboot2_too_many_modules)
{
    static const uint32_t module[3] = { 0x200000, 0x201000, 'm' };

    begin();
    for (int i = 0; i < MAX_MODULES + 3; i++)
        tag(3, 8 + 10, module, 3);
    parse();
    CHECK_EQ(bootinfo.nmodule, MAX_MODULES);
    end();
}

KTEST(bootinfo_too_many_ranges)
{
    begin();
    for (uint64_t i = 0; i < MAX_MEM_RANGES + 3; i++)
        bootinfo_add_range(i << 20, 4096, 1);
    CHECK_EQ(bootinfo.nmem, MAX_MEM_RANGES);
    end();
}

KTEST(multiboot2_cut_tags_left_out)
{
    static const uint32_t words[] = { 24, 0 };

    begin();
    tag(6, 12, words, 1);  /* memory map without its head */
    tag(3, 12, words, 1);  /* module without an end */
    tag(8, 24, words, 2);  /* framebuffer without a size */
    tag(15, 16, words, 2); /* RSDP of eight bytes */
    parse();
    CHECK_EQ(bootinfo.nmem, 0);
    CHECK_EQ(bootinfo.nmodule, 0);
    CHECK_EQ(bootinfo.fb.pa, 0);
    CHECK_EQ(bootinfo.rsdp, 0);
    end();
}

/* A size of 0, or one past the end, stops the walk instead of the kernel. */
KTEST(multiboot2_impossible_sizes)
{
    static const uint32_t sizes[] = { 0, 7, ROOM * 2, UINT32_MAX };

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        begin();
        tag(1, sizes[i], NULL, 0);
        tag(6, 8 + sizeof(mmap_words), mmap_words, ARRAY_LEN(mmap_words));
        parse();
        CHECK_EQ(bootinfo.nmem, 0);
        end();
    }
}

/* Random tags: anything may be lost, nothing may be believed blindly. */
KTEST(multiboot2_random_tags)
{
    for (int round = 0; round < 200; round++) {
        CHECK_ROUND(round);
        begin();
        while (used < ROOM / 4 - 16) {
            uint32_t words[4] = { ktest_random(&seed) % 64, 0,
                ktest_random(&seed), ktest_random(&seed) };

            tag(ktest_random(&seed) % 17, ktest_random(&seed) % 40, words, 4);
        }
        parse();
        CHECK_LE(bootinfo.nmem, MAX_MEM_RANGES);
        CHECK_LE(bootinfo.nmodule, MAX_MODULES);
        CHECK_LT(strnlen(bootinfo.cmdline, MAX_CMDLINE), MAX_CMDLINE);
        end();
    }
}

KTEST(multiboot2_framebuffer)
{
    /* address, pitch, width, height, bpp 32 and type RGB, the colours */
    static const uint32_t words[] = { 0x80000000, 0x1, 3200, 800, 600,
        1 << 8 | 32, 8 << 8 | 16 | 8 << 16 | 8u << 24, 0 << 8 | 8 << 16 };

    begin();
    tag(8, 38, words, ARRAY_LEN(words));
    parse();
    CHECK_EQ(bootinfo.fb.pa, 0x180000000);
    CHECK_EQ(bootinfo.fb.width, 800);
    CHECK_EQ(bootinfo.fb.height, 600);
    CHECK_EQ(bootinfo.fb.bpp, 32);
    CHECK(!bootinfo.fb.text);
    CHECK_EQ(bootinfo.fb.red_shift, 16);
    end();
}

/* panic: the loader's data */
KTEST(multiboot2_unreachable)
{
    multiboot2_parse(EARLY_LIMIT - 4);
}

/* panic: the loader's data */
KTEST(multiboot2_impossible_total)
{
    data[0] = UINT32_MAX;
    multiboot2_parse(pa_of(data));
}

struct pvh { /* struct hvm_start_info, by its words */
    uint32_t magic, version, flags, nmodule;
    uint64_t modules, cmdline, rsdp, memmap;
    uint32_t nmemmap, reserved;
};

KTEST(pvh_everything)
{
    static const uint64_t module[4] = { 0x300000, 0x1234, 0, 0 };
    static const struct {
        uint64_t start, len;
        uint32_t type, reserved;
    } map[] = { { 0, 0x9f000, 1, 0 }, { 0xf0000, 0x10000, 2, 0 } };
    static const char line[] = "records seed=1";
    static struct pvh info;

    info = (struct pvh){ PVH_MAGIC, 1, 0, 1, pa_of(module), pa_of(line), 0x99,
        pa_of(map), 2, 0 };
    begin();
    pvh_parse(pa_of(&info));
    CHECK(strcmp(bootinfo.cmdline, line) == 0);
    CHECK_EQ(bootinfo.rsdp, 0x99);
    CHECK_EQ(bootinfo.nmem, 2);
    CHECK_EQ(bootinfo.mem[1].kind, MEM_RESERVED);
    CHECK_EQ(bootinfo.nmodule, 1);
    CHECK_EQ(bootinfo.modules[0].end, 0x301234);
    CHECK(strcmp(bootinfo.modules[0].name, "boot.tar") == 0);
    end();
}

/* Lists that lie outside of what can be reached are as good as empty. */
KTEST(pvh_unreachable_lists)
{
    static struct pvh info = { PVH_MAGIC, 1, 0, 7, UINT64_MAX - 8, UINT64_MAX,
        0, EARLY_LIMIT - 8, 3, 0 };

    begin();
    pvh_parse(pa_of(&info));
    CHECK_EQ(bootinfo.nmem, 0);
    CHECK_EQ(bootinfo.nmodule, 0);
    CHECK_EQ(bootinfo.cmdline[0], 0);
    end();
}
