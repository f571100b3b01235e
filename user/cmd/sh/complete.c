/*
 * complete.c - what a word that is being typed may become: the first word
 * of a command a program of /bin, any other a file.
 */
#include "cmd/sh/sh.h"
#include <lux/utf8.h>

struct choice {
    char dir[MAX_PATH];
    const char *begin; /* of the name in dir, n bytes */
    size_t n;
};

/* Cut the word at the end of text[0..n) in its directory and the rest. */
static bool
choice_of(const char *text, size_t n, struct choice *c)
{
    size_t start = n, slash, before;

    while (start > 0 && strchr(" ;|&<>(=", text[start - 1]) == NULL)
        start--;
    for (slash = n; slash > start && text[slash - 1] != '/'; slash--)
        ;
    c->begin = text + slash;
    c->n = n - slash;
    if (slash - start >= sizeof(c->dir))
        return false;
    memcpy(c->dir, text + start, slash - start);
    c->dir[slash - start] = '\0';
    for (before = start; before > 0 && text[before - 1] == ' '; before--)
        ;
    if (slash == start)
        strcpy(c->dir, before == 0 || strchr(";|&(", text[before - 1]) != NULL
                               ? "/bin"
                               : ".");
    return true;
}

static bool
fits(const struct choice *c, const struct dir *d)
{
    return strncmp(d->name, c->begin, c->n) == 0 &&
           (c->n > 0 || d->name[0] != '.');
}

/* What all that fit have in common behind what is typed. */
static int
common(const struct choice *c, const struct dir *d, int64_t n, char *buf,
        size_t len)
{
    int fitting = 0;

    for (int64_t i = 0; i < n; i++) {
        const char *rest = d[i].name + c->n;
        size_t same = 0;

        if (!fits(c, &d[i]))
            continue;
        if (fitting++ == 0) {
            snprint(buf, len - 1, "%s%s", rest, d[i].mode & DMDIR ? "/" : " ");
            continue;
        }
        while (buf[same] != '\0' && buf[same] == rest[same])
            same++;
        while (same > 0 && utf8_follows((uint8_t)buf[same]))
            same--; /* whole characters */
        buf[same] = '\0';
    }
    return fitting;
}

int
complete(const char *text, size_t n, char *buf, size_t len)
{
    struct choice c;
    struct dir *d = NULL;
    int fitting = 0;
    int64_t count;

    buf[0] = '\0';
    if (!choice_of(text, n, &c))
        return 0;
    count = dir_list(c.dir, &d);
    if (count > 0)
        fitting = common(&c, d, count, buf, len);
    free(d);
    return fitting;
}

void
complete_show(const char *text, size_t n)
{
    struct choice c;
    struct dir *d = NULL;
    int64_t count = choice_of(text, n, &c) ? dir_list(c.dir, &d) : 0;
    int column = 0;

    for (int64_t i = 0; i < count; i++)
        if (fits(&c, &d[i]))
            print("%s%-15s", column > 0 && column % 5 == 0 ? "\n" : "",
                    d[i].name),
                    column++;
    free(d);
}
