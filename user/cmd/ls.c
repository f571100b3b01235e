/*
 * ls.c - list files and what is in directories.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: ls [-adlqrt] [file ...]\n"
        "List files, and of directories what is in them.\n"
        "  -l  permissions, device, owner, group, size, date\n"
        "  -d  directories themselves    -q  with qid: path.version\n"
        "  -a  names with a dot, too     -t  newest first    -r  backwards\n";

static bool dots, themselves, long_rows, qids, newest_first, backwards;

/* For qsort. */
static int
compare(const void *a, const void *b)
{
    const struct dir *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    if (newest_first && x->mtime != y->mtime)
        order = x->mtime > y->mtime ? -1 : 1;
    return backwards ? -order : order;
}

/* One row, for a file that the user knows as `name`. */
static void
show(const struct dir *d, const char *name)
{
    struct bio *out = bio_out();
    char mode[MODE_TEXT], date[DATE_TEXT];

    if (qids)
        bio_print(out, "%8lx.%-4u ", d->qid.path, d->qid.vers);
    if (long_rows)
        bio_print(out, "%s %c %u %-6s %-6s %8lu %.16s ",
                mode_text(mode, d->mode), d->type != 0 ? d->type : '-', d->dev,
                d->uid, d->gid, d->length, date_text(date, d->mtime));
    bio_print(out, "%s%s\n", name, d->mode & DMDIR && !long_rows ? "/" : "");
}

static void
show_dir(const char *path, bool title)
{
    struct dir *entries;
    int64_t n = dir_list(path, &entries);

    if (n < 0) {
        warn("%s: %r", path);
        return;
    }
    if (title)
        bio_print(bio_out(), "%s:\n", path);
    if (n > 0 && (newest_first || backwards))
        qsort(entries, (size_t)n, sizeof(*entries), compare);
    for (int64_t i = 0; i < n; i++)
        if (dots || entries[i].name[0] != '.')
            show(&entries[i], entries[i].name);
    free(entries);
}

static void
list(const char *path, bool title)
{
    struct dir *d = dirstat(path);

    if (d == NULL)
        warn("%s: %r", path);
    else if ((d->mode & DMDIR) && !themselves)
        show_dir(path, title);
    else
        show(d, path);
    free(d);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    case 'a': dots = true; break;
    case 'd': themselves = true; break;
    case 'l': long_rows = true; break;
    case 'q': qids = true; break;
    case 't': newest_first = true; break;
    case 'r': backwards = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0)
        list(".", false);
    for (int i = 0; i < argc; i++)
        list(argv[i], argc > 1);
    exit_warned();
}
