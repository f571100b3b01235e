/*
 * conn.c - one connection from its first byte to its last.
 *
 * Messages arrive in any pieces: a request's buffer fills until a whole
 * message is there, and what came behind it begins the next request's.
 */
#include "lib/9p/srv.h"

enum {
    PIECE = 8192 /* asked for at a time, while a message's length is unknown */
};

/* Fill c.  0, or -E_NOMEM. */
static int
conn_begin(struct conn *c, const struct server *s, int in, int out)
{
    *c = (struct conn){ .server = *s, .in = in, .out = out };
    c->own = c->msize = s->msize;
    c->work_end = &c->work;
    c->reading = req_new(c);
    if (s->stall > 0 && (c->tail = calloc(1, sizeof(*c->tail))) == NULL)
        return -E_NOMEM;
    return c->reading != NULL ? 0 : -E_NOMEM;
}

/* Everything of the connection is given back. */
static void
conn_end(struct conn *c)
{
    c->broken = true;
    req_drop_all(c);
    work_end(c);
    fid_drop_all(c);
    table_free(&c->fids);
    table_free(&c->tags);
    free(c->tail);
    if (c->reading != NULL)
        req_free(c->reading);
    while (c->free != NULL) {
        struct req *r = c->free;

        c->free = r->next;
        free(r->buf);
        free(r);
    }
}

/* Read more of r's message, which is n bytes long (0: unknown yet).  Bytes,
 * 0 at the end, -E_... */
static int64_t
read_piece(struct req *r, int64_t n)
{
    size_t want = n > 0 ? (size_t)n - r->have : r->conn->own - r->have;
    int64_t got;

    if (n == 0 && want > PIECE)
        want = PIECE;
    if (r->conn->server.stall > 0)
        got = line_read(r, want);
    else
        do
            got = read(r->conn->in, r->buf + r->have, want);
        while (got == -E_INTR);
    if (got > 0)
        r->have += (size_t)got;
    return got;
}

/* Bytes of r's message, all of them there; 0 at the end, or -E_... */
static int64_t
read_whole(struct req *r)
{
    for (;;) {
        int64_t n = fcall_frame(r->buf, r->have, r->conn->msize), got;

        if (n < 0 || (n > 0 && r->have >= (size_t)n))
            return n;
        got = read_piece(r, n);
        if (got <= 0)
            return got;
    }
}

/* As read_whole; what a dead client has left on a line is given up. */
static int64_t
read_message(struct req *r)
{
    int64_t n = read_whole(r);

    if (r->conn->server.stall > 0 && n != 0 && line_next_client(r, n))
        n = read_whole(r);
    return n;
}

/* What was read behind r's n bytes begins the next message.  0, -E_NOMEM. */
static int
keep_rest(struct req *r, size_t n)
{
    struct conn *c = r->conn;
    struct req *next;

    c->reading = NULL;
    if (r->have == n)
        return 0;
    next = req_new(c);
    if (next == NULL)
        return -E_NOMEM;
    next->have = r->have - n;
    memcpy(next->buf, r->buf + n, next->have);
    r->have = n;
    c->reading = next;
    return 0;
}

/* Read, unpack and run the next message.  Its bytes, 0 at the end, -E_... */
static int64_t
serve_message(struct conn *c)
{
    struct req *r = c->reading != NULL ? c->reading : req_new(c);
    int64_t n;
    int err;

    if (r == NULL)
        return -E_NOMEM;
    c->reading = r;
    n = read_message(r);
    if (n <= 0)
        return n;
    if (c->server.stall > 0)
        line_keep_tail(r, (size_t)n);
    err = keep_rest(r, (size_t)n);
    if (err < 0) {
        req_free(r);
        return err;
    }
    r->state = REQ_RUNNING;
    r->r = (struct fcall){ 0 };
    err = fcall_unpack(r->buf, (size_t)n, &r->t);
    if (err < 0)
        req_answer(r, err);
    else
        req_run(r);
    return c->broken ? -E_HUNGUP : n;
}

/* *s with the library's numbers where it has none. */
static struct server
with_defaults(const struct server *s)
{
    struct server full = *s;

    if (full.msize == 0)
        full.msize = SRV_MSIZE;
    if (full.msize < SRV_MSIZE_MIN)
        full.msize = SRV_MSIZE_MIN;
    if (full.pending == 0)
        full.pending = SRV_PENDING;
    if (full.fids == 0)
        full.fids = SRV_FIDS;
    return full;
}

/* Serve until the connection ends; see srv.h. */
int
serve(const struct server *s, int in, int out)
{
    struct server full = with_defaults(s);
    struct conn *c = malloc(sizeof(*c)); /* workers share heap, not stack */
    int64_t n;

    if (c == NULL)
        return -E_NOMEM;
    if (full.parallel || full.stall > 0)
        work_begin();
    n = conn_begin(c, &full, in, out);
    if (n == 0) {
        while ((n = serve_message(c)) > 0)
            ;
    }
    conn_end(c);
    free(c);
    return (int)n;
}
