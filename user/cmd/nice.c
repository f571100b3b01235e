/*
 * nice.c - run a program in a scheduling group of its own.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: nice weight program [argument ...]\n"
        "Run it with that share (1 to 10000) of the CPUs against others'"
        " 100.\n";

int
main(int argc, char **argv)
{
    uint64_t weight;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc < 2)
        usage_die(usage);
    weight = number_or_die(argv[0], usage);
    if (weight > UINT32_MAX || sched_group((uint32_t)weight) < 0)
        fatal("weight %s: %s", argv[0],
                weight > 10000 ? err_string(E_BADARG) : errstr());
    exec_search(argv[1], argv + 1);
    fatal("%s: %r", argv[1]);
}
