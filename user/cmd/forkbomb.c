/*
 * forkbomb.c - many processes at once; they end when all are there.  With -r
 * a real bomb, to see what it does to others.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: forkbomb [-r seconds] [n]\n"
        "Make n processes (100) that live at once, then let them go.\n"
        "  -r seconds  for so long every process makes more\n";

static uint32_t go; /* semaphore, on shared pages */

/* Each child goes on here, too. */
NORETURN static void
run_away(uint64_t seconds)
{
    uint64_t end = nsec() + seconds * 1000000000;

    while (nsec() < end)
        if (rfork(RFPROC | RFNOWAIT) < 0)
            sleep(50000000);
    exits(NULL);
}

int
main(int argc, char **argv)
{
    uint64_t n = 100, made = 0;

    ARGBEGIN
    {
    case 'r': run_away(EARGN());
    default: ARGBAD();
    }
    ARGEND
    if (argc > 0)
        n = number_or_die(argv[0], usage);
    if (argc > 1 || n > MAX_PROCS)
        usage_die(usage);
    for (; made < n; made++) {
        int pid = rfork(RFPROC | RFMEM);

        if (pid == 0) {
            semacquire(&go, 1);
            _exits(NULL);
        }
        if (pid < 0) {
            print("forkbomb: after %lu: %r\n", made);
            break;
        }
    }
    print("%d processes are there\n", procs(NULL, 0));
    if (made > 0)
        semrelease(&go, (uint32_t)made);
    while (wait(NULL) > 0)
        ;
    print("%lu came and went; %d are left\n", made, procs(NULL, 0));
    return made != n;
}
