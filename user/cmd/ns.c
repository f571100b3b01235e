/*
 * ns.c - show a name space, as the commands that would make it.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: ns [pid]\n"
        "Print the name space of this process, or of another.\n";

int
main(int argc, char **argv)
{
    char path[64], *text;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc > 1)
        usage_die(usage);
    snprint(path, sizeof(path), "#p/%u/ns",
            argc == 1 ? (unsigned)number_or_die(argv[0], usage)
                      : (unsigned)getpid());
    text = read_file(path, NULL);
    if (text == NULL)
        fatal("%s: %r", path);
    print("%s", text);
    return 0;
}
