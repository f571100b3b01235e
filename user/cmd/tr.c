/*
 * tr.c - put characters for others.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: tr [-s] from to\n       tr -d from\n"
        "Copy the input with each character of from as the one in its place\n"
        "in to, whose last one stands for all that follow.  a-z is a range,\n"
        "\\n and \\t are what they are in C.\n"
        "  -d  leave them out    -s  several equal ones in a row once\n";

enum {
    SET = 256,
    DROP = -1
};

/* One character of a set as written at *s, and step over it. */
static int
take(const char **s)
{
    int c = (uint8_t) * (*s)++;

    if (c != '\\' || **s == '\0')
        return c;
    c = (uint8_t) * (*s)++;
    return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

/* A set as written, each of its characters in out; how many. */
static int
expand(const char *s, uint8_t *out)
{
    int n = 0;

    while (*s != '\0') {
        int first = take(&s), last = first;

        if (s[0] == '-' && s[1] != '\0') {
            s++;
            last = take(&s);
        }
        if (last < first)
            fatal("a range goes backwards");
        for (int c = first; c <= last; c++) {
            if (n == SET)
                fatal("too many characters");
            out[n++] = (uint8_t)c;
        }
    }
    return n;
}

/* What becomes of each byte. */
static void
make_map(int *map, const char *from_text, const char *to_text)
{
    uint8_t from[SET], to[SET] = { 0 };
    int nfrom = expand(from_text, from);
    int nto = to_text != NULL ? expand(to_text, to) : 0;

    if (to_text != NULL && nto == 0)
        fatal("nothing to put for them");
    for (int c = 0; c < SET; c++)
        map[c] = c;
    for (int i = nfrom; i-- > 0;)
        map[from[i]] = nto == 0 ? DROP : to[i < nto ? i : nto - 1];
}

int
main(int argc, char **argv)
{
    static struct bio in;
    struct bio *out = bio_out();
    bool drop = false, squeeze = false;
    int map[SET], c, last = DROP;

    ARGBEGIN
    {
    case 'd': drop = true; break;
    case 's': squeeze = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc != 2 - drop)
        usage_die(usage);
    make_map(map, argv[0], drop ? NULL : argv[1]);
    bio_init(&in, 0);
    while ((c = bio_getc(&in)) >= 0) {
        bool changed = map[c] != c;

        if (map[c] == DROP || (squeeze && changed && map[c] == last))
            continue;
        last = map[c];
        bio_putc(out, last);
    }
    if (in.failed)
        fatal("read: %r");
    return 0;
}
