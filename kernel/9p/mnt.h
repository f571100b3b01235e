/*
 * mnt.h - inside of the mount driver: connections, fids and requests.
 *
 * A connection (struct conn) is a byte stream with a 9P server at its other
 * end.  It belongs to the channel that it runs on and lives as long as that;
 * every channel of #M keeps a reference to that channel.
 *
 * A request's life:
 *
 *      request_new    its tag is taken
 *      request_send   SENT: the server may answer; it is in conn->waiting
 *      deliver        the answer is there, whoever read it
 *      request_free   its waiter has used the answer: the tag is free
 *
 * or, if a second note comes, or a kill, while it is SENT:
 *
 *      request_abandon  nobody waits for it any more; it is in
 *                       conn->abandoned, and keeps its tag and its fids ...
 *      deliver          ... until the answer comes, which frees them
 *
 * The first note makes the waiter send a Tflush, a request of its own that
 * refers to the first.  Neither tag is free before both requests are over:
 * the server may look at the old tag until it has answered the Tflush.
 *
 * There is no process that reads the connection.  Of those who wait for
 * answers one reads (conn->reader) and hands out what comes; when its own
 * answer is there it wakes another to go on.
 *
 * Letters: [I] set before anybody else sees it, [l] conn->lock, [r] the
 * reader only, [v] conn->version_lock, [o] who made it or waits for it.
 */
#pragma once

#include "9p/9p.h"
#include <lux/fcall.h>

enum {
    MSIZE_MIN = 512, /* a server that wants less is refused: 16 names that
                        make a path of MAX_PATH must fit into a Twalk */
    MSIZE_DEFAULT = 64 * 1024 + IOHDRSZ, /* 64 KiB in one message */
    MSIZE_MAX = BLOCK_MAX,               /* nobody gets more */

    MAX_BELOW = 2, /* connections that one runs through: each of them is one
                      more rpc_do in an rpc_do, 1.5 KiB of stack */
};

/* ---- ids.c: small numbers that stand for pointers ---- */

struct idtab {
    uintptr_t *slot; /* a pointer, or (odd) the next free number */
    uint32_t room;   /* slots there */
    uint32_t high;   /* numbers ever used */
    uint32_t free;   /* first free one below high; high: none */
    uint32_t used;
};

/* A number below limit for p: 0, or -E_NOMEM. */
int idtab_take(struct idtab *t, uint32_t limit, void *p, uint32_t *id);
void *idtab_get(const struct idtab *t, uint32_t id); /* NULL: not in use */
void idtab_put(struct idtab *t, uint32_t id);
void idtab_free(struct idtab *t);

/* ---- mnt_conn.c: connections, their fids and what they cost ---- */

/*
 * What a connection makes the kernel keep.  Whoever keeps something on behalf
 * of a server or its clients charges it by conn_charge, and nobody else adds
 * up; a budget (now: limits[]) is a limit on these numbers.
 *
 *      FIDS    each struct fid, from fid_new to the last fid_unref
 *      TAGS    each request, from tag_take to request_free: itself, its
 *              message until the device has it, its answer until the waiter
 *              has used it; of each at most msize bytes
 *      BYTES   what has come and is not yet an answer: partial and rest
 *      AHEAD   each block of directory entries that a fid keeps
 *
 * Beside that a connection has itself, its two tables of numbers (which grow
 * with fids and tags), and at most SPARE_MAX free requests.
 */
enum charge {
    CHARGE_FIDS,
    CHARGE_TAGS,
    CHARGE_BYTES,
    CHARGE_AHEAD,
    CHARGE_COUNT
};

struct conn {
    struct list link;     /* conns_lock: in the list of all */
    uint32_t number;      /* [I] devno of its channels */
    struct chan *chan;    /* [I] the stream; not referenced, see above */
    unsigned below;       /* [I] connections that the stream runs through */
    struct qlock writing; /* one message at a time, if the device has no
                              bwrite */
    struct block *unsent; /* [writing] what a killed process left of one */
    struct qlock version_lock;
    uint32_t msize; /* [v] agreed size; 0: nothing agreed yet */

    struct spinlock lock;        /* RANK_MNT */
    int broken;                  /* [l] 0, or -E_...: no more messages */
    const char *why;             /* [l] broken by a lie: which */
    struct proc *reader;         /* [l] who reads the stream now; or NULL */
    struct idtab tags;           /* [l] struct request */
    struct idtab fids;           /* [l] struct fid */
    struct list waiting;         /* [l] requests whose waiter is there */
    struct list abandoned;       /* [l] and those without one */
    struct list spare;           /* [l] requests that are free */
    uint32_t nspare;             /* [l] how many */
    struct list owed;            /* [l] fids to clunk at the next chance */
    struct request *versioning;  /* [l] the Tversion: tag NOTAG */
    uint64_t used[CHARGE_COUNT]; /* [l] */
    struct block *partial;       /* [r] the message being put together */
    struct block *rest;          /* [r] bytes behind it; NULL, unless there was
                                    no memory to look at them */
};

/* A file of the server's, as long as it may know the number. */
struct fid {
    struct list link;    /* [l] in conn->owed, or on no list */
    struct conn *conn;   /* [I] */
    uint32_t number;     /* [I] */
    uint32_t ref;        /* [l] its channel, and each request that names it */
    uint32_t iounit;     /* [o] bytes of one read or write; 0: any */
    bool gone;           /* [l] removed: there is nothing to clunk */
    struct block *ahead; /* [o] mnt_dir.c: entries for the next reads */
};

extern struct spinlock conns_lock; /* RANK_CONNS; before a conn->lock */
extern struct list conns;

/* A new fid with one reference; NULL: no memory, or too many. */
struct fid *fid_new(struct conn *conn);
void fid_unref(struct fid *f);
void fid_unref_locked(struct fid *f); /* holds conn->lock */

/*
 * The one place where a connection pays: n more of `what` (n < 0: fewer).
 * 0; -E_NOMEM: its limit is reached, and nothing is charged.  conn->lock is
 * held.
 */
int conn_charge(struct conn *conn, enum charge what, int64_t n);

/*
 * No message goes in or out any more; every waiter gets this error now, and
 * later callers get it at once.  why: what the server did wrong; NULL: it is
 * gone.
 */
void conn_break(struct conn *conn, int err, const char *why);

/* What callers get from a broken connection. */
int conn_error(struct conn *conn);

/* The connection on chan, a new one if need be: 0, -E_NOMEM, -E_BADUSE (the
 * stream already carries another's messages), -E_MOUNT (MAX_BELOW). */
int conn_get(struct chan *chan, struct conn **out);

/* ---- mnt_request.c: requests and tags; conn->lock is held ---- */

struct request {
    struct list link; /* [l] waiting, abandoned or spare */
    struct conn *conn;
    uint16_t tag;
    uint8_t type;            /* of the T-message */
    bool sent;               /* [l] the server may answer */
    bool answered;           /* [l] it has */
    bool flushed;            /* [l] it has said that it will not */
    bool parked;             /* [l] its waiter sleeps, and could read */
    uint32_t asked;          /* names of a Twalk, count of Tread and Twrite */
    uint64_t offset;         /* Tread, Twrite; for people */
    struct proc *waiter;     /* [l] NULL: abandoned */
    const struct rpc *call;  /* [l] while it waits in rpc_do: all of the
                                message, on its stack; or NULL */
    uint32_t pid;            /* [I] who made it, for people */
    uint64_t sent_at;        /* [l] TSC, for people */
    struct block *reply;     /* [l] the answer */
    struct fid *fid;         /* [I] the message's fid; one reference, or NULL */
    struct fid *newfid;      /* [I] the same for one that it makes */
    struct request *flush;   /* [l] the Tflush of this one, under way */
    struct request *flushes; /* [l] Tflush: of this one */
};

/* A message and its answer, as the operations of the device use them. */
struct rpc {
    struct fcall f; /* the T-message; after rpc_do the R-message */
    struct conn *conn;
    struct fid *fid;         /* what f.fid is, or NULL */
    struct fid *newfid;      /* what the message makes (f.newfid or f.fid) */
    const struct path *path; /* of the file, for people; or NULL */
    struct io *from;         /* the data of a Twrite */
    struct block *reply;     /* what f points to; rpc_end frees it */
};

/* Begin a message; of x->f only what every request records is set, since all
 * of it is much to clear for the few members that one has. */
static inline void
rpc_begin(struct rpc *x, struct conn *conn, struct fid *fid, uint8_t type)
{
    x->f.type = type;
    x->f.nwname = 0;
    x->f.count = 0;
    x->f.offset = 0;
    x->f.data = NULL; /* a Twrite's come from x->from */
    x->conn = conn;
    x->fid = fid;
    x->newfid = NULL;
    x->path = NULL;
    x->from = NULL;
    x->reply = NULL;
}

/*
 * A request for the message in x, which gets a tag; it refers to x's fids, so
 * that their numbers stay taken as long as it lives.  NULL: no memory, or no
 * tag left.
 */
struct request *request_new(struct rpc *x);

/* It is over: its tag is free, its fids are let go. */
void request_free(struct request *r);

/* Nobody waits for it any more: its answer will free it. */
void request_abandon(struct request *r);

/* Free all that nobody waits for; no answer will come. */
void requests_forget(struct conn *conn);

/* A whole message has come; takes b, and conn->lock.  NULL, or what is wrong
 * with it. */
const char *deliver(struct conn *conn, struct block *b);

/* ---- mnt_wire.c: sending and waiting ---- */

/* The message x->f as a block, with the data from x->from: 0, -E_NAME,
 * -E_TOOBIG (msize), -E_NOMEM, -E_BADADDR. */
int request_pack(struct rpc *x, struct block **out);

void message_trace(const struct conn *conn, const struct block *b);

/*
 * Send b, the message of r: 0; -E_INTR or -E_NOMEM: nothing was sent; else
 * the connection is broken.  A request without a waiter is not the caller's
 * any more, whatever comes of it.  Sleeps.
 */
int request_send(struct request *r, struct block *b);

/*
 * Wait for the answer of r, which has been sent: 0; -E_INTR: a note came
 * first; -E_NOMEM: the stream could not be read; else the connection is
 * broken.
 */
int request_wait(struct request *r);

/* ---- mnt_rpc.c: whole calls ---- */

/* NULL, or what is wrong with an answer's numbers. */
const char *reply_lie(const struct fcall *f, uint32_t asked);

/*
 * Send x->f and wait for its answer, which is then in x->f: 0, and rpc_end
 * must follow.  An Rerror's error, -E_INTR or -E_NOMEM (not sent, flushed or
 * abandoned), the connection's error: nothing must follow.  A note that waits
 * already is -E_INTR at once, so that it ends a call of many messages.  The tag
 * and the fids in x->f are filled in here.  Sleeps.
 */
int rpc_do(struct rpc *x);
void rpc_end(struct rpc *x);

/*
 * Send a Tclunk.  wait: until the answer is there, or a note comes.  The
 * caller's reference to f is gone in any case.
 */
enum clunk_how {
    CLUNK_WAIT,
    CLUNK_ALONE
};
void fid_clunk(struct fid *f, enum clunk_how how);

/* A Tversion, the same way, on a connection with nothing agreed. */
int rpc_version(struct rpc *x);

/* ---- mnt_dir.c: directories ---- */

typedef int64_t read_op(struct chan *c, struct io *to, uint64_t offset);

/*
 * Read on in the directory c with Treads (`read`: struct dev's) of at most
 * `most` bytes.  Whole entries; 0: the end, and only then; -E_SHORTSTAT: there
 * is one more, for which `to` has no room; -E_...  The caller holds c->lock.
 */
int64_t mnt_read_dir(struct chan *c, struct io *to, uint64_t offset,
        size_t most, read_op *read);

/* ---- mnt_input.c: what comes from the server ---- */

/*
 * Bytes have come; b is given away.  Hands each whole message to the request
 * that it answers, keeps the rest, and breaks the connection at the first
 * lie.  0; -E_NOMEM: what could not be looked at is conn->rest, which must
 * come here again before any other bytes.  Only the reader calls this,
 * without conn->lock.
 */
int input_add(struct conn *conn, struct block *b);
struct block *input_rest(struct conn *conn); /* NULL, or conn->rest, taken */
