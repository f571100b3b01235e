/*
 * tee.c - copy the input to the output and to files.
 */
#include "lib/lux.h"

static const char usage[] = "usage: tee [-a] [file ...]\n"
                            "Copy the input to the output and into each file.\n"
                            "  -a  append to the files\n";

/* The file to write to, or -1 and told. */
static int
open_output(const char *path, bool append)
{
    int fd = append ? open(path, OWRITE) : -1;

    if (fd >= 0)
        seek(fd, 0, SEEK_END);
    else
        fd = create(path, OWRITE, 0666);
    if (fd < 0)
        warn("%s: %r", path);
    return fd;
}

int
main(int argc, char **argv)
{
    static char buf[8192];
    static int fds[MAX_ARGS];
    bool append = false;
    int64_t n;

    ARGBEGIN
    {
    case 'a': append = true; break;
    default: ARGBAD();
    }
    ARGEND
    for (int i = 0; i < argc; i++)
        fds[i] = open_output(argv[i], append);
    while ((n = read(0, buf, sizeof(buf))) > 0) {
        if (write(1, buf, (size_t)n) != n)
            fatal("write: %r");
        for (int i = 0; i < argc; i++)
            if (fds[i] >= 0 && write(fds[i], buf, (size_t)n) != n)
                fatal("%s: %r", argv[i]);
    }
    if (n < 0)
        fatal("read: %r");
    exit_warned();
}
