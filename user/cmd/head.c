/*
 * head.c - print the first lines of files.
 */
#include "lib/lux.h"

static const char usage[] = "usage: head [-n lines] [file ...]\n"
                            "Print the first lines of files, 10 of each.\n"
                            "  -n  that many\n";

static uint64_t wanted = 10;
static bool titles;
static struct bio in;

static void
show(int fd, const char *name)
{
    struct bio *out = bio_out();
    char *line;

    if (titles)
        bio_print(out, "==> %s <==\n", name);
    bio_init(&in, fd);
    for (uint64_t i = 0; i < wanted; i++) {
        int64_t n = bio_line(&in, &line);

        if (n < 0)
            break;
        bio_write(out, line, (size_t)n);
        if (in.newline)
            bio_putc(out, '\n');
    }
    if (in.failed)
        warn("%s: %r", name);
    bio_end(&in);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    case 'n': wanted = EARGN(); break;
    default: ARGBAD();
    }
    ARGEND
    titles = argc > 1;
    each_file(argc, argv, show);
    exit_warned();
}
