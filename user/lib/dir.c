/*
 * dir.c - what stat and reading a directory tell, as struct dir.
 *
 * The kernel hands out entries in 9P's packed form (stat(5)).  Each function
 * here returns one malloc'ed block: the struct or structs first, and behind
 * them the strings that they point to.
 */
#include "lib/lux.h"
#include <lux/fcall.h>

enum {
    STAT_GUESS = 256, /* most entries are shorter */
    STAT_MAX = 65535 + 2,
    DIR_BYTES = 8192 /* read from a directory at a time */
};

/* The size that the packed entry at p says it has, size field included. */
static size_t
entry_size(const uint8_t *p)
{
    return (size_t)(p[0] | p[1] << 8) + 2;
}

/* One packed entry as a struct in a block of its own; NULL: failed. */
static struct dir *
unpack_one(const uint8_t *packed, size_t n)
{
    struct dir *d = malloc(sizeof(*d) + n);

    if (d == NULL)
        return NULL;
    if (dir_unpack(packed, n, d, (char *)(d + 1)) < 0) {
        free(d);
        error_set(-E_IO);
        return NULL;
    }
    return d;
}

/* stat of path or, if that is NULL, of fd, with as much room as it needs. */
static struct dir *
stat_any(const char *path, int fd)
{
    struct dir *d = NULL;
    int64_t n = -E_SHORTSTAT;

    for (size_t room = STAT_GUESS; n == -E_SHORTSTAT && room <= STAT_MAX * 2;
            room *= 16) {
        uint8_t *packed = malloc(room);

        if (packed == NULL)
            return NULL;
        n = path != NULL ? stat(path, packed, room) : fstat(fd, packed, room);
        if (n > 0)
            d = unpack_one(packed, (size_t)n);
        free(packed);
    }
    return d;
}

struct dir *
dirstat(const char *path)
{
    return stat_any(path, -1);
}

struct dir *
dirfstat(int fd)
{
    return stat_any(NULL, fd);
}

bool
is_dir(const char *path)
{
    struct dir *d = dirstat(path);
    bool is = d != NULL && (d->mode & DMDIR) != 0;

    free(d);
    return is;
}

/* How many whole entries there are in n packed bytes; -E_IO: they lie. */
static int64_t
count_entries(const uint8_t *packed, size_t n)
{
    int64_t count = 0;

    for (size_t at = 0; at < n; at += entry_size(packed + at), count++)
        if (n - at < 2 || entry_size(packed + at) > n - at)
            return error_set(-E_IO);
    return count;
}

/* Entries from their packed form: the structs, then all strings. */
static int64_t
unpack_all(const uint8_t *packed, size_t n, struct dir **entries)
{
    int64_t count = count_entries(packed, n);
    struct dir *d;
    size_t at = 0;

    if (count <= 0)
        return count;
    d = malloc((size_t)count * sizeof(*d) + n);
    if (d == NULL)
        return error_set(-E_NOMEM);
    for (int64_t i = 0; i < count; i++) {
        size_t size = entry_size(packed + at);
        char *strings = (char *)(d + count) + at;

        if (dir_unpack(packed + at, size, &d[i], strings) < 0) {
            free(d);
            return error_set(-E_IO);
        }
        at += size;
    }
    *entries = d;
    return count;
}

int64_t
dirread(int fd, struct dir **entries)
{
    uint8_t *packed = malloc(DIR_BYTES);
    int64_t n;

    *entries = NULL;
    if (packed == NULL)
        return error_set(-E_NOMEM);
    n = read(fd, packed, DIR_BYTES);
    if (n > 0)
        n = unpack_all(packed, (size_t)n, entries);
    free(packed);
    return n;
}

/* All packed entries of an open directory; *n bytes, or NULL. */
static uint8_t *
read_packed(int fd, size_t *n)
{
    size_t room = DIR_BYTES, used = 0;
    uint8_t *packed = malloc(room), *more;
    int64_t got = 1;

    while (packed != NULL && got > 0) {
        got = read(fd, packed + used, room - used);
        used += got > 0 ? (size_t)got : 0;
        if (got <= 0 || room - used >= DIR_BYTES / 2)
            continue;
        more = realloc(packed, room *= 2);
        if (more == NULL)
            got = -E_NOMEM;
        else
            packed = more;
    }
    *n = used;
    if (got >= 0)
        return packed;
    free(packed);
    return NULL;
}

/* For qsort. */
static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct dir *)a)->name, ((const struct dir *)b)->name);
}

int64_t
dir_list(const char *path, struct dir **entries)
{
    int fd = open(path, OREAD);
    uint8_t *packed;
    int64_t count;
    size_t n;

    *entries = NULL;
    if (fd < 0)
        return fd;
    packed = read_packed(fd, &n);
    close(fd);
    if (packed == NULL)
        return -E_IO;
    count = unpack_all(packed, n, entries);
    free(packed);
    if (count > 0)
        qsort(*entries, (size_t)count, sizeof(**entries), by_name);
    return count;
}

/* Pack d and hand it to wstat or, if path is NULL, to fwstat. */
static int
wstat_any(const char *path, int fd, const struct dir *d)
{
    size_t n = dir_size(d);
    uint8_t *packed = malloc(n);
    int err;

    if (packed == NULL)
        return (int)error_set(-E_NOMEM);
    if (dir_pack(d, packed, n) < 0)
        err = (int)error_set(-E_BADARG);
    else
        err = path != NULL ? wstat(path, packed, n) : fwstat(fd, packed, n);
    free(packed);
    return err < 0 ? err : 0;
}

int
dirwstat(const char *path, const struct dir *d)
{
    return wstat_any(path, -1, d);
}

int
dirfwstat(int fd, const struct dir *d)
{
    return wstat_any(NULL, fd, d);
}
