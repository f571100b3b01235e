/*
 * filter.c - what programs have in common that read the files of their
 * arguments in turn: a file that fails is told of, and the rest is read.
 */
#include "lib/self.h"

static char warning[MAX_ERR]; /* the last one, for the exit string */

void
warn(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    complain(warning, fmt, args);
    va_end(args);
}

void
exit_warned(void)
{
    exits(warning);
}

void
each_file(int argc, char **argv, void (*fn)(int fd, const char *name))
{
    if (argc == 0)
        fn(0, "-");
    for (int i = 0; i < argc; i++) {
        int fd = strcmp(argv[i], "-") == 0 ? 0 : open(argv[i], OREAD);

        if (fd < 0) {
            warn("%s: %r", argv[i]);
            continue;
        }
        fn(fd, argv[i]);
        if (fd != 0)
            close(fd);
    }
}
