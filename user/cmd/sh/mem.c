/*
 * mem.c - the shell's memory.  A tree and the words that come of it live
 * until their command is done, so they are never freed one by one: a mark is
 * set before the command, and released after it.
 */
#include "cmd/sh/sh.h"

struct chunk {
    struct chunk *older;
    _Alignas(16) char data[];
};

static struct chunk *newest;

struct chunk *
mem_mark(void)
{
    return newest;
}

void
mem_release(struct chunk *mark)
{
    while (newest != mark) {
        struct chunk *older = newest->older;

        free(newest);
        newest = older;
    }
}

void *
mem_alloc(size_t n)
{
    struct chunk *c = calloc(1, sizeof(*c) + n);

    if (c == NULL)
        fatal("%r");
    c->older = newest;
    newest = c;
    return c->data;
}

char *
mem_copy(const char *s, size_t n)
{
    return memcpy(mem_alloc(n + 1), s, n);
}

void
text_add(struct text *t, const char *s, size_t n)
{
    if (t->n + n + 1 > t->room) {
        t->room = (t->n + n + 1) * 2;
        t->s = realloc(t->s, t->room);
        if (t->s == NULL)
            fatal("%r");
    }
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = '\0';
}

void
text_put(struct text *t, char c)
{
    text_add(t, &c, 1);
}

char *
text_done(struct text *t)
{
    char *s = mem_copy(t->s != NULL ? t->s : "", t->n);

    free(t->s);
    *t = (struct text){ 0 };
    return s;
}

/* The old array stays until its mark is released. */
void
list_add(struct list *l, char *s)
{
    if (l->n + 1 >= l->room) {
        int room = l->room * 2 + 8;
        char **v = mem_alloc((size_t)room * sizeof(*v));

        for (int i = 0; i < l->n; i++)
            v[i] = l->v[i];
        l->v = v;
        l->room = room;
    }
    l->v[l->n++] = s;
    l->v[l->n] = NULL;
}
