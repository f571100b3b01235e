/*
 * help.c - what can be typed: a line for each program, which the build takes
 * from the programs' usage texts (tools/manual.py).
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: help [-l] [word ...]\n"
        "List the programs, or tell of those with one of the words in their\n"
        "line.\n"
        "  -l  all lines\n";

static const char shell[] =
        "\nThe shell's own: cd exit . eval exec shift unset rfork\n"
        "                 jobs wait fg history break continue\n"
        "a | b   a > file   a < file   a &   a && b   'quoted'   $x   *.c\n"
        "`help -l` tells what each program does, `man name` all about it,\n"
        "`man sh` about the shell, `man intro` where to begin.\n"
        "^C interrupts, the arrow keys bring back lines, Tab completes.\n";

/* One row of /lib/help: a name, or all of it if it is wanted. */
static void
show(char *row, int nwords, char **words, bool all)
{
    static int column;
    struct bio *out = bio_out();

    for (int i = 0; i < nwords; i++)
        all |= strstr(row, words[i]) != NULL;
    if (all)
        bio_print(out, "%s\n", row);
    if (all || nwords > 0)
        return;
    row[strcspn(row, " ")] = '\0';
    bio_print(out, "%s%-11s", column > 0 && column % 7 == 0 ? "\n" : "", row);
    column++;
}

int
main(int argc, char **argv)
{
    static struct bio in;
    bool all = false;
    char *row;
    int fd;

    ARGBEGIN
    {
    case 'l': all = true; break;
    default: ARGBAD();
    }
    ARGEND
    fd = open("/lib/help", OREAD);
    if (fd < 0)
        fatal("/lib/help: %r");
    bio_init(&in, fd);
    while (bio_line(&in, &row) >= 0)
        show(row, argc, argv, all);
    if (argc == 0 && !all)
        bio_print(bio_out(), "%s", shell);
    return 0;
}
