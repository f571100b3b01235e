/*
 * mnt_input.c - messages out of a stream that comes in any pieces: byte by
 * byte, many messages at once, cut in the middle of a size.
 *
 * As a rule a block holds one whole message, and goes on as it is.  For the
 * rest there is conn->partial, whose room grows with the bytes that are
 * there, never with the number that the server says will come.
 */
#include "9p/mnt.h"

enum {
    FIRST_ROOM = 64 /* of a message that comes in pieces, bytes */
};

/* The most that a message may have. */
static uint32_t
largest(const struct conn *conn)
{
    return conn->msize ? conn->msize : MSIZE_MAX;
}

static int
charge_bytes(struct conn *conn, int64_t n)
{
    int err;

    spin_lock(&conn->lock);
    err = conn_charge(conn, CHARGE_BYTES, n);
    spin_unlock(&conn->lock);
    return err;
}

/* Room for n more bytes in conn->partial: 0, -E_NOMEM. */
static int
make_room(struct conn *conn, size_t n)
{
    struct block *old = conn->partial, *b;
    size_t len = old ? old->len : 0;
    size_t room = 2 * len + FIRST_ROOM;
    int64_t more;

    if (old && len + n <= old->room)
        return 0;
    if (room > largest(conn))
        room = largest(conn);
    if (room < len + n)
        room = len + n;
    more = (int64_t)(room - (old ? old->room : 0));
    if (charge_bytes(conn, more) < 0)
        return -E_NOMEM;
    b = block_new(room);
    if (!b) {
        charge_bytes(conn, -more);
        return -E_NOMEM;
    }
    if (len > 0)
        memcpy(b->data, old->data, len);
    b->len = len;
    block_free(old);
    conn->partial = b;
    return 0;
}

/*
 * How many bytes conn->partial (NULL: none yet) lacks to the next thing that we
 * can know: the size of the message, which is 4 bytes; then its end.  0: it is
 * whole.  -E_BADMSG: that size is impossible (fcall_frame).
 *
 * Lab 4.7
 */
static int64_t
missing(const struct conn *conn)
{
    const struct block *b = conn->partial;
    int64_t size;

    if (!b || b->len < 4)
        return 4 - (b ? (int64_t)b->len : 0);
    size = fcall_frame(b->data, b->len, largest(conn));
    return size < 0 ? size : size - (int64_t)b->len;
}

/*
 * Move n bytes of b, or as many as it has, to the end of conn->partial, for
 * which make_room makes room; b then begins behind them.  0; -E_NOMEM: nothing
 * was moved.
 *
 * Lab 4.7
 */
static int
move(struct conn *conn, struct block *b, size_t n)
{
    struct block *to;

    if (n > b->len)
        n = b->len;
    if (make_room(conn, n) < 0)
        return -E_NOMEM;
    to = conn->partial;
    memcpy(to->data + to->len, b->data, n);
    to->len += n;
    b->data += n;
    b->len -= n;
    return 0;
}

/* A whole message, which is given away: NULL, or what is wrong with it. */
static const char *
hand_out(struct conn *conn, struct block *b)
{
    message_trace(conn, b);
    return deliver(conn, b);
}

/*
 * Use up b's bytes: put them together with what is there of a message, and
 * hand_out each that becomes whole, whose bytes the connection then
 * no longer pays for; the rest waits in conn->partial.  NULL, or what is wrong
 * with the stream, and then no byte more is looked at.  NULL and b has bytes:
 * there was no memory for more of them.  b stays the caller's.
 *
 * Lab 4.7
 */
static const char *
assemble(struct conn *conn, struct block *b)
{
    const char *lie = NULL;

    while (b->len > 0 && !lie) {
        int64_t n = missing(conn);

        if (n > 0 && move(conn, b, (size_t)n) < 0)
            return NULL;
        n = n < 0 ? n : missing(conn);
        if (n < 0)
            return "impossible size of a message";
        if (n == 0) {
            struct block *whole = conn->partial;

            conn->partial = NULL;
            charge_bytes(conn, -(int64_t)whole->room);
            lie = hand_out(conn, whole);
        }
    }
    return lie;
}

/* The bytes that input_add could not look at, if there are any. */
struct block *
input_rest(struct conn *conn)
{
    struct block *b = conn->rest;

    conn->rest = NULL;
    if (b)
        charge_bytes(conn, -(int64_t)b->room);
    return b;
}

int
input_add(struct conn *conn, struct block *b)
{
    const char *lie;

    if (!conn->partial &&
            fcall_frame(b->data, b->len, largest(conn)) == (int64_t)b->len) {
        lie = hand_out(conn, b);
    } else {
        lie = assemble(conn, b);
        if (!lie && b->len > 0) {
            charge_bytes(conn, (int64_t)b->room);
            conn->rest = b;
            return -E_NOMEM;
        }
        block_free(b);
    }
    if (lie)
        conn_break(conn, -E_BADMSG, lie);
    return 0;
}
