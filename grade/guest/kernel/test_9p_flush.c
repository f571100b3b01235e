/*
 * test_9p_flush.c - a note comes while a process waits for a server: nothing
 * is lost, no tag or fid is used for two things at once.
 */
#include "9p_script.h"

/* How the server behaves. */
static struct {
    bool slow_read;  /* a Tread is not answered now */
    bool slow_flush; /* nor is a Tflush */
    bool late;       /* at a Tflush the read is answered first */
    uint16_t read_tag;
} server;

static void
say_read(uint16_t tag)
{
    struct fcall r = { .type = Rread, .tag = tag, .count = 4 };

    r.data = (const uint8_t *)"data";
    script_fcall(&r);
}

static void
answer(const struct fcall *t, struct fcall *r)
{
    switch (t->type) {
    case Tattach: r->qid = (struct qid){ .path = 1 }; break;
    case Topen: r->qid = (struct qid){ .path = 1 }; break;
    case Tread:
        server.read_tag = t->tag;
        if (server.slow_read)
            r->type = 0;
        r->count = 4;
        r->data = (const uint8_t *)"data";
        break;
    case Tflush:
        if (server.late)
            say_read(t->oldtag);
        if (server.slow_flush)
            r->type = 0;
        break;
    default: break;
    }
}

static struct chan *
begin(void)
{
    struct chan *c = NULL;

    memset(&server, 0, sizeof server);
    script_begin(512);
    script.answer = answer;
    CHECK_EQ(mnt_attach(script.chan, NULL, "", &c), 0);
    CHECK_EQ(chan_open(c, OREAD), 0);
    return c;
}

static uint8_t got[16];

static int64_t
read_it(struct chan *c)
{
    struct io to = io_kernel(got, sizeof got);

    memset(got, 0, sizeof got);
    return chan_read(c, &to, 0);
}

static void
end(struct chan *c)
{
    chan_close(c);
    CHECK_EQ(script.conn->tags.used, 0);
    CHECK_EQ(script.conn->fids.used, 0);
    CHECK_EQ(script.conn->used[CHARGE_TAGS], 0);
    CHECK_EQ(script.conn->used[CHARGE_FIDS], 0);
    script_end();
}

/* The server gives the request up: so does the call. */
KTEST(flush_answered)
{
    struct chan *c = begin();

    server.slow_read = true;
    script.interrupt = 1;
    CHECK_EQ(read_it(c), -E_INTR);
    CHECK_EQ(script.nsent, 4);
    CHECK_EQ(sent_type(3), Tflush);
    CHECK_EQ(script.sent[3]->data[7], sent_tag(2));
    CHECK(sent_tag(3) != sent_tag(2));
    CHECK_EQ(script.conn->tags.used, 0);
    server.slow_read = false;
    CHECK_EQ(read_it(c), 4);
    end(c);
}

/* The answer was on its way already: it counts. */
KTEST(flush_too_late)
{
    struct chan *c = begin();

    server.slow_read = server.late = true;
    script.interrupt = 1;
    CHECK_EQ(read_it(c), 4);
    CHECK(memcmp(got, "data", 4) == 0);
    CHECK_EQ(script.conn->tags.used, 0);
    end(c);
}

/* A second note: no process waits any more, and both tags stay taken. */
KTEST(flush_second_note)
{
    struct chan *c = begin();
    uint16_t old, flush;

    server.slow_read = server.slow_flush = true;
    script.interrupt = 2;
    CHECK_EQ(read_it(c), -E_INTR);
    old = sent_tag(2);
    flush = sent_tag(3);
    CHECK_EQ(script.conn->tags.used, 2);
    server.slow_read = server.slow_flush = false;
    CHECK_EQ(read_it(c), 4);
    CHECK(sent_tag(4) != old && sent_tag(4) != flush);
    script_head(Rflush, flush);
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(script.conn->tags.used, 0);
    end(c);
}

/* Answered, but its Tflush is not: the server may still look at the tag. */
KTEST(flush_tag_stays)
{
    struct chan *c = begin();
    uint16_t old, flush;

    server.slow_read = server.slow_flush = true;
    script.interrupt = 2;
    CHECK_EQ(read_it(c), -E_INTR);
    old = sent_tag(2);
    flush = sent_tag(3);
    server.slow_read = false;
    say_read(old);
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(script.conn->tags.used, 2);
    CHECK_EQ(read_it(c), 4);
    CHECK(sent_tag(5) != old && sent_tag(5) != flush);
    script_head(Rflush, flush);
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(script.conn->tags.used, 0);
    end(c);
}

/* Once flushed, no answer to it may come. */
KTEST(flush_is_final)
{
    struct chan *c = begin();

    server.slow_read = true;
    script.interrupt = 1;
    CHECK_EQ(read_it(c), -E_INTR);
    say_read(server.read_tag);
    server.slow_read = false;
    CHECK_EQ(chan_open(c, OREAD), -E_REMOTE);
    CHECK_EQ(script.conn->broken, -E_BADMSG);
    end(c);
}

static void
answer_behind(const struct fcall *t, struct fcall *r)
{
    answer(t, r);
    if (t->type == Tflush) {
        script_head(Rflush, t->tag);
        say_read(t->oldtag);
        r->type = 0;
    }
}

/* Nor before the process that waits has seen that it was. */
KTEST(flush_answer_behind)
{
    struct chan *c = begin();

    script.answer = answer_behind;
    server.slow_read = true;
    script.interrupt = 1;
    CHECK_EQ(read_it(c), -E_REMOTE);
    CHECK_EQ(script.conn->broken, -E_BADMSG);
    end(c);
}

/* The next message after an abandoned read is this one: does it end all? */
static void
late_lie(const void *bytes, size_t n)
{
    struct chan *c = begin();
    uint8_t b[64];

    server.slow_read = server.slow_flush = true;
    script.interrupt = 2;
    CHECK_EQ(read_it(c), -E_INTR);
    memcpy(b, bytes, n);
    b[5] = (uint8_t)sent_tag(b[4] == Rflush ? 3 : 2);
    script_say(b, n);
    server.slow_read = server.slow_flush = false;
    CHECK_EQ(read_it(c), -E_REMOTE);
    CHECK_EQ(script.conn->broken, -E_BADMSG);
    end(c);
}

/* Answers to abandoned requests must be answers, too. */
KTEST(flush_late_lies)
{
    static const uint8_t much[11 + 17] = { 28, 0, 0, 0, Rread, 0, 0, 17 };

    late_lie(much, sizeof much);
    late_lie("\x0b\0\0\0\x75\0\0\x01\0\0\0", 11); /* the data is missing */
    late_lie("\x08\0\0\0\x6d\0\0!", 8);           /* Rflush, and more */
    late_lie("\x09\0\0\0\x6b\0\0\x01\0", 9);      /* Rerror, cut off */
}

/* The server goes while the Tflush waits. */
KTEST(flush_hangup)
{
    struct chan *c = begin();

    server.slow_read = server.slow_flush = true;
    script.interrupt = 1;
    CHECK_EQ(read_it(c), -E_HUNGUP);
    CHECK_EQ(script.conn->tags.used, 0);
    CHECK_EQ(read_it(c), -E_HUNGUP);
    end(c);
}

/* A process that is being killed waits for nothing. */
KTEST(flush_when_killed)
{
    struct chan *c = begin();

    server.slow_read = server.slow_flush = true;
    script.interrupt = 1;
    proc_current()->note_bits |= NOTE_BIT_KILL;
    CHECK_EQ(read_it(c), -E_INTR);
    proc_current()->note_bits &= ~(uint32_t)NOTE_BIT_KILL;
    CHECK_EQ(sent_type(3), Tflush);
    CHECK_EQ(script.conn->tags.used, 2);
    script_head(Rflush, sent_tag(3));
    server.slow_read = server.slow_flush = false;
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(script.conn->tags.used, 0);
    end(c);
}

/* ---- what an abandoned walk has made ---- */

static struct qid walk_qid = { .path = 5 };

/* A walk that two notes end; the tag of its Twalk and of its Tflush. */
static void
abandon_walk(struct chan *c, uint16_t *walk, uint16_t *flush)
{
    struct rpc x = { .conn = script.conn,
        .fid = (struct fid *)c->aux,
        .newfid = fid_new(script.conn),
        .f = { .type = Twalk, .nwname = 1, .wname = { "name" } } };

    script.answer = NULL;
    script.interrupt = 2;
    CHECK_EQ(rpc_do(&x), -E_INTR);
    script.answer = answer;
    fid_unref(x.newfid);
    *walk = sent_tag(2);
    *flush = sent_tag(3);
    CHECK_EQ(script.conn->fids.used, 2);
}

/* It has succeeded: the fid is there, without a channel, so it is clunked. */
KTEST(flush_walk_succeeds)
{
    struct fcall r = { .type = Rwalk, .nwqid = 1, .wqid = { walk_qid } };
    struct chan *c = begin();
    uint16_t flush;

    abandon_walk(c, &r.tag, &flush);
    script_fcall(&r);
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(script.conn->fids.used, 2);
    script_head(Rflush, flush);
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(sent_type(5), Tclunk);
    CHECK_EQ(script.sent[5]->data[7], script.sent[2]->data[11]);
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(script.conn->fids.used, 1);
    CHECK_EQ(script.conn->tags.used, 0);
    end(c);
}

/* It has failed, or was flushed: there is nothing to clunk. */
KTEST(flush_walk_fails)
{
    struct fcall r = { .type = Rerror, .ename = "no" };
    struct chan *c = begin();
    uint16_t flush;

    abandon_walk(c, &r.tag, &flush);
    script_fcall(&r);
    script_head(Rflush, flush);
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(script.conn->fids.used, 1);
    CHECK_EQ(script.nsent, 6);
    end(c);
}

/* How many of the messages sent are Tclunks of this fid. */
static unsigned
clunks_of(uint32_t fid)
{
    unsigned n = 0;

    for (unsigned i = 0; i < script.nsent; i++)
        n += sent_type(i) == Tclunk && script.sent[i]->data[7] == fid;
    return n;
}

/* An abandoned Tremove, on a channel of its own, and then its
 * Rflush, alone: before or after the channel is closed. */
static void
remove_flushed(bool before)
{
    struct chan *c = begin(), *d = NULL;
    uint32_t fid;

    CHECK_EQ(chan_walk(c, NULL, 0, NULL, &d), 0);
    if (!d)
        return;
    fid = ((struct fid *)d->aux)->number;
    script.answer = NULL;
    script.interrupt = 2;
    CHECK_EQ(chan_remove(d), -E_INTR);
    CHECK(((struct fid *)d->aux)->gone);
    CHECK_EQ(sent_type(4), Tflush);
    script.answer = answer;
    if (!before)
        chan_close(d);
    script_head(Rflush, sent_tag(4));
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(clunks_of(fid), 0);
    if (before)
        chan_close(d);
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(clunks_of(fid), 1);
    CHECK_EQ(script.conn->fids.used, 1);
    end(c);
}

/* It has not happened, so the fid is clunked; once. */
KTEST(flush_remove)
{
    remove_flushed(true);
    remove_flushed(false);
}

/* No memory to read, and no answer: the request is flushed, or abandoned. */
KTEST(flush_no_memory_to_read)
{
    struct chan *c = begin();

    server.slow_read = true;
    script.nomem = 1;
    CHECK_EQ(read_it(c), -E_NOMEM);
    CHECK_EQ(sent_type(3), Tflush);
    CHECK_EQ(script.conn->tags.used, 0);
    server.slow_flush = true;
    script.nomem = 2;
    CHECK_EQ(read_it(c), -E_NOMEM);
    CHECK_EQ(script.conn->tags.used, 2);
    script_head(Rflush, sent_tag(5));
    server.slow_read = false;
    CHECK_EQ(read_it(c), 4);
    CHECK_EQ(script.conn->tags.used, 0);
    end(c);
}

/*
 * Memory runs out at any moment of a read: the caller hears just that, and the
 * next one finds the stream in order.
 */
KTEST(flush_no_memory)
{
    struct chan *c = begin();
    unsigned failures = 0;

    script.piece = 9;
    for (unsigned n = 1; n < 12; n++) {
        int64_t err;

        page_fail_at(n);
        err = read_it(c);
        page_fail_at(0);
        CHECK(err == 4 || err == -E_NOMEM);
        failures += err != 4;
        CHECK_EQ(script.conn->broken, 0);
        CHECK_EQ(read_it(c), 4);
        CHECK(memcmp(got, "data", 4) == 0);
    }
    CHECK_GE(failures, 1); /* a message that came later counts */
    CHECK_EQ(script.conn->tags.used, 0);
    CHECK_EQ(script.conn->used[CHARGE_BYTES], 0);
    end(c);
}
