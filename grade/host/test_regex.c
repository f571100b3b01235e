/*
 * test_regex.c - regular expressions against the host's, and the shell's
 * parser against text without sense.
 *
 * sources: user/lib/regex.c user/lib/string.c user/lib/ctype.c
 * sources: user/lib/random.c user/lib/memory.c user/lib/malloc.c
 * sources: user/lib/lock.c user/lib/errstr.c user/lib/print.c
 * sources: user/lib/float.c kernel/boot/format.c user/cmd/sh/lex.c
 * sources: user/cmd/sh/parse.c user/cmd/sh/mem.c grade/host/user_env.c
 */
#include <regex.h>
#include <string.h>
#include "host.h"

/* Where the host finds the longest of the leftmost matches. */
static bool
host_match(const char *pattern, const char *text, size_t *start, size_t *end)
{
    regex_t r;
    regmatch_t m = { 0 };
    bool found;

    if (regcomp(&r, pattern, REG_EXTENDED) != 0)
        return false;
    found = regexec(&r, text, 1, &m, 0) == 0;
    *start = (size_t)m.rm_so;
    *end = (size_t)m.rm_eo;
    regfree(&r);
    return found;
}

#include "rename.h"
#include "cmd/sh/sh.h"

/* What the two sources expect of the library's files, and of the shell's. */
static char said[4096];

int
fprint(int fd, const char *fmt, ...)
{
    va_list words;
    int n;

    (void)fd;
    va_start(words, fmt);
    n = vsnprint(said, sizeof(said), fmt, words);
    va_end(words);
    return n;
}

void
fatal(const char *fmt, ...)
{
    (void)fmt;
    __builtin_trap();
}

bool
var_name_ok(const char *name, size_t n)
{
    return n > 0 && isalpha(name[0]);
}

/* One of the words of a list that ends with NULL. */
static const char *
pick(uint64_t *state, const char *const *words)
{
    size_t n = 0;

    while (words[n] != NULL)
        n++;
    return words[random_next(state) % n];
}

/* Random patterns fit random texts where the host says that they do. */
TEST(random_patterns)
{
    static const char *const items[] = { "a", "b", "c", ".", "[ab]", "[^a]",
        "[b-c]", "\\.", "[]a]", "[^]]", NULL };
    static const char *const repeats[] = { "", "", "", "*", "+", "?", NULL };
    static const char *const letters[] = { "a", "b", "c", ".", "]", NULL };

    for (int i = 0; i < 100000; i++) {
        char pattern[64] = "", text[64] = "";
        size_t start = 0, end = 0, host_start = 0, host_end = 0;
        bool ours, theirs;

        if (random_next(&seed) % 4 == 0)
            strcat(pattern, "^");
        for (uint64_t n = random_next(&seed) % 5 + 1; n > 0; n--) {
            strcat(pattern, pick(&seed, items));
            strcat(pattern, pick(&seed, repeats));
        }
        if (random_next(&seed) % 4 == 0)
            strcat(pattern, "$");
        for (uint64_t n = random_next(&seed) % 10; n > 0; n--)
            strcat(text, pick(&seed, letters));
        CHECK(regex_check(pattern) == NULL);
        ours = regex_match(pattern, text, true, &start, &end);
        theirs = host_match(pattern, text, &host_start, &host_end);
        if (ours != theirs ||
                (ours && (start != host_start || end != host_end)))
            printf("'%s' in '%s'\n", pattern, text);
        CHECK_EQ(ours, theirs);
        CHECK(!ours || (start == host_start && end == host_end));
    }
}

/* A malformed pattern is found out; no pattern takes long. */
TEST(bad_patterns)
{
    static const char *const bad[] = { "*", "^*", "a**", "[", "[a", "[]", "[^]",
        "a\\", "+a", "a+?", NULL };
    char pattern[256] = "", text[2001];
    size_t start, end;

    for (int i = 0; bad[i] != NULL; i++)
        CHECK(regex_check(bad[i]) != NULL);
    for (int i = 0; i < 100; i++)
        strcat(pattern, "a*");
    strcat(pattern, "b");
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    CHECK(regex_check(pattern) == NULL);
    CHECK(!regex_match(pattern, text, true, &start, &end));
    memset(text, '[', sizeof(text) - 1);
    CHECK(regex_check(text) != NULL);
}

/* A tree, or no tree and a complaint, or the wish for more; and all memory
 * comes back. */
TEST(parser)
{
    static const char *const tokens[] = { "if", "then", "else", "elif", "fi",
        "while", "do", "done", "for", "in", "x", "x=1", "$x", "$(", "'", "\"",
        "\\", "\n", ";", "&", "&&", "||", "|", "<", ">", ">>", "2>&1", ">&",
        "(", ")", "{", "}", "!", "#", " ", " ", " ", " ", "\001", "\377",
        NULL };

    for (int i = 0; i < 100000; i++) {
        char text[512] = "";
        const char *at = text, *before;
        enum parsed parsed;
        struct node *tree;

        for (uint64_t n = random_next(&seed) % 40; n > 0; n--)
            strcat(text, pick(&seed, tokens));
        do {
            before = at;
            said[0] = '\0';
            parsed = parse_line(&at, &tree);
            CHECK(at >= before && at <= text + strlen(text));
            CHECK((parsed == PARSE_ERROR) == (said[0] != '\0'));
        } while (parsed == PARSE_OK && *at != '\0' && at > before);
        CHECK(parsed != PARSE_OK || *at == '\0');
        mem_release(NULL);
        CHECK(mem_mark() == NULL);
    }
    CHECK_EQ(malloc_check(), 0);
}
