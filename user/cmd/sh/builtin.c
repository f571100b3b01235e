/*
 * builtin.c - commands that a child could not do for the shell: they
 * change the shell itself.  Each gets its words, with NULL behind the last,
 * finds `status` empty, and sets it if it fails.
 */
#include "cmd/sh/sh.h"

/* Say what is wrong with a command and let it fail. */
static void
bad(char **words, const char *what)
{
    fprint(2, "sh: %s: %s\n", words[0], what);
    status_set(what);
}

/* cd [dir]: without dir to the root */
static void
change_dir(char **words)
{
    const char *dir = words[1] != NULL ? words[1] : "/";

    if (chdir(dir) < 0) {
        fprint(2, "sh: cd: %s: %r\n", dir);
        status_set(errstr());
    }
}

/* exit [string]: end this shell; the string is its exit string */
static void
leave_shell(char **words)
{
    leaving = LEAVE_SHELL;
    if (words[1] != NULL)
        status_set(strcmp(words[1], "0") == 0 ? "" : words[1]);
}

static void
break_loop(char **words)
{
    (void)words;
    leaving = LEAVE_BREAK;
}

static void
continue_loop(char **words)
{
    (void)words;
    leaving = LEAVE_CONTINUE;
}

/* . file [word ...]: run its commands in this shell */
static void
run_here(char **words)
{
    char **outer = args;

    if (words[1] == NULL) {
        bad(words, "no file");
        return;
    }
    args = words + 1;
    run_file(words[1]);
    args = outer;
}

/* The words with blanks between them. */
static char *
join(char **words)
{
    struct text t = { 0 };

    for (; *words != NULL; words++) {
        if (t.n > 0)
            text_put(&t, ' ');
        text_add(&t, *words, strlen(*words));
    }
    return text_done(&t);
}

/* eval word ...: run the words as a command line */
static void
run_words(char **words)
{
    run_text(join(words + 1), "eval");
}

/* exec [program ...]: become the program */
static void
become_program(char **words)
{
    if (words[1] == NULL)
        return;
    job_exec(words + 1);
}

/* shift: $2 becomes $1 */
static void
shift_args(char **words)
{
    if (args[0] == NULL || args[1] == NULL) {
        bad(words, "no arguments are left");
        return;
    }
    args[1] = args[0];
    args++;
}

/* unset name ... */
static void
unset(char **words)
{
    for (char **w = words + 1; *w != NULL; w++)
        if (var_name_ok(*w, strlen(*w)))
            putenv(*w, NULL);
        else
            bad(words, "bad name");
}

/* rfork [n] [e]: copies of name space, environment for this shell alone */
static void
leave_groups(char **words)
{
    unsigned flags = 0;

    for (const char *p = words[1] != NULL ? words[1] : "en"; *p != '\0'; p++)
        if (*p == 'n')
            flags |= RFNAMEG;
        else if (*p == 'e')
            flags |= RFENVG;
        else {
            bad(words, "knows only n and e");
            return;
        }
    if (rfork(flags) < 0)
        bad(words, errstr());
}

static void
succeed(char **words)
{
    (void)words;
}

static const struct {
    const char *name;
    builtin_fn *fn;
} builtins[] = {
    { "cd", change_dir },
    { "exit", leave_shell },
    { "break", break_loop },
    { "continue", continue_loop },
    { ".", run_here },
    { "eval", run_words },
    { "exec", become_program },
    { "shift", shift_args },
    { "unset", unset },
    { "rfork", leave_groups },
    { "jobs", list_jobs },
    { "wait", wait_jobs },
    { "fg", job_foreground },
    { "history", history_show },
    { ":", succeed },
};

builtin_fn *
builtin_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
        if (strcmp(name, builtins[i].name) == 0)
            return builtins[i].fn;
    return NULL;
}
