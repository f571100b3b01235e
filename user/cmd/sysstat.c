/*
 * sysstat.c - what each CPU has counted, by what /dev/sysstat says.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: sysstat\n"
        "Print each CPU's counters, from /dev/sysstat.  They count since "
        "boot,\n"
        "or since something was written there: echo clear > /dev/sysstat.\n";

enum field { /* of a line, one for each CPU */
    NUMBER,
    SWITCHES,
    INTERRUPTS,
    SYSCALLS,
    FAULTS,
    CR3_LOADS,
    SHOOTDOWNS,
    TRAPS,
    IDLE_MS,
    NFIELDS
};

static void
show(char *line)
{
    char *s[NFIELDS];

    if (tokenize(line, s, NFIELDS) < NFIELDS)
        fatal("/dev/sysstat: a line too short");
    print("%3s %9s %8s %8s %8s %8s %8s %8s %8.2f\n", s[NUMBER], s[SYSCALLS],
            s[TRAPS], s[FAULTS], s[INTERRUPTS], s[SWITCHES], s[CR3_LOADS],
            s[SHOOTDOWNS], (double)strtoull(s[IDLE_MS], NULL, 10) / 1e3);
}

int
main(int argc, char **argv)
{
    char *text, *end;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    text = read_file("/dev/sysstat", NULL);
    if (text == NULL)
        fatal("/dev/sysstat: %r");
    print("cpu  syscalls    traps   faults     irqs switches cr3loads "
          "shootdwn   idle s\n");
    for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        *end = '\0';
        show(text);
    }
    return 0;
}
