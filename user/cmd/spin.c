/*
 * spin.c - use the CPU for a while: a load to watch the scheduler by.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: spin [duration]\n"
        "Count as fast as possible for that long (1s), print how far.\n";

int
main(int argc, char **argv)
{
    int64_t ns = 1000000000;
    uint64_t count = 0, end;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc > 0)
        ns = parse_duration(argv[0]);
    if (argc > 1 || ns < 0)
        usage_die(usage);
    for (end = nsec() + (uint64_t)ns; nsec() < end; count++)
        for (volatile int i = 0; i < 1000; i++)
            ;
    print("spin %d: %lu thousand\n", getpid(), count);
    return 0;
}
