/*
 * cmp.c - are two files the same, byte by byte?
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: cmp [-s] file1 file2\n"
        "Tell the first byte in which two files differ; fails if they do.\n"
        "  -s  tell nothing\n";

static struct bio a, b;

static void
open_one(struct bio *in, const char *name)
{
    int fd = strcmp(name, "-") == 0 ? 0 : open(name, OREAD);

    if (fd < 0)
        fatal("%s: %r", name);
    bio_init(in, fd);
}

int
main(int argc, char **argv)
{
    bool silent = false;
    uint64_t byte = 0, line = 1;
    int x, y;

    ARGBEGIN
    {
    case 's': silent = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc != 2)
        usage_die(usage);
    open_one(&a, argv[0]);
    open_one(&b, argv[1]);
    do {
        x = bio_getc(&a);
        y = bio_getc(&b);
        byte++;
        line += x == '\n' && y == '\n';
    } while (x == y && x >= 0);
    if (a.failed || b.failed)
        fatal("%s: %r", argv[a.failed ? 0 : 1]);
    if (x == y)
        return 0;
    if (!silent && (x < 0 || y < 0))
        print("%s is shorter: %lu bytes\n", argv[x < 0 ? 0 : 1], byte - 1);
    else if (!silent)
        print("%s %s differ: byte %lu, line %lu\n", argv[0], argv[1], byte,
                line);
    exits("differ");
}
