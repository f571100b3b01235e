/*
 * dd.c - copy blocks of a size, from and to any place in a file.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: dd [-i file] [-o file] [-b size] [-n count] [-s skip] [-k "
        "seek]\n"
        "Copy the input to the output in blocks, and say how many.\n"
        "  -i -o  files in place of standard input and output\n"
        "  -b  bytes of a block: 512, or 4k, 1m    -n  that many blocks\n"
        "  -s  blocks of the input to step over    -k  of the output\n";

enum {
    MAX_BLOCK = 1 << 20
};

/* A size with k or m for 1024 and its square. */
static uint64_t
size_of(const char *s)
{
    char *end;
    uint64_t n = strtoull(s, &end, 0);

    if (end == s || n > UINT32_MAX)
        usage_die(usage);
    if (*end == 'k')
        n <<= 10;
    else if (*end == 'm')
        n <<= 20;
    if (*end != '\0' && strcmp(end, "k") != 0 && strcmp(end, "m") != 0)
        usage_die(usage);
    return n;
}

/* Step over bytes; what cannot seek is read. */
static void
skip_input(int fd, uint64_t bytes, char *buf, uint64_t block)
{
    if (bytes == 0 || seek(fd, (int64_t)bytes, SEEK_SET) >= 0)
        return;
    while (bytes > 0) {
        int64_t n = read(fd, buf, bytes < block ? bytes : block);

        if (n <= 0)
            fatal("nothing is left behind what to skip");
        bytes -= (uint64_t)n;
    }
}

/* An existing file stays as long as it is, so that parts can be replaced. */
static int
open_output(const char *path)
{
    int fd = open(path, OWRITE);

    if (fd < 0)
        fd = create(path, OWRITE, 0666);
    if (fd < 0)
        fatal("%s: %r", path);
    return fd;
}

static void
copy(int in, int out, char *buf, uint64_t block, uint64_t count)
{
    uint64_t whole = 0, parts = 0;

    while (whole + parts < count) {
        int64_t n = readn(in, buf, block);

        if (n < 0)
            fatal("read: %r");
        if (n == 0)
            break;
        if (write(out, buf, (size_t)n) != n)
            fatal("write: %r");
        if ((uint64_t)n == block)
            whole++;
        else
            parts++;
    }
    fprint(2, "%lu+%lu blocks\n", whole, parts);
}

int
main(int argc, char **argv)
{
    uint64_t block = 512, count = UINT64_MAX, skip = 0, start = 0;
    int in = 0, out = 1;
    char *buf;

    ARGBEGIN
    {
    case 'i':
        in = open(EARG(), OREAD);
        if (in < 0)
            fatal("the input: %r");
        break;
    case 'o': out = open_output(EARG()); break;
    case 'b': block = size_of(EARG()); break;
    case 'n': count = size_of(EARG()); break;
    case 's': skip = size_of(EARG()); break;
    case 'k': start = size_of(EARG()); break;
    default: ARGBAD();
    }
    ARGEND
    if (argc != 0 || block == 0 || block > MAX_BLOCK)
        usage_die(usage);
    buf = malloc(block);
    if (buf == NULL)
        fatal("%r");
    skip_input(in, skip * block, buf, block);
    if (start > 0 && seek(out, (int64_t)(start * block), SEEK_SET) < 0)
        fatal("the output: %r");
    copy(in, out, buf, block, count);
    return 0;
}
