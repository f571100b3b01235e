/*
 * basename.c - the last element of a path.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: basename [-d] path [suffix]\n"
        "Print what follows the path's last /, without the suffix.\n"
        "  -d  what comes before it\n";

int
main(int argc, char **argv)
{
    bool directory = false;
    const char *name;
    size_t n, suffix;

    ARGBEGIN
    {
    case 'd': directory = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc < 1 || argc > 2)
        usage_die(usage);
    name = base_name(argv[0]);
    n = strlen(name);
    suffix = argc > 1 ? strlen(argv[1]) : 0;
    if (directory && name - argv[0] <= 1)
        print("%s\n", name == argv[0] ? "." : "/");
    else if (directory)
        print("%.*s\n", (int)(name - argv[0] - 1), argv[0]);
    else if (suffix < n && suffix > 0 &&
             strcmp(name + n - suffix, argv[1]) == 0)
        print("%.*s\n", (int)(n - suffix), name);
    else
        print("%s\n", name);
    return 0;
}
