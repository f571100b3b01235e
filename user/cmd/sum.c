/*
 * sum.c - a check sum: CRC-32, as in IEEE 802.3 and gzip.
 */
#include "lib/lux.h"

static const char usage[] = "usage: sum [file ...]\n"
                            "Print CRC-32 and length of files.\n";

static struct bio in;

/* The sum of one more byte; the bits of bytes go lowest first. */
static uint32_t
add_byte(uint32_t crc, int byte)
{
    crc ^= (uint32_t)byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    return crc;
}

static void
sum(int fd, const char *name)
{
    uint32_t crc = ~0u;
    uint64_t n = 0;
    int byte;

    bio_init(&in, fd);
    for (; (byte = bio_getc(&in)) >= 0; n++)
        crc = add_byte(crc, byte);
    if (in.failed)
        warn("%s: %r", name);
    else
        print("%08x %8lu %s\n", ~crc, n, fd == 0 ? "" : name);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    each_file(argc, argv, sum);
    exit_warned();
}
