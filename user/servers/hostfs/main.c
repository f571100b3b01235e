/*
 * main.c - hostfs: the files of a server of 9P2000.L, as 9P2000.
 */
#include "servers/hostfs/hostfs.h"

static const char usage[] =
        "usage: hostfs [-i] [-s name] [-m dir] [-t tree] file\n"
        "The file leads to a server of 9P2000.L; serve its files as 9P2000,\n"
        "many requests at a time.\n"
        "  -m dir   mounted there (/n/host)\n"
        "  -s name  posted as /srv/name, and mounted only with -m\n"
        "  -i       one client, on descriptors 0 and 1\n"
        "  -t tree  which of the server's trees\n"
        "Each request has a process; `kill -g` ends them all.\n";

/* Speak to the server before anybody is promised its files. */
static void
start_link(const char *file, const char *tree)
{
    int fd = open(file, ORDWR), err;

    if (fd < 0)
        fatal("%s: %r", file);
    err = link_start(fd);
    if (err == 0)
        err = host_attach_tree(tree);
    if (err < 0)
        fatal("%s: %s", file, err == -E_REMOTE ? errstr() : err_string(err));
}

int
main(int argc, char **argv)
{
    const char *name = NULL, *dir = NULL, *tree = "";
    struct server s = { .ops = &host_ops, .parallel = true };
    bool inherited = false;
    int fd;

    ARGBEGIN
    {
    case 'i': inherited = true; break;
    case 'm': dir = EARG(); break;
    case 's': name = EARG(); break;
    case 't': tree = EARG(); break;
    default: ARGBAD();
    }
    ARGEND
    if (argc != 1)
        usage_die(usage);
    start_link(argv[0], tree);
    if (inherited) {
        serve(&s, 0, 1);
        return 0;
    }
    fd = srv_background(name, name == NULL && dir == NULL ? "/n/host" : dir);
    if (fd < 0)
        fatal("%r");
    serve(&s, fd, fd);
    return 0;
}
