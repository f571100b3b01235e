/*
 * test_9p_stream.c - messages out of a stream in any pieces, and which of the
 * waiters reads it.
 */
#include "9p_script.h"
#include "boot/x86_64/x86.h"

static struct request *
ask(void)
{
    struct rpc x = { .conn = script.conn, .f = { .type = Tclunk } };
    struct request *r;
    struct block *b = block_new(7);

    spin_lock(&script.conn->lock);
    r = request_new(&x);
    spin_unlock(&script.conn->lock);
    memset(b->data, 0, 7);
    b->len = 7;
    CHECK_EQ(request_send(r, b), 0);
    return r;
}

static void
over(struct request *r)
{
    spin_lock(&script.conn->lock);
    request_free(r);
    spin_unlock(&script.conn->lock);
}

/* n answers in one stream, which comes in pieces of this many bytes. */
static void
in_pieces(size_t piece)
{
    struct request *r[6];

    script_begin(8192);
    for (unsigned i = 0; i < 6; i++) {
        r[i] = ask();
        script_head(Rclunk, r[i]->tag);
    }
    script.piece = piece;
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQ(request_wait(r[5 - i]), 0);
        CHECK(r[5 - i]->reply && r[5 - i]->reply->len == 7);
    }
    CHECK(script.conn->partial == NULL);
    CHECK_EQ(script.conn->used[CHARGE_BYTES], 0);
    for (unsigned i = 0; i < 6; i++)
        over(r[i]);
    script_end();
}

KTEST(stream_whole_messages)
{
    in_pieces(7);
}

KTEST(stream_byte_by_byte)
{
    in_pieces(1);
}

/* Cut in the size, in the head, behind the end of one and in the next. */
KTEST(stream_any_pieces)
{
    for (size_t piece = 2; piece < 45; piece++)
        in_pieces(piece);
}

/* A long message in pieces: its bytes are the ones that were sent, and room
 * grows with those that are there, not with the size that it claims. */
KTEST(stream_long_message)
{
    uint8_t m[2000] = { 0xd0, 7, 0, 0, Rclunk };
    struct request *r;
    struct block *b;

    script_begin(8192);
    r = ask();
    for (unsigned i = 7; i < sizeof m; i++)
        m[i] = (uint8_t)(i * 7);
    for (unsigned at = 0; at < sizeof m; at += 50) {
        b = block_new(50);
        memcpy(b->data, m + at, 50);
        b->len = 50;
        input_add(script.conn, b);
        CHECK(script.conn->used[CHARGE_BYTES] <= 3 * (at + 50) + 64);
    }
    CHECK(r->reply != NULL);
    if (r->reply) {
        CHECK_EQ(r->reply->len, sizeof m);
        CHECK(memcmp(r->reply->data, m, sizeof m) == 0);
    }
    CHECK_EQ(script.conn->broken, 0);
    over(r);
    script_end();
}

static int
stream_of(const char *bytes, size_t n)
{
    struct block *b;
    int broken;

    script_begin(8192);
    b = block_new(n);
    memcpy(b->data, bytes, n);
    b->len = n;
    input_add(script.conn, b);
    broken = script.conn->broken;
    script_end();
    return broken;
}

/* A size that cannot be breaks the connection as soon as it is there. */
KTEST(stream_impossible_sizes)
{
    in_pieces(3); /* possible ones pass */
    CHECK_EQ(stream_of("\x06\0\0\0", 4), -E_BADMSG);
    CHECK_EQ(stream_of("\0\0\0\0", 4), -E_BADMSG);
    CHECK_EQ(stream_of("\x01\x20\0\0", 4), -E_BADMSG);
    CHECK_EQ(stream_of("\xff\xff\xff\xff\x6f", 5), -E_BADMSG);
    CHECK_EQ(stream_of("\xff\xff\xff", 3), 0);
    CHECK_EQ(stream_of("\0\x20\0\0\x6f\0\0!", 8), 0);
}

/* The rest of a stream that has lied is not looked at. */
KTEST(stream_ends_at_lie)
{
    struct request *r;
    struct block *b;

    script_begin(8192);
    b = block_new(14);
    r = ask();
    b->len = 14;
    memset(b->data, 0, 14);
    b->data[0] = b->data[7] = 7;
    b->data[4] = b->data[11] = Rclunk;
    b->data[5] = 200;
    input_add(script.conn, b);
    CHECK_EQ(script.conn->broken, -E_BADMSG);
    CHECK(!r->reply);
    CHECK_EQ(request_wait(r), -E_BADMSG);
    over(r);
    script_end();
}

/* A note ends a wait, but not one whose answer is there. */
KTEST(wait_for_answer)
{
    struct request *r;

    script_begin(8192);
    r = ask();
    script.interrupt = 1;
    CHECK_EQ(request_wait(r), -E_INTR);
    CHECK(script.conn->reader == NULL);
    script_head(Rclunk, r->tag);
    CHECK_EQ(request_wait(r), 0);
    script.interrupt = 1;
    CHECK_EQ(request_wait(r), 0);
    CHECK_EQ(script.interrupt, 1);
    over(r);
    script.interrupt = 0;
    r = ask();
    CHECK_EQ(request_wait(r), -E_HUNGUP);
    CHECK_EQ(request_wait(r), -E_HUNGUP);
    over(r);
    script_end();
}

/* ---- several waiters ---- */

enum {
    ASKERS = 6
};

static struct {
    struct request *r[ASKERS];
    int result[ASKERS];
    unsigned ended;
    struct chan *near, *far; /* ends of a pipe */
} crowd;

static void
asker(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;

    intr_on();
    crowd.result[i] = request_wait(crowd.r[i]);
    __atomic_add_fetch(&crowd.ended, 1, __ATOMIC_SEQ_CST);
}

static bool
never(void *arg)
{
    (void)arg;
    return false;
}

/* Let the others run for a while. */
static void
pause_ms(uint64_t ms)
{
    static struct waitq q;

    waitq_init(&q, "pause");
    sleep(&q, never, NULL, rdtsc() + ns_to_tsc(ms * 1000000));
}

/* A pipe whose near end carries the connection. */
static void
crowd_begin(void)
{
    static const char *const names[] = { "data", "data1" };
    struct chan *root;
    struct qid qid;

    CHECK_EQ(dev_start('|', "", &root), 0);
    CHECK_EQ(chan_walk(root, &names[0], 1, &qid, &crowd.near), 1);
    CHECK_EQ(chan_walk(root, &names[1], 1, &qid, &crowd.far), 1);
    CHECK_EQ(chan_open(crowd.near, ORDWR), 0);
    CHECK_EQ(chan_open(crowd.far, ORDWR), 0);
    chan_close(root);
    CHECK_EQ(conn_get(crowd.near, &script.conn), 0);
    script.conn->msize = 8192;
    for (unsigned i = 0; i < ASKERS; i++) {
        struct proc *p;

        crowd.r[i] = ask();
        p = proc_kernel("asker", asker, (void *)(uintptr_t)i);
        crowd.r[i]->waiter = p;
        proc_ready(p);
    }
    pause_ms(20);
    CHECK_EQ(crowd.ended, 0);
}

static void
crowd_answer(unsigned i)
{
    uint8_t m[7] = { 7, 0, 0, 0, Rclunk, (uint8_t)crowd.r[i]->tag };
    struct io from = io_kernel(m, 7);

    CHECK_EQ(chan_write(crowd.far, &from, 0), 7);
    pause_ms(20);
}

static void
crowd_end(void)
{
    for (unsigned i = 0; i < ASKERS; i++)
        over(crowd.r[i]);
    chan_close(crowd.near);
    chan_close(crowd.far);
}

/*
 * Each answer wakes the request it belongs to, at once, whichever process
 * reads; a reader that leaves lets another read.
 * cpus: 1 2
 * seeds: 2
 */
KTEST(wait_in_a_crowd)
{
    static const unsigned order[ASKERS] = { 3, 0, 5, 1, 4, 2 };

    crowd_begin();
    for (unsigned i = 0; i < ASKERS; i++) {
        crowd_answer(order[i]);
        CHECK_EQ(crowd.ended, i + 1);
        CHECK(crowd.r[order[i]]->reply != NULL);
        CHECK_EQ(crowd.result[order[i]], 0);
        CHECK(i == ASKERS - 1 || script.conn->reader != NULL);
    }
    CHECK(script.conn->reader == NULL);
    crowd_end();
}

/*
 * The server goes: all hear it, now.
 * cpus: 1 2
 */
KTEST(wait_for_the_dead)
{
    crowd_begin();
    crowd_answer(2);
    chan_close(crowd.far);
    crowd.far = NULL;
    pause_ms(20);
    CHECK_EQ(crowd.ended, ASKERS);
    for (unsigned i = 0; i < ASKERS; i++)
        CHECK_EQ(crowd.result[i], i == 2 ? 0 : -E_HUNGUP);
    crowd_end();
}

/*
 * No memory for what has come, at each allocation in turn: the call says so,
 * and the stream goes on where it was.
 */
KTEST(stream_no_memory)
{
    struct request *r[3];
    unsigned failures = 0;

    for (unsigned n = 1; n < 20; n++) {
        int err;

        script_begin(8192);
        for (unsigned i = 0; i < 3; i++) {
            r[i] = ask();
            script_head(Rclunk, r[i]->tag);
        }
        script.piece = 10;
        page_fail_at(n);
        err = request_wait(r[2]);
        page_fail_at(0);
        CHECK(err == 0 || err == -E_NOMEM);
        failures += err != 0;
        CHECK_EQ(failures, err ? n : failures); /* each up to the last */
        CHECK_EQ(script.conn->broken, 0);
        for (unsigned i = 0; i < 3; i++)
            CHECK_EQ(request_wait(r[i]), 0);
        CHECK_EQ(script.conn->used[CHARGE_BYTES], 0);
        for (unsigned i = 0; i < 3; i++)
            over(r[i]);
        script_end();
    }
    /* three blocks, and one more for each message; builds that find errors
     * in the heap may need a page for it */
    CHECK(failures >= 6 && failures < 12);
}

/* What waits for memory is paid for, and freed with the connection. */
KTEST(stream_no_memory_ever)
{
    uint64_t live = kheap_live();
    struct block *b;

    script_begin(8192);
    b = block_new(14);
    b->len = 14;
    memset(b->data, 7, 14);
    page_fail_at(1);
    CHECK_EQ(input_add(script.conn, b), -E_NOMEM);
    page_fail_at(0);
    CHECK(script.conn->rest == b);
    CHECK_EQ(script.conn->used[CHARGE_BYTES], 14);
    script_end();
    CHECK_EQ(kheap_live(), live);
}
