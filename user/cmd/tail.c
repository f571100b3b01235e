/*
 * tail.c - print the last lines of files: a ring keeps as many as wanted.
 */
#include "lib/lux.h"

static const char usage[] = "usage: tail [-n lines] [file ...]\n"
                            "Print the last lines of files, 10 of each.\n"
                            "  -n  that many, at most 100000; also -20\n";

enum {
    MAX_LINES = 100000
};

static uint64_t wanted = 10;
static bool titles;
static struct line {
    char *text; /* no string: a line may hold NULs */
    size_t length;
} * ring; /* line i is at i % wanted */
static struct bio in;

/* Fill the ring with the last lines; how many there were in all. */
static uint64_t
keep_last(void)
{
    uint64_t n = 0;
    int64_t length;
    char *text;

    while ((length = bio_line(&in, &text)) >= 0) {
        struct line *line = &ring[n++ % wanted];

        line->length = (size_t)length;
        line->text = realloc(line->text, line->length + 1);
        if (line->text == NULL)
            fatal("%r");
        memcpy(line->text, text, line->length);
    }
    return n;
}

static void
show(int fd, const char *name)
{
    struct bio *out = bio_out();
    uint64_t n;

    if (titles)
        bio_print(out, "==> %s <==\n", name);
    bio_init(&in, fd);
    n = keep_last();
    if (in.failed)
        warn("%s: %r", name);
    for (uint64_t i = n > wanted ? n - wanted : 0; i < n; i++) {
        const struct line *line = &ring[i % wanted];

        bio_write(out, line->text, line->length);
        if (i < n - 1 || in.newline)
            bio_putc(out, '\n');
    }
    bio_end(&in);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    case 'n': wanted = EARGN(); break;
    case '0' ... '9': wanted = ARGDIGITS(); break;
    default: ARGBAD();
    }
    ARGEND
    if (wanted == 0)
        return 0;
    if (wanted > MAX_LINES)
        usage_die(usage);
    ring = calloc(wanted, sizeof(*ring));
    if (ring == NULL)
        fatal("%r");
    titles = argc > 1;
    each_file(argc, argv, show);
    exit_warned();
}
