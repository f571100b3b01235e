/*
 * test_boot_string.c - memory and string functions, at every alignment that
 * their block copies distinguish.
 */
#include "boot/boot.h"

enum {
    SIZE = 96
};

static uint8_t got[SIZE], want[SIZE], source[SIZE];

static void
fill(uint8_t *buf, uint64_t *seed)
{
    for (int i = 0; i < SIZE; i++)
        buf[i] = ktest_random(seed);
}

/* memcpy as one would write it without thinking of speed */
static void
copy_bytes(uint8_t *dst, const uint8_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = src[i];
}

/*
 * A comparison that fails shows both values and the round of its loop.
 * fails: round 2: values[n] < 1u << 4: got 16 (0x10), want < 16 (0x10)
 */
KTEST(caught_comparison)
{
    static const unsigned values[] = { 3, 15, 16 };

    for (unsigned n = 0; n < ARRAY_LEN(values); n++) {
        CHECK_ROUND(n);
        CHECK_LT(values[n], 1u << 4);
    }
}

/*
 * Behind the loop no round is named.
 * fails: .c:51: 1 > 2: got 1 (0x1), want > 2 (0x2)
 */
KTEST(caught_behind_a_loop)
{
    for (unsigned n = 0; n < 3; n++) {
        CHECK_ROUND(n);
    }
    CHECK_GT(1, 2);
}

KTEST(memcpy_every_alignment)
{
    fill(source, &seed);
    for (size_t to = 0; to < 9; to++)
        for (size_t from = 0; from < 9; from++)
            for (size_t n = 0; n < 40; n++) {
                memset(got, 0xee, SIZE);
                memset(want, 0xee, SIZE);
                CHECK(memcpy(got + to, source + from, n) == got + to);
                copy_bytes(want + to, source + from, n);
                CHECK(memcmp(got, want, SIZE) == 0);
            }
}

KTEST(memset_every_alignment)
{
    for (size_t to = 0; to < 9; to++)
        for (size_t n = 0; n < 40; n++) {
            fill(got, &seed);
            copy_bytes(want, got, SIZE);
            CHECK(memset(got + to, 0x1a5, n) == got + to);
            for (size_t i = 0; i < n; i++)
                want[to + i] = 0xa5; /* only the low byte counts */
            CHECK(memcmp(got, want, SIZE) == 0);
        }
}

/* source and destination may overlap, both ways */
KTEST(memmove_overlapping)
{
    for (size_t to = 0; to < 24; to++)
        for (size_t from = 0; from < 24; from++)
            for (size_t n = 0; n < 40; n += 3) {
                fill(got, &seed);
                copy_bytes(source, got, SIZE);
                copy_bytes(want, got, SIZE);
                CHECK(memmove(got + to, got + from, n) == got + to);
                copy_bytes(want + to, source + from, n);
                CHECK(memcmp(got, want, SIZE) == 0);
            }
}

KTEST(memcmp_orders_bytes)
{
    CHECK_EQ(memcmp("abc", "abd", 2), 0);
    CHECK_LT(memcmp("abc", "abd", 3), 0);
    CHECK_GT(memcmp("\xff", "\x01", 1), 0); /* bytes are unsigned */
    CHECK_EQ(memcmp("a", "b", 0), 0);
}

KTEST(string_comparison)
{
    CHECK_EQ(strcmp("", ""), 0);
    CHECK_LT(strcmp("a", "ab"), 0);
    CHECK_GT(strcmp("b", "ab"), 0);
    CHECK_GT(strcmp("\xc3", "a"), 0);
    CHECK_EQ(strncmp("abc", "abd", 2), 0);
    CHECK_LT(strncmp("abc", "abd", 3), 0);
    CHECK_EQ(strncmp("ab\0x", "ab\0y", 4), 0); /* the NUL ends both */
}

KTEST(string_lengths)
{
    CHECK_EQ(strlen(""), 0);
    CHECK_EQ(strlen("Lux9"), 4);
    CHECK_EQ(strnlen("Lux9", 2), 2);
    CHECK_EQ(strnlen("Lux9", 9), 4);
}

KTEST(strlcpy_always_ends)
{
    char buf[4] = { 'x', 'x', 'x', 'x' };

    CHECK_EQ(strlcpy(buf, "Lux9", sizeof(buf)), 4);
    CHECK(strcmp(buf, "Lux") == 0);
    CHECK_EQ(strlcpy(buf, "", sizeof(buf)), 0);
    CHECK(strcmp(buf, "") == 0);
    CHECK_EQ(strlcpy(buf, "abc", 1), 3);
    CHECK_EQ(buf[0], 0);
}
