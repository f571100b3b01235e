/*
 * kill.c - post a note to processes: their file `note` takes it.
 */
#include "lib/lux.h"

static const char usage[] = "usage: kill [-n note] [-g] pid ...\n"
                            "Post the note \"kill\" to processes.\n"
                            "  -n  another note, like interrupt\n"
                            "  -g  to the note groups of these processes\n";

static int
post(const char *pid, const char *file, const char *note)
{
    char path[MAX_PATH];
    int64_t n;
    int fd;

    if (strspn(pid, "0123456789") != strlen(pid) || *pid == '\0')
        return (int)error_set(-E_NOPROC);
    snprint(path, sizeof(path), "#p/%.20s/%s", pid, file);
    fd = open(path, OWRITE);
    if (fd == -E_NOEXIST)
        return (int)error_set(-E_NOPROC);
    if (fd < 0)
        return fd;
    n = write(fd, note, strlen(note));
    close(fd);
    return n < 0 ? (int)n : 0;
}

int
main(int argc, char **argv)
{
    const char *note = "kill", *file = "note";

    ARGBEGIN
    {
    case 'n': note = EARG(); break;
    case 'g': file = "notepg"; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0)
        usage_die(usage);
    for (int i = 0; i < argc; i++)
        if (post(argv[i], file, note) < 0)
            warn("%s: %r", argv[i]);
    exit_warned();
}
