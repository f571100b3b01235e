/*
 * fuzz_fcall.c - any bytes at all for the 9P codec: `make fuzz`.
 *
 * What unpacks must pack to the same bytes; nothing may read or write outside
 * of what it was given, which ASan watches.
 *
 * sources: kernel/9p/fcall.c kernel/9p/fcall_unpack.c
 * sources: kernel/9p/fcall_print.c kernel/boot/format.c
 */
#include <stdlib.h>
#include <string.h>
#include <lux/err.h>
#include <lux/fcall.h>
#include "boot/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

bool
format_verb(struct sink *s, const struct spec *spec, char letter, va_list *args)
{
    return s == NULL || spec == NULL || letter == '\0' || args == NULL;
}

static void
must(bool ok)
{
    if (!ok)
        abort();
}

/* A message of exactly these bytes. */
static void
try_message(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n), *again = malloc(n);
    char text[300];
    struct fcall f;

    memcpy(copy, data, n);
    if (fcall_unpack(copy, n, &f) == 0) {
        must(fcall_frame(data, n, UINT32_MAX) == (int64_t)n);
        must(fcall_text(&f, text, sizeof(text)) > 0);
        must(fcall_size(&f) == n);
        must(fcall_pack(&f, again, n) == (int64_t)n);
        must(memcmp(again, data, n) == 0);
    }
    free(again);
    free(copy);
}

/* A directory entry, which may be followed by more. */
static void
try_entry(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n), *again = malloc(n);
    char *strs = malloc(n);
    struct dir d;
    int64_t got;

    memcpy(copy, data, n);
    got = dir_unpack(copy, n, &d, strs);
    must(dir_check(copy, n) == got);
    if (got >= 0) {
        must(got <= (int64_t)n && dir_size(&d) == (size_t)got);
        must(dir_pack(&d, again, n) == got);
        must(memcmp(again, data, (size_t)got) == 0);
    }
    free(strs);
    free(again);
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *sized = malloc(n);

    try_message(data, n);
    try_entry(data, n);
    memcpy(sized, data, n);
    if (n >= FCALL_HEAD) { /* a true size gets it further */
        for (unsigned i = 0; i < 4; i++)
            sized[i] = (uint8_t)(n >> 8 * i);
        try_message(sized, n);
    }
    free(sized);
    return 0;
}
