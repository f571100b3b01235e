/*
 * sed.c - change lines on their way through: the few commands of sed that
 * everybody uses.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: sed [-n] command [file ...]\n"
        "       sed [-n] -e command ... [file ...]\n"
        "Copy the lines of files, changed by commands:\n"
        "  s/pattern/new/  put new for the pattern; & is what it fitted;\n"
        "                  s/../../g every time, s/../../p print it, too\n"
        "  d  drop the line    p  print it now    q  end behind it\n"
        "A command may begin with the lines it is for: 3 or 2,5 or $ or\n"
        "/pattern/.  -n: print only what p prints.  Patterns: man grep.\n";

enum {
    MAX_COMMANDS = 32,
    LAST = -1
};

struct command {
    int64_t first, last;  /* lines it is for; 0: all; LAST */
    char *where;          /* pattern of those, or NULL */
    char letter;          /* s d p q */
    char *pattern, *text; /* of s */
    bool every, print;
};

static struct command commands[MAX_COMMANDS];
static int ncommands;
static bool only_printed, quit;
static int64_t number;

/* ---- reading commands ---- */

/* What comes at *s up to the delimiter, of which \delimiter is no end, in
 * place; *s goes behind it. */
static char *
take_delimited(char **s, char delimiter)
{
    char *start = *s, *out = start, *in = start;

    for (; *in != delimiter; in++) {
        if (*in == '\0')
            fatal("%c is missing behind %s", delimiter, start);
        if (in[0] == '\\' && in[1] == delimiter)
            in++;
        else if (in[0] == '\\' && in[1] != '\0')
            *out++ = *in++;
        *out++ = *in;
    }
    *s = in + 1;
    *out = '\0';
    return start;
}

static char *
take_pattern(char **s, char delimiter)
{
    char *pattern = take_delimited(s, delimiter);
    const char *wrong = regex_check(pattern);

    if (wrong != NULL)
        fatal("%s: %s", pattern, wrong);
    return pattern;
}

static int64_t
take_line(char **s)
{
    int64_t n;

    if (**s == '$') {
        (*s)++;
        return LAST;
    }
    n = strtol(*s, s, 10);
    if (n <= 0)
        usage_die(usage);
    return n;
}

static void
take_lines(struct command *c, char **s)
{
    if (**s == '/') {
        (*s)++;
        c->where = take_pattern(s, '/');
    } else if (isdigit(**s) || **s == '$') {
        c->first = c->last = take_line(s);
        if (**s == ',') {
            (*s)++;
            c->last = take_line(s);
        }
    }
}

static void
add_command(char *s)
{
    struct command *c = &commands[ncommands++];

    if (ncommands > MAX_COMMANDS)
        fatal("too many commands");
    take_lines(c, &s);
    c->letter = *s;
    if (*s == '\0' || strchr("sdpq", *s) == NULL)
        fatal("%s: no such command", s);
    s++;
    if (c->letter == 's') {
        char delimiter = *s++;

        if (delimiter == '\0')
            usage_die(usage);
        c->pattern = take_pattern(&s, delimiter);
        c->text = take_delimited(&s, delimiter);
        for (; *s == 'g' || *s == 'p'; s++)
            *(*s == 'g' ? &c->every : &c->print) = true;
    }
    if (*s != '\0')
        fatal("%s: not expected", s);
}

/* ---- running them ---- */

static void
put_line(const char *line, size_t n)
{
    bio_write(bio_out(), line, n);
    bio_putc(bio_out(), '\n');
}

static bool
is_for(const struct command *c, const char *line, bool last)
{
    size_t start, end;

    if (c->where != NULL)
        return regex_match(c->where, line, true, &start, &end);
    if (c->first == 0)
        return true;
    if (c->first == LAST)
        return last;
    return number >= c->first && (c->last == LAST || number <= c->last);
}

/* A line that grows. */
struct line {
    char *s;
    size_t n, room;
};

static void
line_add(struct line *l, const char *s, size_t n)
{
    if (l->n + n + 1 > l->room) {
        l->room = (l->n + n + 1) * 2;
        l->s = realloc(l->s, l->room);
        if (l->s == NULL)
            fatal("%r");
    }
    memcpy(l->s + l->n, s, n);
    l->n += n;
    l->s[l->n] = '\0';
}

/* The new text, with what the pattern fitted for &. */
static void
add_new(struct line *out, const char *text, const char *fitted, size_t n)
{
    for (; *text != '\0'; text++)
        if (*text == '&')
            line_add(out, fitted, n);
        else {
            if (text[0] == '\\' && text[1] != '\0')
                text++;
            line_add(out, *text == 'n' && text[-1] == '\\' ? "\n" : text, 1);
        }
}

/* Do an s command: was there anything to put something for? */
static bool
substitute(const struct command *c, struct line *l)
{
    struct line out = { 0 };
    const char *p = l->s;
    size_t start, end;
    bool found = false, after = false; /* right behind something fitted */

    while ((!found || c->every) &&
            regex_match(c->pattern, p, p == l->s, &start, &end)) {
        bool empty = start == end;

        line_add(&out, p, start);
        if (!empty || start > 0 || !after) {
            add_new(&out, c->text, p + start, end - start);
            found = true;
        }
        after = !empty;
        p += end;
        if (empty && *p == '\0')
            break;
        if (empty)
            line_add(&out, p++, 1);
    }
    line_add(&out, p, strlen(p));
    free(l->s);
    *l = out;
    return found;
}

/* All commands for one line. */
static void
edit(struct line *l, bool last)
{
    bool keep = true;

    for (int i = 0; i < ncommands && keep; i++) {
        const struct command *c = &commands[i];

        if (!is_for(c, l->s, last))
            continue;
        if ((c->letter == 's' && substitute(c, l) && c->print) ||
                c->letter == 'p')
            put_line(l->s, l->n);
        quit |= c->letter == 'q';
        keep = c->letter != 'd' && !quit;
    }
    if (!only_printed && (keep || quit))
        put_line(l->s, l->n);
}

static void
filter(int fd, const char *name)
{
    static struct bio in;
    char *text;
    int64_t n;

    bio_init(&in, fd);
    while (!quit && (n = bio_line(&in, &text)) >= 0) {
        struct line l = { 0 };
        int next = bio_getc(&in);

        if (next >= 0)
            bio_ungetc(&in);
        number++;
        line_add(&l, text, (size_t)n);
        edit(&l, next < 0);
        free(l.s);
    }
    if (in.failed)
        warn("%s: %r", name);
    bio_end(&in);
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    case 'n': only_printed = true; break;
    case 'e': add_command(EARG()); break;
    default: ARGBAD();
    }
    ARGEND
    if (ncommands == 0 && argc == 0)
        usage_die(usage);
    if (ncommands == 0) {
        add_command(*argv++);
        argc--;
    }
    each_file(argc, argv, filter);
    exit_warned();
}
