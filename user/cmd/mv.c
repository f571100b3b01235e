/*
 * mv.c - give files other names.  wstat does it within a directory; into
 * another one a file is copied and removed.
 */
#include "lib/lux.h"

static const char usage[] = "usage: mv from to\n"
                            "       mv from ... directory\n"
                            "Rename files, or move them to a directory.\n";

/* Is everything before the last '/' the same? */
static bool
same_directory(const char *a, const char *b)
{
    size_t n = (size_t)(base_name(a) - a);

    return n == (size_t)(base_name(b) - b) && strncmp(a, b, n) == 0;
}

/* What has the name already gives way, as it does for cp. */
static int
rename(const char *from, const char *to)
{
    struct dir change;

    if (access(to, AEXIST) == 0 && remove(to) < 0)
        return -E_EXIST;
    dir_null(&change);
    change.name = base_name(to);
    return dirwstat(from, &change);
}

static void
move(const char *from, const char *to)
{
    if (access(from, AEXIST) < 0)
        warn("%s: %r", from);
    else if (strcmp(from, to) == 0)
        return;
    else if (!same_directory(from, to)) {
        if (copy_file(from, to, true))
            remove_file(from, true);
    } else if (rename(from, to) < 0)
        warn("%s: %r", to);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc < 2)
        usage_die(usage);
    each_target(argc, argv, move);
    exit_warned();
}
