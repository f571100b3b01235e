/*
 * address.c - which lines a command is for:
 *
 *      range   = [address] [("," | ";") [address]] | "%"
 *      address = ("." | "$" | number | "/pattern/" | "?pattern?")
 *                { ("+" | "-") [number] }
 */
#include "cmd/ed/ed.h"

void
take_until(const char **s, char delimiter, char *out)
{
    const char *p = *s;

    for (; *p != '\0' && *p != delimiter; p++) {
        if (p[0] == '\\' && p[1] == delimiter)
            p++;
        else if (p[0] == '\\' && p[1] != '\0')
            *out++ = *p++;
        *out++ = *p;
    }
    *out = '\0';
    *s = *p != '\0' ? p + 1 : p;
}

const char *
take_pattern(const char **s, char delimiter)
{
    static char last[MAX_LINE];
    char pattern[MAX_LINE];
    const char *wrong;

    take_until(s, delimiter, pattern);
    if (pattern[0] == '\0' && last[0] == '\0') {
        complain("there is no pattern yet");
        return NULL;
    }
    if (pattern[0] == '\0')
        return last;
    wrong = regex_check(pattern);
    if (wrong != NULL) {
        complain("%s", wrong);
        return NULL;
    }
    return strcpy(last, pattern);
}

/* The next line from dot, or the one before, that the pattern fits; round
 * the ends, too. */
static bool
search(const char **s, size_t *n)
{
    bool forward = *(*s)++ == '/';
    const char *pattern = take_pattern(s, forward ? '/' : '?');
    size_t start, end, at = dot;

    for (size_t i = 0; pattern != NULL && i < nlines; i++) {
        if (forward)
            at = at >= nlines ? 1 : at + 1;
        else
            at = at <= 1 ? nlines : at - 1;
        if (regex_match(pattern, line_at(at), true, &start, &end)) {
            *n = at;
            return true;
        }
    }
    if (pattern != NULL)
        complain("no line fits");
    return false;
}

/* Where an address starts from; *found: there is one. */
static bool
take_base(const char **s, size_t *n, bool *found)
{
    char c = **s;

    *found = true;
    *n = dot;
    if (c == '/' || c == '?')
        return search(s, n);
    if (c == '.' || c == '$') {
        *n = c == '.' ? dot : nlines;
        (*s)++;
    } else if (isdigit(c))
        *n = strtoul(*s, (char **)s, 10);
    else
        *found = c == '+' || c == '-';
    return true;
}

/* One address; *found: there was one.  false: complained. */
static bool
take_address(const char **s, size_t *n, bool *found)
{
    while (**s == ' ')
        (*s)++;
    if (!take_base(s, n, found))
        return false;
    while (**s == '+' || **s == '-') {
        bool back = *(*s)++ == '-';
        size_t by = isdigit(**s) ? strtoul(*s, (char **)s, 10) : 1;

        if (by > (back ? *n : nlines)) {
            complain("there is no such line");
            return false;
        }
        *n = back ? *n - by : *n + by;
    }
    return true;
}

bool
take_range(const char **s, struct range *r)
{
    bool from, to = false;

    if (**s == '%') {
        (*s)++;
        *r = (struct range){ nlines > 0, nlines, true };
        return true;
    }
    if (!take_address(s, &r->from, &from))
        return false;
    r->to = r->from;
    if (**s == ',' || **s == ';') {
        if (*(*s)++ == ';')
            dot = r->from;
        if (!take_address(s, &r->to, &to))
            return false;
        if (!from)
            r->from = nlines > 0;
        if (!to)
            r->to = nlines;
        from = true;
    }
    r->given = from;
    if (r->from <= r->to && r->to <= nlines)
        return true;
    complain("there is no such line");
    return false;
}
