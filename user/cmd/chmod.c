/*
 * chmod.c - change permissions.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: chmod mode file ...\n"
        "Change permissions: to an octal number, or like u+x, go-w, a=rw, +al\n"
        "(u owner, g group, o others, a all; a write at end, l exclusive).\n";

struct change {
    uint32_t set, clear;
};

static uint32_t
bits_of(char letter)
{
    switch (letter) {
    case 'r': return 0444;
    case 'w': return 0222;
    case 'x': return 0111;
    case 'a': return DMAPPEND;
    case 'l': return DMEXCL;
    default: usage_die(usage);
    }
}

/* Whose permissions, as letters at *s up to + - or =; all if there are none. */
static uint32_t
take_who(const char **s)
{
    uint32_t who = 0;

    for (; strchr("ugoa", **s) != NULL && **s != '\0'; (*s)++)
        who |= **s == 'u' ? 0700 : **s == 'g' ? 0070 : **s == 'o' ? 0007 : 0777;
    return who != 0 ? who : 0777;
}

static struct change
parse_mode(const char *s)
{
    struct change c = { 0 };
    uint32_t who, bits = 0;
    char op, *end;

    if (isdigit(*s)) {
        c.set = (uint32_t)strtoul(s, &end, 8);
        c.clear = 0777;
        if (*end != '\0' || c.set > 0777)
            usage_die(usage);
        return c;
    }
    who = take_who(&s);
    op = *s;
    if (op == '\0' || strchr("+-=", op) == NULL)
        usage_die(usage);
    for (s++; *s != '\0'; s++)
        bits |= bits_of(*s);
    bits &= who | DMAPPEND | DMEXCL;
    c.set = op == '-' ? 0 : bits;
    c.clear = op == '-' ? bits : op == '=' ? who : 0;
    return c;
}

static int
change_mode(const char *path, struct change c)
{
    struct dir *d = dirstat(path), change;

    if (d == NULL)
        return -E_NOEXIST;
    dir_null(&change);
    change.mode = (d->mode & ~c.clear) | c.set;
    free(d);
    return dirwstat(path, &change);
}

int
main(int argc, char **argv)
{
    struct change c;

    if (argc > 1 && strcmp(argv[1], "-h") == 0) {
        print("%s", usage);
        return 0;
    }
    if (argc < 3) /* no options: -x is a mode */
        usage_die(usage);
    c = parse_mode(argv[1]);
    for (int i = 2; i < argc; i++)
        if (change_mode(argv[i], c) < 0)
            warn("%s: %r", argv[i]);
    exit_warned();
}
