/*
 * primes.c - print the prime numbers up to a bound.
 */
#include "lib/lux.h"

static const char usage[] = "usage: primes [-c] n\n"
                            "Print the primes up to n (at most 100 million).\n"
                            "  -c  only how many there are\n";

enum {
    MOST = 100000000
};

int
main(int argc, char **argv)
{
    uint8_t *composite; /* [i]: i has a divisor */
    uint64_t n, count = 0;
    bool only_count = false;

    ARGBEGIN
    {
    case 'c': only_count = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc != 1 || (n = number_or_die(argv[0], usage)) > MOST)
        usage_die(usage);
    composite = calloc(n + 1, 1);
    if (composite == NULL)
        fatal("%r");
    for (uint64_t i = 2; i <= n; i++) {
        if (composite[i])
            continue;
        count++;
        if (!only_count)
            print("%lu\n", i);
        for (uint64_t k = i * i; k <= n; k += i)
            composite[k] = 1;
    }
    if (only_count)
        print("%lu\n", count);
    return 0;
}
