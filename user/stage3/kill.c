/*
 * kill.c - post a note to processes.
 */
#include "lib/lux.h"

static const char usage[] = "usage: kill [-n note] [-g] pid ...\n"
                            "Post the note \"kill\" to processes.\n"
                            "  -n  another note, like interrupt\n"
                            "  -g  the numbers are note groups\n";

int
main(int argc, char **argv)
{
    enum note_target target = NOTE_PROC;
    const char *note = "kill";
    int failed = 0;

    ARGBEGIN
    {
    case 'n': note = EARG(); break;
    case 'g': target = NOTE_GROUP; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0)
        usage_die(usage);
    for (int i = 0; i < argc; i++) {
        uint64_t id = number_or_die(argv[i], usage);

        if (id == 0 || id > UINT32_MAX)
            error_set(failed = -E_NOPROC);
        else if (postnote(target, (uint32_t)id, note) == 0)
            continue;
        fprint(2, "kill: %s: %r\n", argv[i]);
        failed = 1;
    }
    return failed != 0;
}
