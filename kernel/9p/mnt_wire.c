/*
 * mnt_wire.c - a request's message goes out, and its answer is waited for.
 *
 * Blocks change hands with a pipe, uncopied.  Who waits and finds that nobody
 * reads the stream does so for all.
 */
#include "9p/mnt.h"
#include "boot/x86_64/x86.h"

enum {
    LONGEST = 24 /* bytes of a message of numbers alone: Tread has 23 */
};

/* ---- sending ---- */

/* Room for the message, at least its bytes; 0: it cannot be packed. */
static size_t
room_for(const struct fcall *f)
{
    switch (f->type) {
    case Tflush:
    case Topen:
    case Tread:
    case Tclunk:
    case Tremove:
    case Tstat: return LONGEST; /* there is nothing to add up */
    default: return fcall_size(f);
    }
}

/* The message as a block; its data come from x->from. */
int
request_pack(struct rpc *x, struct block **out)
{
    size_t room = room_for(&x->f);
    size_t most = x->conn->msize ? x->conn->msize : MSIZE_MAX;
    struct block *b;
    int err = 0;

    if (room == 0 || room > most)
        return room == 0 ? -E_NAME : -E_TOOBIG;
    b = block_new(room);
    if (!b)
        return -E_NOMEM;
    b->len = (size_t)fcall_pack(&x->f, b->data, room);
    if (x->from)
        err = io_get(x->from, b->data + b->len - x->f.count, x->f.count);
    if (err < 0)
        block_free(b);
    else
        *out = b;
    return err;
}

/* Write what b still has, and step on in it: 1, all; -E_INTR, or what else the
 * device said. */
static int64_t
write_block(struct conn *conn, struct block *b)
{
    int64_t n = 1;

    while (b->len > 0 && n > 0) { /* n tells, not what is left of `from` */
        struct io from = io_kernel(b->data, b->len);

        n = chan_write(conn->chan, &from, 0);
        b->data += n > 0 ? n : 0;
        b->len -= n > 0 ? (size_t)n : 0;
    }
    return n == 0 ? -E_HUNGUP : n;
}

/*
 * The message b has begun to go out, so all of it must: the server would take
 * the next message for its end.  Notes wait meanwhile; a kill does not, and
 * leaves the rest to the connection's next writer.  1, -E_...
 */
static int64_t
write_rest(struct conn *conn, struct block *b)
{
    struct proc *p = proc_current();
    uint32_t waived = p->notes_waived;
    int64_t n = -E_INTR;

    while (n == -E_INTR && notes_waive() == 0)
        n = write_block(conn, b);
    p->notes_waived = waived;
    return n;
}

/* Finish what a killed process has left of its message.  1, all; -E_... */
static int64_t
write_unsent(struct conn *conn)
{
    struct block *b = conn->unsent;
    int64_t n = b ? write_block(conn, b) : 1;

    if (n == -E_INTR || n == -E_NOMEM)
        return n; /* it stays, and nothing of the caller's has gone out */
    conn->unsent = NULL;
    block_free(b);
    return n;
}

/* To a device without bwrite: one message after the other, all of it or
 * nothing; as request_send. */
static int64_t
write_plain(struct conn *conn, struct block *b)
{
    size_t len = b->len;
    int64_t n = qlock_noted(&conn->writing);

    if (n == 0) {
        n = write_unsent(conn);
        if (n > 0)
            n = write_block(conn, b);
        if (n == -E_INTR && b->len < len)
            n = write_rest(conn, b);
        if (n == -E_INTR && b->len < len) {
            conn->unsent = b;
            b = NULL;
            n = 1;
        } else if (n < 0 && b->len < len) {
            n = -E_HUNGUP; /* half a message: there is no way to go on */
        }
        qunlock(&conn->writing);
    }
    block_free(b);
    return n;
}

/* From a device without bread: what there is now. */
static int64_t
read_plain(struct conn *conn, struct block **out)
{
    struct block *b = block_new(PAGE_SIZE);
    struct io to;
    int64_t n;

    if (!b)
        return -E_NOMEM;
    to = io_kernel(b->data, b->room);
    n = chan_read(conn->chan, &to, 0);
    if (n > 0) {
        b->len = (size_t)n;
        *out = b;
    } else {
        block_free(b);
    }
    return n;
}

/*
 * Trace a message of either side: a is its connection (upper half), type and
 * tag (bits 16 and 0); b the eight bytes behind the tag, zeros if it is
 * shorter.
 */
void
message_trace(const struct conn *conn, const struct block *b)
{
    uint64_t body = 0;

    if (!trace_enabled)
        return;
    memcpy(&body, b->data + FCALL_HEAD,
            b->len - FCALL_HEAD < 8 ? b->len - FCALL_HEAD : 8);
    trace_add(TRACE_9P,
            (uint64_t)conn->number << 32 | (uint64_t)b->data[4] << 16 |
                    b->data[6] << 8 | b->data[5],
            body);
}

/* From now on the answer may come: 0, or the connection is broken. */
static int
mark_sent(struct request *r)
{
    struct conn *conn = r->conn;
    int err;

    spin_lock(&conn->lock);
    err = conn->broken;
    if (err == 0) {
        r->sent = true;
        r->sent_at = rdtsc();
        list_append(r->waiter ? &conn->waiting : &conn->abandoned, &r->link);
    } else if (!r->waiter) {
        request_free(r);
    }
    spin_unlock(&conn->lock);
    return err;
}

/* It was not sent after all. */
static void
mark_unsent(struct request *r)
{
    struct conn *conn = r->conn;

    spin_lock(&conn->lock);
    r->sent = false;
    list_remove(&r->link);
    if (!r->waiter)
        request_free(r);
    spin_unlock(&conn->lock);
}

/* ---- waiting: conn->lock is held, request_wait takes it ---- */

/* The next bytes of the stream, in *out: as many, 0 at its end, -E_... */
static int64_t
next_bytes(struct conn *conn, struct block **out)
{
    const struct dev *dev = conn->chan->dev;

    if (conn->rest) {
        *out = input_rest(conn);
        return (int64_t)(*out)->len;
    }
    return dev->bread ? dev->bread(conn->chan, MSIZE_MAX, out)
                      : read_plain(conn, out);
}

/* Read the stream once: 0, -E_INTR, -E_NOMEM, or the connection is broken. */
static int
read_some(struct conn *conn)
{
    struct block *b = NULL;
    int64_t n;

    conn->reader = proc_current();
    spin_unlock(&conn->lock);
    n = next_bytes(conn, &b);
    if (n > 0)
        n = input_add(conn, b);
    else if (n != -E_INTR && n != -E_NOMEM)
        conn_break(conn, -E_HUNGUP, NULL);
    spin_lock(&conn->lock);
    conn->reader = NULL;
    return n < 0 ? (int)n : 0;
}

/*
 * Somebody else reads: sleep (proc_block, interruptible, for "9P answer") until
 * he has our answer, or stops reading.  While we sleep, and only then,
 * r->parked says that we may be woken.  0, -E_INTR; conn->lock is let go and
 * held again.
 *
 * Lab 4.7
 */
static int
wait_for_reader(struct request *r)
{
    int err;

    r->parked = true;
    err = proc_block(&r->conn->lock, "9P answer", PROC_INTERRUPTIBLE, 0);
    spin_lock(&r->conn->lock);
    r->parked = false;
    return err;
}

/*
 * We wait no longer: if nobody reads, one of those who wait and sleep must
 * begin.  Wake one; nobody, if there is none.
 *
 * Lab 4.7
 */
static void
pass_reading(struct conn *conn)
{
    if (conn->reader)
        return;
    LIST_EACH(&conn->waiting, node)
    {
        struct request *r = CONTAINER_OF(node, struct request, link);

        if (r->parked) {
            proc_wake(r->waiter);
            return;
        }
    }
}

/*
 * Wait for the answer of r, which has been sent: 0; -E_INTR, -E_NOMEM: a note
 * came first, or there was no memory to read; else what broke the connection
 * (conn->broken).  Takes conn->lock.  As long as some request waits, one of
 * those who wait reads (read_some), and the others sleep (wait_for_reader).
 * An answer that is there counts, whatever else has happened.  Who leaves lets
 * another read (pass_reading).
 *
 * Lab 4.7
 */
int
request_wait(struct request *r)
{
    struct conn *conn = r->conn;
    int err = 0;

    spin_lock(&conn->lock);
    while (!r->reply && !conn->broken && err == 0)
        err = conn->reader ? wait_for_reader(r) : read_some(conn);
    pass_reading(conn);
    if (r->reply)
        err = 0;
    else if (conn->broken)
        err = conn->broken;
    spin_unlock(&conn->lock);
    return err;
}

/* ---- sending to a server that waits for us ---- */

/*
 * The server does not read, since it waits for room for its answers, and
 * nobody reads those: their waiters have gone.  So we do, who want to send;
 * or, if somebody reads now, leave it to him.  True, for the caller's loop.
 */
static bool
make_way(struct conn *conn)
{
    bool ours;

    spin_lock(&conn->lock);
    ours = !conn->reader && conn->chan->dev->bfull(conn->chan);
    if (ours) {
        read_some(conn);
        pass_reading(conn);
    }
    spin_unlock(&conn->lock);
    if (!ours)
        sched_yield();
    return true;
}

/*
 * Send message b of request r: 0; -E_INTR or -E_NOMEM: nothing was sent; else
 * the connection is broken.  It counts as sent before it is, since the answer
 * may come sooner than the call returns.  A request without a waiter is not
 * the caller's any more.
 */
int
request_send(struct request *r, struct block *b)
{
    struct conn *conn = r->conn;
    const struct dev *dev = conn->chan->dev;
    int64_t n = mark_sent(r);

    if (n < 0) {
        block_free(b);
        return (int)n;
    }
    message_trace(conn, b);
    do
        n = dev->bwrite ? dev->bwrite(conn->chan, b) : write_plain(conn, b);
    while (n == 0 && make_way(conn));
    if (n > 0)
        return 0;
    if (n == -E_INTR || n == -E_NOMEM)
        mark_unsent(r);
    else
        conn_break(conn, -E_HUNGUP, NULL);
    return (int)n;
}
