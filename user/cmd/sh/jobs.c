/*
 * jobs.c - children, in the foreground and in the background.
 *
 * An interrupt at the console goes to the shell's note group.  What runs in
 * the foreground is in it, too, and so gets the note with the shell, which
 * gives up the rest of its line; the shell of a script does the same and ends.
 * A command of the console that ends with `&` is a job, in a note group of its
 * own: the shell goes on and says so when the job is done.
 */
#include "cmd/sh/sh.h"

enum {
    MAX_JOBS = 64
};

static struct job {
    int pid; /* 0: free */
    char text[MAX_NAME];
} jobs[MAX_JOBS];

bool interactive;
volatile bool interrupted;      /* since the last prompt */
static volatile int foreground; /* a job that fg waits for, or 0 */

/* The job with this pid (0: a free place), or NULL. */
static struct job *
job_find(int pid)
{
    for (struct job *j = jobs; j < jobs + MAX_JOBS; j++)
        if (j->pid == pid)
            return j;
    return NULL;
}

/* A child has ended: if it is a job, say so and forget it. */
static void
job_done(const struct waitmsg *w)
{
    struct job *j = job_find((int)w->pid);

    if (j == NULL)
        return;
    if (interactive)
        fprint(2, "[%d] %s: %s\n", (int)(j - jobs) + 1, j->text,
                w->msg[0] != '\0' ? w->msg : "done");
    j->pid = 0;
}

void
job_add(int pid, const char *text)
{
    struct job *j = job_find(0);
    char number[16];

    snprint(number, sizeof(number), "%d", pid);
    putenv("apid", number);
    if (j == NULL) {
        fprint(2, "sh: %d runs, but is one job too many to watch\n", pid);
        return;
    }
    j->pid = pid;
    strlcpy(j->text, text, sizeof(j->text));
    if (interactive)
        fprint(2, "[%d] %d\n", (int)(j - jobs) + 1, pid);
}

/* For a child: the parent's jobs are not its own. */
void
jobs_forget(void)
{
    memset(jobs, 0, sizeof(jobs));
}

/* Is this process still there?  It waits for us if it is dead. */
static bool
alive(int pid)
{
    char path[32];

    snprint(path, sizeof(path), "#p/%d", pid);
    return access(path, AEXIST) == 0;
}

/* Tell of the jobs that are done by now; never waits for one that runs. */
void
jobs_reap(void)
{
    struct waitmsg w;

    for (struct job *j = jobs; j < jobs + MAX_JOBS; j++)
        while (j->pid != 0 && !alive(j->pid) && wait(&w) > 0)
            job_done(&w);
}

/* ---- starting and waiting ---- */

/* A job in the background gets no line that is typed. */
static void
close_input(void)
{
    int fd = open("#c/null", OREAD);

    if (fd > 0) {
        dup(fd, 0);
        close(fd);
    }
}

/*
 * The child has a copy of the descriptors, so that what it does to them stays
 * with it.  An interrupt meanwhile is its, too, if it stays in our note group:
 * rfork sees to that; of one before it has our word in `interrupted`.
 */
int
job_fork(unsigned flags)
{
    bool background = flags & JOB_BACKGROUND;
    unsigned group = interactive && background ? RFNOTEG : 0;
    unsigned variables = flags & JOB_OWN_VARIABLES ? RFENVG : 0;
    int pid = rfork(RFPROC | RFFDG | group | variables);

    if (pid != 0)
        return pid;
    if (background)
        close_input();
    interactive = false;
    jobs_forget();
    return 0;
}

/* An interrupt during the wait is the children's; we wait on. */
void
wait_for_all(const int *pids, int n)
{
    struct waitmsg w = { 0 };
    int left = n;

    while (left > 0) {
        int got = wait(&w), i = 0;

        if (got == -E_INTR)
            continue;
        if (got < 0)
            break;
        while (i < n && pids[i] != got)
            i++;
        if (i == n)
            job_done(&w);
        else
            left--;
        if (i == n - 1)
            status_set(w.msg);
    }
}

/* Interrupt: see above.  All other notes kill. */
void
on_note(struct ureg *ureg, char *note)
{
    (void)ureg;
    if (strcmp(note, "interrupt") != 0)
        noted(NDFLT);
    interrupted = true;
    if (foreground != 0)
        postnote(NOTE_GROUP, (uint32_t)foreground, note);
    noted(NCONT);
}

/* The end of a shell. */
void
leave(void)
{
    exits(interrupted && !interactive ? "interrupt" : status);
}

/* For good, and in this order: a note that comes now kills us. */
void
job_exec(char **words)
{
    notify(NULL);
    if (interrupted)
        exits("interrupt");
    exec_search(words[0], words);
    fprint(2, "sh: %s: %r\n", words[0]);
    status_set(errstr());
    notify(on_note);
}

/* ---- commands about jobs ---- */

/* jobs: those that still run */
void
list_jobs(char **words)
{
    (void)words;
    jobs_reap();
    for (int i = 0; i < MAX_JOBS; i++)
        if (jobs[i].pid != 0)
            print("[%d] %d %s\n", i + 1, jobs[i].pid, jobs[i].text);
}

/* The job that "%1", "1" or a pid means, or NULL and told. */
static struct job *
job_named(const char *word)
{
    int n = atoi(word + (word[0] == '%'));
    struct job *j = NULL;

    if (n > 0 && n <= MAX_JOBS && jobs[n - 1].pid != 0)
        j = &jobs[n - 1];
    else if (n > 0)
        j = job_find(n);
    if (j != NULL)
        return j;
    fprint(2, "sh: %s is no job\n", word);
    status_set("no such job");
    return NULL;
}

/* wait: for all jobs; wait JOB: for that one */
void
wait_jobs(char **words)
{
    struct job *j = words[1] != NULL ? job_named(words[1]) : NULL;
    int pid = j != NULL ? j->pid : 0;
    struct waitmsg w;
    int got;

    if (words[1] != NULL && pid == 0)
        return;
    while ((got = wait(&w)) > 0) {
        job_done(&w);
        if (got == pid) {
            status_set(w.msg);
            return;
        }
    }
    if (got == -E_INTR)
        status_set("interrupt");
}

/* fg JOB: bring it to the foreground, where interrupts reach it */
void
job_foreground(char **words)
{
    struct job *j = NULL;
    int pid;

    if (words[1] != NULL)
        j = job_named(words[1]);
    else
        for (int i = 0; i < MAX_JOBS; i++)
            if (jobs[i].pid != 0)
                j = &jobs[i];
    if (j == NULL) {
        status_set("no such job");
        return;
    }
    pid = j->pid;
    j->pid = 0;
    foreground = pid; /* first: whoever sees its text may type ^C */
    fprint(2, "%s\n", j->text);
    if (interrupted)
        postnote(NOTE_GROUP, (uint32_t)pid, "interrupt");
    wait_for_all(&pid, 1);
    foreground = 0;
}
