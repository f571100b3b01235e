/*
 * mnt_show.c - the 9P messages of a process that have no answer yet, as text
 * for /proc.
 *
 * A line is made with the connection's lock held, so that neither the answer
 * nor the end of the process comes in between; the locks are let go after each
 * line, and after STEP tags without one.  Of a request nobody but the locks'
 * holder is sure that it is still there, so what is kept in between is a place,
 * two numbers.  The data of a Twrite are never shown.
 */
#include "9p/mnt.h"
#include "boot/x86_64/x86.h"

enum {
    STEP = 256 /* tags looked at with the locks held */
};

struct place { /* where the search goes on */
    uint32_t conn, tag;
};

struct text { /* where it goes; what does not fit is counted */
    char *buf;
    size_t room, len;
};

/* A place for n bytes more: *room is what is there of it. */
static char *
end_of(const struct text *t, size_t *room)
{
    *room = t->len < t->room ? t->room - t->len : 0;
    return t->buf + (*room > 0 ? t->len : t->room);
}

static void
add(struct text *t, const char *fmt, ...)
{
    size_t room;
    char *end = end_of(t, &room);
    va_list args;

    va_start(args, fmt);
    t->len += (size_t)vsnprint(end, room, fmt, args);
    va_end(args);
}

/* ---- one line; its conn->lock is held ---- */

/* What the request itself remembers of its message, whose maker is gone. */
static void
add_remembered(struct text *t, const struct request *r)
{
    add(t, "T%s tag %u", fcall_verb(r->type), r->tag);
    if (r->fid)
        add(t, " fid %u", r->fid->number);
    if (r->newfid)
        add(t, " newfid %u", r->newfid->number);
    if (r->flushes)
        add(t, " oldtag %u", r->flushes->tag);
}

static void
add_call(struct text *t, const struct rpc *x)
{
    size_t room;
    char *end = end_of(t, &room);

    t->len += fcall_text(&x->f, end, room);
    if (!x->path)
        return;
    add(t, "  ");
    end = end_of(t, &room);
    t->len += path_text(x->path, end, room);
}

/* Connection, what becomes of it, microseconds since it was sent, message,
 * and the path of the file if there is one. */
static void
add_request(struct text *t, const struct request *r)
{
    uint64_t us = tsc_to_ns(rdtsc() - r->sent_at) / 1000;
    const char *state = !r->waiter ? "abandoned"
                        : r->flush ? "flushing"
                                   : "waiting";

    add(t, "%3u %-9s %11lu ", r->conn->number, state, us);
    if (r->call)
        add_call(t, r->call);
    else
        add_remembered(t, r);
    add(t, "\n");
}

/* ---- finding them ---- */

/* The first connection from this number on; NULL.  Holds conns_lock. */
static struct conn *
conn_from(uint32_t number)
{
    struct conn *best = NULL;

    LIST_EACH(&conns, node)
    {
        struct conn *conn = CONTAINER_OF(node, struct conn, link);

        if (conn->number >= number && (!best || conn->number < best->number))
            best = conn;
    }
    return best;
}

static bool
in_flight(const struct request *r, uint32_t pid)
{
    return r && r->pid == pid && r->sent && !r->answered && !r->flushed;
}

/*
 * The next request of pid's on conn, from the place on, which moves behind what
 * was looked at: at most STEP tags, then the Tversion, which has none.  NULL:
 * there was none.  Holds conn->lock.
 */
static const struct request *
next_request(const struct conn *conn, uint32_t pid, struct place *at)
{
    if (at->conn != conn->number)
        *at = (struct place){ .conn = conn->number };
    for (unsigned i = 0; i < STEP && at->tag < conn->tags.high; i++) {
        const struct request *r = idtab_get(&conn->tags, at->tag++);

        if (in_flight(r, pid))
            return r;
    }
    if (at->tag < conn->tags.high)
        return NULL;
    *at = (struct place){ .conn = conn->number + 1 };
    return in_flight(conn->versioning, pid) ? conn->versioning : NULL;
}

/* One step of the search; false: it is over. */
static bool
step(struct text *t, uint32_t pid, struct place *at)
{
    struct conn *conn;

    spin_lock(&conns_lock);
    conn = conn_from(at->conn);
    if (conn) {
        const struct request *r;

        spin_lock(&conn->lock);
        r = conn->broken ? NULL : next_request(conn, pid, at);
        if (conn->broken)
            *at = (struct place){ .conn = conn->number + 1 };
        if (r)
            add_request(t, r);
        spin_unlock(&conn->lock);
    }
    spin_unlock(&conns_lock);
    return conn;
}

int64_t
messages_text(uint32_t pid, char *buf, size_t n)
{
    struct text t = { .buf = buf, .room = n };
    struct place at = { 0 };
    char user[MAX_NAME];
    int err = proc_user(pid, user);

    if (err < 0)
        return err;
    while (step(&t, pid, &at))
        ;
    return (int64_t)t.len;
}
