/*
 * mem.c - use memory, to see the system run out of it.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: mem [-k duration] mebibytes\n"
        "Map and touch that much memory, check it, give it back.\n"
        "  -k  keep it for so long\n";

int
main(int argc, char **argv)
{
    uint64_t len, *p;
    int64_t keep = 0, at;

    ARGBEGIN
    {
    case 'k': keep = parse_duration(EARG()); break;
    default: ARGBAD();
    }
    ARGEND
    if (argc != 1 || keep < 0)
        usage_die(usage);
    len = number_or_die(argv[0], usage);
    if (len == 0 || len > 1ul << 26)
        usage_die(usage);
    len <<= 20;
    at = mem_map(0, len, MEM_READ | MEM_WRITE);
    if (at < 0)
        fatal("%r");
    p = (uint64_t *)at;
    for (uint64_t i = 0; i < len / 8; i += PAGE_SIZE / 8)
        p[i] = i;
    sleep((uint64_t)keep);
    for (uint64_t i = 0; i < len / 8; i += PAGE_SIZE / 8)
        if (p[i] != i)
            fatal("0x%lx changed to 0x%lx", i, p[i]);
    print("mem: %lu KiB held what was written\n", len >> 10);
    return mem_unmap((uint64_t)at, len) < 0;
}
