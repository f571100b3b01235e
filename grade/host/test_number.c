/*
 * test_number.c - numbers from text against the host's library.
 *
 * sources: user/lib/number.c user/lib/ctype.c user/lib/string.c
 * sources: user/lib/random.c user/lib/errstr.c user/lib/print.c
 * sources: user/lib/float.c kernel/boot/format.c user/lib/memory.c
 * sources: user/lib/malloc.c user/lib/lock.c grade/host/user_env.c
 */
#include <stdlib.h>
#include "host.h"

static long long (*host_strtoll)(const char *, char **, int) = strtoll;
static unsigned long long (*host_strtoull)(
        const char *, char **, int) = strtoull;

#include "rename.h"
#include "lib/lux.h"

static void
check_one(const char *s, int base)
{
    char *ours, *theirs;
    long long a = strtoll(s, &ours, base);
    long long b = host_strtoll(s, &theirs, base);
    unsigned long long ua, ub;

    if (a != b || ours != theirs)
        printf("'%s' in base %d\n", s, base);
    CHECK_EQ(a, b);
    CHECK(ours == theirs);
    ua = strtoull(s, &ours, base);
    ub = host_strtoull(s, &theirs, base);
    if (ua != ub || ours != theirs)
        printf("'%s' in base %d, unsigned\n", s, base);
    CHECK_EQ(ua, ub);
    CHECK(ours == theirs);
}

/* Random text made of what matters to strtol gives the host's result. */
TEST(random_text)
{
    static const char letters[] = "00xX11799aAfFzZ -+\t_8";
    char s[24];

    for (int i = 0; i < 300000; i++) {
        size_t n = random_next(&seed) % (sizeof(s) - 1);
        int base = (int)(random_next(&seed) % 36) + 1;

        for (size_t k = 0; k < n; k++)
            s[k] = letters[random_next(&seed) % (sizeof(letters) - 1)];
        s[n] = '\0';
        check_one(s, base == 1 ? 0 : base);
    }
}

TEST(edges)
{
    const char *texts[] = { "", "-", "+", "0x", "0xg", "08", "0", "-0",
        "9223372036854775807", "9223372036854775808", "-9223372036854775808",
        "-9223372036854775809", "18446744073709551615", "18446744073709551616",
        "-18446744073709551615", "99999999999999999999999",
        "0x7fffffffffffffff", "-0x8000000000000000", " \n\t12", "12abc", "0X1F",
        "- 1", "--1" };

    for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
        for (int base = 0; base <= 36; base++)
            if (base != 1)
                check_one(texts[i], base);
    CHECK_EQ(atoi("-17x"), -17);
    CHECK_EQ(labs(-5) + abs(5), 10);
}

TEST(durations)
{
    CHECK_EQ(parse_duration("2"), 2000000000);
    CHECK_EQ(parse_duration("1.5s"), 1500000000);
    CHECK_EQ(parse_duration("20ms"), 20000000);
    CHECK_EQ(parse_duration("3us"), 3000);
    CHECK_EQ(parse_duration("7ns"), 7);
    CHECK_EQ(parse_duration("2m"), 120000000000);
    CHECK_EQ(parse_duration("0.000000001"), 1);
    CHECK_EQ(parse_duration("0.5m"), 30000000000);
    CHECK_EQ(parse_duration("0"), 0);
    CHECK_EQ(parse_duration(""), -E_BADARG);
    CHECK_EQ(parse_duration("-1"), -E_BADARG);
    CHECK_EQ(parse_duration("1h"), -E_BADARG);
    CHECK_EQ(parse_duration("s"), -E_BADARG);
    CHECK_EQ(parse_duration(".5"), -E_BADARG);
    CHECK_EQ(parse_duration("99999999999999999999"), -E_BADARG);
    CHECK_EQ(parse_duration("9223372036855"), -E_BADARG);
}
