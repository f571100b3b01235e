/*
 * copy.c - copy and remove files and whole directories.  What fails is told
 * of and left out; a tree is as deep as a path can be long.
 */
#include "lib/lux.h"

/* All bytes of in to out; false: told. */
static bool
copy_bytes(int in, int out, const char *from, const char *to)
{
    static char buf[64 * 1024];
    int64_t n;

    while ((n = read(in, buf, sizeof(buf))) > 0)
        if (write(out, buf, (size_t)n) != n) {
            warn("%s: %r", to);
            return false;
        }
    if (n < 0)
        warn("%s: %r", from);
    return n == 0;
}

/* A plain file with permissions `mode`. */
static bool
copy_plain(const char *from, const char *to, uint32_t mode)
{
    int in = open(from, OREAD), out;
    bool good = false;

    if (in < 0) {
        warn("%s: %r", from);
        return false;
    }
    out = create(to, OWRITE, mode & 0777);
    if (out < 0)
        warn("%s: %r", to);
    else {
        good = copy_bytes(in, out, from, to);
        close(out);
    }
    close(in);
    return good;
}

/* Make the directory unless it is there; false: told. */
static bool
make_dir(const char *path, uint32_t mode)
{
    int fd;

    if (is_dir(path))
        return true;
    fd = create(path, OREAD, DMDIR | (mode & 0777));
    if (fd < 0)
        warn("%s: %r", path);
    else
        close(fd);
    return fd >= 0;
}

/* What is in `from`, to the directory `to`. */
static bool
copy_entries(const char *from, const char *to)
{
    char source[MAX_PATH], target[MAX_PATH];
    struct dir *entries;
    int64_t n = dir_list(from, &entries); /* before `to` may be one of them */
    bool good = n >= 0;

    if (n < 0)
        warn("%s: %r", from);
    for (int64_t i = 0; i < n; i++)
        if (!path_join(source, sizeof(source), from, entries[i].name) ||
                !path_join(target, sizeof(target), to, entries[i].name)) {
            warn("%s/%s: the path is too long", from, entries[i].name);
            good = false;
        } else if (!copy_file(source, target, true))
            good = false;
    free(entries);
    return good;
}

/* Are they one file?  Opening it for writing would empty it. */
static bool
same_file(const struct dir *a, const char *to)
{
    struct dir *b = dirstat(to);
    bool same = b != NULL && a->type == b->type && a->dev == b->dev &&
                a->qid.path == b->qid.path && a->qid.type == b->qid.type;

    free(b);
    return same;
}

bool
copy_file(const char *from, const char *to, bool tree)
{
    struct dir *d = dirstat(from);
    bool good = false;

    if (d == NULL)
        warn("%s: %r", from);
    else if (same_file(d, to))
        warn("%s and %s are the same file", from, to);
    else if (!(d->mode & DMDIR))
        good = copy_plain(from, to, d->mode);
    else if (!tree)
        warn("%s is a directory", from);
    else
        good = make_dir(to, d->mode | 0700) && copy_entries(from, to);
    free(d);
    return good;
}

/* All that is in the directory. */
static bool
remove_entries(const char *path)
{
    char name[MAX_PATH];
    struct dir *entries;
    int64_t n = dir_list(path, &entries);
    bool good = n >= 0;

    if (n < 0)
        warn("%s: %r", path);
    for (int64_t i = 0; i < n; i++)
        if (!path_join(name, sizeof(name), path, entries[i].name)) {
            warn("%s/%s: the path is too long", path, entries[i].name);
            good = false;
        } else if (!remove_file(name, true))
            good = false;
    free(entries);
    return good;
}

bool
remove_file(const char *path, bool tree)
{
    if (tree && is_dir(path) && !remove_entries(path))
        return false;
    if (remove(path) >= 0)
        return true;
    warn("%s: %r", path);
    return false;
}

void
each_target(int argc, char **argv, void (*fn)(const char *from, const char *to))
{
    const char *last = argv[argc - 1];
    bool into = is_dir(last);
    char to[MAX_PATH];

    if (argc > 2 && !into)
        fatal("%s is no directory", last);
    for (int i = 0; i < argc - 1; i++) {
        if (!into)
            fn(argv[i], last);
        else if (path_join(to, sizeof(to), last, base_name(argv[i])))
            fn(argv[i], to);
        else
            warn("%s: %r", argv[i]);
    }
}
