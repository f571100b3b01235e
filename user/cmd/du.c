/*
 * du.c - how much is in directories.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: du [-as] [file ...]\n"
        "Print the KiB that files hold, for each directory in the arguments.\n"
        "  -a  for each file, too    -s  only for the arguments\n";

static bool all, sums;

static void
show(const char *path, uint64_t bytes)
{
    bio_print(bio_out(), "%lu\t%s\n", (bytes + 1023) / 1024, path);
}

static uint64_t measure_dir(const char *path);

/* The bytes in it; the path of a file in a directory that is measured. */
static uint64_t
measure(const struct dir *d, const char *path)
{
    if (d->mode & DMDIR)
        return measure_dir(path);
    if (all)
        show(path, d->length);
    return d->length;
}

static uint64_t
measure_dir(const char *path)
{
    char name[MAX_PATH];
    struct dir *entries;
    int64_t n = dir_list(path, &entries);
    uint64_t bytes = 0;

    if (n < 0)
        warn("%s: %r", path);
    for (int64_t i = 0; i < n; i++)
        if (path_join(name, sizeof(name), path, entries[i].name))
            bytes += measure(&entries[i], name);
        else
            warn("%s/%s: %r", path, entries[i].name);
    free(entries);
    if (!sums)
        show(path, bytes);
    return bytes;
}

static void
du(const char *path)
{
    struct dir *d = dirstat(path);
    uint64_t bytes;

    if (d == NULL) {
        warn("%s: %r", path);
        return;
    }
    bytes = measure(d, path);
    if (sums || (!all && !(d->mode & DMDIR)))
        show(path, bytes);
    free(d);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    case 'a': all = true; break;
    case 's': sums = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0)
        du(".");
    for (int i = 0; i < argc; i++)
        du(argv[i]);
    exit_warned();
}
