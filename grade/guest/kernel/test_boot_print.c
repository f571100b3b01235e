/*
 * test_boot_print.c - every conversion of print.c against what C says, and
 * the two of our own.
 */
#include "boot/boot.h"

/* Whether fmt and its arguments give exactly `want`, and its length. */
static void
check_format(int line, const char *want, const char *fmt, ...)
{
    char got[128];
    va_list args;
    int n;

    memset(got, '#', sizeof(got));
    va_start(args, fmt);
    n = vsnprint(got, sizeof(got), fmt, args);
    va_end(args);
    if (strcmp(got, want) != 0)
        print("format \"%s\" gave \"%s\", not \"%s\"\n", fmt, got, want);
    ktest_check(strcmp(got, want) == 0, __FILE__, line, fmt);
    ktest_check_eq(n, strlen(want), __FILE__, line, "length");
}

#define FORMAT(want, ...) check_format(__LINE__, want, __VA_ARGS__)

KTEST(print_decimal)
{
    FORMAT("0", "%d", 0);
    FORMAT("-1", "%d", -1);
    FORMAT("2147483647", "%i", INT32_MAX);
    FORMAT("-2147483648", "%d", INT32_MIN);
    FORMAT("-9223372036854775808", "%ld", INT64_MIN);
    FORMAT("18446744073709551615", "%lu", UINT64_MAX);
    FORMAT("4294967295", "%u", -1);
    FORMAT("+5 -5  5", "%+d %+d % d", 5, -5, 5);
}

KTEST(print_hex_and_octal)
{
    FORMAT("ff FF 377", "%x %X %o", 255, 255, 255);
    FORMAT("0xff 0XFF 0377", "%#x %#X %#o", 255, 255, 255);
    FORMAT("0 0 0", "%#x %#X %#o", 0, 0, 0);
    FORMAT("ffffffffffffffff", "%lx", UINT64_MAX);
    FORMAT("1777777777777777777777", "%lo", UINT64_MAX);
}

KTEST(print_width_and_precision)
{
    FORMAT("[   42][42   ][00042]", "[%5d][%-5d][%05d]", 42, 42, 42);
    FORMAT("[  -42][-42  ][-0042]", "[%5d][%-5d][%05d]", -42, -42, -42);
    FORMAT("[  007][007  ]", "[%5.3d][%-5.3d]", 7, 7);
    FORMAT("[  007]", "[%05.3d]", 7); /* a precision cancels the flag 0 */
    FORMAT("[]", "[%.0d]", 0);
    FORMAT("[0x00ff]", "[%#06x]", 255);
    FORMAT("[   42][42   ][0042]", "[%*d][%*d][%.*d]", 5, 42, -5, 42, 4, 42);
    FORMAT("[12345]", "[%3d]", 12345);
}

KTEST(print_sizes_cut_arguments)
{
    FORMAT("-1 255", "%hhd %hhu", 0x1ff, 0x1ff);
    FORMAT("-1 65535", "%hd %hu", 0x1ffff, 0x1ffff);
    FORMAT("-2", "%d", 0xfffffffe);
    FORMAT("4294967298", "%zu", (size_t)4294967298);
    FORMAT("-3", "%lld", -3ll);
}

KTEST(print_strings)
{
    FORMAT("[abc][  abc][abc  ]", "[%s][%5s][%-5s]", "abc", "abc", "abc");
    FORMAT("[ab][   ab]", "[%.2s][%5.2s]", "abc", "abc");
    FORMAT("(null)", "%s", NULL);
    FORMAT("[a][  b][c  ]", "[%c][%3c][%-3c]", 'a', 'b', 'c');
    FORMAT("100%", "%d%%", 100);
}

/* %.*s must not look past its limit: the string has no end there */
KTEST(print_string_without_end)
{
    static const char four[4] = { 'L', 'u', 'x', '9' };

    FORMAT("Lux9", "%.*s", 4, four);
}

KTEST(print_pointers)
{
    FORMAT("0xffffffff80000000", "%p", (void *)KERNEL_BASE);
    FORMAT("0x0", "%p", NULL);
}

/* %y names functions; other addresses stay numbers */
KTEST(print_symbols)
{
    FORMAT("symbol_find+0x0", "%y", (uint64_t)symbol_find);
    FORMAT("symbol_find+0x3", "%y", (uint64_t)symbol_find + 3);
    FORMAT("0x0", "%y", 0ul);
    FORMAT("0xffffffffffffffff", "%y", UINT64_MAX);
    FORMAT("[symbol_find+0x0      ]", "[%-21y]", (uint64_t)symbol_find);
}

KTEST(print_errors)
{
    FORMAT("out of memory", "%e", E_NOMEM);
    FORMAT("out of memory", "%e", -E_NOMEM);
    FORMAT("unknown error", "%e", 9999);
}

/* what print does not know is shown as it stands, and a lone % is harmless */
KTEST(print_unknown_conversion)
{
    FORMAT("%k", "%k");
    FORMAT("50", "50%");
    FORMAT("", "%-08");
}

/* the buffer ends with a NUL inside it, and the length is that of the whole */
KTEST(snprint_cuts)
{
    char buf[8];

    memset(buf, '#', sizeof(buf));
    CHECK_EQ(snprint(buf, 4, "%d", 123456), 6);
    CHECK(memcmp(buf, "123\0####", 8) == 0);
    CHECK_EQ(snprint(buf, 1, "abc"), 3);
    CHECK_EQ(buf[0], 0);
    memset(buf, '#', sizeof(buf));
    CHECK_EQ(snprint(buf, 0, "abc"), 3);
    CHECK_EQ(buf[0], '#');
}

/* widths and precisions that no caller means cost time, not memory */
KTEST(print_absurd_width)
{
    char buf[8];

    CHECK_EQ(snprint(buf, sizeof(buf), "%5000d", 1), 5000);
    CHECK(strcmp(buf, "       ") == 0);
    CHECK_EQ(snprint(buf, sizeof(buf), "%.300d", 1), 300);
    CHECK(strcmp(buf, "0000000") == 0);
}

/* Any number, printed in any base and read again, is the same number. */
KTEST(print_numbers_round_trip)
{
    char text[32];
    uint64_t back;

    for (int i = 0; i < 2000; i++) {
        CHECK_ROUND(i);
        uint64_t n = ktest_random(&seed) >> (ktest_random(&seed) & 63);

        snprint(text, sizeof(text), "%lu", n);
        CHECK(parse_number(text, &back) && back == n);
        snprint(text, sizeof(text), i % 2 == 0 ? "%#lx" : "%#lX", n);
        CHECK(parse_number(text, &back) && back == n);
    }
}
