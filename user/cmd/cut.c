/*
 * cut.c - print parts of each line: fields, or characters.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: cut [-d delimiter] -f list [file ...]\n"
        "       cut -c list [file ...]\n"
        "Print these fields (-f) or characters (-c) of each line.\n"
        "A list is like 1,3-5,7-; fields end at a tab, or at what -d says.\n";

struct range {
    uint64_t first, last;
};

static struct range *ranges; /* as they come in the list */
static size_t nrange;
static bool fields;
static char delimiter = '\t';
static struct bio in;

/* A number of at least 1 at *s, and step over it. */
static uint64_t
take_number(const char **s)
{
    char *end;
    uint64_t n = strtoull(*s, &end, 10);

    if (end == *s || n < 1)
        usage_die(usage);
    *s = end;
    return n;
}

static void
parse_list(const char *s)
{
    ranges = malloc((strlen(s) / 2 + 1) * sizeof(*ranges));
    if (ranges == NULL)
        fatal("%r");
    for (;; s++) {
        struct range r = { 1, 1 };

        if (*s != '-')
            r.first = take_number(&s);
        r.last = r.first;
        if (*s == '-') {
            s++;
            r.last = *s == ',' || *s == '\0' ? UINT64_MAX : take_number(&s);
        }
        ranges[nrange++] = r;
        if (*s == '\0')
            return;
        if (*s != ',')
            usage_die(usage);
    }
}

static bool
want(uint64_t part)
{
    for (size_t i = 0; i < nrange; i++)
        if (part >= ranges[i].first && part <= ranges[i].last)
            return true;
    return false;
}

static void
cut_characters(struct bio *out, const char *line)
{
    for (uint64_t i = 1; *line != '\0'; line++, i++)
        if (want(i))
            bio_putc(out, *line);
}

static void
cut_fields(struct bio *out, const char *line)
{
    bool first = true;

    if (strchr(line, delimiter) == NULL) { /* a line of no fields stays */
        bio_write(out, line, strlen(line));
        return;
    }
    for (uint64_t i = 1;; i++) {
        const char *end = strchr(line, delimiter);
        size_t n = end != NULL ? (size_t)(end - line) : strlen(line);

        if (want(i)) {
            if (!first)
                bio_putc(out, delimiter);
            bio_write(out, line, n);
            first = false;
        }
        if (end == NULL)
            return;
        line = end + 1;
    }
}

static void
filter(int fd, const char *name)
{
    struct bio *out = bio_out();
    char *line;

    bio_init(&in, fd);
    while (bio_line(&in, &line) >= 0) {
        if (fields)
            cut_fields(out, line);
        else
            cut_characters(out, line);
        bio_putc(out, '\n');
    }
    if (in.failed)
        warn("%s: %r", name);
    bio_end(&in);
}

int
main(int argc, char **argv)
{
    const char *list = NULL;

    ARGBEGIN
    {
    case 'c': list = EARG(); break;
    case 'f':
        list = EARG();
        fields = true;
        break;
    case 'd': delimiter = EARG()[0]; break;
    default: ARGBAD();
    }
    ARGEND
    if (list == NULL || delimiter == '\0')
        usage_die(usage);
    parse_list(list);
    each_file(argc, argv, filter);
    exit_warned();
}
