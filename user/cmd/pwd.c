/*
 * pwd.c - print the current directory.
 */
#include "lib/lux.h"

static const char usage[] = "usage: pwd\n"
                            "Print the path of the current directory.\n";

int
main(int argc, char **argv)
{
    char *path;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    path = getwd();
    if (path == NULL)
        fatal("%r");
    print("%s\n", path);
    return 0;
}
