/*
 * srv.h - contents page of lib9p, the library of 9P file servers.
 *
 * A file server is its callbacks (struct srv_ops); everything about messages,
 * fids, tags and flushes is done here.  Most servers do not even write those:
 * a tree of files in memory (tree.h) has them all, and asks only for the
 * contents of files.
 *
 * One struct conn is one connection: any descriptor that carries bytes both
 * ways.  Without `parallel` one process does everything and the callbacks
 * need no locks.  With it each request runs in a process of its own (they
 * share memory), so that callbacks may block; a Tflush interrupts them.
 *
 * Callbacks return 0 or -E_...; with -E_REMOTE errstr() is the text.
 */
#pragma once

#include "lib/lux.h"
#include <lux/fcall.h>

struct conn;
struct req;

/* ---- table.c: numbers to things ---- */

struct slot { /* embedded in the thing */
    uint32_t key;
    struct slot *next;
};

struct table { /* all zero: empty */
    struct slot **bucket;
    unsigned nbucket; /* 0 or a power of 2 */
    unsigned count;
};

struct slot *table_find(const struct table *t, uint32_t key);
struct slot *table_next(const struct slot *s);
int table_add(struct table *t, struct slot *s);
void table_remove(struct table *t, struct slot *s);
struct slot *table_take(struct table *t, unsigned *from);
void table_free(struct table *t);

/* ---- what a server is made of ---- */

enum {
    SRV_MSIZE = 65536 + IOHDRSZ, /* own maximum, if the server names none */
    SRV_MSIZE_MIN = 256,         /* smaller sessions are refused */
    SRV_PENDING = 64,            /* requests unanswered at a time */
    SRV_FIDS = 1 << 18,          /* fids of one connection */
    SRV_USER = 32,               /* bytes of a user's name, with its NUL */
};

enum {
    NOT_OPEN = 0xff
}; /* in fid->mode, which is a Topen's mode else */

/*
 * A fid: one client's hand on one file.  Once open it is not changed but for
 * dirpos and cursor, which one read at a time uses.
 */
struct fid {
    struct slot slot; /* key: its number; in conn->fids */
    struct conn *conn;
    uint32_t ref;  /* [conn->lock] the table's, and each request's */
    bool listed;   /* [conn->lock] in the table */
    bool changing; /* [conn->lock] a request moves or opens it */
    uint8_t mode;  /* NOT_OPEN, or as opened */
    struct qid qid;
    char user[SRV_USER];
    uint64_t dirpos; /* where the next read of the directory begins */
    void *aux;       /* the server's */
    void *cursor;    /* the same, for reading a directory */
};

/*
 * What a server does.  The library has checked the message, the fid, and what
 * follows from the fid's state alone; permissions are the server's business.
 * attach, clone, walk and open must be there; what else is left out is refused
 * (flush and release: not needed).
 */
struct srv_ops {
    /* f is new, f->user set: set f->qid and f->aux to the root. */
    int (*attach)(struct fid *f, const char *aname);
    /* to is a copy of from, aux too: make aux its own. */
    int (*clone)(struct fid *from, struct fid *to);
    /* Move f, which nobody else sees, to `name` in it; "..": its parent. */
    int (*walk)(struct fid *f, const char *name);
    /* Open f as mode says; may change f->qid. */
    int (*open)(struct fid *f, unsigned mode);
    /* Make a file in f and let f stand for it, open; sets f->qid. */
    int (*create)(
            struct fid *f, const char *name, unsigned mode, uint32_t perm);
    /*
     * Up to r->t.count bytes from r->t.offset: set r->r.count and r->r.data,
     * which is req_room(r), or memory whose FCALL_DATA bytes in front may be
     * overwritten for a moment.  Directories: whole packed entries, as many as
     * fit; -E_SHORTSTAT if there is one more but not even that one fits, and
     * then the next read begins at it.
     */
    int (*read)(struct req *r, struct fid *f);
    /* Take r->t.data; set r->r.count to how much was written. */
    int (*write)(struct req *r, struct fid *f);
    /* Fill d; its strings live at least until strs (STAT_MAX bytes) does. */
    int (*stat)(struct fid *f, struct dir *d, char *strs);
    int (*wstat)(struct fid *f, const struct dir *d);
    int (*remove)(struct fid *f);
    /* The last use of f is over; f->aux is to be given back. */
    void (*release)(struct fid *f);
    /*
     * Only with callbacks that use req_later themselves: the client is
     * tired of r, or gone.  Called once for each such request, by the process
     * that reads the connection.  r may be answered by now, or never have been
     * kept: look for it among those that wait (before this returns it cannot
     * be another).  Answer it soon, since a connection ends only when all are
     * answered; here, if no other process will.
     */
    void (*flush)(struct req *r);
};

enum {
    STAT_MAX = 2048 /* bytes of a packed directory entry */
};

struct server {
    const struct srv_ops *ops;
    uint32_t msize;   /* 0: SRV_MSIZE */
    uint32_t pending; /* 0: SRV_PENDING */
    uint32_t fids;    /* 0: SRV_FIDS */
    bool parallel;
    /*
     * `in` is a line that does not tell when a client goes, and where the next
     * one begins.  A message that has begun and of which no byte arrives for so
     * many nanoseconds ends the session, unless the next client's Tversion has
     * arrived behind it.  0: `in` ends with its client.
     */
    uint64_t stall;
    void *aux; /* the server's */
};

/*
 * Serve one connection, read from `in` and written to `out` (which may be the
 * same), until it ends or the client breaks the rules; all its fids are
 * released then.  0, or -E_... if the connection could not be begun or broke,
 * or a message stalled (-E_TIMEOUT).
 */
int serve(const struct server *s, int in, int out);

/* ---- post.c: servers and those who look for them ---- */

uint32_t srv_now(void);
int srv_post(const char *name, int fd);

/*
 * Go on as a background process that has the returned descriptor to serve.
 * The process that called posts the other end as /srv/name, mounts it on dir
 * (either may be NULL: it does not) and ends; if the mount fails, with words
 * about it.  -E_... if it could not be posted or there is no process.
 */
int srv_background(const char *name, const char *dir);

/* ---- req.c: the life of a request ---- */

enum req_state {
    REQ_FREE,    /* in conn->free, or its message is being read */
    REQ_RUNNING, /* its handler runs */
    REQ_PENDING, /* [conn->lock] listed in conn->tags until it is answered */
};

enum {
    REQ_LATER = 1
}; /* a handler returns it in place of 0: req_answer comes later */

struct req {
    struct slot slot; /* key: the tag; in conn->tags while pending */
    struct conn *conn;
    struct req *next; /* [conn->lock] of a list: free, work, waiting */
    enum req_state state;
    bool flushed;        /* [conn->lock] a Tflush waits for it */
    bool dropped;        /* [conn->lock] its session is over: no answer */
    uint32_t worker;     /* [conn->lock] the process that runs it, or 0 */
    struct req *waiting; /* [conn->lock] Tflushes of it, oldest first */
    struct fid *fid;     /* of the message, with a reference; or NULL */
    bool claimed;        /* fid->changing is this request's */
    struct fcall t;      /* what was asked */
    struct fcall r;      /* what is to be answered */
    uint8_t *buf;        /* conn->own bytes for the message, then the answer;
                             and STAT_MAX */
    size_t have;         /* bytes of buf that were read */
};

/* Where a read may put its data: room for all that may be asked. */
static inline uint8_t *
req_room(struct req *r)
{
    return r->buf + FCALL_DATA;
}

/* Where a directory entry may be packed: STAT_MAX bytes. */
uint8_t *req_stat_room(struct req *r);

/* A process that answers later shares memory and descriptors with the one that
 * reads the connection, and outlives the note that a write to one who has gone
 * brings. */
int req_later(struct req *r);
void req_answer(struct req *r, int err);

/* ---- conn.c: a connection ---- */

enum {
    LINE_TAIL = 48 /* bytes of the longest Tversion that line.c looks for */
};

struct line_tail { /* the end of a message: its last n bytes */
    size_t n;
    uint8_t bytes[LINE_TAIL];
};

struct conn {
    struct server server; /* its numbers made whole */
    int in, out;
    uint32_t own;   /* own message size: every buffer's */
    uint32_t msize; /* as agreed; own before */
    bool session;   /* a Tversion was answered with VERSION_9P */
    struct req *reading;

    struct qlock writing; /* one answer at a time; taken before lock */
    struct qlock lock;    /* what follows */
    bool broken;          /* no answer can be written any more */
    struct table fids;
    struct table tags; /* requests pending */
    unsigned nfid;     /* alive, listed or not */
    struct req *free;
    unsigned later; /* were pending, and are not quite over */
    bool draining;  /* quiet is waited for */
    uint32_t quiet; /* semaphore: later has become 0 */

    /* work.c */
    struct req *work, **work_end; /* to be run */
    unsigned nwork, idle, workers;
    bool ending;
    uint32_t todo; /* semaphore: the length of work */
    uint32_t gone; /* semaphore: workers that ended */

    struct line_tail *tail; /* line.c: server.stall alone has it */
};

/* ---- inside the library ---- */

/* fid.c */
struct fid *fid_new(struct conn *c);
int fid_get(struct conn *c, uint32_t number, struct fid **out);
bool fid_listed(struct conn *c, uint32_t number); /* is there such a fid now? */
int fid_list(struct fid *f, uint32_t number);
void fid_unlist(struct fid *f);
bool fid_forget(struct conn *c, uint32_t number);
bool fid_claim(struct fid *f);
void fid_unclaim(struct fid *f);
void fid_put(struct fid *f);
void fid_drop_all(struct conn *c);

/* req.c */
struct req *req_new(struct conn *c);
void req_free(struct req *r);
struct req *req_find(struct conn *c, uint32_t tag);

/* flush.c */
void req_drop_all(struct conn *c);
int do_flush(struct req *r);

/* handle.c: what each T-message does */
void req_handle(struct req *r);
void req_run(struct req *r);

/* session.c, walk.c, open.c, io.c: handlers */
int do_version(struct req *r);
int do_auth(struct req *r);
int do_attach(struct req *r);
int do_walk(struct req *r);
int do_open(struct req *r);
int do_create(struct req *r);
int do_read(struct req *r);
int do_write(struct req *r);
int do_clunk(struct req *r);
int do_remove(struct req *r);
int do_stat(struct req *r);
int do_wstat(struct req *r);

/* work.c: requests in processes of their own */
int work_add(struct req *r);
void work_interrupt(struct req *r);
void work_end(struct conn *c);

/* line.c: clients that come and go unseen */
int64_t line_read(struct req *r, size_t n);
void line_keep_tail(const struct req *r, size_t n);
bool line_next_client(struct req *r, int64_t n);

/* process.c */
void work_begin(void);
int work_start(void (*run)(struct conn *), struct conn *c);
void work_calm(void);
int64_t work_read(int fd, void *buf, size_t n, uint64_t limit);

/* Fail with a text that err.def lacks. */
int srv_error(const char *text);
