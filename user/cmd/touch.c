/*
 * touch.c - make files that are not there, or set their time to now.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: touch [-c] file ...\n"
        "Make empty files; set the modification time of those there.\n"
        "  -c  make none\n";

/* Seconds since 1970. */
static uint32_t
now(void)
{
    char *text = read_file("#c/time", NULL);
    uint32_t seconds;

    if (text == NULL)
        fatal("the time: %r");
    seconds = (uint32_t)strtoul(text, NULL, 10);
    free(text);
    return seconds;
}

static int
touch(const char *path, bool make)
{
    struct dir change;
    int fd;

    if (access(path, AEXIST) == 0) {
        dir_null(&change);
        change.mtime = now();
        return dirwstat(path, &change);
    }
    if (!make)
        return 0;
    fd = create(path, OREAD | OEXCL, 0666);
    if (fd >= 0)
        close(fd);
    return fd;
}

int
main(int argc, char **argv)
{
    bool make = true;

    ARGBEGIN
    {
    case 'c': make = false; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0)
        usage_die(usage);
    for (int i = 0; i < argc; i++)
        if (touch(argv[i], make) < 0)
            warn("%s: %r", argv[i]);
    exit_warned();
}
