/*
 * cp.c - copy files.
 */
#include "lib/lux.h"

static const char usage[] = "usage: cp [-r] from to\n"
                            "       cp [-r] from ... directory\n"
                            "Copy files.\n"
                            "  -r  directories, too, with all in them\n";

static bool trees;

/* Nothing ends a copy of a directory into itself but a path too long. */
static void
copy(const char *from, const char *to)
{
    size_t n = strlen(from);

    if (strncmp(to, from, n) == 0 && to[n] == '/' && is_dir(from))
        warn("%s is inside of %s", to, from);
    else
        copy_file(from, to, trees);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    case 'r': trees = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc < 2)
        usage_die(usage);
    each_target(argc, argv, copy);
    exit_warned();
}
