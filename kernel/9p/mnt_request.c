/*
 * mnt_request.c - requests: each has a tag, and the tag of an answer finds it
 * again.
 *
 * mnt.h tells a request's life.  Nothing here sleeps; conn->lock is held in
 * all but deliver, which takes it.
 */
#include "9p/mnt.h"

enum {
    SPARE_MAX = 64 /* requests that a connection keeps for later */
};

/* The request that a tag of the server's means; holds conn->lock. */
static struct request *
request_find(const struct conn *conn, uint16_t tag)
{
    return tag == NOTAG ? conn->versioning : idtab_get(&conn->tags, tag);
}

/* A spare request, or a new one. */
static struct request *
request_alloc(struct conn *conn)
{
    struct request *r;

    if (list_empty(&conn->spare))
        return kmalloc(sizeof *r);
    r = LIST_FIRST(&conn->spare, struct request, link);
    list_remove(&r->link);
    conn->nspare--;
    return r;
}

/*
 * The tag of r, which is charged to the connection: the next free one; or, for
 * a Tversion, NOTAG, which costs nothing and makes r conn->versioning.  0;
 * -E_NOMEM: the limit is reached, or no memory, and nothing is charged.
 *
 * Lab 4.6
 */
static int
tag_take(struct conn *conn, struct request *r)
{
    uint32_t tag = NOTAG;
    int err = 0;

    if (r->type == Tversion)
        conn->versioning = r;
    else
        err = conn_charge(conn, CHARGE_TAGS, 1);
    if (err == 0 && r->type != Tversion) {
        err = idtab_take(&conn->tags, NOTAG, r, &tag);
        if (err < 0)
            conn_charge(conn, CHARGE_TAGS, -1);
    }
    r->tag = (uint16_t)tag;
    return err;
}

/*
 * A request with a tag of its own for the message in x, which gets the tag;
 * it refers to x's fids, so that their numbers stay taken as long as it
 * lives.  NULL: no memory, or no tag left.  Holds conn->lock.
 */
struct request *
request_new(struct rpc *x)
{
    struct conn *conn = x->conn;
    struct request *r = request_alloc(conn);

    if (!r)
        return NULL;
    *r = (struct request){ .conn = conn,
        .type = x->f.type,
        .waiter = proc_current(),
        .pid = proc_current()->pid,
        .asked = x->f.type == Twalk ? x->f.nwname : x->f.count,
        .offset = x->f.offset,
        .fid = x->fid,
        .newfid = x->newfid };
    list_init(&r->link);
    if (tag_take(conn, r) < 0) {
        kfree(r);
        return NULL;
    }
    if (r->fid)
        r->fid->ref++;
    if (r->newfid)
        r->newfid->ref++;
    x->f.tag = r->tag;
    return r;
}

/* A Tremove that nobody waits for was flushed, so it has not happened: the
 * fid is there still, and must be clunked; by its channel, if that is there. */
static void
removed_not(struct request *r)
{
    r->fid->gone = false;
    if (r->fid->ref > 1)
        return;
    list_append(&r->conn->owed, &r->fid->link);
    r->fid = NULL; /* its reference is the list's */
}

/*
 * The request is over: its tag is free, its fids are let go, what has come
 * as an answer is freed.  Holds conn->lock.
 */
void
request_free(struct request *r)
{
    struct conn *conn = r->conn;

    list_remove(&r->link);
    if (r->tag == NOTAG) {
        conn->versioning = NULL;
    } else {
        idtab_put(&conn->tags, r->tag);
        conn_charge(conn, CHARGE_TAGS, -1);
    }
    if (r->flush)
        r->flush->flushes = NULL;
    if (r->flushes)
        r->flushes->flush = NULL;
    if (r->type == Tremove && r->flushed && !r->answered && !r->waiter)
        removed_not(r);
    if (r->fid)
        fid_unref_locked(r->fid);
    if (r->newfid)
        fid_unref_locked(r->newfid);
    block_free(r->reply);
    if (conn->nspare < SPARE_MAX) {
        list_append(&conn->spare, &r->link);
        conn->nspare++;
    } else {
        kfree(r);
    }
}

/* Nobody waits for it any more: its answer will free it.  A Tremove may have
 * happened; if it has not, removed_not will know.  Holds conn->lock. */
void
request_abandon(struct request *r)
{
    r->waiter = NULL;
    r->call = NULL;
    if (r->type == Tremove)
        r->fid->gone = true;
    list_remove(&r->link);
    list_append(&r->conn->abandoned, &r->link);
}

void
requests_forget(struct conn *conn)
{
    while (!list_empty(&conn->abandoned))
        request_free(LIST_FIRST(&conn->abandoned, struct request, link));
    while (!list_empty(&conn->owed)) {
        struct fid *f = LIST_FIRST(&conn->owed, struct fid, link);

        list_remove(&f->link);
        fid_unref_locked(f);
    }
}

/* ---- answers: conn->lock is held, but in deliver ---- */

/* The request asked for a new fid: does the answer say that it was made? */
static bool
makes_fid(const struct request *r, struct block *b)
{
    struct fcall f;

    if (!r->newfid || fcall_unpack(b->data, b->len, &f) < 0)
        return false;
    return f.type == Rattach || (f.type == Rwalk && f.nwqid == r->asked);
}

/*
 * The answer of an abandoned request has come: b is not needed.  If it made a
 * fid (makes_fid), nobody has use for that, and the server must be told: r's
 * reference to it goes to conn->owed, to be clunked at the next chance.  Then
 * r is over, unless a Tflush for it is under way, which still needs its tag.
 *
 * Lab 4.9
 */
static void
answer_unwanted(struct request *r, struct block *b)
{
    if (makes_fid(r, b)) {
        list_append(&r->conn->owed, &r->newfid->link);
        r->newfid = NULL; /* its reference is the list's */
    }
    block_free(b);
    if (!r->flush) /* else the tag is taken until the Rflush */
        request_free(r);
}

static void
answer_wanted(struct request *r, struct block *b)
{
    list_remove(&r->link);
    r->reply = b;
    if (r->parked)
        proc_wake_next(r->waiter);
}

/*
 * r, a Tflush, is answered: what it flushed (r->flushes, not NULL) is over,
 * answered or not, and from now on no answer to it may come (flushed).  The two
 * no longer know each other.  If nobody waits for what was flushed it ends here
 * (request_free); else its waiter ends it.
 *
 * Lab 4.9
 */
static void
flush_done(struct request *r)
{
    struct request *old = r->flushes;

    old->flush = NULL;
    old->flushed = true;
    r->flushes = NULL;
    if (!old->waiter)
        request_free(old);
}

/*
 * NULL, or what is wrong with an answer of this type to r, which the tag led
 * to (NULL: to nothing).  The first of these that is true, in these words:
 *
 *      answer with an unknown tag  there is no such request, or nobody has
 *                                  sent it yet
 *      second answer with one tag  it was answered before, or is over since
 *                                  the Rflush (r->flushed)
 *      answer of the wrong type    not the number after the request's, and no
 *                                  Rerror; for a Tflush, which cannot fail,
 *                                  not even that
 *
 * Lab 4.6
 */
static const char *
answer_lie(const struct request *r, uint8_t type)
{
    if (!r || !r->sent)
        return "answer with an unknown tag";
    if (r->answered || r->flushed)
        return "second answer with one tag";
    if (type == r->type + 1 || (type == Rerror && r->type != Tflush))
        return NULL;
    return "answer of the wrong type";
}

/* NULL, or what is wrong with an answer at which nobody else will look, since
 * it comes too late or is an Rflush. */
static const char *
unread_lie(const struct request *r, struct block *b)
{
    struct fcall f;

    if (r->waiter && r->type != Tflush)
        return NULL;
    if (fcall_unpack(b->data, b->len, &f) < 0)
        return "malformed answer";
    return reply_lie(&f, r->asked);
}

/*
 * Match a message from the server, at least FCALL_HEAD bytes, with its request
 * by the tag.  NULL; or the lie (answer_lie; if there is none, unread_lie), and
 * then nothing has changed but that b is freed.
 *
 * The request is answered from then on.  If it flushes another (r->flushes),
 * that is done first (flush_done).  Then who waits for it is woken
 * (answer_wanted); if nobody does it ends here (answer_unwanted).  Takes b and
 * conn->lock.
 *
 * Lab 4.6
 */
const char *
deliver(struct conn *conn, struct block *b)
{
    uint16_t tag = (uint16_t)(b->data[5] | b->data[6] << 8);
    struct request *r;
    const char *lie;

    spin_lock(&conn->lock);
    r = request_find(conn, tag);
    lie = answer_lie(r, b->data[4]);
    if (!lie)
        lie = unread_lie(r, b);
    if (!lie) {
        r->answered = true;
        if (r->flushes)
            flush_done(r);
        if (r->waiter)
            answer_wanted(r, b);
        else
            answer_unwanted(r, b);
    }
    spin_unlock(&conn->lock);
    if (lie)
        block_free(b);
    return lie;
}
