/*
 * test_boot_cmdline.c - the kernel command line, well-formed and not.
 */
#include "boot/boot.h"

static char saved[MAX_CMDLINE];

/* Use another command line; end_cmdline brings the real one back. */
static void
begin_cmdline(const char *text)
{
    strlcpy(saved, bootinfo.cmdline, sizeof(saved));
    strlcpy(bootinfo.cmdline, text, sizeof(bootinfo.cmdline));
}

static void
end_cmdline(void)
{
    strlcpy(bootinfo.cmdline, saved, sizeof(bootinfo.cmdline));
}

static void
check_value(int line, const char *key, const char *want)
{
    char got[32];
    int n = cmdline_get(key, got, sizeof(got));

    ktest_check_eq(n, strlen(want), __FILE__, line, key);
    ktest_check(strcmp(got, want) == 0, __FILE__, line, key);
}

#define VALUE(key, want) check_value(__LINE__, key, want)

KTEST(cmdline_words)
{
    char buf[16];

    begin_cmdline("  one two=2  three=a=b ab\tempty= ");
    VALUE("one", "");
    VALUE("two", "2");
    VALUE("three", "a=b");
    VALUE("empty", "");
    VALUE("ab", "");
    CHECK_EQ(cmdline_get("a", buf, sizeof(buf)), -E_NOEXIST);
    CHECK_EQ(cmdline_get("tw", buf, sizeof(buf)), -E_NOEXIST);
    CHECK_EQ(cmdline_get("2", buf, sizeof(buf)), -E_NOEXIST);
    CHECK_EQ(cmdline_get("", buf, sizeof(buf)), -E_NOEXIST);
    end_cmdline();
}

KTEST(cmdline_first_of_equal_keys)
{
    begin_cmdline("x=1 x=2");
    VALUE("x", "1");
    end_cmdline();
}

KTEST(cmdline_quotes)
{
    char buf[16];

    begin_cmdline("args=\"a inner=1 b\" after=2 open=\"to the end");
    VALUE("args", "a inner=1 b");
    VALUE("after", "2");
    VALUE("open", "to the end");
    CHECK_EQ(cmdline_get("inner", buf, sizeof(buf)), -E_NOEXIST);
    end_cmdline();
}

/* GRUB quotes a word with blanks as a whole, and escapes marks it was given */
KTEST(cmdline_quotes_of_grub)
{
    begin_cmdline("x \"args=a b\" \"y\" z=1 more=\\\"c d\\\"");
    VALUE("more", "c d");
    VALUE("y", "");
    VALUE("args", "a b");
    VALUE("z", "1");
    VALUE("x", "");
    end_cmdline();
}

/* A value that does not fit is cut, and the buffer's end is not passed. */
KTEST(cmdline_cuts_to_fit)
{
    char buf[6] = "#####";

    begin_cmdline("key=abcdefgh");
    CHECK_EQ(cmdline_get("key", buf, 4), 3);
    CHECK(memcmp(buf, "abc\0#", 5) == 0);
    CHECK_EQ(cmdline_get("key", buf, 1), 0);
    CHECK_EQ(buf[0], 0);
    end_cmdline();
}

KTEST(cmdline_empty)
{
    char buf[4];

    begin_cmdline("");
    CHECK_EQ(cmdline_get("x", buf, sizeof(buf)), -E_NOEXIST);
    CHECK_EQ(cmdline_number("x", 7), 7);
    end_cmdline();
}

KTEST(cmdline_numbers)
{
    begin_cmdline("d=42 h=0x2A big=18446744073709551615 "
                  "over=18446744073709551616 neg=-1 text=4x none= hex=0x bare");
    CHECK_EQ(cmdline_number("d", 7), 42);
    CHECK_EQ(cmdline_number("h", 7), 42);
    CHECK_EQ(cmdline_number("big", 7), UINT64_MAX);
    CHECK_EQ(cmdline_number("over", 7), 7);
    CHECK_EQ(cmdline_number("neg", 7), 7);
    CHECK_EQ(cmdline_number("text", 7), 7);
    CHECK_EQ(cmdline_number("none", 7), 7);
    CHECK_EQ(cmdline_number("hex", 7), 7);
    CHECK_EQ(cmdline_number("bare", 7), 7);
    CHECK_EQ(cmdline_number("missing", 7), 7);
    end_cmdline();
}

/* No text, however random, makes the parser read or write out of bounds. */
KTEST(cmdline_random_text)
{
    static const char alphabet[] = "ab=\"  \t09x";
    char text[64], buf[8];

    for (int i = 0; i < 2000; i++) {
        CHECK_ROUND(i);
        for (size_t n = 0; n < sizeof(text); n++)
            text[n] = alphabet[ktest_random(&seed) % (sizeof(alphabet) - 1)];
        text[ktest_random(&seed) % sizeof(text)] = '\0';
        text[sizeof(text) - 1] = '\0';
        begin_cmdline(text);
        buf[7] = '#';
        CHECK_LT(cmdline_get("a", buf, 7), 7);
        CHECK_EQ(buf[7], '#');
        cmdline_number("b", 0);
        end_cmdline();
    }
}
