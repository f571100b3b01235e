/*
 * 9p.h - contents page of stage 4: channels, name spaces, devices, and what
 * carries them to file servers.
 *
 * A path names a channel through the caller's name space (walk.c), a file
 * descriptor is a process's handle of an open one (fdtable.c), and whatever
 * is done with a channel is done by its device (struct dev).  The mount driver
 * is a device like any other: it turns each operation into a 9P message.
 *
 * Everything here runs in a process and may sleep, unless marked; nobody
 * holds a spinlock while calling a device.
 */
#pragma once

#include "sched/process.h"
#include "9p/queue.h"
#include <lux/file.h>

struct dev;
struct conn;
struct env_group;
struct fd_table;
struct name_space;
struct path;
struct join;

/* ---- chan.c: files as one opener, or one walk, sees them ---- */

enum {
    CHAN_NOT_OPEN = 0xffff, /* mode of a channel that only names a file */
};

enum chan_flags {
    CHAN_OPEN = 1,      /* mode says how; reads and writes may happen */
    CHAN_CEXEC = 2,     /* exec closes it */
    CHAN_ORCLOSE = 4,   /* opened with ORCLOSE: the device removes at close */
    CHAN_CREATE = 8,    /* joined with MCREATE: new files may go here */
    CHAN_MESSAGES = 16, /* a 9P connection runs on it: no plain read, write */
};

/*
 * Letters: [I] set before anybody else sees it, [a] atomic, [l] lock.
 * dev, devno, qid and aux belong to the device.
 */
struct chan {
    const struct dev *dev;  /* [I] */
    uint32_t devno;         /* [I] which instance of the device */
    uint32_t ref;           /* [a] */
    struct qid qid;         /* [I] */
    uint16_t mode;          /* [I] OREAD, OWRITE, ORDWR or CHAN_NOT_OPEN */
    uint16_t flags;         /* [a] CHAN_... */
    struct qlock lock;      /* offset, reading of directories */
    uint64_t offset;        /* [a] where the next read or write begins */
    uint64_t dir_offset;    /* [l] directory: where the last read ended ... */
    uint32_t dir_next;      /* [l] ... and the number of the entry there */
    uint64_t join_offset;   /* [l] union: how far this directory is read */
    uint32_t join_at;       /* [l] union: number of the directory being read */
    struct chan *join_dir;  /* [l] and that directory, open; NULL: none */
    struct join *join;      /* [I] all that is bound here; NULL: nothing */
    struct path *path;      /* [I] how it was reached: for `..` and fd2path */
    uint64_t aux;           /* the device's, a number or a pointer */
    struct conn *conn;      /* [a] the 9P connection that runs on it, or NULL */
    struct chan *next_dead; /* chan.c's, at the end of its life */
};

/* A channel of no device yet, with one reference; NULL: no memory.  Whoever
 * got it from attach or walk must chan_close it. */
struct chan *chan_new(void);
void chan_ref(struct chan *c);

/* One reference fewer; the last one closes at the device.  NULL is legal. */
void chan_close(struct chan *c);

/* Another channel for the same file, not open: 0, or what walk says. */
int chan_clone(struct chan *c, struct chan **out);

bool chan_same_file(const struct chan *a, const struct chan *b);

/* ---- io.c: where a read goes, or where a write comes from ---- */

struct io {
    uint64_t at; /* address in the caller's space, or of the kernel's */
    size_t left; /* bytes that may still be put or got */
    bool user;
};

static inline struct io
io_user(vaddr_t at, size_t n)
{
    return (struct io){ .at = at, .left = n, .user = true };
}

static inline struct io
io_kernel(const void *at, size_t n)
{
    return (struct io){ .at = (uint64_t)at, .left = n };
}

/* Move n bytes (at most io->left) and step on: 0, -E_BADADDR. */
int io_put(struct io *to, const void *src, size_t n);
int io_get(struct io *from, void *dst, size_t n);

/* For read calls of small made-up files: what of the n bytes at text lies at
 * offset and fits, as the result of the call. */
int64_t io_put_text(struct io *to, uint64_t offset, const char *text, size_t n);

/* For writes of commands: all that is left, as a string less one '\n' at its
 * end.  Its length, -E_TOOBIG (room), -E_BADADDR. */
int64_t io_get_text(struct io *from, char *text, size_t room);

/* ---- dev.c: the device switch ---- */

/* One entry of a device's directory, for those that make them up. */
struct devent {
    char name[MAX_NAME];
    struct qid qid;
    uint32_t perm;       /* with DM... bits */
    uint64_t length;     /* bytes */
    char user[MAX_NAME]; /* owner and group; "": the system's, "lux" */
};

enum {
    DEV_SELF = -1,  /* gen: the file c itself */
    DEV_PARENT = -2 /* gen: the directory that c is in; c itself at the root */
};

/* A file of a tree of one level whose root has qid.path 0. */
struct devfile {
    const char *name;
    uint64_t path; /* qid.path, not 0 */
    uint32_t perm; /* 0666 and so on, DMAPPEND, DMEXCL */
    uint64_t length;
    int64_t (*read)(struct chan *c, struct io *to, uint64_t offset);
    int64_t (*write)(struct chan *c, struct io *from, uint64_t offset);
};

/*
 * What a kind of file does.  Each result is a number or -E_...; an operation
 * left out is dev.c's default, dev_... below,
 * or -E_PERM.  Operations of one channel may
 * run at the same time, from several processes.
 */
struct dev {
    char letter;
    const char *name;
    const struct devfile *files; /* the whole tree, for the defaults */
    unsigned nfile;

    /*
     * A tree that changes, for the defaults, in place of files: the entry of
     * directory c that has this name, or with name NULL the i-th, DEV_SELF
     * or DEV_PARENT.  1; 0: there is none (i past the end); -E_...
     */
    int (*gen)(struct chan *c, const char *name, int i, struct devent *e);

    /* Once, in the first process, before any attach. */
    void (*init)(void);

    /* Start at the root named by spec (behind `#x`; "" as a rule): fill the
     * fresh channel's qid, devno, aux.  0. */
    int (*attach)(const char *spec, struct chan *c);

    /*
     * Step down names[0..n-1] from `from`, n at most 16; ".." is the parent,
     * and no name at all makes `to` another channel for the same file.
     * All steps done: `to` (fresh; dev and devno are from's) stands for the
     * last, and n is returned.  k < n steps done: k, at least 1, with
     * qids[0..k-1] set and `to` as it was.  The first step failed: -E_...
     */
    int (*walk)(struct chan *from, struct chan *to, const char *const names[],
            unsigned n, struct qid qids[]);

    /* The directory entry, packed (dir_pack): bytes, or -E_SHORTSTAT. */
    int64_t (*stat)(struct chan *c, uint8_t *buf, size_t n);

    /* Check permission and get ready for mode (O...; never OCEXEC).  May
     * change c->qid and c->aux.  0. */
    int (*open)(struct chan *c, unsigned mode);

    /* For files that stand for another channel (#d, #s): 1 and that one, with
     * a reference, which takes the place of c (closed by the caller); 0:
     * open c as usual.  Called before open, never called if NULL. */
    int (*open_as)(struct chan *c, unsigned mode, struct chan **out);

    /* Make a file in directory c and open it: c becomes that file.  0. */
    int (*create)(
            struct chan *c, const char *name, unsigned mode, uint32_t perm);

    /* The last reference goes, of channels never opened too. */
    void (*close)(struct chan *c);

    /* At most io->left bytes from offset; how many, 0 at the end. */
    int64_t (*read)(struct chan *c, struct io *to, uint64_t offset);
    int64_t (*write)(struct chan *c, struct io *from, uint64_t offset);

    /* Close follows in any case. */
    int (*remove)(struct chan *c);

    /* buf holds one checked entry (dir_check). */
    int (*wstat)(struct chan *c, const uint8_t *buf, size_t n);

    /* Files like queues: pass a block on uncopied, see queue.h:queue_bread.
     * bwrite owns b unless it returns 0: nothing can be written before what
     * is there has been read.  bfull: is there so much to read?  hangup: who
     * waits here, or at the other end, waits no longer, and nobody will. */
    int64_t (*bread)(struct chan *c, size_t max, struct block **out);
    int64_t (*bwrite)(struct chan *c, struct block *b);
    bool (*bfull)(struct chan *c);
    void (*hangup)(struct chan *c);
};

void dev_init(void);                     /* all of devtab */
const struct dev *dev_find(char letter); /* NULL: there is none */

/* `#x` and its spec: the device's root.  0, -E_NODEV, what attach says. */
int dev_start(char letter, const char *spec, struct chan **out);

/* What struct dev says, for c: its device's own function or the default. */
int64_t chan_stat(struct chan *c, uint8_t *buf, size_t n);
int chan_open(struct chan *c, unsigned mode);
int chan_create(struct chan *c, const char *name, unsigned mode, uint32_t perm);
int64_t chan_read(struct chan *c, struct io *to, uint64_t offset);
int64_t chan_write(struct chan *c, struct io *from, uint64_t offset);
int chan_remove(struct chan *c);
int chan_wstat(struct chan *c, const uint8_t *buf, size_t n);

/* The defaults: trees out of files or gen.  Permissions are checked at each
 * step and at open; nothing can be made, removed, changed. */
int dev_attach(const char *spec, struct chan *c); /* refuses a spec */
int dev_walk(struct chan *from, struct chan *to, const char *const names[],
        unsigned n, struct qid qids[]);
int64_t dev_stat(struct chan *c, uint8_t *buf, size_t n);
int dev_open(struct chan *c, unsigned mode);
int64_t dev_read(struct chan *c, struct io *to, uint64_t offset);
int64_t dev_write(struct chan *c, struct io *from, uint64_t offset);
int64_t dev_read_dir(struct chan *c, struct io *to, uint64_t offset);
int64_t dev_pack(struct chan *c, const struct devent *e, uint8_t *buf,
        size_t n); /* as stat */

/*
 * May the running process open a file of this owner, group and mode for
 * `mode` (O...)?  0, -E_PERM.
 */
int perm_check(
        const char *owner, const char *group, uint32_t perm, unsigned mode);

/* The devices; a row of dev.c:devtab each. */
extern const struct dev root_dev;  /* #/  dev_root.c */
extern const struct dev boot_dev;  /* #B  dev_boot.c: the boot archive */
extern const struct dev dup_dev;   /* #d  dev_dup.c */
extern const struct dev pipe_dev;  /* #|  dev_pipe.c */
extern const struct dev cons_dev;  /* #c  dev_cons.c */
extern const struct dev env_dev;   /* #e  dev_env.c */
extern const struct dev srv_dev;   /* #s  dev_srv.c */
extern const struct dev proc_dev;  /* #p  dev_proc.c */
extern const struct dev trace_dev; /* #t  dev_trace.c */
extern const struct dev uart_dev;  /* #u  dev_uart.c */
extern const struct dev mnt_dev;   /* #M  mnt.c */

/* ---- path.c: how a channel was reached ---- */

/* The step to `name` behind up (NULL: a root).  NULL: path_error says why. */
struct path *path_new(struct path *up, const char *name);

/* Why n steps behind up could not be made: -E_NOMEM, or -E_DEPTH (too long a
 * way). */
int path_error(const struct path *up, unsigned n);
void path_ref(struct path *p);
void path_unref(struct path *p);

/* "/dev/cons" as bytes and a NUL, cut to n; the length it would have had. */
size_t path_text(const struct path *p, char *buf, size_t n);
const char *path_last(const struct path *p); /* its last element */

/* ---- name.c, walk.c: from a name to a channel ---- */

enum name_for {
    NAME_ACCESS,   /* stat, wstat: the file, not opened */
    NAME_DIR,      /* chdir: a directory, not opened */
    NAME_OPEN,     /* opened for mode */
    NAME_CREATE,   /* made (perm) and opened for mode */
    NAME_REMOVE,   /* the file itself, even if something is mounted there */
    NAME_BIND_NEW, /* bind's first name: with all that is joined there */
    NAME_BIND_OLD, /* bind's and mount's place, unmount's */
};

/* The file that path means to the caller: 0 and a channel, or -E_... */
int name_open(const char *path, enum name_for why, unsigned mode, uint32_t perm,
        struct chan **out);

/*
 * The same, with the names of path taken from the directory `at` on, whatever
 * path begins with; why is NAME_ACCESS or NAME_CREATE.
 */
int name_open_from(struct chan *at, const char *path, enum name_for why,
        unsigned mode, uint32_t perm, struct chan **out);

/* Another channel for at's own file, not open; or open for mode: 0, -E_... */
int name_again(struct chan *at, struct chan **out);
int name_reopen(struct chan *at, unsigned mode, struct chan **out);

/* ---- namespace.c: what is bound where ---- */

struct name_space *ns_new(void);
struct name_space *ns_copy(struct name_space *from);
void ns_ref(struct name_space *ns);
void ns_unref(struct name_space *ns);

/* Bind `what` (its union, if it is one) at `where`; enum bind_flags.  The
 * caller keeps its references.  0, -E_MOUNT, -E_NOMEM. */
int ns_bind(struct name_space *ns, struct chan *what, struct chan *where,
        unsigned flags);

/* Take `what` (NULL: all) away from `where`.  0, -E_UNMOUNT, -E_UNION. */
int ns_unbind(struct name_space *ns, struct chan *what, struct chan *where);

/* ---- fdtable.c: file descriptors ---- */

struct fd_table *fds_new(void);
struct fd_table *fds_copy(struct fd_table *from);
void fds_ref(struct fd_table *t);
void fds_unref(struct fd_table *t);

/*
 * The open file behind the caller's fd, one reference more.  access: OREAD,
 * OWRITE, ORDWR: must permit that; FD_ANY: open is enough.  0, -E_BADFD,
 * -E_BADUSE.
 */
enum {
    FD_ANY = 4
};
int fd_chan(int fd, struct chan **out, unsigned access);

/* The lowest free fd for c, whose reference it takes if it succeeds;
 * -E_MAXFD, -E_NOMEM. */
int fd_new(struct chan *c);

/* Put c at fd, below MAX_FD_PLACED, as dup does: fd, and c's reference is the
 * table's; -E_BADFD, -E_MAXFD, -E_NOMEM. */
int fd_place(struct chan *c, int fd);

/* Has the table more room than rfork(RFFDG) copies? */
bool fds_too_many(struct fd_table *t);

/* ---- files.c: what a process has of stage 4 ---- */

struct proc_files {          /* [o]; ns, fds, env change under proctab_lock */
    struct fd_table *fds;    /* RFFDG, RFCFDG; these three NULL: it ends */
    struct name_space *ns;   /* RFNAMEG, RFCNAMEG */
    struct env_group *env;   /* RFENVG, RFCENVG */
    struct chan *root, *dot; /* where "/name" and "name" begin */
    char user[MAX_NAME];
    char error[MAX_ERR];          /* text of the last -E_REMOTE */
    struct program_file *program; /* what it runs; NULL: the boot archive's */
    struct program opened;        /* exec's, under way; data NULL: none */
};

static inline struct proc_files *
my_files(void)
{
    return proc_current()->files;
}

/* "lux" owns the system and may do more; "none" has only others' rights. */
#define SYSTEM_USER "lux"
#define NOBODY      "none"

void files_init(void); /* hooks into stage 3; see sched.h:proc_hooks */

/* For /proc: the name space or the open files of process pid as text, of
 * which n-1 bytes and a NUL go to buf: the full length, or -E_NOPROC. */
int64_t ns_text(uint32_t pid, char *buf, size_t n);
int64_t fds_text(uint32_t pid, char *buf, size_t n);

/* mnt_show.c: the same of its 9P messages in flight. */
int64_t messages_text(uint32_t pid, char *buf, size_t n);

/* The user of process pid, -E_NOPROC.  Caller does not hold proctab_lock. */
int proc_user(uint32_t pid, char user[MAX_NAME]);

/* ---- error.c: errors that only a server knows ---- */

/* -E_... if err.def has the string; else -E_REMOTE, and the text is kept
 * for the process. */
int err_from_text(const char *text);

/* What err means, to the running process. */
const char *err_text(int err);

/* ---- wall.c, x86_64/rtc.c: the time of day ---- */

uint64_t wall_ns(void);     /* nanoseconds since 1970 */
void wall_set(uint64_t ns); /* it is so late now */
uint64_t rtc_seconds(void); /* what the battery clock says; takes its time */

/* ---- random.c ---- */

/* Fill what `to` asks for with bytes that nobody can guess: their number, or
 * -E_BADADDR. */
int64_t random_put(struct io *to);

/* ChaCha20's block (RFC 8439, 2.3): key, counter and nonce, all as words. */
void chacha20_block(
        const uint32_t key[8], const uint32_t counter[4], uint32_t out[16]);

/* ---- dev_trace.c: the trace rings, for dev_proc.c too ---- */

struct trace_copy;

/* The events of process pid (0: all) that the rings hold now; kfree it.
 * NULL: no memory. */
struct trace_copy *trace_copy_new(uint32_t pid);

/* As the contents of a file. */
int64_t trace_copy_text(
        const struct trace_copy *copy, struct io *to, uint64_t offset);

/* ---- proc_ctl.c ---- */

/* p, which runs this, ends: nobody waits any longer for it to stop. */
void proc_gone(struct proc *p);
void proc_stop_here(struct proc *p); /* sched.h:proc_hooks.stop; sleeps */

/* ---- dev_env.c: environment groups ---- */

struct env_group *env_new(void);
struct env_group *env_copy(struct env_group *from);
void env_ref(struct env_group *g);
void env_unref(struct env_group *g);

/* ---- mnt.c: the mount driver ---- */

/* The channel that conn runs on is closing (chan_close, before its device
 * closes it): free all of conn.  NULL is legal. */
void conn_free(struct conn *conn);

/*
 * Agree on version and message size on the connection conn (open for reading
 * and writing).  Both may be default: msize 0, version NULL.  The version
 * agreed goes to answer (n bytes).  The msize, or -E_...; -E_MOUNT: the caller
 * alone could answer, and would wait for itself.
 */
int64_t mnt_version(struct chan *conn, uint32_t msize, const char *version,
        char *answer, size_t n);

/* Attach to the tree `aname` of the server at conn, after mnt_version or
 * with its defaults; auth NULL: without.  The root's channel. */
int mnt_attach(struct chan *conn, struct chan *auth, const char *aname,
        struct chan **root);

/* Is c a file of the server at the other end of chan? */
bool mnt_runs_on(const struct chan *c, const struct chan *chan);
