/*
 * forkbomb.c - many processes at once; they end when all are there.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: forkbomb [n]\n"
        "Make n processes (100) that live at once, then let them go.\n";

static uint32_t go; /* semaphore, on shared pages */

int
main(int argc, char **argv)
{
    uint64_t n = 100, made = 0;

    ARGBEGIN
    {
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
