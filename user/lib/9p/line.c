/*
 * line.c - one client after the other on a line that does not tell when one
 * goes: a serial port.
 *
 * A client may die in the middle of a message.  Then either nothing arrives any
 * more, which line_read notices; or the next client's first message, a
 * Tversion, looks like the rest of that one.  That client waits for its answer,
 * so its Tversion is the last that has arrived, and is found from there.
 */
#include "lib/9p/srv.h"

enum {
    VERSION_HEAD = FCALL_HEAD + 4 + 2, /* a Tversion before its string */
    SHARE = 8 /* of server.stall: when what follows an error has arrived */
};

/*
 * Read at most n bytes behind those that r has.  A message that has begun must
 * go on: two silences in a row, each half of server.stall, are -E_TIMEOUT.
 * Two, since a machine that stood still itself finds its own time over, too,
 * and the bytes there when it looks again.
 */
int64_t
line_read(struct req *r, size_t n)
{
    struct conn *c = r->conn;
    uint64_t limit = r->have > 0 ? c->server.stall / 2 : 0;
    int64_t got = work_read(c->in, r->buf + r->have, n, limit);

    if (got == -E_TIMEOUT)
        got = work_read(c->in, r->buf + r->have, n, limit);
    return got;
}

/* Keep the end of r's message of n bytes, which may be more than its client's
 * (line_next_client). */
void
line_keep_tail(const struct req *r, size_t n)
{
    struct conn *c = r->conn;

    c->tail->n = n < LINE_TAIL ? n : LINE_TAIL;
    memcpy(c->tail->bytes, r->buf + n - c->tail->n, c->tail->n);
}

/* Do the n bytes at buf end in a whole Tversion, behind others?  Where it
 * begins; 0: no. */
static size_t
version_at_end(const uint8_t *buf, size_t n)
{
    for (size_t len = VERSION_HEAD + 2; len <= LINE_TAIL && len < n; len++) {
        const uint8_t head[] = { (uint8_t)len, 0, 0, 0, Tversion, 0xff, 0xff };
        const uint8_t *p = buf + n - len;

        if (memcmp(p, head, sizeof(head)) == 0 &&
                p[VERSION_HEAD - 2] == len - VERSION_HEAD &&
                p[VERSION_HEAD - 1] == 0 &&
                memcmp(p + VERSION_HEAD, "9P", 2) == 0)
            return n - len;
    }
    return 0;
}

/* Read on until nothing more arrives; of all that, the end is kept. */
static void
read_to_silence(struct req *r)
{
    struct conn *c = r->conn;
    int64_t got;

    do {
        if (r->have > LINE_TAIL) {
            memmove(r->buf, r->buf + r->have - LINE_TAIL, LINE_TAIL);
            r->have = LINE_TAIL;
        }
        got = work_read(c->in, r->buf + r->have, c->own - r->have,
                c->server.stall / SHARE);
        r->have += got > 0 ? (size_t)got : 0;
    } while (got > 0);
}

/* Is the Tversion at the end of what r has, or has it begun in the message
 * before?  Then r has it alone. */
static bool
keep_version(struct req *r)
{
    const struct line_tail *tail = r->conn->tail;
    uint8_t both[2 * LINE_TAIL];
    size_t n = r->have < LINE_TAIL ? r->have : LINE_TAIL, at;

    memcpy(both, tail->bytes, tail->n);
    memcpy(both + tail->n, r->buf + r->have - n, n);
    n += tail->n;
    at = version_at_end(both, n);
    if (at == 0)
        return false;
    r->have = n - at;
    memcpy(r->buf, both + at, r->have);
    return true;
}

/*
 * What was read for r is a message of n bytes, with others behind it or not; or
 * an error: -E_TIMEOUT, -E_BADMSG.  Does a new client's Tversion follow, of
 * which the beginning was taken for the end of another's message?  Then r has
 * nothing but that.  A message that is whole, with nothing or another whole
 * message behind it, is what it seems.
 */
bool
line_next_client(struct req *r, int64_t n)
{
    size_t at;

    if (n < 0) {
        read_to_silence(r);
        return keep_version(r);
    }
    at = version_at_end(r->buf, r->have);
    if (at == 0 || at >= (size_t)n || r->have == (size_t)n)
        return false;
    r->have -= at;
    memmove(r->buf, r->buf + at, r->have);
    return true;
}
