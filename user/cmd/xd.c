/*
 * xd.c - show bytes as numbers and as characters.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: xd [-s skip] [-n count] [file ...]\n"
        "Show the bytes of files, 16 a line: offset, hexadecimal, ASCII.\n"
        "  -s  leave the first ones out    -n  show only so many\n";

enum {
    ROW = 16
};

static uint64_t skip, limit = UINT64_MAX;
static struct bio in;

static void
show_row(uint64_t offset, const uint8_t *p, size_t n)
{
    struct bio *out = bio_out();

    bio_print(out, "%07lx ", offset);
    for (size_t i = 0; i < ROW; i++)
        if (i < n)
            bio_print(out, "%s%02x", i == ROW / 2 ? "  " : " ", p[i]);
        else
            bio_print(out, i == ROW / 2 ? "    " : "   ");
    bio_print(out, "  ");
    for (size_t i = 0; i < n; i++)
        bio_putc(out, isprint(p[i]) ? p[i] : '.');
    bio_putc(out, '\n');
}

static void
show(int fd, const char *name)
{
    uint8_t row[ROW];
    uint64_t offset = 0;

    bio_init(&in, fd);
    while (offset < skip && bio_getc(&in) >= 0)
        offset++;
    for (uint64_t left = limit; left > 0;) {
        size_t n = (size_t)bio_read(&in, row, left < ROW ? left : ROW);

        if (n == 0)
            break;
        show_row(offset, row, n);
        offset += n;
        left -= n;
    }
    if (in.failed)
        warn("%s: %r", name);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    case 's': skip = EARGN(); break;
    case 'n': limit = EARGN(); break;
    default: ARGBAD();
    }
    ARGEND
    each_file(argc, argv, show);
    exit_warned();
}
