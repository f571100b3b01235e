/*
 * trace.c - kernel tracing on and off.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: trace on|off\n"
        "Have the kernel note what it does; `off` writes the notes to the\n"
        "debug port, where `make trace` makes a picture of them.\n";

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc != 1 || (strcmp(argv[0], "on") && strcmp(argv[0], "off")))
        usage_die(usage);
    if (trace(strcmp(argv[0], "on") == 0) < 0)
        fatal("%r");
    return 0;
}
