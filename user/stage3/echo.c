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
    static char line[MAX_ARGLEN + MAX_ARGS];
    bool newline = true;
    size_t len = 0;

    ARGBEGIN
    {
    case 'n': newline = false; break;
    default: ARGBAD();
    }
    ARGEND
    for (int i = 0; i < argc; i++)
        len += (size_t)snprint(line + len, sizeof(line) - len, "%s%s",
                i > 0 ? " " : "", argv[i]);
    if (newline)
        line[len++] = '\n';
    return cons_write(line, len) < 0;
}
