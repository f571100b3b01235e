/*
 * uptime.c - how long the machine has been up: whose /dev and /proc this is,
 * which need not be the one that runs us.
 */
#include "lib/lux.h"

static const char usage[] = "usage: uptime\n"
                            "Print time since boot, CPUs and processes.\n";

enum { /* numbers in /dev/time */
    SECONDS,
    NANOSECONDS,
    TICKS, /* since boot */
    HZ,    /* of them in a second */
    NTIMES
};

/* The file as a string. */
static char *
contents(const char *path)
{
    char *text = read_file(path, NULL);

    if (text == NULL)
        fatal("%s: %r", path);
    return text;
}

/* Milliseconds since boot. */
static uint64_t
up_ms(void)
{
    char *words[NTIMES];
    uint64_t ticks, hz;

    if (tokenize(contents("/dev/time"), words, NTIMES) < NTIMES ||
            (hz = strtoull(words[HZ], NULL, 10)) == 0)
        fatal("/dev/time: not the time");
    ticks = strtoull(words[TICKS], NULL, 10);
    return ticks / hz * 1000 + ticks % hz * 1000 / hz;
}

int
main(int argc, char **argv)
{
    uint64_t ms, s, ncpu = 0;
    struct dir *entries;
    int64_t nproc;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    ms = up_ms();
    s = ms / 1000;
    for (const char *p = contents("/dev/sysstat"); *p != '\0'; p++)
        ncpu += *p == '\n';
    nproc = dir_list("/proc", &entries);
    if (nproc < 0)
        fatal("/proc: %r");
    print("up %lu:%02lu:%02lu.%03lu, %lu CPUs, %ld processes\n", s / 3600,
            s / 60 % 60, s % 60, ms % 1000, ncpu, nproc);
    return 0;
}
