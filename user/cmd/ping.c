/*
 * ping.c - two processes in two address spaces that meet again and again.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: ping [n]\n"
        "Meet another process n times (10000) and back; print the time.\n";

enum {
    TAG = 0x70696e67
};

int
main(int argc, char **argv)
{
    uint64_t n = 10000, begin, ns;
    int pid;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc > 0)
        n = number_or_die(argv[0], usage);
    if (argc > 1 || n == 0)
        usage_die(usage);
    if (rfork(RFREND) < 0 || (pid = fork()) < 0)
        fatal("%r");
    begin = nsec();
    for (uint64_t i = 0; i < n; i++) {
        uint64_t got = rendezvous(TAG, pid != 0 ? i : ~i);

        if (got != (pid != 0 ? ~i : i))
            fatal("met 0x%lx at %lu", got, i);
    }
    ns = nsec() - begin;
    if (pid == 0)
        return 0;
    wait_for(pid, NULL);
    print("%lu meetings, %lu ns each\n", n, ns / n);
    return 0;
}
