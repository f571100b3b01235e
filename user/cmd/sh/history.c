/*
 * history.c - the lines typed so far, the last MAX_LINES of them.
 */
#include "cmd/sh/sh.h"

enum {
    MAX_LINES = 100
};

static char *lines[MAX_LINES]; /* a ring */
static int count;              /* ever added */

/* An empty line is not kept, nor one that repeats the last. */
void
history_add(const char *line)
{
    const char *last = history_line(1);
    char *copy;

    if (line[0] == '\0' || (last != NULL && strcmp(last, line) == 0))
        return;
    copy = strdup(line);
    if (copy == NULL)
        return;
    free(lines[count % MAX_LINES]);
    lines[count++ % MAX_LINES] = copy;
}

const char *
history_line(int back)
{
    if (back < 1 || back > MAX_LINES || back > count)
        return NULL;
    return lines[(count - back) % MAX_LINES];
}

/* history: print them, the oldest first */
void
history_show(char **words)
{
    (void)words;
    for (int back = MAX_LINES; back > 0; back--)
        if (history_line(back) != NULL)
            print("%4d  %s\n", count - back + 1, history_line(back));
}
