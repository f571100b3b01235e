/*
 * main.c - ed, the line editor: it needs no screen, only lines.  A command is
 * one letter, with the lines that it is for before it.
 */
#include "cmd/ed/ed.h"

static const char usage[] =
        "usage: ed [file]\n"
        "Edit a file by lines.  LINES a command is for come before its "
        "letter:\n"
        "3 or 2,5 or . (the current one) or $ (the last) or % (all) or\n"
        "/pattern/ ?pattern? (next, previous), and +1 or -1 behind them.\n"
        "  a i c  add behind, insert before, change lines: text up to a `.`\n"
        "  d      delete           p n  print, with numbers   = which number\n"
        "  s/pattern/text/g  put text; & is what fitted, g: every time\n"
        "  g/pattern/command  for each line that fits: d p n or s\n"
        "  m 7    move behind 7    j    join into one\n"
        "  w file  write (W: append)    r file  read behind    e file  edit\n"
        "  f file  the name             q  end (Q: without saving)\n";

static char file[MAX_PATH];
static bool quit, failed, warned;

/* Shown, as scripts need it, and kept for the exit string. */
void
complain(const char *fmt, ...)
{
    char text[MAX_ERR];
    va_list args;

    va_start(args, fmt);
    vsnprint(text, sizeof(text), fmt, args);
    va_end(args);
    fprint(2, "? %s\n", text);
    failed = true;
}

bool
next_line(char *line)
{
    int64_t n;

    do {
        n = read_line(line, MAX_LINE);
    } while (n == -E_INTR);
    return n >= 0;
}

/* The file name behind a command, or else that of the file; NULL: none. */
static const char *
name_of(const char *s)
{
    s += strspn(s, " ");
    if (file[0] == '\0')
        strlcpy(file, s, sizeof(file));
    if (*s != '\0')
        return s;
    if (file[0] == '\0') {
        complain("there is no file name");
        return NULL;
    }
    return file;
}

static void
write_file_lines(const char *s, struct range r, bool append)
{
    const char *name = name_of(s);

    if (!r.given)
        r = (struct range){ nlines > 0, nlines, true };
    if (name != NULL && write_lines(name, r.from, r.to, append))
        changed &= r.from > 1 || r.to < nlines;
}

/* Is it all right to lose what was changed?  The second time it is. */
static bool
may_leave(void)
{
    if (!changed || warned)
        return true;
    complain("changed and not written; once more does it");
    warned = true;
    return false;
}

static void
edit_file(const char *s)
{
    s += strspn(s, " ");
    if (*s != '\0')
        strlcpy(file, s, sizeof(file));
    if (name_of("") == NULL || !may_leave())
        return;
    if (nlines > 0)
        delete_lines(1, nlines);
    read_lines(file, 0);
    changed = false;
}

/* Commands that need no line to be there. */
static bool
do_file_command(char letter, const char *s, struct range r)
{
    const char *name;

    switch (letter) {
    case 'a': add_text(r.to); return true;
    case 'i': add_text(r.to > 0 ? r.to - 1 : 0); return true;
    case 'w':
    case 'W': write_file_lines(s, r, letter == 'W'); return true;
    case 'r':
        name = name_of(s);
        if (name != NULL)
            read_lines(name, r.given ? r.to : nlines);
        return true;
    case 'e': edit_file(s); return true;
    case 'f':
        name = name_of(s);
        if (name != NULL) {
            strlcpy(file, name, sizeof(file));
            print("%s\n", file);
        }
        return true;
    case '=': print("%lu\n", r.given ? r.to : nlines); return true;
    case 'q': quit = may_leave(); return true;
    case 'Q': quit = true; return true;
    default: return false;
    }
}

void
do_command(const char *s)
{
    struct range r;
    char letter;

    if (!take_range(&s, &r))
        return;
    letter = *s != '\0' ? *s++ : 'p';
    if (letter == 'p' && !r.given && s[-1] != 'p') /* an empty line: the next */
        r.from = r.to = dot + 1;
    if (letter != 'q' && letter != 'e')
        warned = false;
    if (do_file_command(letter, s, r))
        return;
    if (letter == '\0' || strchr("cdgjmnps", letter) == NULL)
        complain("%c is no command", letter);
    else if (r.from == 0 || r.to > nlines)
        complain("there is no such line");
    else
        do_line_command(letter, s, r);
}

/* An interrupt ends no editing: what was typed would be lost. */
static void
on_note(struct ureg *ureg, char *note)
{
    (void)ureg;
    noted(strcmp(note, "interrupt") == 0 ? NCONT : NDFLT);
}

int
main(int argc, char **argv)
{
    char line[MAX_LINE];

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc > 1)
        usage_die(usage);
    notify(on_note);
    if (argc == 1) {
        strlcpy(file, argv[0], sizeof(file));
        if (access(file, AEXIST) == 0)
            read_lines(file, 0);
        else
            print("%s: a new file\n", file);
        changed = failed = false;
    }
    while (!quit && next_line(line))
        do_command(line);
    exits(failed ? "error" : NULL);
}
