/*
 * args.c - command-line options: "-l", "-n 5", "-n5", "-ln5", "--" ends.
 *
 * The macros of lux.h keep a program's options in one switch; the state
 * between two letters of one word is `rest`.
 */
#include "lib/lux.h"

const char *arg0 = "?";

static char *rest; /* letters of the current word still to come */

/* Drop the first word of what is left. */
static void
next_word(int *argc, char ***argv)
{
    (*argc)--;
    (*argv)++;
}

/* The letter at `rest`; -h prints usage and does not return. */
static int
next_letter(const char *usage)
{
    int letter = *rest++;

    if (letter != 'h')
        return letter;
    print("%s", usage);
    exits(NULL);
}

/* The next option letter of *argv, or 0 once *argv is past the options. */
int
arg_next(int *argc, char ***argv, const char *usage)
{
    if (rest != NULL && *rest != '\0')
        return next_letter(usage);
    if (*argc == 0)
        return 0;
    next_word(argc, argv); /* the program's name, or the word just done */
    rest = NULL;
    if (*argc == 0 || (**argv)[0] != '-' || (**argv)[1] == '\0')
        return 0;
    if (strcmp(**argv, "--") == 0) {
        next_word(argc, argv);
        return 0;
    }
    rest = **argv + 1;
    return next_letter(usage);
}

/* What follows the letter just given; usage_die if nothing does. */
char *
arg_value(int *argc, char ***argv, const char *usage)
{
    char *value = rest;

    if (*value == '\0') {
        next_word(argc, argv);
        if (*argc == 0)
            usage_die(usage);
        value = **argv;
    }
    rest = NULL;
    return value;
}

uint64_t
arg_digits(const char *usage)
{
    const char *digits = rest - 1;

    rest = NULL;
    return number_or_die(digits, usage);
}

/* Name the unknown letter, then usage_die. */
void
arg_bad(int option, const char *usage)
{
    fprint(2, "%s: unknown option -%c\n", arg0, option);
    usage_die(usage);
}

/* Print usage to the error output and fail with "usage". */
void
usage_die(const char *usage)
{
    fprint(2, "%s", usage);
    exits("usage");
}

/* s as a number, all of it; no sign is allowed. */
uint64_t
number_or_die(const char *s, const char *usage)
{
    char *end;
    uint64_t n = strtoull(s, &end, 0);

    if (end == s || *end != '\0' || strchr(s, '-') != NULL)
        usage_die(usage);
    return n;
}

long
word_number(const char *s)
{
    char *end;
    long n = strtol(s, &end, 10);

    if (end == s || *end != '\0')
        fatal("%s is no number", s);
    return n;
}
