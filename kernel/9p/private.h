/*
 * private.h - what the files of the name space know of each other and devices
 * need not.
 */
#pragma once

#include "9p/9p.h"

/* chan.c */
void chan_set_open(struct chan *c, unsigned mode);
int chan_walk(struct chan *c, const char *const names[], unsigned n,
        struct qid qids[], struct chan **to);

/* One reference fewer to c, which may be NULL: with the last it joins the list
 * *dead, all of which the caller ends by chans_end. */
void chan_drop(struct chan *c, struct chan **dead);
void chans_end(struct chan *dead);

/* path.c: a step on the way to a channel.  What it holds does not change
 * once more than one refer to it. */
struct path {
    uint32_t ref;      /* [a] */
    uint32_t depth;    /* names before it */
    struct path *up;   /* NULL: a root */
    struct chan *from; /* the place itself, if something is bound there */
    char name[];       /* "/", "#c" of a root */
};

/*
 * The same step when something is bound at `from`: takes both references, if
 * there is memory; else NULL, and neither.
 */
struct path *path_bound(struct path *p, struct chan *from);

/* path_unref, but channels that end with it are added to *dead. */
void path_drop(struct path *p, struct chan **dead);

/* namespace.c: directories (or one file) bound to one place, first to last.
 * A join never changes: bind makes another one. */
struct join_part {
    struct chan *to; /* not open, without a join of its own */
    unsigned flags;  /* MCREATE */
};

struct join {
    uint32_t ref; /* [a] */
    unsigned n;   /* at least 1 */
    struct join_part part[];
};
void join_ref(struct join *j);
void join_unref(struct join *j); /* NULL is legal */

/* join_unref, but channels that end with it are added to *dead. */
void join_drop(struct join *j, struct chan **dead);

/* What is bound at the file of this device and qid.path: a reference, or
 * NULL. */
struct join *ns_joined(struct name_space *ns, const struct dev *dev,
        uint32_t devno, uint64_t path);

bool ns_next_place(struct name_space *ns, uint64_t *serial, struct chan **from,
        struct join **join);

/* fdtable.c */
void fds_close_cexec(struct fd_table *t);
int fd_close(int fd);
int fd_put(struct chan *c, int fd);
int fd_next(int fd);
struct chan *fds_next(struct fd_table *t, int *fd);

/* Is there a channel for which is(c, arg) holds, and which nobody but the one
 * process with this table can use? */
bool fds_holds_alone(struct fd_table *t,
        bool (*is)(const struct chan *, const void *), const void *arg);

/* union.c: entries of all directories of c->join, one after the other. */
int64_t union_read(struct chan *c, struct io *to, bool start);

/* dev_boot.c: the bytes of a file of the boot archive, which stay. */
void boot_file(const struct chan *c, const uint8_t **data, uint64_t *size);

/* program.c */
int program_exec(struct exec_args *args);
void program_exec_done(int err);
int program_open(const char *path, struct program *out);
void program_ref(struct program_file *f);   /* NULL is legal */
void program_unref(struct program_file *f); /* NULL is legal */

/* counters.c: files of dev_cons.c */
enum {
    CPUTIME_LENGTH = 6 * 12
};
int64_t cputime_read(struct chan *c, struct io *to, uint64_t offset);
int64_t sysstat_read(struct chan *c, struct io *to, uint64_t offset);
int64_t sysstat_write(struct chan *c, struct io *from, uint64_t offset);
int64_t swap_read(struct chan *c, struct io *to, uint64_t offset);

/* show.c: one line about an open file; its length. */
int fd_line(int fd, const struct chan *c, char *buf, size_t n);
