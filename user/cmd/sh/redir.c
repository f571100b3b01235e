/*
 * redir.c - where a command's descriptors lead.  A child changes its own
 * for good; for a command that the shell runs itself they are saved before
 * and put back after.
 */
#include "cmd/sh/sh.h"

/* The file of one redirection, open; or told, and -1. */
static int
open_target(const struct redir *r, const char *target)
{
    int fd = -1;

    switch (r->kind) {
    case TOK_IN: fd = open(target, OREAD); break;
    case TOK_OUT: fd = create(target, OWRITE, 0666); break;
    case TOK_APPEND:
        fd = open(target, OWRITE);
        if (fd < 0)
            fd = create(target, OWRITE, 0666);
        else
            seek(fd, 0, SEEK_END);
        break;
    case TOK_DUP:
        if (isdigit(target[0]) && target[1] == '\0')
            fd = dup(target[0] - '0', -1);
        else
            werrstr("no file descriptor");
        break;
    default: break;
    }
    if (fd < 0)
        fprint(2, "sh: %s: %r\n", target);
    return fd;
}

/* Remember what fd is; false: there are too many. */
static bool
save(struct saved *s, int fd)
{
    for (int i = 0; i < s->n; i++)
        if (s->at[i].fd == fd)
            return true;
    if (s->n == MAX_SAVED) {
        fprint(2, "sh: too many redirections\n");
        return false;
    }
    s->at[s->n].fd = fd;
    s->at[s->n++].copy = dup(fd, -1);
    return true;
}

/* Do one; false: it failed and was told. */
static bool
redirect_one(const struct redir *r, struct saved *s)
{
    int fd;

    if (s != NULL && !save(s, r->fd))
        return false;
    fd = open_target(r, expand_one(r->target));
    if (fd < 0)
        return false;
    if (fd != r->fd) {
        dup(fd, r->fd);
        close(fd);
    }
    return true;
}

bool
redirect(struct redir *r, struct saved *s)
{
    if (s != NULL)
        s->n = 0;
    for (; r != NULL; r = r->next)
        if (!redirect_one(r, s)) {
            if (s != NULL)
                redirect_undo(s);
            status_set("redirection failed");
            return false;
        }
    return true;
}

void
redirect_undo(struct saved *s)
{
    while (s->n > 0) {
        int fd = s->at[--s->n].fd;
        int copy = s->at[s->n].copy;

        close(fd);
        if (copy >= 0) {
            dup(copy, fd);
            close(copy);
        }
    }
}
