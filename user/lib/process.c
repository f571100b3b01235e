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
        return (int)error_set(-E_NAMELEN);
    return exec(path, argv);
}

/* What wait said of a child while wait_for waited for another. */
struct report {
    struct report *next;
    int pid;
    struct waitmsg msg;
};

/*
 * Where the kept report of pid (0: of any child) is linked, the oldest first;
 * if there is none, where the next will be.  A child has a copy of its parent's
 * list, and starts with an empty one.
 */
static struct report **
kept(int pid)
{
    struct report **r = &self->reports;

    if (self->reports_of != getpid()) {
        self->reports_of = getpid();
        self->reports = NULL;
    }
    while (*r != NULL && (pid < 0 || (pid != 0 && (*r)->pid != pid)))
        r = &(*r)->next;
    return r;
}

/* Without memory for it the report is lost: the caller waits for another. */
static void
keep(int pid, const struct waitmsg *w)
{
    struct report *r = malloc(sizeof(*r));

    if (r == NULL)
        return;
    *r = (struct report){ NULL, pid, *w };
    *kept(-1) = r;
}

static int
give(struct report **at, struct waitmsg *w)
{
    struct report *r = *at;
    int pid = r->pid;

    *at = r->next;
    if (w != NULL)
        *w = r->msg;
    free(r);
    return pid;
}

int
wait_any(struct waitmsg *w)
{
    struct report **r = kept(0);

    return *r != NULL ? give(r, w) : wait(w);
}

int
wait_for(int pid, struct waitmsg *w)
{
    struct report **r = kept(pid);
    struct waitmsg msg;
    int got;

    if (*r != NULL)
        return give(r, w);
    while ((got = wait(&msg)) >= 0 && got != pid)
        keep(got, &msg);
    if (got >= 0 && w != NULL)
        *w = msg;
    return got;
}
