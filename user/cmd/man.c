/*
 * man.c - a page of the manual: /lib/man/NAME, or what `NAME -h` says.
 */
#include "lib/lux.h"

static const char usage[] = "usage: man name ...\n"
                            "Print the manual's pages; `help` lists names.\n";

static void
show(const char *name)
{
    char path[MAX_PATH], *text = NULL;
    size_t n;

    if (strchr(name, '/') == NULL &&
            path_join(path, sizeof(path), "/lib/man", name))
        text = read_file(path, &n);
    if (text == NULL) {
        warn("there is no page about %s", name);
        return;
    }
    bio_write(bio_out(), text, n);
    free(text);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0)
        usage_die(usage);
    for (int i = 0; i < argc; i++)
        show(argv[i]);
    exit_warned();
}
