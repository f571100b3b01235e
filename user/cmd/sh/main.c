/*
 * main.c - the shell: commands from the console, a file or its arguments.
 * Its language is told in user/man/sh; its parts are named in sh.h.
 */
#include "cmd/sh/sh.h"

enum {
    MAX_LINE = 4096,
    MAX_NESTED = 50
};

static const char usage[] =
        "usage: sh [-i] [-c commands] [file [word ...]]\n"
        "Run commands from the console or a file; `man sh` tells them.\n"
        "  -c  run these commands\n"
        "  -i  prompt, as at the console\n";

/* ---- commands from a text ---- */

/* One line after the other, because one may change what the next finds. */
void
run_text(const char *text, const char *name)
{
    static int depth; /* of eval in eval, . in . */
    enum parsed parsed = PARSE_OK;

    if (depth == MAX_NESTED) {
        fprint(2, "sh: %s: calls itself without end\n", name);
        status_set("too deep");
        return;
    }
    depth++;
    while (*text != '\0' && leaving == LEAVE_NOT && !interrupted) {
        struct chunk *mark = mem_mark();
        struct node *tree;

        parsed = parse_line(&text, &tree);
        if (parsed == PARSE_OK && tree != NULL)
            run(tree);
        mem_release(mark);
        if (parsed != PARSE_OK)
            break;
    }
    depth--;
    if (parsed == PARSE_MORE)
        fprint(2, "sh: %s ends inside of a command\n", name);
    if (parsed != PARSE_OK)
        status_set("syntax error");
}

bool
run_file(const char *path)
{
    char *text = read_file(path, NULL);

    if (text == NULL) {
        fprint(2, "sh: %s: %r\n", path);
        status_set(errstr());
        return false;
    }
    run_text(text, path);
    free(text);
    return true;
}

/* ---- commands from the console ---- */

/* For `make bench`: what it took from boot to the first prompt. */
static void
record_prompt(void)
{
    static bool done;
    uint64_t tsc = rdtsc();
    struct cpustat s = { 0 };
    char text[96];
    int n;

    if (done || !interactive)
        return;
    done = true;
    sysstat(&s, 1);
    n = snprint(text, sizeof(text), "info prompt tsc=%lu cr3=%lu entries=%lu",
            tsc, s.cr3_loads, s.syscalls + s.traps);
    record(text, (size_t)n);
}

/* A line of input behind text[used]; its length with '\n', -1, -E_INTR. */
static int64_t
next_line(char *text, size_t used)
{
    int64_t n;

    interrupted = false;
    if (used == 0)
        record_prompt();
    if (interactive)
        n = edit_line(
                used == 0 ? "lux9% " : "> ", text + used, MAX_LINE - used);
    else
        n = read_line(text + used, MAX_LINE - used);
    if (n < 0)
        return n;
    if (interactive)
        history_add(text + used);
    strcpy(text + used + n, "\n");
    return n + 1;
}

/* Run the lines so far, if they are whole; false: more is needed. */
static bool
run_lines(const char *text, bool end)
{
    struct chunk *mark = mem_mark();
    struct node *tree = NULL;
    enum parsed parsed = PARSE_OK;

    while (*text != '\0' && parsed == PARSE_OK && leaving == LEAVE_NOT) {
        parsed = parse_line(&text, &tree);
        if (parsed == PARSE_OK && tree != NULL)
            run(tree);
    }
    mem_release(mark);
    if (parsed == PARSE_MORE && !end)
        return false;
    if (parsed == PARSE_MORE)
        fprint(2, "sh: the input ends inside of a command\n");
    if (parsed != PARSE_OK)
        status_set("syntax error");
    if (leaving != LEAVE_SHELL)
        leaving = LEAVE_NOT; /* break outside of a loop */
    return true;
}

/* Line by line, so that programs can read the lines between. */
static void
run_input(void)
{
    static char text[MAX_LINE + 2];
    size_t used = 0;

    while (leaving != LEAVE_SHELL) {
        int64_t n = next_line(text, used);

        if (n == -E_INTR) {
            used = 0;
            continue;
        }
        used += n > 0 ? (size_t)n : 0;
        if (used > 0 && (run_lines(text, n < 0 || used > MAX_LINE / 2)))
            used = 0;
        if (n < 0)
            break;
        if (used == 0 && interactive)
            jobs_reap();
    }
}

/* Is fd 0 a console, where somebody sits? */
static bool
at_console(void)
{
    struct dir *d = dirfstat(0);
    bool is = d != NULL && d->type == 'c' && strcmp(d->name, "cons") == 0;

    free(d);
    return is;
}

int
main(int argc, char **argv)
{
    static char *no_args[] = { "sh", NULL };
    const char *commands = NULL;
    bool prompt = false;

    ARGBEGIN
    {
    case 'c': commands = EARG(); break;
    case 'i': prompt = true; break;
    default: ARGBAD();
    }
    ARGEND
    args = argc > 0 ? argv : no_args;
    notify(on_note);
    rfork(RFENVG); /* what we set is not for who has started us */
    if (commands != NULL)
        run_text(commands, "-c");
    else if (argc > 0)
        run_file(argv[0]);
    else {
        interactive = prompt || at_console();
        if (interactive)
            cons_group(0);
        run_input();
    }
    leave();
}
