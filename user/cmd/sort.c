/*
 * sort.c - put lines in order.  All of them are kept in memory.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: sort [-nru] [-k field] [file ...]\n"
        "Print all lines of the files in order.\n"
        "  -n  by the numbers that they begin with\n"
        "  -r  backwards    -u  equal lines once\n"
        "  -k  by what begins at that field, the first being 1\n";

static bool by_number, backwards, once;
static uint64_t field = 1;
static char **lines;
static size_t count, room;
static struct bio in;

/* Where the line's key begins. */
static const char *
key_of(const char *line)
{
    for (uint64_t i = 1; i < field; i++) {
        line += strspn(line, " \t");
        line += strcspn(line, " \t");
    }
    return field > 1 ? line + strspn(line, " \t") : line;
}

static int
compare_keys(const char *a, const char *b)
{
    long x, y;

    if (!by_number)
        return strcmp(a, b);
    x = strtol(a, NULL, 10);
    y = strtol(b, NULL, 10);
    return x < y ? -1 : x > y;
}

/* For qsort; lines whose keys are equal go by the whole line. */
static int
compare(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    int order = compare_keys(key_of(x), key_of(y));

    if (order == 0)
        order = strcmp(x, y);
    return backwards ? -order : order;
}

static void
take(int fd, const char *name)
{
    char *line;

    bio_init(&in, fd);
    while (bio_line(&in, &line) >= 0) {
        if (count == room) {
            room = room * 2 + 64;
            lines = realloc(lines, room * sizeof(*lines));
        }
        if (lines == NULL || (lines[count++] = strdup(line)) == NULL)
            fatal("%r");
    }
    if (in.failed)
        warn("%s: %r", name);
    bio_end(&in);
}

int
main(int argc, char **argv)
{
    struct bio *out = bio_out();

    ARGBEGIN
    {
    case 'n': by_number = true; break;
    case 'r': backwards = true; break;
    case 'u': once = true; break;
    case 'k': field = EARGN(); break;
    default: ARGBAD();
    }
    ARGEND
    each_file(argc, argv, take);
    if (count > 0)
        qsort(lines, count, sizeof(*lines), compare);
    for (size_t i = 0; i < count; i++) {
        if (once && i > 0 && strcmp(lines[i], lines[i - 1]) == 0)
            continue;
        bio_write(out, lines[i], strlen(lines[i]));
        bio_putc(out, '\n');
    }
    exit_warned();
}
