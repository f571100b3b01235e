/*
 * host.c - runs the tests of host.h, each in a process of its own: all of
 * them, or `test_x NAME [SEED]`.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "host.h"

enum {
    SHOWN = 20
}; /* failures of one test that are printed */

static struct test *tests, **last_test = &tests;
static unsigned failures;

void
test_add(struct test *t)
{
    *last_test = t;
    last_test = &t->next;
}

void
check_failed(const char *file, int line, const char *what)
{
    if (failures++ < SHOWN)
        printf("%s:%d: check failed: %s\n", file, line, what);
}

/* Did it pass?  A crash is a failure like others. */
static bool
run_test(const struct test *t, uint64_t seed)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        t->fn(seed);
        exit(failures != 0);
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

int
main(int argc, char **argv)
{
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    unsigned failed = 0, run = 0;

    for (struct test *t = tests; t != NULL; t = t->next) {
        if (argc > 1 && strcmp(argv[1], t->name) != 0)
            continue;
        bool pass = run_test(t, seed);

        printf("%s %s\n", t->name, pass ? "pass" : "fail");
        failed += !pass;
        run++;
    }
    if (run == 0)
        printf("no such test\n");
    return failed != 0 || run == 0;
}
