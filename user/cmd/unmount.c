/*
 * unmount.c - undo bind and mount.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: unmount [new] old\n"
        "Take new, or all that was bound or mounted, away from old.\n";

int
main(int argc, char **argv)
{
    const char *new, *old;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc < 1 || argc > 2)
        usage_die(usage);
    new = argc == 2 ? argv[0] : NULL;
    old = argv[argc - 1];
    if (unmount(new, old) < 0)
        fatal("%s: %r", old);
    return 0;
}
