/*
 * diff.c - which lines of two files differ.
 *
 * What both begin and end with is left aside.  For the rest, longest[i][j]
 * is the number of lines that a[i..] and b[j..] have in common, in order; a
 * walk from [0][0] to where it is largest meets every line that was taken
 * away, put in, or kept.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: diff file1 file2\n"
        "Print the lines that differ: `<` only in file1, `>` only in file2,\n"
        "under a row that says where: 3,4c3 (changed), d (gone), a (added).\n"
        "It fails if there are any.\n";

enum {
    MAX_CELLS = 16 << 20
};

struct file {
    char **lines;
    size_t n;
};

static struct file a, b;
static uint32_t *longest; /* (a.n + 1) rows of b.n + 1 */

static void
read_lines(struct file *f, const char *name)
{
    static struct bio in;
    size_t room = 0;
    char *line;
    int fd = strcmp(name, "-") == 0 ? 0 : open(name, OREAD);

    if (fd < 0)
        fatal("%s: %r", name);
    bio_init(&in, fd);
    while (bio_line(&in, &line) >= 0) {
        if (f->n == room) {
            room = room * 2 + 64;
            f->lines = realloc(f->lines, room * sizeof(*f->lines));
        }
        if (f->lines == NULL || (f->lines[f->n++] = strdup(line)) == NULL)
            fatal("%s: %r", name);
    }
    if (in.failed)
        fatal("%s: %r", name);
}

/* How many lines both files begin with. */
static size_t
common_start(void)
{
    size_t n = 0;

    while (n < a.n && n < b.n && strcmp(a.lines[n], b.lines[n]) == 0)
        n++;
    return n;
}

/* Cut off what both end with, but leave their first `start` lines. */
static void
cut_common_end(size_t start)
{
    while (a.n > start && b.n > start &&
            strcmp(a.lines[a.n - 1], b.lines[b.n - 1]) == 0) {
        a.n--;
        b.n--;
    }
}

static uint32_t *
cell(size_t i, size_t j)
{
    return &longest[i * (b.n + 1) + j];
}

static void
fill_table(size_t start)
{
    for (size_t i = a.n; i-- > start;)
        for (size_t j = b.n; j-- > start;) {
            uint32_t down = *cell(i + 1, j), right = *cell(i, j + 1);

            if (strcmp(a.lines[i], b.lines[j]) == 0)
                *cell(i, j) = *cell(i + 1, j + 1) + 1;
            else
                *cell(i, j) = down > right ? down : right;
        }
}

/* "3" or "3,5": lines from..to as people count them. */
static void
show_range(size_t from, size_t to)
{
    if (to - from > 1)
        bio_print(bio_out(), "%lu,", from + 1);
    bio_print(bio_out(), "%lu", to > from ? to : from);
}

/* Lines may be longer than bio_print takes. */
static void
show_line(char mark, const char *line)
{
    bio_print(bio_out(), "%c ", mark);
    bio_write(bio_out(), line, strlen(line));
    bio_putc(bio_out(), '\n');
}

/* a[i..iend) has become b[j..jend). */
static void
show_change(size_t i, size_t iend, size_t j, size_t jend)
{
    struct bio *out = bio_out();

    show_range(i, iend);
    bio_putc(out, i == iend ? 'a' : j == jend ? 'd' : 'c');
    show_range(j, jend);
    bio_putc(out, '\n');
    for (size_t k = i; k < iend; k++)
        show_line('<', a.lines[k]);
    if (i < iend && j < jend)
        bio_print(out, "---\n");
    for (; j < jend; j++)
        show_line('>', b.lines[j]);
}

/* Walk through the table; did anything differ? */
static bool
show_all(size_t i)
{
    size_t j = i;
    bool differ = false;

    while (i < a.n || j < b.n) {
        size_t i0 = i, j0 = j;

        while (i < a.n && j < b.n && strcmp(a.lines[i], b.lines[j]) == 0) {
            i++;
            j++;
        }
        if (i > i0)
            continue;
        while ((i < a.n || j < b.n) &&
                (i == a.n || j == b.n || strcmp(a.lines[i], b.lines[j]) != 0))
            if (j == b.n || (i < a.n && *cell(i + 1, j) >= *cell(i, j + 1)))
                i++;
            else
                j++;
        show_change(i0, i, j0, j);
        differ = true;
    }
    return differ;
}

int
main(int argc, char **argv)
{
    size_t start;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc != 2)
        usage_die(usage);
    read_lines(&a, argv[0]);
    read_lines(&b, argv[1]);
    start = common_start();
    cut_common_end(start);
    if ((a.n + 1) * (b.n + 1) > MAX_CELLS)
        fatal("the files differ in too many lines");
    longest = calloc((a.n + 1) * (b.n + 1), sizeof(*longest));
    if (longest == NULL)
        fatal("%r");
    fill_table(start);
    if (show_all(start))
        exits("differ");
    return 0;
}
