/*
 * walk.h - a path on its way to a channel: its names, and the walk along them.
 * Only names.c, walk.c and name.c include it.
 */
#pragma once

#include "9p/private.h"

/* ---- names.c ---- */

struct names {
    char buf[MAX_PATH];       /* the path, a NUL in place of each '/' */
    uint8_t at[MAX_PATH / 2]; /* where in buf each name begins */
    unsigned n;               /* names, without "." */
    bool dir;                 /* ends in '/' or ".": must be a directory */
};

int names_split(struct names *names, const char *path);

static inline const char *
name_at(const struct names *names, unsigned i)
{
    return names->buf + names->at[i];
}

static inline bool
is_dotdot(const char *name)
{
    return name[0] == '.' && name[1] == '.' && name[2] == '\0';
}

/* ---- walk.c ---- */

struct walk {
    struct chan *c;    /* where it stands: a reference */
    struct path *path; /* how it got there: a reference */
    struct join *join; /* c is the first of these, bound there; or NULL */
};

int walk_start(struct walk *w, const char *path, const char **rest);
void walk_rejoin(struct walk *w);
int walk_follow(struct walk *w);
void walk_move(struct walk *w, struct chan *c, struct path *path);
int step_down(struct walk *w, const char *const names[], unsigned n);
int walk_names(
        struct walk *w, const struct names *names, unsigned i, unsigned n);
void walk_end(struct walk *w);
