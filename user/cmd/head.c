/*
 * head.c - print the first lines or bytes of files.
 */
#include "lib/lux.h"

static const char usage[] = "usage: head [-n lines | -c bytes] [file ...]\n"
                            "Print the first lines of files, 10 of each.\n"
                            "  -n  that many; also -20\n"
                            "  -c  bytes in place of lines\n";

static uint64_t wanted = 10;
static bool bytes, titles;
static struct bio in;

static void
copy_bytes(struct bio *out)
{
    int c;

    for (uint64_t i = 0; i < wanted && (c = bio_getc(&in)) >= 0; i++)
        bio_putc(out, c);
}

/* Piece by piece: a line may be longer than memory. */
static void
copy_lines(struct bio *out)
{
    const char *piece;
    int64_t n;

    for (uint64_t i = 0; i < wanted; i += piece[n - 1] == '\n') {
        n = bio_piece(&in, &piece);
        if (n == 0)
            return;
        bio_write(out, piece, (size_t)n);
    }
}

static void
show(int fd, const char *name)
{
    struct bio *out = bio_out();

    if (titles)
        bio_print(out, "==> %s <==\n", name);
    bio_init(&in, fd);
    (bytes ? copy_bytes : copy_lines)(out);
    if (in.failed)
        warn("%s: %r", name);
    bio_end(&in);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    case 'c':
        bytes = true;
        wanted = EARGN();
        break;
    case 'n':
        bytes = false;
        wanted = EARGN();
        break;
    case '0' ... '9': wanted = ARGDIGITS(); break;
    default: ARGBAD();
    }
    ARGEND
    titles = argc > 1;
    each_file(argc, argv, show);
    exit_warned();
}
