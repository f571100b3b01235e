/*
 * time.c - run a program and tell how long it took.
 */
#include "lib/lux.h"

static const char usage[] = "usage: time program [argument ...]\n"
                            "Run it, then print seconds: user, system, real.\n"
                            "Those of its children are in user and system.\n";

int
main(int argc, char **argv)
{
    struct waitmsg w = { 0 };
    int pid;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc == 0)
        usage_die(usage);
    pid = fork();
    if (pid == 0) {
        exec_search(argv[0], argv);
        fatal("%s: %r", argv[0]);
    }
    if (pid < 0 || wait_for(pid, &w) < 0)
        fatal("%r");
    fprint(2, "%.3fu %.3fs %.3fr %s\n", (double)w.user_ns / 1e9,
            (double)w.sys_ns / 1e9, (double)w.real_ns / 1e9, argv[0]);
    exits(w.msg);
}
