/*
 * help.c - what can be typed: a line for each program, which the build takes
 * from the programs' usage texts (tools/manual.py).
 */
#include "lib/lux.h"

static const char usage[] = "usage: help [word]\n"
                            "List the programs, or those with word in "
                            "their line.\n";

static const char shell[] =
        "The shell's own: cd exit . eval exec shift read unset rfork\n"
        "                 jobs wait fg history break continue\n"
        "a | b   a > file   a < file   a &   a && b   'quoted'   $x   *.c\n"
        "`man name` tells more of a program, `man sh` of the shell;\n"
        "^C interrupts, the arrow keys bring back lines, Tab completes.\n";

int
main(int argc, char **argv)
{
    static struct bio in;
    char *line;
    int fd;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    fd = open("/lib/help", OREAD);
    if (fd < 0)
        fatal("/lib/help: %r");
    bio_init(&in, fd);
    while (bio_line(&in, &line) >= 0)
        if (argc == 0 || strstr(line, argv[0]) != NULL)
            bio_print(bio_out(), "%s\n", line);
    if (argc == 0)
        bio_print(bio_out(), "%s", shell);
    return 0;
}
