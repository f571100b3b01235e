/*
 * test_print.c - formatted output against the host's printf.
 *
 * sources: user/lib/print.c user/lib/float.c kernel/boot/format.c
 * sources: user/lib/memory.c user/lib/string.c user/lib/ctype.c
 * sources: user/lib/random.c user/lib/errstr.c user/lib/malloc.c
 * sources: user/lib/lock.c user/lib/console.c user/lib/cons_io.c grade/host/user_env.c
 */
#include <stdarg.h>
#include "host.h"
#include "rename.h"
#include "lib/lux.h"
#include "user_env.h"

enum {
    ROOM = 3000
};

/* Both libraries format the same and say the same length. */
static void
same(const char *fmt, ...)
{
    char ours[ROOM], theirs[ROOM];
    va_list args, again;
    int n, m;

    va_start(args, fmt);
    va_copy(again, args);
    n = vsnprint(ours, sizeof(ours), fmt, args);
    m = vsnprintf(theirs, sizeof(theirs), fmt, again);
    va_end(args);
    va_end(again);
    if (n != m || strcmp(ours, theirs) != 0) {
        printf("%s: got '%s', want '%s'\n", fmt, ours, theirs);
        CHECK(!"same text");
    }
}

/* A random "%[flags][width][.precision][size]letter". */
static void
random_format(char *fmt, const char *sizes[], unsigned nsize,
        const char *letters, uint64_t *seed)
{
    static const char flags[] = "-0+ #";
    char *p = fmt;

    *p++ = '%';
    for (int i = 0; i < 5; i++)
        if (random_next(seed) % 3 == 0)
            *p++ = flags[i];
    if (random_next(seed) % 2 == 0)
        p += sprintf(p, "%d", (int)(random_next(seed) % 30 + 1));
    if (random_next(seed) % 2 == 0)
        p += sprintf(p, ".%d", (int)(random_next(seed) % 25));
    p += sprintf(p, "%s", sizes[random_next(seed) % nsize]);
    *p++ = letters[random_next(seed) % strlen(letters)];
    *p = '\0';
}

/* Small numbers, large ones, limits. */
static uint64_t
random_integer(uint64_t *seed)
{
    uint64_t r = random_next(seed);

    switch (r % 4) {
    case 0: return random_next(seed) % 10;
    case 1: return -(random_next(seed) % 1000);
    case 2: return 1ul << random_next(seed) % 64;
    default: return random_next(seed);
    }
}

/* Integers print as the host's do, for random formats and values. */
TEST(integers_like_host)
{
    const char *sizes[] = { "hh", "h", "", "l", "ll", "z", "j", "t" };
    char fmt[32];

    for (int i = 0; i < 200000; i++) {
        random_format(fmt, sizes, ARRAY_LEN(sizes), "diuxXo", &seed);
        same(fmt, random_integer(&seed));
    }
}

/* A double with random bits (all exponents), or an ordinary one. */
static double
random_double(uint64_t *seed)
{
    uint64_t bits = random_next(seed);
    double d;

    switch (random_next(seed) % 4) {
    case 0: __builtin_memcpy(&d, &bits, 8); return d;
    case 1: return (double)(int64_t)bits / 1e15;
    case 2: return (double)(bits % 2000) / 16 - 60; /* many ties */
    default: return (double)(bits % 1000000);
    }
}

/* Doubles print as the host's do: every digit, every tie. */
TEST(doubles_like_host)
{
    const char *sizes[] = { "" };
    char fmt[32];

    for (int i = 0; i < 200000; i++) {
        random_format(fmt, sizes, 1, "feFEgGaA", &seed);
        if (tolower(fmt[strlen(fmt) - 1]) == 'g' && strchr(fmt, '#') != NULL)
            continue; /* glibc 2.36 drops zeros where 9.99 becomes 10.0 */
        same(fmt, random_double(&seed));
    }
}

TEST(special_doubles)
{
    const char *formats[] = { "%f", "%e", "%g", "%+.3f", "%010.2f", "%-9gx",
        "% e", "%#.0f", "%#g", "%.0e", "%.60f", "%08f", "%.15g", "%.70f",
        "%.1074f", "%.1100f", "%.1100e", "%.1100a", "%1200.1100f",
        "%-1200.1090E|", "%01200.1090e", "%.800g", "%a", "%.0a", "%.1A",
        "%#.0a", "%+020a", "%F", "%G" };
    double values[] = { 0.0, -0.0, 1.0, 0.5, 1.5, 2.5, 9.5, 0.1, 9.9999995,
        999999.5, 1e6, 1e-5, 1e-4, 1e300, 5e-324, 2.2250738585072014e-308,
        1.7976931348623157e308, 1.0 / 3, __builtin_inf(), -__builtin_inf(),
        __builtin_nan("") };

    for (unsigned f = 0; f < ARRAY_LEN(formats); f++)
        for (unsigned v = 0; v < ARRAY_LEN(values); v++)
            if (values[v] != 999999.5 || strcmp(formats[f], "%#g") != 0)
                same(formats[f], values[v]);
}

TEST(strings_and_stars)
{
    same("%s|%10s|%-10s|%.2s|%.0s", "abc", "abc", "abc", "abc", "abc");
    same("%*d|%-*d|%.*d", 5, 42, 5, 42, 5, 42);
    same("%*d|%.*d", -5, 42, -1, 42);
    same("%c%c%%%5c", 'x', 'y', 'z');
    same("%.3s", "abcdef");
    same("%-5c|", 'a');
}

/* What C leaves open is defined here. */
TEST(our_own)
{
    char buf[64];

    snprint(buf, sizeof(buf), "%s", NULL);
    CHECK(strcmp(buf, "(null)") == 0);
    snprint(buf, sizeof(buf), "%p", (void *)0x1234);
    CHECK(strcmp(buf, "0x1234") == 0);
    snprint(buf, sizeof(buf), "%#g", 999999.5); /* C23 7.23.6.1 */
    CHECK(strcmp(buf, "1.00000e+06") == 0);
    snprint(buf, sizeof(buf), "%q|%");
    CHECK(strcmp(buf, "%q|") == 0);
    error_set(-E_NOMEM);
    snprint(buf, sizeof(buf), "%r");
    CHECK(strcmp(buf, "out of memory") == 0);
    werrstr("file %d: %s", 7, errstr());
    snprint(buf, sizeof(buf), "%30r|");
    CHECK(strcmp(buf, "         file 7: out of memory|") == 0);
}

/* The result is cut to len with its NUL; the length is the uncut one. */
TEST(cut_to_fit)
{
    char buf[8] = "1234567";

    CHECK_EQ(snprint(buf, 4, "%s", "abcdef"), 6);
    CHECK(strcmp(buf, "abc") == 0);
    CHECK(buf[4] == '5');
    CHECK_EQ(snprint(buf, 0, "abc"), 3);
    CHECK(buf[0] == 'a' && buf[1] == 'b');
    CHECK_EQ(snprint(buf, 1, "x%f", 1.0), 9);
    CHECK(buf[0] == '\0');
    CHECK_EQ(snprint(NULL, 0, "%2000000000d", 1), 1 << 16); /* widest */
}

/* Lines come whole; one too long for the buffer is cut, its rest skipped. */
TEST(lines)
{
    char buf[8];

    env.input = "abc\n\nlonger than the buffer\nend";
    CHECK_EQ(read_line(buf, sizeof(buf)), 3);
    CHECK(strcmp(buf, "abc") == 0);
    CHECK_EQ(read_line(buf, sizeof(buf)), 0);
    CHECK_EQ(read_line(buf, sizeof(buf)), 7);
    CHECK(strcmp(buf, "longer ") == 0);
    CHECK_EQ(read_line(buf, sizeof(buf)), 3);
    CHECK(strcmp(buf, "end") == 0);
    CHECK_EQ(read_line(buf, sizeof(buf)), -1);
}
