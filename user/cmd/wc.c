/*
 * wc.c - count lines, words and bytes.
 */
#include "lib/lux.h"

static const char usage[] = "usage: wc [-lwc] [file ...]\n"
                            "Count lines, words and bytes of files.\n"
                            "  -l -w -c  only these\n";

struct counts {
    uint64_t lines, words, bytes;
};

static bool lines, words, bytes;
static struct counts total;
static struct bio in;

static void
show(const struct counts *c, const char *name)
{
    if (lines)
        print(" %7lu", c->lines);
    if (words)
        print(" %7lu", c->words);
    if (bytes)
        print(" %7lu", c->bytes);
    print("%s%s\n", name[0] != '\0' ? " " : "", name);
}

static void
count(int fd, const char *name)
{
    struct counts c = { 0 };
    bool in_word = false;
    int byte;

    bio_init(&in, fd);
    while ((byte = bio_getc(&in)) >= 0) {
        c.bytes++;
        c.lines += byte == '\n';
        c.words += !in_word && !isspace(byte);
        in_word = !isspace(byte);
    }
    if (in.failed)
        warn("%s: %r", name);
    total.lines += c.lines;
    total.words += c.words;
    total.bytes += c.bytes;
    show(&c, fd == 0 ? "" : name);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    case 'l': lines = true; break;
    case 'w': words = true; break;
    case 'c': bytes = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (!lines && !words && !bytes)
        lines = words = bytes = true;
    each_file(argc, argv, count);
    if (argc > 1)
        show(&total, "total");
    exit_warned();
}
