/*
 * jobs.c - children, in the foreground and in the background.
 *
 * At the console each command gets a note group of its own, and the one in
 * the foreground is what an interrupt goes to.  A command that ends with `&`
 * is a job: the shell goes on and says so when the job is done.  A shell
 * that runs a script keeps its children in its own group, so that the whole
 * script is one job of the shell that started it.
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
static volatile int foreground; /* the child we wait for, or 0 */

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
    static struct procinfo rows[256];
    int n = procs(rows, ARRAY_LEN(rows));

    for (int i = 0; i < n && i < (int)ARRAY_LEN(rows); i++)
        if ((int)rows[i].pid == pid)
            return true;
    return n > (int)ARRAY_LEN(rows);
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

/* The child has a copy of the descriptors, so that what it does to them stays
 * with it, and its own note group if it is a job. */
int
job_fork(unsigned flags)
{
    unsigned group = interactive ? RFNOTEG : 0;
    unsigned variables = flags & JOB_OWN_VARIABLES ? RFENVG : 0;
    bool background = flags & JOB_BACKGROUND;
    int pid = rfork(RFPROC | RFFDG | group | variables);

    if (pid > 0 && interrupted && !interactive) /* it came too late for that */
        postnote(NOTE_PROC, (uint32_t)pid, "interrupt");
    if (pid != 0)
        return pid;
    foreground = 0;
    if (interactive && !background)
        cons_group(0);
    if (interrupted) /* it was meant for the command that we become */
        exits("interrupt");
    if (background)
        close_input();
    interactive = false;
    jobs_forget();
    return 0;
}

void
job_watch(int pid)
{
    if (!interactive)
        return;
    foreground = pid;
    if (interrupted) /* before we could say who it is for */
        postnote(NOTE_GROUP, (uint32_t)pid, "interrupt");
}

/* An interrupt during the wait is the children's; we wait on. */
void
wait_for_all(const int *pids, int n)
{
    struct waitmsg w = { 0 };
    int left = n;

    if (n > 0)
        job_watch(pids[0]);
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
    foreground = 0;
    if (!interactive)
        return;
    cons_group(0);
    if (strcmp(w.msg, "interrupt") != 0)
        return;
    interrupted = true; /* so the rest of the line ends, too */
    /* what it was about to fork was not there yet to get the note */
    postnote(NOTE_GROUP, (uint32_t)pids[0], "interrupt");
}

/*
 * Interrupt: whatever the shell is doing for this line ends, and if it waits
 * for a command, so does that.  A shell that is not at the console gets the
 * note together with its children, waits for their end, and ends then.  All
 * other notes kill.
 */
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
    if (interrupted && !interactive)
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
    fprint(2, "%s\n", j->text);
    pid = j->pid;
    j->pid = 0;
    cons_group((uint32_t)pid);
    wait_for_all(&pid, 1);
}
