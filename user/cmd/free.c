/*
 * free.c - how much memory is in use, by what /dev/swap says.
 */
#include "lib/lux.h"

static const char usage[] = "usage: free\n"
                            "Print memory in KiB: total, used, free.\n";

/* The number in the line of text that ends with `what`. */
static uint64_t
number_of(const char *text, const char *what)
{
    const char *at = strstr(text, what);

    if (at == NULL)
        fatal("/dev/swap has no line '%s'", what + 1);
    while (at > text && at[-1] != '\n')
        at--;
    return strtoull(at, NULL, 10);
}

int
main(int argc, char **argv)
{
    uint64_t total, used, page;
    char *text;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    text = read_file("/dev/swap", NULL);
    if (text == NULL)
        fatal("/dev/swap: %r");
    page = number_of(text, " pagesize") / 1024;
    total = number_of(text, " memory") / 1024;
    used = (number_of(text, " kernel") + number_of(text, " user")) * page;
    print("%10s %10s %10s\n%10lu %10lu %10lu\n", "total", "used", "free", total,
            used, total - used);
    return 0;
}
