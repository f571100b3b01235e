/*
 * expr.c - reckon with numbers, for scripts.
 *
 *      compared = sum [ < <= = != >= > sum ]
 *      sum = product { + - product }     product = value { * / % value }
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: expr number [operator number ...]\n"
        "Print what comes out: + - * / % ( ), and < <= = != >= > give 1 or 0.\n"
        "Each is a word of its own; * < > ( ) need quotes in the shell.\n"
        "It fails if that is 0.\n";

static char **word; /* the next one; NULL at the end */

static long compared(void);

static bool
take(const char *text)
{
    if (*word == NULL || strcmp(*word, text) != 0)
        return false;
    word++;
    return true;
}

static long
value(void)
{
    long n;

    if (take("(")) {
        n = compared();
        if (!take(")"))
            fatal(") is missing");
        return n;
    }
    if (*word == NULL)
        fatal("a number is missing");
    return word_number(*word++);
}

/* x / y or x % y; the two for which there is no result end the program. */
static long
divide(long x, long y, bool rest)
{
    if (y == 0)
        fatal("division by zero");
    if (y == -1) /* the smallest number has no opposite */
        return rest ? 0 : (long)(0 - (unsigned long)x);
    return rest ? x % y : x / y;
}

static long
product(void)
{
    long x = value();

    for (;;)
        if (take("*"))
            x = (long)((unsigned long)x * (unsigned long)value());
        else if (take("/"))
            x = divide(x, value(), false);
        else if (take("%"))
            x = divide(x, value(), true);
        else
            return x;
}

static long
sum(void)
{
    long x = product();

    for (;;)
        if (take("+"))
            x = (long)((unsigned long)x + (unsigned long)product());
        else if (take("-"))
            x = (long)((unsigned long)x - (unsigned long)product());
        else
            return x;
}

static long
compared(void)
{
    long x = sum();

    if (take("<"))
        return x < sum();
    if (take("<="))
        return x <= sum();
    if (take("="))
        return x == sum();
    if (take("!="))
        return x != sum();
    if (take(">="))
        return x >= sum();
    if (take(">"))
        return x > sum();
    return x;
}

int
main(int argc, char **argv)
{
    long x;

    if (argc == 1)
        usage_die(usage);
    if (strcmp(argv[1], "-h") == 0) {
        print("%s", usage);
        return 0;
    }
    word = argv + 1;
    x = compared();
    if (*word != NULL)
        fatal("%s was not expected", *word);
    print("%ld\n", x);
    exits(x != 0 ? NULL : "zero");
}
