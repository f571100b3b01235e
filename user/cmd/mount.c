/*
 * mount.c - the tree of a file server in this name space.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: mount [-a|-b] [-c] service old [tree]\n"
        "Make old mean the files of a server, as /srv/ramfs leads to one.\n"
        "  -a  after what is there\n"
        "  -b  before what is there\n"
        "  -c  files made in old may go to the server\n"
        "  tree  which of its trees, if it has several\n";

int
main(int argc, char **argv)
{
    unsigned flags = MREPL;
    int fd;

    ARGBEGIN
    {
    case 'a': flags |= MAFTER; break;
    case 'b': flags |= MBEFORE; break;
    case 'c': flags |= MCREATE; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc < 2 || argc > 3 || (flags & MAFTER && flags & MBEFORE))
        usage_die(usage);
    fd = open(argv[0], ORDWR);
    if (fd < 0)
        fatal("%s: %r", argv[0]);
    if (mount(fd, -1, argv[1], flags, argc == 3 ? argv[2] : "") < 0)
        fatal("%s on %s: %r", argv[0], argv[1]);
    return 0;
}
