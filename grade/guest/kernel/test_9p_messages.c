/*
 * test_9p_messages.c - calls that are several messages: directories read with
 * little room, notes in between, and messages that a device takes in parts.
 */
#include "9p_script.h"

enum {
    NFILE = 3
};

static struct {
    uint32_t iounit;
    unsigned next;   /* directory: entry that comes next */
    unsigned noted;  /* a note at this Tread or Twrite, counted from 1 */
    unsigned treads; /* and Twrites */
    uint32_t count;  /* of the last one */
    bool dir;
    uint8_t data[512];
} server;

/* A note for the running process, as if another had sent it; and none. */
static void
note_now(void)
{
    note_post_bit(proc_current(), NOTE_BIT_ALARM);
}

static void
notes_over(void)
{
    __atomic_and_fetch(&proc_current()->note_bits,
            ~(uint32_t)(NOTE_BIT_ALARM | NOTE_BIT_KILL), __ATOMIC_SEQ_CST);
}

/* Whole entries from server.next on, as lib9p packs them: none if no more fits
 * into the count. */
static void
say_entries(const struct fcall *t, struct fcall *r)
{
    static const char *const names[NFILE] = { "first", "second", "third" };
    struct dir d = { .uid = "lux", .gid = "lux", .muid = "lux" };

    if (t->offset == 0)
        server.next = 0;
    r->data = server.data;
    for (; server.next < NFILE; server.next++) {
        int64_t n;

        d.name = names[server.next];
        d.qid.path = server.next;
        n = dir_pack(&d, server.data + r->count, t->count - r->count);
        if (n < 0)
            return;
        r->count += (uint32_t)n;
    }
}

static void
answer(const struct fcall *t, struct fcall *r)
{
    struct qid qid = { .path = 1, .type = server.dir ? QTDIR : QTFILE };

    if (t->type == Tattach || t->type == Topen) {
        r->qid = qid;
        r->iounit = server.iounit;
    }
    if (t->type != Tread && t->type != Twrite)
        return;
    server.count = t->count;
    if (++server.treads == server.noted)
        note_now();
    if (t->type == Tread && server.dir) {
        say_entries(t, r);
        return;
    }
    r->count = t->count;
    r->data = server.data;
}

static struct chan *
begin(bool dir, uint32_t iounit)
{
    struct chan *c = NULL;

    memset(&server, 0, sizeof server);
    server.dir = dir;
    server.iounit = iounit;
    script_begin(512);
    script.answer = answer;
    CHECK_EQ(mnt_attach(script.chan, NULL, "", &c), 0);
    CHECK_EQ(chan_open(c, dir ? OREAD : ORDWR), 0);
    return c;
}

static void
end(struct chan *c)
{
    chan_close(c);
    CHECK_EQ(script.conn->used[CHARGE_AHEAD], 0);
    script_end();
}

static uint8_t buf[512];

static int64_t
read_at(struct chan *c, uint64_t offset, size_t n)
{
    struct io to = io_kernel(buf, n);

    return chan_read(c, &to, offset);
}

/* ---- directories ---- */

/*
 * A server's 0 bytes may mean that the next entry does not fit.  The reader
 * hears that it does not fit, from the start, too; nothing is lost, and 0 is
 * the end.
 */
KTEST(messages_entry_does_not_fit)
{
    struct chan *c = begin(true, 0);
    int64_t one, at;

    CHECK_EQ(read_at(c, 0, 20), -E_SHORTSTAT);
    CHECK_EQ(read_at(c, 0, 0), 0);
    at = one = read_at(c, 0, 64);
    CHECK(one > DIR_FIXED && one < 70);
    CHECK_EQ(read_at(c, (uint64_t)at, 20), -E_SHORTSTAT);
    CHECK_EQ(read_at(c, (uint64_t)at, 30), -E_SHORTSTAT);
    at += read_at(c, (uint64_t)at, 70);
    CHECK_EQ(at, 2 * one + 1);
    CHECK(memcmp(buf + DIR_FIXED - 6, "second", 6) == 0);
    CHECK_EQ(read_at(c, (uint64_t)at, 20), -E_SHORTSTAT);
    CHECK_EQ(script.conn->used[CHARGE_AHEAD], 1);
    at += read_at(c, (uint64_t)at, 70);
    CHECK_EQ(at, 3 * one + 1);
    CHECK_EQ(script.conn->used[CHARGE_AHEAD], 0);
    CHECK_EQ(read_at(c, (uint64_t)at, 20), 0);
    CHECK_EQ(read_at(c, (uint64_t)at, 488), 0);
    CHECK_EQ(server.count, 488); /* never so little that none fits */
    end(c);
}

/* From the start again; and what was kept is given up at a close. */
KTEST(messages_entries_kept)
{
    struct chan *c = begin(true, 0);
    int64_t one = read_at(c, 0, 64);

    CHECK_EQ(read_at(c, (uint64_t)one, 20), -E_SHORTSTAT);
    CHECK_EQ(read_at(c, 0, 488), 3 * one + 1);
    CHECK_EQ(script.conn->used[CHARGE_AHEAD], 0);
    CHECK_EQ(read_at(c, 0, 64), one);
    CHECK_EQ(read_at(c, (uint64_t)one, 20), -E_SHORTSTAT);
    CHECK_EQ(script.conn->used[CHARGE_AHEAD], 1);
    end(c);
}

/* An iounit is about files: a directory is read by whole messages. */
KTEST(messages_iounit_of_directory)
{
    struct chan *c = begin(true, 1);

    CHECK_GT(read_at(c, 0, 488), 3 * DIR_FIXED);
    CHECK_EQ(server.count, 488);
    end(c);
}

/* ---- notes ---- */

/* A note ends a call of many messages, which returns what is done by then. */
KTEST(messages_note_ends)
{
    struct chan *c = begin(false, 1);
    struct io from = io_kernel(buf, 100);

    server.noted = 7;
    CHECK_EQ(read_at(c, 0, 100), 7);
    CHECK_EQ(server.treads, 7);
    CHECK_EQ(read_at(c, 0, 100), -E_INTR); /* and nothing is sent for it */
    CHECK_EQ(server.treads, 7);
    notes_over();
    server.noted = 12;
    CHECK_EQ(chan_write(c, &from, 0), 5);
    CHECK_EQ(server.treads, 12);
    notes_over();
    CHECK_EQ(read_at(c, 0, 100), 100);
    end(c);
}

/* ---- a device that takes a message in parts ---- */

static struct {
    uint8_t bytes[4096]; /* what it has got */
    size_t n;
    size_t once;   /* bytes of one write */
    size_t noted;  /* a note when it has so many bytes; 0: none */
    uint32_t note; /* NOTE_BIT_... */
} line;

/* As a serial port: a note ends the write, which returns what is sent. */
static int64_t
line_write(struct chan *c, struct io *from, uint64_t offset)
{
    size_t n = from->left < line.once ? from->left : line.once;

    (void)c;
    (void)offset;
    if (line.noted && line.n >= line.noted) {
        line.noted = 0;
        note_post_bit(proc_current(), line.note);
    }
    if (notes_wait(proc_current()))
        return -E_INTR;
    CHECK_LE(line.n + n, sizeof line.bytes);
    io_get(from, line.bytes + line.n, n);
    line.n += n;
    return (int64_t)n;
}

static const struct dev line_dev = {
    .letter = 'L', .name = "line", .bread = script_bread, .write = line_write
};

static void
line_begin(size_t noted, uint32_t note)
{
    script_begin(4096);
    script.chan->dev = &line_dev;
    line.n = 0;
    line.once = 10;
    line.noted = noted;
    line.note = note;
}

/* A message of 100 bytes; what sending it says. */
static int
send_message(void)
{
    static uint8_t data[77];
    struct rpc x = { .conn = script.conn,
        .f = { .type = Twrite, .count = 77, .data = data } };
    struct request *r;
    struct block *b;
    int err;

    spin_lock(&script.conn->lock);
    r = request_new(&x);
    spin_unlock(&script.conn->lock);
    CHECK_EQ(request_pack(&x, &b), 0);
    err = request_send(r, b);
    spin_lock(&script.conn->lock);
    request_free(r);
    spin_unlock(&script.conn->lock);
    return err;
}

/* Is the line's contents n whole messages? */
static void
check_whole(unsigned n)
{
    size_t at = 0;

    for (; n > 0; n--, at += 100) {
        CHECK_EQ(fcall_frame(line.bytes + at, line.n - at, 4096), 100);
        CHECK_EQ(line.bytes[at + 4], Twrite);
    }
    CHECK_EQ(line.n, at);
}

/* A note in the middle: the whole message goes out.  Before: none of it. */
KTEST(messages_whole_or_none)
{
    line_begin(50, NOTE_BIT_ALARM);
    CHECK_EQ(send_message(), 0);
    check_whole(1);
    CHECK(notes_wait(proc_current())); /* it was not lost */
    CHECK_EQ(send_message(), -E_INTR);
    check_whole(1);
    notes_over();
    CHECK_EQ(send_message(), 0);
    check_whole(2);
    CHECK_EQ(script.conn->broken, 0);
    script_end();
}

/* A killed process leaves the rest of its message to the next writer. */
KTEST(messages_rest_of_killed)
{
    line_begin(50, NOTE_BIT_KILL);
    CHECK_EQ(send_message(), 0);
    CHECK_EQ(line.n, 50);
    CHECK_EQ(send_message(), -E_INTR);
    CHECK_EQ(line.n, 50);
    notes_over();
    CHECK_EQ(send_message(), 0);
    check_whole(2);
    CHECK_EQ(script.conn->broken, 0);
    line.noted = 250; /* and no writer follows: it is freed at the end */
    CHECK_EQ(send_message(), 0);
    notes_over();
    CHECK_EQ(line.n, 250);
    script_end();
}
