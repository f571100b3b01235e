/*
 * test.c - is something so?  For `if` and `while` of the shell.
 *
 *      or  = and { -o and }        and = not { -a not }
 *      not = ["!"] ( "(" or ")" | question )
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: test question\n"
        "Succeed if it is so, else fail:\n"
        "  -e file  it exists        -f file  it is no directory\n"
        "  -d file  a directory      -s file  not empty\n"
        "  -r -w -x file  may be read, written, executed\n"
        "  word, -n word  not empty  -z word  empty\n"
        "  a = b, a != b             n -eq m, -ne -lt -le -gt -ge  numbers\n"
        "  ! question   q -a q  and   q -o q  or   ( question )\n";

static char **word; /* the next one; NULL at the end */

static bool parse_or(void);

/* Take the next word if it is this. */
static bool
take(const char *text)
{
    if (*word == NULL || strcmp(*word, text) != 0)
        return false;
    word++;
    return true;
}

static bool
about_file(char letter, const char *path)
{
    struct dir *d;
    bool is = false;

    switch (letter) {
    case 'r': return access(path, AREAD) == 0;
    case 'w': return access(path, AWRITE) == 0;
    case 'x': return access(path, AEXEC) == 0;
    default: break;
    }
    d = dirstat(path);
    if (d != NULL)
        is = letter == 'd'   ? (d->mode & DMDIR) != 0
             : letter == 'f' ? (d->mode & DMDIR) == 0
             : letter == 's' ? d->length > 0
                             : true;
    free(d);
    return is;
}

/* Is op one of those between two words?  Then *is is what it says. */
static bool
about_two(const char *a, const char *op, const char *b, bool *is)
{
    static const char *const numbers[] = { "-eq", "-ne", "-lt", "-le", "-gt",
        "-ge" };
    size_t i = 0;
    long x, y;

    *is = (strcmp(a, b) == 0) == (op[0] == '=');
    if (strcmp(op, "=") == 0 || strcmp(op, "!=") == 0)
        return true;
    while (i < ARRAY_LEN(numbers) && strcmp(op, numbers[i]) != 0)
        i++;
    if (i == ARRAY_LEN(numbers))
        return false;
    x = word_number(a);
    y = word_number(b);
    *is = i == 0   ? x == y
          : i == 1 ? x != y
          : i == 2 ? x < y
          : i == 3 ? x <= y
          : i == 4 ? x > y
                   : x >= y;
    return true;
}

static bool
parse_question(void)
{
    const char *first = *word, *second;
    bool is;

    if (first == NULL)
        fatal("a question is missing");
    second = word[1];
    if (second != NULL && word[2] != NULL &&
            about_two(first, second, word[2], &is)) {
        word += 3;
        return is;
    }
    word++;
    if (first[0] != '-' || first[1] == '\0' || first[2] != '\0' ||
            second == NULL)
        return first[0] != '\0';
    word++;
    if (first[1] == 'n' || first[1] == 'z')
        return (second[0] != '\0') == (first[1] == 'n');
    if (strchr("efdsrwx", first[1]) == NULL)
        fatal("%s is no question", first);
    return about_file(first[1], second);
}

static bool
parse_not(void)
{
    bool not = false, is;

    while (*word != NULL && word[1] != NULL && take("!"))
        not = !not ;
    if (*word != NULL && word[1] != NULL && take("(")) {
        is = parse_or();
        if (!take(")"))
            fatal(") is missing");
    } else
        is = parse_question();
    return is != not ;
}

static bool
parse_and(void)
{
    bool is = parse_not();

    while (take("-a"))
        is &= parse_not();
    return is;
}

static bool
parse_or(void)
{
    bool is = parse_and();

    while (take("-o"))
        is |= parse_and();
    return is;
}

int
main(int argc, char **argv)
{
    bool is;

    if (argc == 2 && strcmp(argv[1], "-h") == 0) {
        print("%s", usage);
        return 0;
    }
    if (argc == 1)
        exits("false");
    word = argv + 1;
    is = parse_or();
    if (*word != NULL)
        fatal("%s was not expected", *word);
    exits(is ? NULL : "false");
}
