/*
 * uniq.c - print lines once that come several times in a row.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: uniq [-cdu] [file ...]\n"
        "Print lines that are equal to the one before only once.\n"
        "  -c  with how often    -d  only repeated ones    -u  only others\n";

static bool counts, repeated, single;
static struct bio in;

/* The line came n times. */
static void
show(const char *line, uint64_t n)
{
    struct bio *out = bio_out();

    if (n == 0 || (repeated && n == 1) || (single && n > 1))
        return;
    if (counts)
        bio_print(out, "%7lu ", n);
    bio_write(out, line, strlen(line));
    bio_putc(out, '\n');
}

static void
filter(int fd, const char *name)
{
    char *line, *last = NULL;
    uint64_t n = 0;

    bio_init(&in, fd);
    while (bio_line(&in, &line) >= 0) {
        if (last != NULL && strcmp(last, line) == 0) {
            n++;
            continue;
        }
        show(last, n);
        free(last);
        last = strdup(line);
        if (last == NULL)
            fatal("%r");
        n = 1;
    }
    show(last, n);
    free(last);
    if (in.failed)
        warn("%s: %r", name);
    bio_end(&in);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    case 'c': counts = true; break;
    case 'd': repeated = true; break;
    case 'u': single = true; break;
    default: ARGBAD();
    }
    ARGEND
    each_file(argc, argv, filter);
    exit_warned();
}
