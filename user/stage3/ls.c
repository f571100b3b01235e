/*
 * ls.c - list the files of the boot archive.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: ls [-l] [prefix ...]\n"
        "List the files of the boot archive whose names begin so.\n"
        "  -l  with permissions and size\n";

static bool long_rows;

/* For qsort: rising. */
static int
by_name(const void *a, const void *b)
{
    const struct archiveinfo *x = a, *y = b;

    return strcmp(x->name, y->name);
}

/* Does one of the prefixes fit?  Without arguments all do. */
static bool
wanted(const char *name, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        const char *prefix = argv[i][0] == '/' ? argv[i] + 1 : argv[i];

        if (strncmp(name, prefix, strlen(prefix)) == 0)
            return true;
    }
    return argc == 0;
}

/* One line for one file. */
static void
show(const struct archiveinfo *f)
{
    char mode[] = "-rwxrwxrwx";

    for (int i = 0; i < 9; i++)
        if ((f->mode >> (8 - i) & 1) == 0)
            mode[i + 1] = '-';
    if (long_rows)
        print("%s %8lu %s\n", mode, f->size, f->name);
    else
        print("%s\n", f->name);
}

int
main(int argc, char **argv)
{
    struct archiveinfo *files;
    int n, shown = 0;

    ARGBEGIN
    {
    case 'l': long_rows = true; break;
    default: ARGBAD();
    }
    ARGEND
    n = archive(NULL, 0);
    files = calloc((size_t)n + 1, sizeof(*files));
    if (n < 0 || files == NULL)
        fatal("%r");
    n = archive(files, (unsigned)n);
    qsort(files, (size_t)n, sizeof(*files), by_name);
    for (int i = 0; i < n; i++)
        if (wanted(files[i].name, argc, argv)) {
            show(&files[i]);
            shown++;
        }
    if (shown == 0 && argc > 0)
        fatal("%s: file does not exist", argv[0]);
    return 0;
}
