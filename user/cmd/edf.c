/*
 * edf.c - a process with a promise: so much CPU time in every period.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: edf [-p period] [-d deadline] [-c cost] [-n periods]\n"
        "Enter the deadline class (10ms, the period, 2ms), work 50 periods,\n"
        "and print how late each began at worst.  Try it beside `spin 5s &`.\n";

/* An argument that must be a time above 0. */
static int64_t
duration(const char *s)
{
    int64_t ns = parse_duration(s);

    if (ns <= 0)
        usage_die(usage);
    return ns;
}

/* Use the CPU until `ns` from now. */
static void
work(uint64_t ns)
{
    uint64_t end = nsec() + ns;

    while (nsec() < end)
        ;
}

/* Work n periods and tell the worst delay of their starts. */
static void
run(uint64_t period, uint64_t cost, uint64_t n)
{
    uint64_t due, now, late = 0, worst = 0, missed = 0;

    edf_next();
    due = nsec();
    for (uint64_t i = 0; i < n; i++) {
        work(cost / 2);
        edf_next();
        due += period;
        now = nsec();
        late = now > due ? now - due : 0;
        if (late > worst)
            worst = late;
        missed += late >= period;
    }
    print("edf %d: %lu periods, at worst %lu us late, %lu missed\n", getpid(),
            n, worst / 1000, missed);
}

int
main(int argc, char **argv)
{
    int64_t period = 10000000, deadline = 0, cost = 2000000;
    uint64_t n = 50;

    ARGBEGIN
    {
    case 'p': period = duration(EARG()); break;
    case 'd': deadline = duration(EARG()); break;
    case 'c': cost = duration(EARG()); break;
    case 'n': n = EARGN(); break;
    default: ARGBAD();
    }
    ARGEND
    if (argc > 0)
        usage_die(usage);
    if (deadline == 0)
        deadline = period;
    if (edf_enter((uint64_t)period, (uint64_t)deadline, (uint64_t)cost) < 0)
        fatal("%r");
    run((uint64_t)period, (uint64_t)cost, n);
    edf_leave();
    return 0;
}
