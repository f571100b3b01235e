/*
 * lines.c - the commands that change, show and move lines.
 */
#include "cmd/ed/ed.h"

void
add_text(size_t after)
{
    char line[MAX_LINE];

    dot = after;
    while (next_line(line) && strcmp(line, ".") != 0)
        insert_line(dot, line);
}

static void
show_lines(struct range r, bool numbers)
{
    struct bio *out = bio_out();

    for (size_t n = r.from; n <= r.to; n++) {
        if (numbers)
            bio_print(out, "%lu\t", n);
        bio_write(out, line_at(n), strlen(line_at(n)));
        bio_putc(out, '\n');
    }
    bio_flush(out);
    dot = r.to;
}

static void
join_lines(struct range r)
{
    char joined[MAX_LINE] = "";

    if (!r.given)
        r.to = r.from + 1;
    if (r.to > nlines) {
        complain("there is no line to join");
        return;
    }
    for (size_t n = r.from; n <= r.to; n++)
        if (strlcat(joined, line_at(n), sizeof(joined)) >= sizeof(joined)) {
            complain("the line would be too long");
            return;
        }
    delete_lines(r.from, r.to);
    insert_line(r.from - 1, joined);
}

/* Move lines behind another, which is not one of them. */
static void
move_lines(const char *s, struct range r)
{
    struct range to;
    size_t count = r.to - r.from + 1, target;

    if (!take_range(&s, &to))
        return;
    target = to.to;
    if (target >= r.from && target <= r.to) {
        complain("the lines cannot move into themselves");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t n = target < r.from ? r.from + i : r.from;
        char *copy = strdup(line_at(n));

        if (copy == NULL)
            fatal("%r");
        delete_lines(n, n);
        insert_line(target < r.from ? target + i : target - 1, copy);
        free(copy);
    }
}

/* g/pattern/command: lines that fit are found first, as commands move them.
 * Only what changes no numbers but its own is allowed. */
static void
for_each(const char *s, struct range r)
{
    const char *pattern, *command;
    size_t start, end, last = r.to, before;
    char delimiter = *s++;

    pattern = delimiter != '\0' ? take_pattern(&s, delimiter) : NULL;
    if (pattern == NULL)
        return;
    command = *s != '\0' ? s : "p";
    if (strchr("dpns", *command) == NULL) {
        complain("only d, p, n and s after g/pattern/");
        return;
    }
    pattern = strdup(pattern); /* s may have one of its own */
    for (size_t n = r.from; n <= last && pattern != NULL;) {
        before = nlines;
        if (regex_match(pattern, line_at(n), true, &start, &end)) {
            dot = n;
            do_command(command);
        }
        if (nlines < before)
            last--;
        else
            n++;
    }
    free((char *)pattern);
}

void
do_line_command(char letter, const char *s, struct range r)
{
    switch (letter) {
    case 'c':
        delete_lines(r.from, r.to);
        add_text(r.from - 1);
        break;
    case 'd': delete_lines(r.from, r.to); break;
    case 'g':
        if (!r.given)
            r = (struct range){ 1, nlines, true };
        for_each(s, r);
        break;
    case 'j': join_lines(r); break;
    case 'm': move_lines(s, r); break;
    case 'n':
    case 'p': show_lines(r, letter == 'n'); break;
    default: substitute(s, r);
    }
}
