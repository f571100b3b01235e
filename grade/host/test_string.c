/*
 * test_string.c - memory, strings and characters against the host's library.
 *
 * sources: user/lib/memory.c user/lib/string.c user/lib/ctype.c
 * sources: user/lib/random.c user/lib/malloc.c user/lib/lock.c
 * sources: user/lib/errstr.c user/lib/print.c user/lib/float.c
 * sources: kernel/boot/format.c grade/host/user_env.c
 */
#include <ctype.h>
#include <string.h>
#include "host.h"

/* the host's own, before they get other names */
static void *(*host_memmove)(void *, const void *, size_t) = memmove;
static void *(*host_memset)(void *, int, size_t) = memset;
static int (*host_memcmp)(const void *, const void *, size_t) = memcmp;
static char *(*host_strstr)(const char *, const char *) = strstr;
static size_t (*host_strspn)(const char *, const char *) = strspn;
static size_t (*host_strcspn)(const char *, const char *) = strcspn;
static int (*host_strcmp)(const char *, const char *) = strcmp;

#define HOST_CTYPE(name)                                                       \
    static int host_##name(int c)                                              \
    {                                                                          \
        return name(c);                                                        \
    }
HOST_CTYPE(isdigit)
HOST_CTYPE(isxdigit)
HOST_CTYPE(isalpha)
HOST_CTYPE(isalnum)
HOST_CTYPE(isspace)
HOST_CTYPE(isupper)
HOST_CTYPE(islower)
HOST_CTYPE(isprint)
HOST_CTYPE(ispunct)
HOST_CTYPE(iscntrl)
HOST_CTYPE(toupper)
HOST_CTYPE(tolower)
#undef isdigit
#undef isxdigit
#undef isalpha
#undef isalnum
#undef isspace
#undef isupper
#undef islower
#undef isprint
#undef ispunct
#undef iscntrl
#undef toupper
#undef tolower

#include "rename.h"
#include "lib/lux.h"

enum {
    ROOM = 512,
    LONGEST = 200
};

static void
fill_random(void *p, size_t n, uint64_t *state)
{
    uint8_t *bytes = p;

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)random_next(state);
}

static int
sign(int n)
{
    return (n > 0) - (n < 0);
}

/* A buffer without room stays as it is. */
TEST(copy_into_nothing)
{
    char c = 'x';

    CHECK_EQ(strlcpy(&c, "abc", 0), 3);
    CHECK_EQ(c, 'x');
}

/* memmove and memcpy copy any length, whatever the alignment and overlap. */
TEST(move_all_lengths)
{
    uint8_t ours[ROOM], theirs[ROOM];

    for (size_t n = 0; n <= LONGEST; n++)
        for (int from = 0; from < 40; from += 3)
            for (int to = 0; to < 40; to++) {
                fill_random(ours, ROOM, &seed);
                memcpy(theirs, ours, ROOM);
                CHECK(memmove(ours + to, ours + from, n) == ours + to);
                host_memmove(theirs + to, theirs + from, n);
                CHECK(host_memcmp(ours, theirs, ROOM) == 0);
            }
}

/* memset fills exactly what it was told to. */
TEST(set_all_lengths)
{
    uint8_t ours[ROOM], theirs[ROOM];

    for (size_t n = 0; n <= LONGEST; n++)
        for (int at = 0; at < 20; at++) {
            fill_random(ours, ROOM, &seed);
            host_memmove(theirs, ours, ROOM);
            memset(ours + at, 0x1c5, n);
            host_memset(theirs + at, 0x1c5, n);
            CHECK(host_memcmp(ours, theirs, ROOM) == 0);
        }
}

/* memcmp finds the first difference, compares unsigned, and reads no more. */
TEST(compare_all_lengths)
{
    for (size_t n = 0; n <= LONGEST; n++) {
        uint8_t *a = malloc(n + 1), *b = malloc(n + 1);

        fill_random(a, n, &seed);
        memcpy(b, a, n);
        CHECK_EQ(memcmp(a, b, n), 0);
        if (n > 0) {
            b[random_next(&seed) % n] ^=
                    (uint8_t)(1 + random_next(&seed) % 255);
            CHECK_EQ(sign(memcmp(a, b, n)), sign(host_memcmp(a, b, n)));
        }
        free(a);
        free(b);
    }
}

/* A random string over few letters, so that matches happen. */
static const char *
random_string(char *buf, size_t most, uint64_t *seed)
{
    size_t n = random_next(seed) % most;

    for (size_t i = 0; i < n; i++)
        buf[i] = (char)('a' + random_next(seed) % 3);
    buf[n] = '\0';
    return buf;
}

/* The searching functions agree with the host's on random strings. */
TEST(search_like_host)
{
    char a[40], b[8];

    for (int i = 0; i < 20000; i++) {
        random_string(a, sizeof(a), &seed);
        random_string(b, sizeof(b), &seed);
        CHECK(strstr(a, b) == host_strstr(a, b));
        CHECK_EQ(strspn(a, b), host_strspn(a, b));
        CHECK_EQ(strcspn(a, b), host_strcspn(a, b));
        CHECK_EQ(sign(strcmp(a, b)), sign(host_strcmp(a, b)));
        CHECK_EQ(strlen(a), host_strcspn(a, ""));
    }
}

TEST(find_characters)
{
    const char *s = "a/b/c";

    CHECK(strchr(s, '/') == s + 1);
    CHECK(strrchr(s, '/') == s + 3);
    CHECK(strchr(s, '\0') == s + 5);
    CHECK(strrchr(s, '\0') == s + 5);
    CHECK(strchr(s, 'x') == NULL);
    CHECK(strrchr(s, 'x') == NULL);
    CHECK(memchr(s, 'c', 4) == NULL);
    CHECK(memchr(s, 'c', 5) == s + 4);
    CHECK_EQ(strnlen(s, 3), 3);
    CHECK_EQ(strnlen(s, 30), 5);
    CHECK_EQ(sign(strcmp("\x80", "\x01")), 1);
    CHECK_EQ(strncmp("abc", "abd", 2), 0);
    CHECK_EQ(sign(strncmp("abc", "abd", 3)), -1);
    CHECK_EQ(strncmp("ab", "ab", 9), 0);
}

/* strlcpy and strlcat never write past len, end with a NUL, tell the need. */
TEST(bounded_copies)
{
    char buf[8] = "0123456";

    CHECK_EQ(strlcpy(buf, "abc", 3), 3);
    CHECK(strcmp(buf, "ab") == 0);
    CHECK(buf[3] == '3');
    CHECK_EQ(strlcat(buf, "cdef", 5), 6);
    CHECK(strcmp(buf, "abcd") == 0);
    CHECK(buf[5] == '5');
    CHECK_EQ(strlcat(buf, "x", 2), 3);
    CHECK(strcmp(buf, "abcd") == 0);
    CHECK(strcmp(strcat(strcpy(buf, "x"), "yz"), "xyz") == 0);
}

static void
check_words(const char *line, int want, const char *joined)
{
    char buf[80], got[80] = "";
    char *words[4];
    int n;

    strlcpy(buf, line, sizeof(buf));
    n = tokenize(buf, words, 4);
    CHECK_EQ(n, want);
    for (int i = 0; i < n && i < 4; i++) {
        strlcat(got, words[i], sizeof(got));
        strlcat(got, "|", sizeof(got));
    }
    if (n >= 0 && strcmp(got, joined) != 0) {
        printf("%s: got %s, want %s\n", line, got, joined);
        CHECK(!"same words");
    }
}

/* tokenize splits at white space; quotes hold words together. */
TEST(words_of_a_line)
{
    check_words("", 0, "");
    check_words(" \t\n", 0, "");
    check_words("ls", 1, "ls|");
    check_words("  ls  -l\n", 2, "ls|-l|");
    check_words("echo 'a b'", 2, "echo|a b|");
    check_words("echo a'b c'd", 2, "echo|ab cd|");
    check_words("echo ''", 2, "echo||");
    check_words("echo 'it''s'", 2, "echo|it's|");
    check_words("''''", 1, "'|");
    check_words("echo 'open", -1, "");
    check_words("'", -1, "");
    check_words("a b c d e f", 6, "a|b|c|d|");
}

/* The kinds of characters are those of the C locale. */
TEST(characters_like_host)
{
    for (int c = -1; c < 256; c++) {
#define SAME(name) CHECK_EQ(!!name(c), !!host_##name(c))
        SAME(isdigit);
        SAME(isxdigit);
        SAME(isalpha);
        SAME(isalnum);
        SAME(isspace);
        SAME(isupper);
        SAME(islower);
        SAME(isprint);
        SAME(ispunct);
        SAME(iscntrl);
        CHECK_EQ(toupper(c), host_toupper(c));
        CHECK_EQ(tolower(c), host_tolower(c));
    }
    CHECK(!isalpha(0x161) && !isspace(-200)); /* any int, not only bytes */
}
