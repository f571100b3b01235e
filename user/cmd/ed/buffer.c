/*
 * buffer.c - the lines of the file that is edited: an array of strings, a
 * block each, so that an insertion moves pointers only.
 */
#include "cmd/ed/ed.h"

size_t nlines, dot;
bool changed;

static char **lines; /* lines[n - 1] is line n */
static size_t room;

const char *
line_at(size_t n)
{
    return lines[n - 1];
}

static char *
copy_of(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        fatal("%r");
    return copy;
}

void
insert_line(size_t after, const char *text)
{
    if (nlines == room) {
        room = room * 2 + 64;
        lines = realloc(lines, room * sizeof(*lines));
        if (lines == NULL)
            fatal("%r");
    }
    memmove(&lines[after + 1], &lines[after],
            (nlines - after) * sizeof(*lines));
    lines[after] = copy_of(text);
    nlines++;
    dot = after + 1;
    changed = true;
}

void
replace_line(size_t n, const char *text)
{
    char *old = lines[n - 1];

    lines[n - 1] = copy_of(text);
    free(old);
    dot = n;
    changed = true;
}

void
delete_lines(size_t from, size_t to)
{
    for (size_t n = from; n <= to; n++)
        free(lines[n - 1]);
    memmove(&lines[from - 1], &lines[to], (nlines - to) * sizeof(*lines));
    nlines -= to - from + 1;
    dot = from <= nlines ? from : nlines;
    changed = true;
}

bool
read_lines(const char *path, size_t after)
{
    static struct bio in;
    int fd = open(path, OREAD);
    uint64_t bytes = 0;
    char *line;
    int64_t n;

    if (fd < 0) {
        complain("%s: %r", path);
        return false;
    }
    bio_init(&in, fd);
    while ((n = bio_line(&in, &line)) >= 0) {
        insert_line(after++, line);
        bytes += (uint64_t)n + 1;
    }
    if (in.failed)
        complain("%s: %r", path);
    else
        print("%lu\n", bytes);
    bio_end(&in);
    close(fd);
    return !in.failed;
}

bool
write_lines(const char *path, size_t from, size_t to, bool append)
{
    static struct bio out;
    int fd = append ? open(path, OWRITE) : -1;
    uint64_t bytes = 0;

    if (fd >= 0)
        seek(fd, 0, SEEK_END);
    else
        fd = create(path, OWRITE, 0666);
    if (fd < 0) {
        complain("%s: %r", path);
        return false;
    }
    bio_init(&out, fd);
    for (size_t n = from; n <= to && n > 0; n++) {
        bio_write(&out, lines[n - 1], strlen(lines[n - 1]));
        bio_putc(&out, '\n');
        bytes += strlen(lines[n - 1]) + 1;
    }
    if (bio_flush(&out) < 0)
        complain("%s: %r", path);
    else
        print("%lu\n", bytes);
    close(fd);
    return !out.failed;
}
