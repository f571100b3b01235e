/*
 * mnt_rpc.c - whole calls: a message to the server and its answer, or a note
 * in between.
 *
 * Nothing in here and below knows what the messages mean, except that some
 * make a fid which must be clunked if nobody is there any more to have it.
 */
#include "9p/mnt.h"

/* ---- notes: flush or abandon ---- */

/*
 * A Tflush for r: its request, with a tag of its own, and in *out its message,
 * ready to be sent.  Each of the two requests knows the other (flush,
 * flushes).  NULL: no memory, or no tag left.  Holds conn->lock.
 *
 * Lab 4.9
 */
static struct request *
flush_new(struct request *r, struct block **out)
{
    struct rpc x = { .conn = r->conn,
        .f = { .type = Tflush, .oldtag = r->tag } };
    struct request *q = request_new(&x);

    if (!q)
        return NULL;
    if (request_pack(&x, out) < 0) {
        request_free(q);
        return NULL;
    }
    q->flushes = r;
    r->flush = q;
    return q;
}

/*
 * A note has come while r waited: have the server give r up, and wait until
 * it says so, which may come after r's answer.  A second note ends that wait,
 * too; then the Tflush has no waiter any more (request_abandon), or it is over
 * if it never was sent, or another CPU has its answer by now.  r stays the
 * caller's.  On a broken connection, or without memory for the Tflush, there
 * is nothing to do.
 *
 * Lab 4.9
 */
static void
request_flush(struct request *r)
{
    struct conn *conn = r->conn;
    struct request *q;
    struct block *b;
    int err;

    spin_lock(&conn->lock);
    q = conn->broken ? NULL : flush_new(r, &b);
    spin_unlock(&conn->lock);
    if (!q)
        return;
    err = request_send(q, b);
    if (err == 0)
        err = request_wait(q);
    spin_lock(&conn->lock);
    if (err < 0 && q->sent && !q->answered && !conn->broken)
        request_abandon(q);
    else
        request_free(q);
    spin_unlock(&conn->lock);
}

/*
 * The caller is being killed: the Tflush goes out, and nobody waits for it
 * or for r, which is not the caller's any more.  False: it still is, since
 * the answer was there already, or the connection is broken.  Between looking
 * and abandoning nobody may deliver an answer.
 *
 * Lab 4.9
 */
static bool
request_give_up(struct request *r)
{
    struct conn *conn = r->conn;
    struct request *q = NULL;
    struct block *b;
    bool can;

    spin_lock(&conn->lock);
    can = !r->reply && !conn->broken;
    if (can) {
        q = flush_new(r, &b);
        if (q)
            q->waiter = NULL;
        request_abandon(r);
    }
    spin_unlock(&conn->lock);
    if (q)
        request_send(q, b);
    return can;
}

/*
 * The wait for r is over, one way or another: its answer goes to x if there
 * is one, and r is freed, or abandoned if the server may still use its tag.
 */
static void
request_finish(struct request *r, struct rpc *x)
{
    struct conn *conn = r->conn;
    bool over;

    spin_lock(&conn->lock);
    x->reply = r->reply;
    if (r->type == Tremove) /* any answer but an Rflush alone removes the fid */
        r->fid->gone = r->sent && (x->reply || !r->flushed);
    r->reply = NULL;
    over = !r->sent || r->answered || r->flushed || conn->broken;
    if (over && !r->flush)
        request_free(r);
    else
        request_abandon(r);
    spin_unlock(&conn->lock);
}

/* ---- whole calls ---- */

/*
 * NULL, or what is wrong with the numbers of an answer whose form is right, in
 * these words:
 *
 *      walk of another number of names  Rwalk: `asked` names were to be walked;
 *                                       an answer to none has no qid, to some
 *                                       at least one and at most so many
 *      more data than asked for         Rread: so many bytes were to be read
 *      more written than sent           Rwrite: so many were to be written
 *
 * Lab 4.8
 */
const char *
reply_lie(const struct fcall *f, uint32_t asked)
{
    switch (f->type) {
    case Rwalk:
        if (f->nwqid > asked || (f->nwqid == 0 && asked > 0))
            return "walk of another number of names";
        return NULL;
    case Rread: return f->count > asked ? "more data than asked for" : NULL;
    case Rwrite: return f->count > asked ? "more written than sent" : NULL;
    default: return NULL;
    }
}

/* Understand the answer in x->reply: 0, or an error, and then it is freed. */
static int
reply_read(struct rpc *x, uint32_t asked)
{
    int err = fcall_unpack(x->reply->data, x->reply->len, &x->f);
    const char *lie = err < 0 ? "malformed answer" : reply_lie(&x->f, asked);

    if (!lie && x->f.type != Rerror)
        return 0;
    if (lie) {
        conn_break(x->conn, -E_BADMSG, lie);
        err = conn_error(x->conn);
    } else {
        err = err_from_text(x->f.ename);
    }
    rpc_end(x);
    return err;
}

void
rpc_end(struct rpc *x)
{
    block_free(x->reply);
    x->reply = NULL;
}

/* Make the request for x and send it; NULL, and why in *err. */
static struct request *
rpc_start(struct rpc *x, int *err)
{
    struct conn *conn = x->conn;
    struct request *r;
    struct block *b;

    spin_lock(&conn->lock);
    r = request_new(x);
    if (r)
        r->call = x;
    spin_unlock(&conn->lock);
    if (!r) {
        *err = -E_NOMEM;
        return NULL;
    }
    *err = request_pack(x, &b);
    if (*err == 0)
        *err = request_send(r, b);
    if (*err == 0)
        return r;
    request_finish(r, x);
    rpc_end(x);
    if (conn->broken)
        *err = conn_error(conn);
    return NULL;
}

/* One fid that nobody has needs a Tclunk, which could not be sent before. */
static void
pay_one(struct conn *conn)
{
    struct fid *f = NULL;

    spin_lock(&conn->lock);
    if (!list_empty(&conn->owed)) {
        f = LIST_FIRST(&conn->owed, struct fid, link);
        list_remove(&f->link);
    }
    spin_unlock(&conn->lock);
    if (f)
        fid_clunk(f, CLUNK_ALONE);
}

/* After the wait, which ended with err: the answer, if it has come, understood. */
static int
rpc_result(struct rpc *x, uint32_t asked, int err)
{
    if (x->reply)
        return reply_read(x, asked);
    return x->conn->broken ? conn_error(x->conn) : err;
}

int
rpc_do(struct rpc *x)
{
    struct conn *conn = x->conn;
    struct request *r;
    uint32_t asked;
    int err;

    if (notes_wait(proc_current()))
        return -E_INTR; /* it would only be flushed: no message is begun */
    if (!list_empty(&conn->owed))
        pay_one(conn);
    if (x->fid)
        x->f.fid = x->fid->number;
    if (x->newfid)
        *(x->f.type == Twalk ? &x->f.newfid : &x->f.fid) = x->newfid->number;
    r = rpc_start(x, &err);
    if (!r)
        return err;
    asked = r->asked;
    err = request_wait(r);
    if (err < 0 && !conn->broken) { /* a note, or no memory to read */
        if (notes_waive() < 0) {
            if (request_give_up(r))
                return -E_INTR;
        } else {
            request_flush(r);
            notes_heed();
        }
    }
    request_finish(r, x);
    return rpc_result(x, asked, err);
}

/* There is no Tflush before a version is agreed: a note ends it all. */
int
rpc_version(struct rpc *x)
{
    int err;
    struct request *r = rpc_start(x, &err);

    if (!r)
        return err;
    err = request_wait(r);
    if (err < 0)
        conn_break(x->conn, -E_HUNGUP, NULL);
    request_finish(r, x);
    if (!x->reply && (err == -E_INTR || err == -E_NOMEM))
        return err;
    return rpc_result(x, 0, err);
}

/* The Tclunk could not be sent: somebody else will. */
static void
owe(struct fid *f)
{
    spin_lock(&f->conn->lock);
    if (f->conn->broken)
        fid_unref_locked(f);
    else
        list_append(&f->conn->owed, &f->link);
    spin_unlock(&f->conn->lock);
}

/* A request that clunks f; NULL: no memory. */
static struct request *
clunk_new(struct fid *f, struct block **out)
{
    struct request *r;
    struct rpc x;

    rpc_begin(&x, f->conn, f, Tclunk);
    x.f.fid = f->number;
    spin_lock(&f->conn->lock);
    r = request_new(&x);
    if (r && request_pack(&x, out) < 0) {
        request_free(r);
        r = NULL;
    }
    spin_unlock(&f->conn->lock);
    return r;
}

/* Whatever the answer says the fid is gone; but it must be an answer. */
static void
clunk_answer(struct conn *conn, struct rpc *x)
{
    struct block *b = x->reply;

    if (b && fcall_unpack(b->data, b->len, &x->f) < 0)
        conn_break(conn, -E_BADMSG, "malformed answer");
    rpc_end(x);
}

/* Is there nothing to clunk?  Then the caller's reference is gone. */
static bool
fid_is_over(struct fid *f)
{
    struct conn *conn = f->conn;
    bool over;

    if (!f->gone && !conn->broken)
        return false;
    spin_lock(&conn->lock); /* removed_not may come in between */
    over = f->gone || conn->broken;
    if (over)
        fid_unref_locked(f);
    spin_unlock(&conn->lock);
    return over;
}

void
fid_clunk(struct fid *f, enum clunk_how how)
{
    struct conn *conn = f->conn;
    struct request *r;
    struct rpc answer;
    struct block *b;
    int err;

    if (fid_is_over(f))
        return;
    r = clunk_new(f, &b);
    if (!r) {
        owe(f);
        return;
    }
    if (how == CLUNK_ALONE)
        r->waiter = NULL;
    err = request_send(r, b);
    if (how == CLUNK_WAIT) {
        if (err == 0)
            request_wait(r);
        request_finish(r, &answer);
        clunk_answer(conn, &answer);
    }
    if (err == -E_INTR || err == -E_NOMEM)
        owe(f);
    else
        fid_unref(f);
}
