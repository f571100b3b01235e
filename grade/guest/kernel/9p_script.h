/*
 * 9p_script.h - a 9P server for tests that says what it is told to say.
 *
 * It is a device whose only file is the stream of a connection.  What the
 * mount driver sends is kept in script.sent; what it reads are script.bytes,
 * at most script.piece of them at a time.  With script.answer set that
 * function is asked for the answer to each message.
 */
#pragma once

#include "9p/mnt.h"
#include "9p/private.h"

enum {
    SCRIPT_SENT = 64,
    SCRIPT_ROOM = 8192
};

static struct {
    struct chan *chan;
    struct conn *conn;
    struct block *sent[SCRIPT_SENT]; /* messages, oldest first */
    unsigned nsent;
    uint8_t bytes[SCRIPT_ROOM];
    size_t have, taken;
    size_t piece;       /* bytes of one read; 0: any */
    unsigned interrupt; /* so many reads end by a note when nothing is there */
    unsigned nomem;     /* so many, then, for want of memory */
    void (*answer)(const struct fcall *t, struct fcall *r);
    unsigned reads;
    uint64_t blocks; /* of the heap, when it began */
} script;

/* The server says these bytes. */
[[maybe_unused]] static void
script_say(const void *bytes, size_t n)
{
    CHECK_LE(script.have + n, SCRIPT_ROOM);
    memcpy(script.bytes + script.have, bytes, n);
    script.have += n;
}

/* An answer of a head and nothing else, or with data that are packed. */
[[maybe_unused]] static void
script_head(uint8_t type, uint16_t tag)
{
    uint8_t b[7] = { 7, 0, 0, 0, type, (uint8_t)tag, (uint8_t)(tag >> 8) };

    script_say(b, 7);
}

[[maybe_unused]] static void
script_fcall(const struct fcall *f)
{
    static uint8_t buf[4096];
    int64_t n = fcall_pack(f, buf, sizeof buf);

    CHECK_GT(n, 0);
    if (n > 0)
        script_say(buf, (size_t)n);
}

/* The answer to message t, as script.answer wants it; type 0: none yet. */
static void
script_answer(struct block *b)
{
    static uint8_t copy[4096];
    struct fcall t, r = { 0 };

    CHECK_LE(b->len, sizeof copy);
    memcpy(copy, b->data, b->len);
    CHECK_EQ(fcall_unpack(copy, b->len, &t), 0);
    r.tag = t.tag;
    r.type = t.type + 1;
    script.answer(&t, &r);
    if (r.type != 0)
        script_fcall(&r);
}

static int64_t
script_bwrite(struct chan *c, struct block *b)
{
    int64_t n = (int64_t)b->len;

    (void)c;
    if (script.answer)
        script_answer(b);
    if (script.nsent < SCRIPT_SENT)
        script.sent[script.nsent++] = b;
    else
        block_free(b);
    return n;
}

static int64_t
script_bread(struct chan *c, size_t max, struct block **out)
{
    size_t n = script.have - script.taken;
    struct block *b;

    (void)c;
    script.reads++;
    if (n == 0 && script.interrupt > 0) {
        script.interrupt--;
        return -E_INTR;
    }
    if (n == 0 && script.nomem > 0) {
        script.nomem--;
        return -E_NOMEM;
    }
    if (n == 0)
        return 0;
    if (script.piece && n > script.piece)
        n = script.piece;
    b = block_new(n < max ? n : max);
    if (!b)
        return -E_NOMEM;
    memcpy(b->data, script.bytes + script.taken, n);
    b->len = n;
    script.taken += n;
    if (script.taken == script.have)
        script.taken = script.have = 0;
    *out = b;
    return (int64_t)n;
}

static const struct dev script_dev = { .letter = 'S',
    .name = "script",
    .bread = script_bread,
    .bwrite = script_bwrite };

/* A connection on the script, with this agreed size; nothing was sent. */
static struct conn *
script_begin(uint32_t msize)
{
    memset(&script, 0, sizeof script);
    script.blocks = kheap_live();
    script.chan = chan_new();
    script.chan->dev = &script_dev;
    chan_set_open(script.chan, ORDWR);
    CHECK_EQ(conn_get(script.chan, &script.conn), 0);
    script.conn->msize = msize;
    return script.conn;
}

/* The type and the tag of message i. */
[[maybe_unused]] static uint8_t
sent_type(unsigned i)
{
    return i < script.nsent ? script.sent[i]->data[4] : 0;
}

[[maybe_unused]] static uint16_t
sent_tag(unsigned i)
{
    const uint8_t *p = i < script.nsent ? script.sent[i]->data : NULL;

    return p ? (uint16_t)(p[5] | p[6] << 8) : NOTAG;
}

/* All is over: the connection frees what it has, and checks itself; and every
 * message, answer and channel was freed by its owner. */
static void
script_end(void)
{
    for (unsigned i = 0; i < script.nsent; i++)
        block_free(script.sent[i]);
    CHECK_EQ(script.chan->ref, 1);
    chan_close(script.chan);
    CHECK_EQ(kheap_live(), script.blocks);
}
