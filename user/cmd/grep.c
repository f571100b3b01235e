/*
 * grep.c - print the lines that a pattern fits.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: grep [-cilnqv] pattern [file ...]\n"
        "Print the lines that the pattern fits; it fails if there are none.\n"
        "  -c  only how many    -i  a is A         -l  only names of files\n"
        "  -n  with numbers     -q  print nothing  -v  those it does not fit\n"
        "Patterns: c \\c . [a-z] [^a-z] ^ $, and * + ? behind one of them.\n";

static const char *pattern;
static bool only_count, ignore_case, only_names, numbers, quiet, others;
static bool name_files, found;
static struct bio in;

static void
lower(char *s)
{
    for (; *s != '\0'; s++)
        *s = (char)tolower(*s);
}

/* Does the line belong to what is wanted? */
static bool
wanted(const char *line)
{
    static char *copy; /* of the line in lower case */
    size_t start, end;

    if (ignore_case) {
        free(copy);
        copy = strdup(line);
        if (copy == NULL)
            fatal("%r");
        lower(copy);
        line = copy;
    }
    return regex_match(pattern, line, true, &start, &end) != others;
}

static void
show(const char *name, int64_t number, const char *line)
{
    struct bio *out = bio_out();

    if (name_files)
        bio_print(out, "%s:", name);
    if (numbers)
        bio_print(out, "%ld:", number);
    bio_write(out, line, strlen(line));
    bio_putc(out, '\n');
}

static void
search(int fd, const char *name)
{
    int64_t number = 0, count = 0;
    char *line;

    bio_init(&in, fd);
    while (bio_line(&in, &line) >= 0) {
        number++;
        if (!wanted(line))
            continue;
        count++;
        if (!only_count && !only_names && !quiet)
            show(name, number, line);
        else if (!only_count)
            break;
    }
    if (in.failed)
        warn("%s: %r", name);
    bio_end(&in);
    found |= count > 0;
    if (only_names && count > 0)
        bio_print(bio_out(), "%s\n", name);
    if (only_count && name_files)
        bio_print(bio_out(), "%s:", name);
    if (only_count)
        bio_print(bio_out(), "%ld\n", count);
}

int
main(int argc, char **argv)
{
    const char *wrong;

    ARGBEGIN
    {
    case 'c': only_count = true; break;
    case 'i': ignore_case = true; break;
    case 'l': only_names = true; break;
    case 'n': numbers = true; break;
    case 'q': quiet = true; break;
    case 'v': others = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0)
        usage_die(usage);
    wrong = regex_check(argv[0]);
    if (wrong != NULL)
        fatal("%s: %s", argv[0], wrong);
    if (ignore_case)
        lower(argv[0]);
    pattern = argv[0];
    name_files = argc > 2;
    each_file(argc - 1, argv + 1, search);
    if (!found)
        exits("no match");
    exit_warned();
}
