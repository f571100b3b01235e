/*
 * ps.c - list the processes, by what /proc says of each.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: ps [-g]\n"
        "List the processes: number, parent, CPU time, memory, state.\n"
        "  -g  with user, note group and CPU\n"
        "What N asks file servers: cat /proc/N/9p; its files: /proc/N/fd.\n";

enum field { /* of /proc/N/status, behind name and user */
    STATE,
    USER_MS,
    SYSTEM_MS,
    REAL_MS,
    KIB,
    PARENT,
    NOTE_GRP,
    CPU,
    WAITS_FOR, /* missing if it does not wait */
    NFIELDS
};

enum {
    NAME_WIDTH = 31, /* blanks may be in a name: it has its columns */
    REST = 2 * (NAME_WIDTH + 1)
};

/* End a column's text where its blanks begin. */
static char *
trim(char *text)
{
    size_t n = NAME_WIDTH;

    text[n] = '\0';
    while (n > 0 && text[n - 1] == ' ')
        text[--n] = '\0';
    return text;
}

/* The words from `at` on, which tokenize has cut apart, together again. */
static char *
rest_of_line(char *at, const char *end)
{
    for (char *p = at; p < end; p++)
        if (*p == '\0')
            *p = ' ';
    return at;
}

static double
seconds(const char *ms)
{
    return (double)strtoul(ms, NULL, 10) / 1000;
}

static void
show(uint64_t pid, char *status, bool groups)
{
    static char nothing[] = "";
    struct bio *out = bio_out();
    char *fields[NFIELDS] = { nothing };
    char *end = status + strlen(status);
    int n;

    if (end < status + REST)
        return;
    while (isspace(end[-1]))
        *--end = '\0';
    n = tokenize(status + REST, fields, NFIELDS);
    if (n < WAITS_FOR)
        return;
    fields[WAITS_FOR] =
            n == WAITS_FOR ? nothing : rest_of_line(fields[WAITS_FOR], end);
    bio_print(out, "%5lu %5s ", pid, fields[PARENT]);
    if (groups)
        bio_print(out, "%-8s %5s %3s ", trim(status + NAME_WIDTH + 1),
                fields[NOTE_GRP], fields[CPU]);
    bio_print(out, "%8.2f %8.2f %7s %-10s %-10s %s\n", seconds(fields[USER_MS]),
            seconds(fields[SYSTEM_MS]), fields[KIB], fields[STATE],
            fields[WAITS_FOR], trim(status));
}

/* For qsort: by number. */
static int
by_number(const void *a, const void *b)
{
    unsigned long x = strtoul(((const struct dir *)a)->name, NULL, 10);
    unsigned long y = strtoul(((const struct dir *)b)->name, NULL, 10);

    return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
    struct dir *entries;
    bool groups = false;
    int64_t n;

    ARGBEGIN
    {
    case 'g': groups = true; break;
    default: ARGBAD();
    }
    ARGEND
    n = dir_list("#p", &entries);
    if (n < 0)
        fatal("#p: %r");
    qsort(entries, (size_t)n, sizeof(*entries), by_number);
    bio_print(bio_out(), "%5s %5s %s%8s %8s %7s %-10s %-10s %s\n", "pid",
            "ppid", groups ? "user     notes cpu " : "", "user", "sys", "KiB",
            "state", "waits for", "name");
    for (int64_t i = 0; i < n; i++) {
        char path[MAX_PATH], *status;

        snprint(path, sizeof(path), "#p/%s/status", entries[i].name);
        status = read_file(path, NULL); /* it may be gone by now */
        if (status != NULL)
            show(strtoul(entries[i].name, NULL, 10), status, groups);
        free(status);
    }
    return 0;
}
