/*
 * seq.c - count.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: seq [first [step]] last\n"
        "Print numbers from first (1) to last, step (1) apart.\n";

int
main(int argc, char **argv)
{
    struct bio *out = bio_out();
    long first, step, last;

    if (argc > 1 && strcmp(argv[1], "-h") == 0) {
        print("%s", usage);
        return 0;
    }
    argc--; /* no options: -1 is a number */
    argv++;
    if (argc < 1 || argc > 3)
        usage_die(usage);
    last = word_number(argv[argc - 1]);
    first = argc > 1 ? word_number(argv[0]) : 1;
    step = argc > 2 ? word_number(argv[1]) : 1;
    if (step == 0)
        fatal("a step of 0 never ends");
    for (long i = first; step > 0 ? i <= last : i >= last;) {
        bio_print(out, "%ld\n", i);
        if (__builtin_add_overflow(i, step, &i))
            break;
    }
    return 0;
}
