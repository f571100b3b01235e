/*
 * req.c - the life of a request, all of it.
 *
 *     req_new          req_run            handler returns 0 or an error
 *   FREE ----> (read) ----> RUNNING ----------------------------> answered
 *                              | req_later                            |
 *                              v                                      v
 *                           PENDING ---- req_answer, any process --> FREE
 *
 * While a request is PENDING others are read, so only then can its tag clash
 * with another's, a Tflush name it, or a Tversion drop it.  A Tflush becomes
 * pending itself and waits at the request: after that one's answer come the
 * Rflushes, oldest first.  An answer is always sent, flushed or not: so the
 * client knows what a create or an open that was too quick has left.
 *
 * Order of events at the end, all under conn->writing: the tag is free, then
 * the answer goes out.  A Tflush that finds the tag free therefore gets its
 * Rflush behind the answer.
 */
#include "lib/9p/srv.h"

/* err.def has no number for what went wrong, but here is the text. */
int
srv_error(const char *text)
{
    werrstr("%s", text);
    return -E_REMOTE;
}

/* A request with a buffer, to read a message into; NULL: no memory. */
struct req *
req_new(struct conn *c)
{
    struct req *r;

    qlock(&c->lock);
    r = c->free;
    if (r != NULL)
        c->free = r->next;
    qunlock(&c->lock);
    if (r != NULL)
        return r;
    r = calloc(1, sizeof(*r));
    if (r == NULL || (r->buf = malloc(c->own + STAT_MAX)) == NULL) {
        free(r);
        return NULL;
    }
    r->conn = c;
    return r;
}

/* Where a directory entry may be packed, clear of the answer around it. */
uint8_t *
req_stat_room(struct req *r)
{
    return r->buf + r->conn->own;
}

/* Keep r, which is over, for the next message. */
void
req_free(struct req *r)
{
    struct conn *c = r->conn;

    r->state = REQ_FREE;
    r->flushed = r->dropped = false;
    r->have = 0;
    qlock(&c->lock);
    r->next = c->free;
    c->free = r;
    qunlock(&c->lock);
}

/* The pending request with this tag, or NULL; the caller holds c->lock. */
struct req *
req_find(struct conn *c, uint32_t tag)
{
    struct slot *s = c->tags.count > 0 ? table_find(&c->tags, tag) : NULL;

    return s != NULL ? CONTAINER_OF(s, struct req, slot) : NULL;
}

/*
 * r will be answered by req_answer, perhaps from another process, perhaps
 * before this returns: the caller must not touch r any more and returns
 * REQ_LATER.  0; too many wait already: an error, and r is as it was.
 * Flushes may be twice as many: they must get through when all else waits.
 */
int
req_later(struct req *r)
{
    struct conn *c = r->conn;
    unsigned max = c->server.pending * (r->t.type == Tflush ? 2 : 1);
    int err;

    qlock(&c->lock);
    r->slot.key = r->t.tag;
    err = c->tags.count < max ? table_add(&c->tags, &r->slot)
                              : srv_error("too many requests");
    if (err == 0) {
        r->state = REQ_PENDING;
        c->later++;
    }
    qunlock(&c->lock);
    return err;
}

/* No longer pending; the Tflushes that waited for it. */
static struct req *
req_settle(struct req *r)
{
    struct conn *c = r->conn;
    struct req *waiting;

    if (r->state != REQ_PENDING)
        return NULL;
    qlock(&c->lock);
    if (!r->dropped)
        table_remove(&c->tags, &r->slot);
    r->state = REQ_RUNNING;
    r->worker = 0;
    waiting = r->waiting;
    r->waiting = NULL;
    qunlock(&c->lock);
    return waiting;
}

/* Let go of the fid, before the client can hear that we are done with it. */
static void
req_leave_fid(struct req *r)
{
    if (r->fid == NULL)
        return;
    if (r->claimed)
        fid_unclaim(r->fid);
    fid_put(r->fid);
    r->fid = NULL;
    r->claimed = false;
}

/* The message that answers r, of which the handler has filled its part. */
static void
req_finish(struct req *r, int err)
{
    r->r.type = r->t.type + 1;
    r->r.tag = r->t.tag;
    if (err < 0) {
        r->r.type = Rerror;
        r->r.ename = err == -E_REMOTE ? errstr() : err_wire(err);
    }
}

/* Bytes of *f in buf; one that does not fit becomes an error. */
static int64_t
pack_answer(struct fcall *f, uint8_t *buf, uint32_t msize)
{
    int64_t n = fcall_pack(f, buf, msize);

    if (n > 0)
        return n;
    f->type = Rerror;
    f->ename = err_wire(E_SHORTSTAT);
    return fcall_pack(f, buf, msize);
}

/* Send all n bytes; if that fails nobody will ever hear of us again. */
static void
conn_send(struct conn *c, const uint8_t *buf, int64_t n)
{
    while (n > 0 && !c->broken) {
        int64_t sent = write(c->out, buf, (size_t)n);

        if (sent == -E_INTR)
            continue;
        if (sent <= 0)
            c->broken = true;
        buf += sent;
        n -= sent;
    }
}

/*
 * Send an Rread without copying its data: the header goes in front of them,
 * and what was there is put back.
 */
static void
send_data(struct req *r)
{
    struct fcall head = { .type = Rread, .tag = r->r.tag, .count = r->r.count };
    uint8_t *at = (uint8_t *)r->r.data - FCALL_DATA, kept[FCALL_DATA];
    size_t n = FCALL_DATA + r->r.count;

    memcpy(kept, at, sizeof(kept));
    fcall_pack(&head, at, n);
    conn_send(r->conn, at, (int64_t)n);
    memcpy(at, kept, sizeof(kept));
}

/* Send the answer of r; c->writing is held.  It is packed over the message,
 * which nobody needs any more. */
static void
req_send(struct req *r)
{
    struct conn *c = r->conn;

    if (r->r.type == Rread && r->r.count > 0)
        send_data(r);
    else
        conn_send(c, r->buf, pack_answer(&r->r, r->buf, c->msize));
}

/* Answer the Tflushes of the list, oldest first. */
static void
answer_flushes(struct req *f)
{
    struct req *next;

    for (; f != NULL; f = next) {
        next = f->next;
        req_answer(f, 0);
    }
}

/* One that was pending is over, all of it: who waits for the last is told. */
static void
later_over(struct conn *c)
{
    bool last;

    qlock(&c->lock);
    last = --c->later == 0 && c->draining;
    if (last)
        c->draining = false;
    qunlock(&c->lock);
    if (last)
        semrelease(&c->quiet, 1);
}

/*
 * r is done: with an error, or as its handler left r->r.  Sends the answer,
 * unless the session that asked is over; then r is no more.  If r was pending
 * the connection may be no more either, but for whoever reads it.
 */
void
req_answer(struct req *r, int err)
{
    struct conn *c = r->conn;
    bool later = r->state == REQ_PENDING;
    struct req *waiting;

    assert(r->state != REQ_FREE);
    req_finish(r, err);
    req_leave_fid(r);
    qlock(&c->writing);
    waiting = req_settle(r);
    if (!r->dropped)
        req_send(r);
    qunlock(&c->writing);
    req_free(r);
    answer_flushes(waiting);
    if (later)
        later_over(c);
}
