/*
 * hostfs.h - a translator: 9P2000 to programs here, 9P2000.L to a server of
 * files of Linux, which diod is.
 *
 * Of 9P2000.L only what plain 9P2000 can mean is used.  Its messages are in
 * diod's protocol.md; errors are Linux's numbers.
 */
#pragma once

#include "lib/9p/srv.h"

enum { /* types; those of 9P2000 that it keeps are in fcall.h */
    Rlerror = 7,
    Tlopen = 12,
    Tlcreate = 14,
    Trename = 20,
    Tgetattr = 24,
    Tsetattr = 26,
    Treaddir = 40,
    Tmkdir = 72,
};

enum {
    LINK_MSIZE = 8192,
    ROOT_FID = 0,
    HOST_PATH =
            4096,    /* bytes in a path below the root, with its NUL: Linux's */
    HOST_NAME = 256, /* and in a name */
};

/* ---- msg.c: messages ---- */

struct msg { /* being written, or being read */
    uint8_t buf[LINK_MSIZE];
    size_t at, end;
    bool bad; /* it did not fit, or ended too early */
};

void msg_begin(struct msg *m, uint8_t type);
void put(struct msg *m, unsigned bytes, uint64_t n);
void put_bytes(struct msg *m, const void *data, size_t n);
void put_str(struct msg *m, const char *s);
uint64_t get(struct msg *m, unsigned bytes);
const uint8_t *get_bytes(struct msg *m, size_t n);
bool get_string(struct msg *m, char *buf, size_t len);
struct qid get_qid(struct msg *m);
int l_error(uint32_t number); /* Linux's error number as ours: -E_... */

/* ---- link.c: answers find those who wait for them ---- */

struct call {
    bool used;
    bool sleeps;     /* at `wake`; false again when somebody has woken it */
    uint32_t wake;   /* semaphore; may be released once too often */
    uint8_t *answer; /* NULL: none yet; else from malloc */
    size_t len;      /* of answer */
};

struct call *call_new(uint8_t type); /* for such a message; NULL: too many */
void call_free(struct call *c);
uint16_t call_tag(const struct call *c);

/* Send m, all of it, whatever notes come.  0, or the link is broken. */
int call_send(const struct call *c, struct msg *m);

/* Wait for c's answer: 0; -E_INTR, a note came; or the link is broken. */
int call_wait(struct call *c);

void link_use(int fd);

/* ---- rpc.c: a message and its answer; any process may call ---- */

/*
 * Send m, wait for the answer, which replaces it and is ready to be read.
 * 0; the server's error in our words; -E_INTR: flushed, and it has not
 * happened; -E_HUNGUP, -E_BADMSG: the link is of no use any more.
 */
int link_rpc(struct msg *m);

/* Use fd from now on, and agree on the protocol. */
int link_start(int fd);

/* ---- calls.c: requests; what follows the fid has Linux's numbers ---- */

uint32_t l_new_fid(void); /* a number for a fid, never used before */
int l_attach(const char *aname);
int l_walk(uint32_t from, uint32_t to, const char *name, struct qid *qid);
int l_walk_path(const char *path, uint32_t to, struct qid *qid);
int l_stat(uint32_t fid, const char *name, struct dir *d, char *strs);
int l_open(uint32_t fid, uint32_t flags, struct qid *qid);
int64_t l_write(
        uint32_t fid, const uint8_t *data, uint32_t count, uint64_t offset);
void l_clunk(uint32_t fid);

/* The name that the file of this path shows. */
static inline const char *
name_of(const char *path)
{
    return strcmp(path, "/") == 0 ? path : base_name(path);
}

/* ---- tree.c ---- */

/* Attach to the server's tree `aname`; "": the first it has.  0, or -E_... */
int host_attach_tree(const char *aname);

/* ---- ops.c, readdir.c, change.c ---- */

struct node { /* a fid's aux */
    uint32_t fid;
    uint64_t next; /* where the directory goes on, as the server counts */
    struct qlock lock;
    char *path; /* [lock], once others see the fid; from malloc */
};

/* n's path, which another request may change, to path (HOST_PATH bytes). */
void node_path(struct node *n, char *path);

/* n's path is now `path`: 0, or -E_NOMEM and it is as it was. */
int node_set_path(struct node *n, const char *path);

/* path = the path of `name` in the directory dir: 0, or -E_NAMELEN. */
int path_of(char path[HOST_PATH], const char *dir, const char *name);

extern const struct srv_ops host_ops;

int host_read_dir(struct req *r, struct node *n);
int host_wstat(struct fid *f, const struct dir *d);
int host_remove(struct fid *f);

/* Cut the last element off path; the root stays. */
void path_up(char *path);
