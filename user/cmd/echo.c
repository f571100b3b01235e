/*
 * echo.c - print the arguments.
 */
#include "lib/lux.h"

static const char usage[] = "usage: echo [-n] [word ...]\n"
                            "Print the words with blanks between them.\n"
                            "  -n  no newline at the end\n";

int
main(int argc, char **argv)
{
    struct bio *out = bio_out();
    bool newline = true;

    arg0 = argv[0];
    if (argc == 2 && strcmp(argv[1], "-h") == 0) {
        print("%s", usage);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "-n") == 0) {
        newline = false;
        argv++;
    }
    for (argv++; *argv != NULL; argv++) {
        bio_write(out, *argv, strlen(*argv));
        if (argv[1] != NULL)
            bio_putc(out, ' ');
    }
    if (newline)
        bio_putc(out, '\n');
    return 0;
}
