/*
 * tally.c - a file server whose files are counters.
 *
 * A file is made by creating it, and counts from 0.  Reading it gives the
 * number as a line of text, writing a line changes it: "5" adds 5, "-5" takes
 * 5 away, "=5" sets it.  The server does one message after the other, so that
 * many processes can count in one file without a lock, and lose nothing.
 */
#include "lib/9p/tree.h"

static const char usage[] =
        "usage: tally [-i] [-s name] [-m dir]\n"
        "Serve files that are counters, mounted on /mnt.\n"
        "Write 5, -5 or =5 to one; read how much it is.\n"
        "  -m dir   mounted there\n"
        "  -s name  posted as /srv/name, and mounted only with -m\n"
        "  -i       one client, on descriptors 0 and 1\n";

enum {
    MAX_LINE = 32,       /* bytes of a number as text */
    MAX_MEMORY = 1 << 20 /* what names and files may cost */
};

/* The number is all that a counter has, and is in its aux. */
static int64_t
value(const struct file *f)
{
    return (int64_t)(intptr_t)f->aux;
}

/*
 * Answer a read: of the line that says f's value ("-5\n"), what lies at
 * r->t.offset, at most r->t.count bytes; none behind its end.  The bytes go to
 * req_room(r); r->r says where they are and how many.  0.
 *
 * Lab 4.11
 */
static int
tally_read(struct req *r, struct file *f)
{
    char line[MAX_LINE];
    uint64_t n = (uint64_t)snprint(line, sizeof(line), "%ld\n", value(f));
    uint64_t at = r->t.offset < n ? r->t.offset : n;

    r->r.count = n - at < r->t.count ? (uint32_t)(n - at) : r->t.count;
    memcpy(req_room(r), line + at, r->r.count);
    r->r.data = req_room(r);
    return 0;
}

/*
 * What *v becomes by this line: a number is added, one behind '=' replaces it.
 * The line is that and nothing else, though it may end with one '\n'.  0; or
 * an error, and *v stays: -E_BADARG: no such line; "number too large"
 * (srv_error): the number or the sum is beyond 64 bits (strtoll's limits, which
 * it also returns for all that is beyond, count as that).
 *
 * Lab 4.11
 */
static int
change(const char *line, int64_t *v)
{
    bool set = line[0] == '=';
    const char *digits = line + set;
    int64_t n;
    char *end;

    n = strtoll(digits, &end, 10);
    if (end == digits || strcmp(end + (*end == '\n'), "") != 0)
        return -E_BADARG;
    if (n == INT64_MAX || n == INT64_MIN)
        return srv_error("number too large");
    if (!set && __builtin_add_overflow(*v, n, &n))
        return srv_error("number too large");
    *v = n;
    return 0;
}

/*
 * Answer a write: r->t.data, which has no NUL, is one whole line, wherever the
 * client thinks that it stands.  All of it is taken, or none: -E_BADARG (it
 * does not fit in MAX_LINE, or has a NUL), or what `change` says.
 *
 * Lab 4.11
 */
static int
tally_write(struct req *r, struct file *f)
{
    char line[MAX_LINE];
    int64_t v = value(f);
    int err;

    if (r->t.count >= sizeof(line))
        return -E_BADARG;
    memcpy(line, r->t.data, r->t.count);
    line[r->t.count] = '\0';
    err = memchr(line, '\0', r->t.count) ? -E_BADARG : change(line, &v);
    if (err < 0)
        return err;
    f->aux = (void *)(intptr_t)v;
    r->r.count = r->t.count;
    return 0;
}

static const struct tree_ops tally_ops = {
    .read = tally_read,
    .write = tally_write,
    .may_create = true,
};

int
main(int argc, char **argv)
{
    const char *name = NULL, *dir = NULL;
    struct server s = { .ops = &tree_srv_ops };
    bool inherited = false;
    struct tree t;
    int fd = -1;

    ARGBEGIN
    {
    case 'i': inherited = true; break;
    case 'm': dir = EARG(); break;
    case 's': name = EARG(); break;
    default: ARGBAD();
    }
    ARGEND
    if (argc != 0)
        usage_die(usage);
    if (tree_begin(&t, &tally_ops, MAX_MEMORY) < 0)
        fatal("no memory for the root");
    if (!inherited) {
        fd = srv_background(name, name == NULL && dir == NULL ? "/mnt" : dir);
        if (fd < 0)
            fatal("%r");
    }
    s.aux = &t;
    serve(&s, inherited ? 0 : fd, inherited ? 1 : fd);
    tree_end(&t);
    return 0;
}
