/*
 * fib.c - a Fibonacci number by plain recursion: a load for the CPU.
 */
#include "lib/lux.h"

static const char usage[] = "usage: fib [n]\n"
                            "Print the n-th Fibonacci number (30, at most 50)"
                            " the slow way.\n";

/* F(n) in F(n) steps, on purpose. */
static uint64_t
fib(unsigned n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int
main(int argc, char **argv)
{
    uint64_t n = 30;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc > 0)
        n = number_or_die(argv[0], usage);
    if (argc > 1 || n > 50)
        usage_die(usage);
    print("fib %lu = %lu\n", n, fib((unsigned)n));
    return 0;
}
