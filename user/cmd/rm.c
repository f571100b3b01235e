/*
 * rm.c - remove files.
 */
#include "lib/lux.h"

static const char usage[] = "usage: rm [-fr] file ...\n"
                            "Remove files and empty directories.\n"
                            "  -r  directories with all in them\n"
                            "  -f  no complaint about what does not exist\n";

int
main(int argc, char **argv)
{
    bool trees = false, force = false;

    ARGBEGIN
    {
    case 'r': trees = true; break;
    case 'f': force = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0 && !force)
        usage_die(usage);
    for (int i = 0; i < argc; i++)
        if (!force || access(argv[i], AEXIST) == 0)
            remove_file(argv[i], trees);
    exit_warned();
}
