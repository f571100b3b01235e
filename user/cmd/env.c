/*
 * env.c - print the variables, or run a program with others.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: env [name=value ...] [program [argument ...]]\n"
        "Run a program with variables set for it alone; without a program,\n"
        "print all variables.\n";

static void
print_all(void)
{
    struct dir *entries;
    int64_t n = dir_list("#e", &entries);

    if (n < 0)
        fatal("#e: %r");
    for (int64_t i = 0; i < n; i++) {
        char *value = getenv(entries[i].name);

        if (value == NULL)
            continue;
        bio_print(bio_out(), "%s=", entries[i].name);
        bio_write(bio_out(), value, strlen(value));
        bio_putc(bio_out(), '\n');
        free(value);
    }
}

int
main(int argc, char **argv)
{
    char *equals;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    rfork(RFENVG);
    for (; argc > 0 && (equals = strchr(argv[0], '=')) != NULL; argc--) {
        *equals = '\0';
        if (putenv(*argv++, equals + 1) < 0)
            fatal("%s: %r", argv[-1]);
    }
    if (argc == 0) {
        print_all();
        return 0;
    }
    exec_search(argv[0], argv);
    fatal("%s: %r", argv[0]);
}
