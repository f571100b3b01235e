/*
 * multiboot2.c - GRUB's list of tags, turned into bootinfo.
 *
 * Layouts: Multiboot2 Specification 2.0, section 3.6.  A tag that is cut
 * short, or has a size that cannot be, is reported and left out.
 */
#include "boot/bootinfo.h"

enum tag_type {
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_LOADER = 2,
    TAG_MODULE = 3,
    TAG_MMAP = 6,
    TAG_FRAMEBUFFER = 8,
    TAG_ACPI_OLD = 14,
    TAG_ACPI_NEW = 15,
};

struct tag {
    uint32_t type;
    uint32_t size; /* with this head, without padding to 8 */
};

struct tag_module {
    struct tag head;
    uint32_t start, end;
    char cmdline[];
};

struct tag_mmap {
    struct tag head;
    uint32_t entry_size, entry_version;
};

struct mmap_entry {
    uint64_t start, len;
    uint32_t type, reserved;
};

struct tag_framebuffer {
    struct tag head;
    uint64_t pa;
    uint32_t pitch, width, height;
    uint8_t bpp, type;
    uint16_t reserved;
    uint8_t red_shift, red_bits, green_shift, green_bits, blue_shift, blue_bits;
} __attribute__((packed)); /* no padding at its end */

enum {
    FB_RGB = 1,
    FB_TEXT = 2,
    FB_TEXT_SIZE = 31,
    RSDP_MAX = 36
};

static char loader_name[64];
static char rsdp_copy[RSDP_MAX] __attribute__((aligned(16)));

/* Text that fills the tag from its head on; the NUL may be missing. */
static void
copy_text(char *dst, size_t room, const struct tag *tag)
{
    const char *text = (const char *)(tag + 1);
    size_t len = strnlen(text, tag->size - sizeof(*tag));

    if (len >= room)
        len = room - 1;
    memcpy(dst, text, len);
    dst[len] = '\0';
}

static void
parse_loader(const struct tag *tag)
{
    copy_text(loader_name, sizeof(loader_name), tag);
    bootinfo.loader = loader_name;
}

static void
parse_cmdline(const struct tag *tag)
{
    bootinfo_set_cmdline((const char *)(tag + 1), tag->size - sizeof(*tag));
}

static void
parse_module(const struct tag *tag)
{
    const struct tag_module *m = (const void *)tag;

    bootinfo_add_module(m->start, m->end, m->cmdline, tag->size - sizeof(*m));
}

/*
 * Each entry of the memory map goes to bootinfo_add_range.  Entries are
 * map->entry_size bytes apart, which may be more than a struct mmap_entry
 * (later versions may add to its end); less is reported, and the map left out.
 * What the tag's end cuts off is no entry.
 *
 * Lab 1.9
 */
static void
parse_mmap(const struct tag *tag)
{
    const struct tag_mmap *map = (const void *)tag;
    const char *end = (const char *)tag + tag->size;
    const char *p = (const char *)(map + 1);

    if (map->entry_size < sizeof(struct mmap_entry)) {
        print("boot: memory map with entries of %u bytes\n", map->entry_size);
        return;
    }
    for (; (size_t)(end - p) >= map->entry_size; p += map->entry_size) {
        const struct mmap_entry *e = (const void *)p;

        bootinfo_add_range(e->start, e->len, e->type);
    }
}

static void
parse_framebuffer(const struct tag *tag)
{
    const struct tag_framebuffer *f = (const void *)tag;

    if (f->type != FB_TEXT && (f->type != FB_RGB || tag->size < sizeof(*f)))
        return; /* indexed colour: no machine of ours has only that */
    bootinfo.fb = (struct framebuffer){
        .pa = f->pa,
        .width = f->width,
        .height = f->height,
        .pitch = f->pitch,
        .bpp = f->bpp,
        .text = f->type == FB_TEXT,
    };
    if (f->type == FB_RGB) {
        bootinfo.fb.red_shift = f->red_shift;
        bootinfo.fb.green_shift = f->green_shift;
        bootinfo.fb.blue_shift = f->blue_shift;
    }
}

/* GRUB copies the RSDP into its tag; we copy it on, into the image. */
static void
parse_rsdp(const struct tag *tag)
{
    size_t len = tag->size - sizeof(*tag);

    if (bootinfo.rsdp != 0 && tag->type == TAG_ACPI_OLD)
        return; /* the newer one is here already */
    memcpy(rsdp_copy, tag + 1, len < RSDP_MAX ? len : RSDP_MAX);
    bootinfo.rsdp = (paddr_t)rsdp_copy - KERNEL_BASE;
}

/* What each tag needs at least, and who reads it. */
static const struct tag_kind {
    uint32_t least;
    void (*parse)(const struct tag *tag);
} tag_kinds[] = {
    [TAG_CMDLINE] = { sizeof(struct tag), parse_cmdline },
    [TAG_LOADER] = { sizeof(struct tag), parse_loader },
    [TAG_MODULE] = { sizeof(struct tag_module), parse_module },
    [TAG_MMAP] = { sizeof(struct tag_mmap), parse_mmap },
    [TAG_FRAMEBUFFER] = { FB_TEXT_SIZE, parse_framebuffer },
    [TAG_ACPI_OLD] = { sizeof(struct tag) + 20, parse_rsdp },
    [TAG_ACPI_NEW] = { sizeof(struct tag) + 36, parse_rsdp },
};

static void
parse_tag(const struct tag *tag)
{
    if (tag->type >= ARRAY_LEN(tag_kinds) || tag_kinds[tag->type].parse == NULL)
        return; /* the specification: unknown tags are skipped */
    if (tag->size < tag_kinds[tag->type].least) {
        print("boot: tag %u of %u bytes is cut short, left out\n", tag->type,
                tag->size);
        return;
    }
    tag_kinds[tag->type].parse(tag);
}

/*
 * The tag at offset `at` of the loader's `size` bytes at base, or NULL if the
 * list is over: no room for a tag's head, or the end tag.  A tag that says it
 * is smaller than its head, or goes past the end of the data, is reported and
 * ends the list too.  size may be any number: no sum may wrap around.
 *
 * Lab 1.9
 */
static const struct tag *
tag_at(const char *base, uint32_t size, uint32_t at)
{
    const struct tag *tag = (const void *)(base + at);

    if (at > size || size - at < sizeof(*tag) || tag->type == TAG_END)
        return NULL;
    if (tag->size < sizeof(*tag) || tag->size > size - at) {
        print("boot: tag %u has an impossible size of %u bytes\n", tag->type,
                tag->size);
        return NULL;
    }
    return tag;
}

/*
 * Where the tag behind this one begins: tags lie on multiples of 8 bytes, and
 * a tag's size does not count the padding.
 *
 * Lab 1.9
 */
static uint32_t
tag_after(uint32_t at, const struct tag *tag)
{
    return at + ROUND_UP(tag->size, 8);
}

void
multiboot2_parse(paddr_t info)
{
    const uint32_t *total = early_data(info, 8);
    const struct tag *tag;

    bootinfo.loader = "Multiboot2";
    if (total == NULL || info % 8 != 0 || early_data(info, *total) == NULL)
        panic("boot: the loader's data at 0x%lx cannot be read", info);
    for (uint32_t at = 8; (tag = tag_at((const char *)total, *total, at));
            at = tag_after(at, tag))
        parse_tag(tag);
}
