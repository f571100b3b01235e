/*
 * ps.c - list the processes.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: ps [-g]\n"
        "List the processes: number, parent, CPU time, memory, state.\n"
        "  -g  with note group, scheduling group and CPU\n";

/* All rows; there may be more of them by the time of the second call. */
static struct procinfo *
read_all(int *n)
{
    struct procinfo *rows;
    int room;

    do {
        room = procs(NULL, 0) + 8;
        rows = calloc((size_t)room, sizeof(*rows));
        if (rows == NULL)
            fatal("%r");
        *n = procs(rows, (unsigned)room);
    } while (*n > room);
    return rows;
}

int
main(int argc, char **argv)
{
    struct procinfo *rows;
    bool groups = false;
    int n;

    ARGBEGIN
    {
    case 'g': groups = true; break;
    default: ARGBAD();
    }
    ARGEND
    rows = read_all(&n);
    print("%5s %5s %s%8s %8s %7s %-10s %-10s %s\n", "pid", "ppid",
            groups ? "notes sched cpu  " : "", "user", "sys", "KiB", "state",
            "waits for", "name");
    for (const struct procinfo *p = rows; p < rows + n; p++) {
        print("%5u %5u ", p->pid, p->ppid);
        if (groups)
            print("%5u %5u %3u%s ", p->notegrp, p->group, p->cpu,
                    p->edf ? "E" : " ");
        print("%8.2f %8.2f %7lu %-10s %-10s %s\n", (double)p->user_ns / 1e9,
                (double)p->sys_ns / 1e9, p->pages * 4, p->state, p->wchan,
                p->name);
    }
    return 0;
}
