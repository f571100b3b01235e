/*
 * substitute.c - s/pattern/text/: the text in place of what the pattern fits.
 */
#include "cmd/ed/ed.h"

struct change {
    const char *pattern;
    char text[MAX_LINE];
    bool every, show;
};

/* n bytes at the end of out, if there is room; false: there is none. */
static bool
add(char *out, size_t *used, const char *s, size_t n)
{
    if (*used + n >= MAX_LINE) {
        complain("the line would be too long");
        return false;
    }
    memcpy(out + *used, s, n);
    *used += n;
    out[*used] = '\0';
    return true;
}

/* The new text, with what the pattern fitted for &. */
static bool
add_new(char *out, size_t *used, const char *text, const char *fitted, size_t n)
{
    for (; *text != '\0'; text++) {
        bool good;

        if (*text == '&')
            good = add(out, used, fitted, n);
        else {
            if (text[0] == '\\' && text[1] != '\0')
                text++;
            good = add(out, used, text, 1);
        }
        if (!good)
            return false;
    }
    return true;
}

/* A line as changed, in out: 1, 0 nothing fits, -1 complained. */
static int
change_line(const struct change *c, const char *line, char *out)
{
    const char *p = line;
    size_t start, end, used = 0;
    bool found = false;

    while ((!found || c->every) &&
            regex_match(c->pattern, p, p == line, &start, &end)) {
        bool step = start == end && p[end] != '\0';

        found = true;
        if (!add(out, &used, p, start) ||
                !add_new(out, &used, c->text, p + start, end - start) ||
                !add(out, &used, p + end, step))
            return -1;
        p += end + step;
        if (*p == '\0')
            break;
    }
    if (!add(out, &used, p, strlen(p)))
        return -1;
    return found;
}

/* What follows the `s`; false: complained. */
static bool
parse(const char *s, struct change *c)
{
    char delimiter = *s++;

    if (delimiter == '\0' || isalnum(delimiter) || delimiter == ' ') {
        complain("s/pattern/text/ is the form");
        return false;
    }
    c->pattern = take_pattern(&s, delimiter);
    if (c->pattern == NULL)
        return false;
    take_until(&s, delimiter, c->text);
    for (; *s == 'g' || *s == 'p'; s++)
        *(*s == 'g' ? &c->every : &c->show) = true;
    if (*s != '\0')
        complain("%s: not expected", s);
    return *s == '\0';
}

void
substitute(const char *s, struct range r)
{
    static struct change c;
    static char out[MAX_LINE];
    bool any = false;

    c.every = c.show = false;
    if (!parse(s, &c))
        return;
    for (size_t n = r.from; n <= r.to; n++) {
        int found = change_line(&c, line_at(n), out);

        if (found < 0)
            return;
        if (found > 0)
            replace_line(n, out);
        any |= found > 0;
    }
    if (!any)
        complain("nothing fits");
    else if (c.show)
        print("%s\n", line_at(dot));
}
