/*
 * which.c - where programs are.
 */
#include "lib/lux.h"

static const char usage[] = "usage: which program ...\n"
                            "Print the path of programs as the shell finds "
                            "them.\n";

int
main(int argc, char **argv)
{
    char path[MAX_PATH];

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0)
        usage_die(usage);
    for (int i = 0; i < argc; i++) {
        if (strchr(argv[i], '/') != NULL)
            strlcpy(path, argv[i], sizeof(path));
        else
            path_join(path, sizeof(path), "/bin", argv[i]);
        if (access(path, AEXEC) < 0)
            warn("%s: %r", argv[i]);
        else
            print("%s\n", path);
    }
    exit_warned();
}
