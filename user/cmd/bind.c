/*
 * bind.c - a second name for a file or directory, in this name space.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: bind [-a|-b] [-c] new old\n"
        "Make old mean new, too: instead of what it meant, or in a union.\n"
        "  -a  new after what is there\n"
        "  -b  new before what is there\n"
        "  -c  files made in old may go to new\n";

int
main(int argc, char **argv)
{
    unsigned flags = MREPL;

    ARGBEGIN
    {
    case 'a': flags |= MAFTER; break;
    case 'b': flags |= MBEFORE; break;
    case 'c': flags |= MCREATE; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc != 2 || (flags & MAFTER && flags & MBEFORE))
        usage_die(usage);
    if (bind(argv[0], argv[1], flags) < 0)
        fatal("%s on %s: %r", argv[0], argv[1]);
    return 0;
}
