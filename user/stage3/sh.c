/*
 * sh.c - the first command loop: a line is words, quoted with '...', that
 * name a built-in command or a program and give it arguments.
 *
 * Each program gets a note group of its own, and the one in the foreground
 * is what ^C interrupts.  A program that ends with `&` is a job: the shell
 * goes on and says so when the job is done.
 */
#include "lib/lux.h"

enum {
    MAX_JOBS = 64,
    MAX_LINE = 1024
};

struct job {
    int pid; /* 0: free */
    char name[MAX_NAME];
};

static struct job jobs[MAX_JOBS];
static struct waitmsg last; /* of the last program waited for */
static bool leave;
static volatile int foreground;   /* the program we wait for, or 0 */
static volatile bool interrupted; /* ^C came after the line, see on_note */
static char line[MAX_LINE];       /* begins with NUL while a prompt waits */

static const char usage[] =
        "usage: sh\n"
        "Read commands from the console and run them; `help` lists them.\n";

/* ---- jobs ---- */

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
    print("[%d] %s: %s\n", (int)(j - jobs) + 1, j->name,
            w->msg[0] != '\0' ? w->msg : "done");
    j->pid = 0;
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
static void
jobs_reap(void)
{
    struct waitmsg w;

    for (struct job *j = jobs; j < jobs + MAX_JOBS; j++)
        while (j->pid != 0 && !alive(j->pid) && wait(&w) > 0)
            job_done(&w);
}

/* Wait for a program in the foreground; jobs may end meanwhile. */
static void
wait_foreground(int pid)
{
    struct waitmsg w = { 0 };
    int got;

    foreground = pid;
    if (interrupted) /* before we could say who is in the foreground */
        postnote(NOTE_GROUP, (uint32_t)pid, "interrupt");
    while ((got = wait(&w)) != pid) {
        if (got > 0)
            job_done(&w);
        else if (got != -E_INTR)
            break;
    }
    foreground = 0;
    last = w;
}

/* ---- running programs ---- */

/* In the child: take the console unless in the background, exec. */
static NORETURN void
run_child(char **words, bool background)
{
    if (!background)
        cons_group(0);
    notify(NULL);
    if (interrupted) /* it was meant for the program that we become */
        exits("interrupt");
    exec_search(words[0], words);
    fprint(2, "sh: %s: %r\n", words[0]);
    exits(errstr());
}

/* Remember a job, or say that there are too many of them to watch. */
static void
job_add(int pid, const char *name)
{
    struct job *j = job_find(0);

    if (j == NULL) {
        print("sh: %d runs, but is one job too many to watch\n", pid);
        return;
    }
    j->pid = pid;
    strlcpy(j->name, name, sizeof(j->name));
    print("[%d] %d\n", (int)(j - jobs) + 1, pid);
}

/* A fault or a note that killed it; programs tell other errors themselves. */
static void
report(const char *name)
{
    if (strncmp(last.msg, "sys: ", 5) == 0 || strcmp(last.msg, "kill") == 0)
        print("%s: %s\n", name, last.msg);
    else if (strcmp(last.msg, "interrupt") == 0)
        print("\n");
}

/* Start words[0] and, in the foreground, see it to its end. */
static void
run_program(char **words, bool background)
{
    int pid = rfork(RFPROC | RFNOTEG);

    if (pid < 0) {
        fprint(2, "sh: %s: %r\n", words[0]);
        return;
    }
    if (pid == 0)
        run_child(words, background);
    if (background) {
        job_add(pid, words[0]);
        return;
    }
    wait_foreground(pid);
    cons_group(0);
    report(words[0]);
}

/* ---- built-in commands ---- */

/* help: what can be typed */
static void
help(char **words)
{
    static struct archiveinfo files[128];
    int n = archive(files, ARRAY_LEN(files)), column = 0;

    (void)words;
    print("built in:  help  jobs  wait  status  exit\n"
          "programs, each with -h to say what it does:\n");
    for (int i = 0; i < n && i < (int)ARRAY_LEN(files); i++)
        if (strncmp(files[i].name, "bin/", 4) == 0)
            print("%-12s%s", files[i].name + 4, ++column % 6 == 0 ? "\n" : "");
    print("%sA command that ends with & runs in the background; '...' quotes;"
          " ^C interrupts.\n",
            column % 6 != 0 ? "\n" : "");
}

/* jobs: those that still run */
static void
list_jobs(char **words)
{
    (void)words;
    for (int i = 0; i < MAX_JOBS; i++)
        if (jobs[i].pid != 0)
            print("[%d] %d %s\n", i + 1, jobs[i].pid, jobs[i].name);
}

/* wait: for all jobs; wait PID: for that one */
static void
wait_jobs(char **words)
{
    int pid = words[1] != NULL ? atoi(words[1]) : 0;
    struct waitmsg w;
    int got;

    if (pid != 0 && job_find(pid) == NULL) {
        fprint(2, "sh: wait: %s is no job\n", words[1]);
        return;
    }
    while ((got = wait(&w)) > 0) {
        job_done(&w);
        if (got == pid)
            return;
    }
    if (got == -E_INTR)
        print("\n");
}

/* status: exit string of the last program in the foreground */
static void
show_status(char **words)
{
    (void)words;
    print("%s\n", last.msg[0] != '\0' ? last.msg : "success");
}

/* exit: end the loop after this line */
static void
leave_shell(char **words)
{
    (void)words;
    leave = true;
}

static const struct builtin {
    const char *name;
    void (*run)(char **words);
} builtins[] = {
    { "help", help },
    { "jobs", list_jobs },
    { "wait", wait_jobs },
    { "status", show_status },
    { "exit", leave_shell },
};

/* ---- lines ---- */

/* Cut a last word `&`, or `&` at the end of the last word; was there one? */
static bool
cut_ampersand(char **words, int *n)
{
    char *word = words[*n - 1];
    size_t len = strlen(word);

    if (word[len - 1] != '&')
        return false;
    word[len - 1] = '\0';
    if (len == 1)
        words[--*n] = NULL;
    return true;
}

/* Split a line and do what its first word says. */
static void
run_line(void)
{
    char *words[MAX_ARGS + 1];
    int n = tokenize(line, words, MAX_ARGS);
    bool background;

    if (n < 0 || n > MAX_ARGS) {
        fprint(2, "sh: %s\n", n < 0 ? "missing '" : "too many words");
        return;
    }
    if (n == 0)
        return;
    words[n] = NULL;
    background = words[n - 1][0] != '\0' && cut_ampersand(words, &n);
    if (n == 0) {
        fprint(2, "sh: nothing before &\n");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
        if (strcmp(words[0], builtins[i].name) == 0) {
            builtins[i].run(words);
            return;
        }
    run_program(words, background);
}

static void
prompt(void)
{
    print("lux9%% ");
}

/*
 * An interrupt at the prompt gives a new one, later it is for the program in
 * the foreground, all else kills.  It may come so soon after a line that the
 * program is not in the foreground yet: then run_program passes it on.
 */
static void
on_note(struct ureg *ureg, char *note)
{
    (void)ureg;
    if (strcmp(note, "interrupt") != 0)
        noted(NDFLT);
    if (*(volatile char *)line == '\0')
        prompt();
    else
        interrupted = true;
    if (foreground != 0)
        postnote(NOTE_GROUP, (uint32_t)foreground, note);
    noted(NCONT);
}

/* For `make bench`: what it took from boot to the first prompt. */
static void
record_prompt(void)
{
    static bool done;
    uint64_t tsc = rdtsc();
    struct cpustat s = { 0 };
    char text[96];
    int n;

    if (done)
        return;
    done = true;
    sysstat(&s, 1);
    n = snprint(text, sizeof(text), "info prompt tsc=%lu cr3=%lu entries=%lu",
            tsc, s.cr3_loads, s.syscalls + s.traps);
    record(text, (size_t)n);
}

/* Prompt for a line and read it; whether there was one. */
static bool
next_line(void)
{
    int64_t n;

    *(volatile char *)line = '\0';
    interrupted = false;
    prompt();
    record_prompt();
    do {
        n = read_line(line, sizeof(line));
    } while (n < -1); /* interrupted: on_note has given a new prompt */
    return n >= 0;
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    notify(on_note);
    while (!leave && next_line()) {
        run_line();
        jobs_reap();
    }
    return 0;
}
