/*
 * process.c - what programs do with processes, on top of the system calls.
 */
#include "lib/self.h"

/* A child in the same groups with a copy of the memory and of the files. */
int
fork(void)
{
    return rfork(fork_flags);
}

/* Plain names are programs of /bin. */
int
exec_search(const char *name, char *const argv[])
{
    char path[MAX_PATH];

    if (strchr(name, '/') != NULL)
        return exec(name, argv);
    if (snprint(path, sizeof(path), "/bin/%s", name) >= (int)sizeof(path))
        return (int)error_set(-E_TOOBIG);
    return exec(path, argv);
}

/* Wait until pid is dead; reports of other children are lost. */
int
wait_for(int pid, struct waitmsg *w)
{
    int got;

    do {
        got = wait(w);
    } while (got >= 0 && got != pid);
    return got;
}
