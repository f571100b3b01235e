/*
 * mkdir.c - make directories.
 */
#include "lib/lux.h"

static const char usage[] = "usage: mkdir [-p] directory ...\n"
                            "Make directories.\n"
                            "  -p  those on the way to them, too\n";

static bool
make(const char *path)
{
    int fd = create(path, OREAD | OEXCL, DMDIR | 0777);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Every beginning of path that ends before a '/'. */
static void
make_parents(char *path)
{
    for (char *p = path + 1; *p != '\0'; p++)
        if (*p == '/') {
            *p = '\0';
            if (!is_dir(path))
                make(path);
            *p = '/';
        }
}

int
main(int argc, char **argv)
{
    bool parents = false;

    ARGBEGIN
    {
    case 'p': parents = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0)
        usage_die(usage);
    for (int i = 0; i < argc; i++) {
        if (parents && argv[i][0] != '\0')
            make_parents(argv[i]);
        if (parents && is_dir(argv[i]))
            continue;
        if (!make(argv[i]))
            warn("%s: %r", argv[i]);
    }
    exit_warned();
}
