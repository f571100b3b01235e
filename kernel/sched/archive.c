/*
 * archive.c - the boot archive: programs and files that come with the
 * kernel, as a ustar file (POSIX.1-1988, pax(1) "ustar Interchange Format")
 * in a boot module.
 *
 * It is checked once, at start-up: every header's checksum and size.  What
 * does not check out ends the archive there, with a message; nothing that
 * comes later in it is believed.
 */
#include "sched/sched.h"

enum {
    BLOCK = 512,
    MAX_FILES = 4096
};

struct ustar_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12];
    char checksum[8], type, link[100], magic[6], version[2];
    char uname[32], gname[32], devmajor[8], devminor[8], prefix[155];
    char pad[12];
};

static const uint8_t *archive;
static uint64_t archive_size;
static uint32_t file_at[MAX_FILES]; /* block number of each file's header */
static unsigned nfile;

/* An octal field; UINT64_MAX if it holds anything else. */
static uint64_t
octal(const char *field, size_t len)
{
    uint64_t n = 0;
    size_t i = 0;

    while (i < len && field[i] == ' ')
        i++;
    for (; i < len && field[i] && field[i] != ' '; i++) {
        if (field[i] < '0' || field[i] > '7')
            return UINT64_MAX;
        n = n << 3 | (uint64_t)(field[i] - '0');
    }
    return n;
}

/* The sum of all header bytes, the checksum field read as blanks. */
static uint64_t
checksum(const struct ustar_header *h)
{
    const uint8_t *bytes = (const uint8_t *)h;
    uint64_t sum = 0;

    for (size_t i = 0; i < sizeof *h; i++) {
        bool in_field = i >= offsetof(struct ustar_header, checksum) &&
                        i < offsetof(struct ustar_header, type);

        sum += in_field ? ' ' : bytes[i];
    }
    return sum;
}

static const struct ustar_header *
header_at(uint64_t block)
{
    return (const struct ustar_header *)(archive + block * BLOCK);
}

/* Blocks of a file's contents; UINT64_MAX: the header at `block` is bad. */
static uint64_t
check_header(uint64_t block)
{
    const struct ustar_header *h = header_at(block);
    uint64_t size = octal(h->size, sizeof h->size);
    uint64_t room = archive_size - (block + 1) * BLOCK;

    if (memcmp(h->magic, "ustar", 5) != 0 || size > room ||
            octal(h->checksum, sizeof h->checksum) != checksum(h))
        return UINT64_MAX;
    return (size + BLOCK - 1) / BLOCK;
}

static const struct module *
find_module(void)
{
    for (unsigned i = 0; i < bootinfo.nmodule; i++)
        if (strcmp(bootinfo.modules[i].name, "boot.tar") == 0)
            return &bootinfo.modules[i];
    return NULL;
}

static bool
is_file(const struct ustar_header *h)
{
    return h->type == '0' || h->type == '\0';
}

void
archive_init(void)
{
    const struct module *m = find_module();
    uint64_t block = 0;

    if (!m) {
        print("archive: no boot module named boot.tar\n");
        return;
    }
    archive = pa_to_kva(m->start);
    archive_size = m->end - m->start;
    while ((block + 1) * BLOCK <= archive_size && header_at(block)->name[0]) {
        uint64_t blocks = check_header(block);

        if (blocks == UINT64_MAX || nfile == MAX_FILES) {
            print("archive: %s in block %lu; the rest is ignored\n",
                    nfile == MAX_FILES ? "more than 4096 files" : "bad header",
                    block);
            return;
        }
        if (is_file(header_at(block)))
            file_at[nfile++] = (uint32_t)block;
        block += 1 + blocks;
    }
}

int
archive_nth(unsigned n, struct archive_file *f)
{
    const struct ustar_header *h;

    if (n >= nfile)
        return -E_NOEXIST;
    h = header_at(file_at[n]);
    snprint(f->name, sizeof f->name, "%.155s%s%.100s", h->prefix,
            h->prefix[0] ? "/" : "", h->name);
    f->data = (const uint8_t *)(h + 1);
    f->size = octal(h->size, sizeof h->size);
    f->mode = (uint32_t)octal(h->mode, sizeof h->mode) & 0777;
    return 0;
}

/* Is `path` the header's prefix, a '/' if there is one, and its name? */
static bool
name_matches(const struct ustar_header *h, const char *path)
{
    size_t n = strnlen(h->prefix, sizeof h->prefix);

    if (n > 0) {
        if (strncmp(path, h->prefix, n) != 0 || path[n] != '/')
            return false;
        path += n + 1;
    }
    return strncmp(path, h->name, sizeof h->name) == 0 &&
           strnlen(path, sizeof h->name + 1) <= sizeof h->name;
}

int
archive_find(const char *path, struct archive_file *f)
{
    while (*path == '/')
        path++;
    for (unsigned i = 0; i < nfile; i++)
        if (name_matches(header_at(file_at[i]), path))
            return archive_nth(i, f);
    return -E_NOEXIST;
}
