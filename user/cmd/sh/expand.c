/*
 * expand.c - from a word as written to the words that a command gets.
 *
 *      'text'   as it is; '' in it is one quote
 *      "text"   as it is, but for $ and \
 *      \c       c as it is
 *      $x ${x}  value of a variable    $(commands)  what they print
 *
 * Outside of quotes, white space in values divides words, and words with
 * * ? [ are patterns of file names.  Until glob has seen a word, quoted
 * characters that could belong to a pattern have LITERAL before them.
 */
#include "cmd/sh/sh.h"

enum mode {
    PLAIN,  /* values divide words, patterns count */
    QUOTED, /* they do not */
};

struct expander {
    struct text word;
    bool have; /* there is a word, even if it is empty so far */
    bool pattern;
    bool single;      /* never divide */
    struct list *out; /* of words, still with LITERALs */
};

static void
put_char(struct expander *x, char c, enum mode mode)
{
    bool special = (c != '\0' && strchr("*?[", c) != NULL) || c == LITERAL;

    if (special && mode == QUOTED)
        text_put(&x->word, LITERAL);
    else if (special)
        x->pattern = true;
    text_put(&x->word, c);
    x->have = true;
}

/* Without its LITERALs, in place. */
static char *
unmark(char *s)
{
    char *out = s;

    for (const char *in = s; *in != '\0'; in++) {
        if (*in == LITERAL && in[1] != '\0')
            in++;
        *out++ = *in;
    }
    *out = '\0';
    return s;
}

/* The word ends here, if there is one. */
static void
end_word(struct expander *x)
{
    char *word;

    if (!x->have)
        return;
    word = text_done(&x->word);
    if (x->pattern && !x->single)
        glob(word, x->out);
    else
        list_add(x->out, unmark(word));
    x->have = x->pattern = false;
}

/* A value from outside. */
static void
put_value(struct expander *x, const char *s, size_t n, enum mode mode)
{
    if (mode == QUOTED)
        x->have = true;
    for (size_t i = 0; i < n; i++)
        if (mode == PLAIN && !x->single && isspace(s[i]))
            end_word(x);
        else if (s[i] != '\0')
            put_char(x, s[i], mode);
}

/* Run commands in a child that writes into a pipe, and take it all. */
static char *
output_of(const char *commands, size_t *n)
{
    struct text out = { 0 };
    char buf[512];
    int fds[2], pid;
    int64_t got;

    if (pipe(fds) < 0 || (pid = job_fork(JOB_OWN_VARIABLES)) < 0) {
        fprint(2, "sh: $(...): %r\n");
        return NULL;
    }
    if (pid == 0) {
        dup(fds[1], 1);
        close(fds[0]);
        close(fds[1]);
        run_text(commands, "$(...)");
        leave();
    }
    close(fds[1]);
    while ((got = read(fds[0], buf, sizeof(buf))) > 0 || got == -E_INTR)
        text_add(&out, buf, got > 0 ? (size_t)got : 0);
    close(fds[0]);
    wait_for_all(&pid, 1);
    while (out.n > 0 && out.s[out.n - 1] == '\n')
        out.n--;
    *n = out.n;
    return text_done(&out);
}

/* $(commands), from behind the first bracket; returns what follows it. */
static const char *
put_output(struct expander *x, const char *p, enum mode mode)
{
    const char *end = skip_parens(p);
    char *commands = mem_copy(p, (size_t)(end - 1 - p));
    size_t n = 0;
    char *out = output_of(commands, &n);

    if (out != NULL)
        put_value(x, out, n, mode);
    return end;
}

/* "$*" in quotes and out of them: each argument is a word of its own. */
static void
put_args(struct expander *x, enum mode mode)
{
    for (char **a = args[0] != NULL ? args + 1 : args; *a != NULL; a++) {
        put_value(x, *a, strlen(*a), mode);
        if (a[1] != NULL && x->single)
            put_char(x, ' ', QUOTED);
        else if (a[1] != NULL)
            end_word(x);
    }
}

/* The length of the name at p: x1, or one of * # ? @ or a digit. */
static size_t
name_length(const char *p)
{
    size_t n = 0;

    if (*p != '\0' && strchr("*#@?0123456789", *p) != NULL)
        return 1;
    while (isalnum(p[n]) || p[n] == '_')
        n++;
    return n;
}

/* What follows a $; returns what follows that. */
static const char *
put_variable(struct expander *x, const char *p, enum mode mode)
{
    bool brace = *p == '{';
    const char *name = p + brace;
    size_t n = name_length(name);
    char *value;

    if (*p == '(')
        return put_output(x, p + 1, mode);
    if (n == 0 || (brace && name[n] != '}')) {
        put_char(x, '$', QUOTED);
        return p;
    }
    if (*name == '*' || *name == '@')
        put_args(x, mode);
    else if ((value = var_get(name, n)) != NULL)
        put_value(x, value, strlen(value), mode);
    else if (mode == QUOTED)
        x->have = true;
    return name + n + brace;
}

/* Behind the quote ' up to the next one; returns what follows it. */
static const char *
put_single(struct expander *x, const char *p)
{
    x->have = true;
    for (; *p != '\0'; p++) {
        if (*p == '\'' && *++p != '\'')
            return p;
        put_char(x, *p, QUOTED);
    }
    return p;
}

/* The same for ". */
static const char *
put_double(struct expander *x, const char *p)
{
    x->have = p[0] != '$' || (p[1] != '*' && p[1] != '@');
    while (*p != '\0' && *p != '"') {
        if (*p == '$')
            p = put_variable(x, p + 1, QUOTED);
        else {
            if (*p == '\\' && p[1] != '\0' && strchr("\\\"$", p[1]) != NULL)
                p++;
            put_char(x, *p++, QUOTED);
        }
    }
    return *p == '"' ? p + 1 : p;
}

static void
expand(struct expander *x, const char *p)
{
    while (*p != '\0') {
        char c = *p++;

        if (c == '\'')
            p = put_single(x, p);
        else if (c == '"')
            p = put_double(x, p);
        else if (c == '$')
            p = put_variable(x, p, PLAIN);
        else if (c == '\\' && *p == '\n')
            p++;
        else if (c == '\\' && *p != '\0')
            put_char(x, *p++, QUOTED);
        else
            put_char(x, c, PLAIN);
    }
    end_word(x);
}

void
expand_word(const char *word, struct list *out)
{
    struct expander x = { .out = out };

    expand(&x, word);
}

char *
expand_one(const char *word)
{
    struct list out = { 0 };
    struct expander x = { .out = &out, .single = true };

    expand(&x, word);
    return out.n > 0 ? out.v[0] : mem_copy("", 0);
}
