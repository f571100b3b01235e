/*
 * test_cmdline.c - the kernel's command line and its memory functions, under
 * ASan, against a model and against the host's C library.
 *
 * sources: kernel/boot/cmdline.c kernel/boot/string.c
 */
#include "kernel_env.h"

struct bootinfo bootinfo;

static void
set_line(const char *line)
{
    snprintf(bootinfo.cmdline, sizeof(bootinfo.cmdline), "%s", line);
}

static void
expect(const char *key, const char *value)
{
    char buf[MAX_CMDLINE];
    int n = cmdline_get(key, buf, sizeof(buf));

    CHECK_EQ(n, (int)strlen(value));
    CHECK(strcmp(buf, value) == 0);
}

TEST(words)
{
    char buf[4];

    set_line("  one two=2 \"\" three=\"a b\" two=3 four= =five seed=0x10 n=9z");
    expect("one", "");
    expect("two", "2");
    expect("three", "a b");
    expect("four", "");
    CHECK_EQ(cmdline_get("five", buf, sizeof(buf)), -E_NOEXIST);
    CHECK_EQ(cmdline_get("on", buf, sizeof(buf)), -E_NOEXIST);
    CHECK_EQ(cmdline_get("", buf, sizeof(buf)), -E_NOEXIST);
    CHECK_EQ(cmdline_number("seed", 1), 16);
    CHECK_EQ(cmdline_number("n", 5), 5);
    CHECK_EQ(cmdline_number("one", 6), 6);
}

/* Whatever the line is, nothing outside the buffer is touched. */
TEST(any_line)
{
    static const char letters[] = "ab= \"\t\n0x9";

    for (int round = 0; round < 20000; round++) {
        size_t room = next(&seed) % 12;
        char *buf = malloc(room + 1);
        char line[40], key[3];
        size_t n = next(&seed) % sizeof(line);
        int got;

        for (size_t i = 0; i < n; i++)
            line[i] = letters[next(&seed) % (sizeof(letters) - 1)];
        line[n ? n - 1 : 0] = '\0';
        set_line(line);
        snprintf(key, sizeof(key), "%s", next(&seed) % 2 ? "a" : "ab");
        buf[room] = '#';
        got = cmdline_get(key, buf, room);
        CHECK(got == -E_NOEXIST || got >= 0);
        CHECK(buf[room] == '#');
        if (room > 0 && got >= 0)
            CHECK(got < (int)room && (int)strlen(buf) == got);
        cmdline_number(key, 0);
        free(buf);
    }
}

TEST(numbers)
{
    uint64_t v = 0;

    CHECK(parse_number("18446744073709551615", &v) && v == UINT64_MAX);
    CHECK(!parse_number("18446744073709551616", &v));
    CHECK(parse_number("0xffffffffffffffff", &v) && v == UINT64_MAX);
    CHECK(!parse_number("0x10000000000000000", &v));
    CHECK(!parse_number("", &v) && !parse_number("0x", &v));
    CHECK(!parse_number("-1", &v) && !parse_number(" 1", &v));
}

/* memset, memcpy, memmove and memcmp do what the host's do. */
TEST(memory_functions)
{
    enum {
        ROOM = 96
    };
    uint8_t ours[ROOM], theirs[ROOM];

    for (int round = 0; round < 20000; round++) {
        size_t n = next(&seed) % (ROOM / 2);
        size_t from = next(&seed) % (ROOM / 2), to = next(&seed) % (ROOM / 2);

        for (int i = 0; i < ROOM; i++)
            ours[i] = theirs[i] = (uint8_t)next(&seed) % 4;
        if (next(&seed) % 2) {
            lux_memmove(ours + to, ours + from, n);
            memmove(theirs + to, theirs + from, n);
        } else {
            lux_memset(ours + to, (int)from, n);
            memset(theirs + to, (int)from, n);
        }
        CHECK(memcmp(ours, theirs, ROOM) == 0);
        int a = lux_memcmp(ours + from, ours + to, n);
        int b = memcmp(ours + from, ours + to, n);
        CHECK((a < 0) == (b < 0) && (a > 0) == (b > 0));
    }
}
