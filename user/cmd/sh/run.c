/*
 * run.c - walk the tree of a command line.
 *
 * run leaves the exit string of what it ran in `status`.  run_last is for
 * children: it ends with that string, and a program takes the child's place
 * instead of a second child.
 */
#include "cmd/sh/sh.h"

enum leave leaving;

/* Shall we go on, or is something on its way out? */
static bool
go_on(void)
{
    return leaving == LEAVE_NOT && !interrupted;
}

/* ---- a simple command ---- */

/* The words of a command, but those before it that assign; *assign. */
static char **
expand_all(const struct word *w, const struct word **assign)
{
    struct list words = { 0 };

    *assign = w;
    while (w != NULL && var_assigned(w->text) > 0)
        w = w->next;
    for (; w != NULL; w = w->next)
        expand_word(w->text, &words);
    if (words.n == 0)
        words.v = mem_alloc(sizeof(char *));
    return words.v;
}

/* Do the assignments that come first; false: one failed. */
static bool
assign_all(const struct word *w)
{
    for (; w != NULL; w = w->next) {
        size_t n = var_assigned(w->text);

        if (n == 0)
            break;
        if (!var_set(mem_copy(w->text, n), expand_one(w->text + n + 1)))
            return false;
    }
    return true;
}

/* A command that the shell does itself. */
static void
run_builtin(builtin_fn *fn, char **words, struct redir *redirs)
{
    struct saved saved;

    if (!redirect(redirs, &saved))
        return;
    status_set("");
    fn(words);
    redirect_undo(&saved);
}

/* In the child: become the program. */
static NORETURN void
become(char **words, const struct word *assign, struct redir *redirs)
{
    builtin_fn *fn = words[0] != NULL ? builtin_find(words[0]) : NULL;

    if (!redirect(redirs, NULL) || !assign_all(assign))
        leave();
    if (words[0] == NULL)
        exits(NULL);
    if (fn != NULL) {
        status_set("");
        fn(words);
        leave();
    }
    job_exec(words);
    leave();
}

/* A fault or a note that killed it; programs tell other errors themselves. */
static void
report(const char *name)
{
    if (!interactive)
        return;
    if (strncmp(status, "sys: ", 5) == 0 || strcmp(status, "kill") == 0)
        fprint(2, "%s: %s\n", name, status);
}

static void
run_program(char **words, const struct word *assign, struct redir *redirs)
{
    bool assigns = assign != NULL && var_assigned(assign->text) > 0;
    int pid = job_fork(assigns ? JOB_OWN_VARIABLES : 0);

    if (pid < 0) {
        fprint(2, "sh: %s: %r\n", words[0]);
        status_set(errstr());
        return;
    }
    if (pid == 0)
        become(words, assign, redirs);
    wait_for_all(&pid, 1);
    report(words[0]);
}

static void
run_simple(struct node *t)
{
    const struct word *assign;
    char **words = expand_all(t->words, &assign);
    struct saved saved;
    builtin_fn *fn;

    if (interrupted)
        return;
    if (words[0] == NULL) {
        status_set("");
        if (assign_all(assign) && redirect(t->redirs, &saved))
            redirect_undo(&saved);
        return;
    }
    fn = builtin_find(words[0]);
    if (fn == NULL)
        run_program(words, assign, t->redirs);
    else if (assign_all(assign))
        run_builtin(fn, words, t->redirs);
}

/* ---- several at once ---- */

/* The variables are files for programs, and so in common with them; only
 * what is a shell of its own has its own. */
static unsigned
variables_of(const struct node *t)
{
    if (t->kind == NODE_PIPE)
        return 0; /* each stage decides */
    if (t->kind == NODE_SIMPLE &&
            (t->words == NULL || var_assigned(t->words->text) == 0))
        return 0;
    return JOB_OWN_VARIABLES;
}

/* Run all of it in a child and wait for that. */
static void
run_child(struct node *t)
{
    int pid = job_fork(variables_of(t));

    if (pid == 0)
        run_last(t);
    if (pid > 0)
        wait_for_all(&pid, 1);
    else {
        fprint(2, "sh: %r\n");
        status_set(errstr());
    }
}

/* Start one stage: it reads from in and writes to out, which it may own. */
static int
start_stage(struct node *t, int in, int out, int unused)
{
    int pid = job_fork(variables_of(t));

    if (pid != 0)
        return pid;
    if (unused >= 0)
        close(unused);
    if (in != 0) {
        dup(in, 0);
        close(in);
    }
    if (out != 1) {
        dup(out, 1);
        close(out);
    }
    run_last(t);
}

/* The stages of a pipeline, left to right, at most MAX_STAGES; how many. */
static int
stages_of(struct node *t, struct node **stages)
{
    int n = 0;

    if (t->kind == NODE_PIPE) {
        n = stages_of(t->left, stages);
        t = t->right;
    }
    stages[n] = t;
    return n + 1;
}

/* Start every stage, then wait for all. */
static void
run_pipe(struct node *t)
{
    struct node *stages[MAX_STAGES];
    int pids[MAX_STAGES], fds[2], in = 0, started = 0;
    int n = stages_of(t, stages);

    while (started < n) {
        bool last = started == n - 1;

        fds[0] = -1;
        fds[1] = 1;
        if (!last && pipe(fds) < 0)
            break;
        pids[started] = start_stage(stages[started], in, fds[1], fds[0]);
        if (in != 0)
            close(in);
        if (!last)
            close(fds[1]);
        in = fds[0];
        if (pids[started] < 0)
            break;
        started++;
    }
    if (started < n) {
        fprint(2, "sh: pipe: %r\n");
        if (in > 0)
            close(in);
    }
    wait_for_all(pids, started);
    if (started < n)
        status_set("pipe failed");
}

/* It has the variables as they are now: we go on and may change them. */
static void
run_background(struct node *t)
{
    int pid = job_fork(JOB_BACKGROUND | JOB_OWN_VARIABLES);

    if (pid == 0)
        run_last(t->left);
    status_set("");
    if (pid > 0)
        job_add(pid, t->name);
    else {
        fprint(2, "sh: %r\n");
        status_set(errstr());
    }
}

/* ---- choices and loops ---- */

static void
run_if(struct node *t)
{
    run(t->left);
    if (!go_on())
        return;
    if (status[0] == '\0')
        run(t->right);
    else if (t->other != NULL)
        run(t->other);
    else
        status_set("");
}

/* After a loop's body: does the loop go on? */
static bool
loop_on(void)
{
    if (leaving == LEAVE_CONTINUE)
        leaving = LEAVE_NOT;
    if (leaving != LEAVE_BREAK)
        return go_on();
    leaving = LEAVE_NOT;
    return false;
}

static void
run_while(struct node *t)
{
    char last[MAX_ERR] = "";
    struct chunk *mark = mem_mark();

    for (;;) {
        run(t->left);
        if (!go_on() || (status[0] == '\0') == t->until)
            break;
        run(t->right);
        strlcpy(last, status, sizeof(last));
        mem_release(mark);
        if (!loop_on())
            break;
    }
    status_set(last);
}

static void
run_for(struct node *t)
{
    struct list words = { 0 };

    if (t->args)
        expand_word("\"$*\"", &words);
    for (const struct word *w = t->words; w != NULL; w = w->next)
        expand_word(w->text, &words);
    status_set("");
    for (int i = 0; i < words.n; i++) {
        struct chunk *mark = mem_mark();
        bool more = var_set(t->name, words.v[i]);

        if (more)
            run(t->right);
        mem_release(mark);
        if (!loop_on() || !more)
            break;
    }
}

/* Those that may have redirections of their own. */
static void
run_compound(struct node *t)
{
    struct saved saved;

    if (!redirect(t->redirs, &saved))
        return;
    switch (t->kind) {
    case NODE_IF: run_if(t); break;
    case NODE_WHILE: run_while(t); break;
    case NODE_FOR: run_for(t); break;
    default: run(t->left); break;
    }
    redirect_undo(&saved);
}

/* One after the other. */
static void
run_list(struct node *t)
{
    for (; t->kind == NODE_SEQ; t = t->right)
        run(t->left);
    run(t);
}

/* left, then right if that is wanted. */
static void
run_both(struct node *t)
{
    run(t->left);
    if (go_on() && (t->kind == NODE_AND) == (status[0] == '\0'))
        run(t->right);
}

void
run(struct node *t)
{
    if (!go_on())
        return;
    switch (t->kind) {
    case NODE_SIMPLE: run_simple(t); break;
    case NODE_PIPE: run_pipe(t); break;
    case NODE_AND:
    case NODE_OR: run_both(t); break;
    case NODE_SEQ: run_list(t); break;
    case NODE_NOT:
        run(t->left);
        status_set(status[0] != '\0' ? "" : "false");
        break;
    case NODE_BACK: run_background(t); break;
    case NODE_SUB: run_child(t); break;
    default: run_compound(t); break;
    }
}

void
run_last(struct node *t)
{
    const struct word *assign;
    char **words;

    if (t->kind == NODE_SIMPLE) {
        words = expand_all(t->words, &assign);
        become(words, assign, t->redirs);
    }
    if (t->kind == NODE_SUB)
        run_compound(t);
    else
        run(t);
    leave();
}
