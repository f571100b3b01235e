/*
 * link.c - the connection to the server of 9P2000.L, for many calls at a time.
 *
 * A call's tag is the number of its slot.  Nobody only reads the link: of
 * those who wait for answers one does, hands out what comes, and with its own
 * answer lets another go on, as in the kernel's mount driver.  All that the
 * processes share is static or from the heap: each has a stack of its own.
 */
#include "servers/hostfs/hostfs.h"

enum {
    /* each process has at most a call and its Tflush; slot 0 is Tversion's */
    CALLS = 2 * SRV_PENDING + 16
};

static struct {
    int fd;
    struct qlock writing; /* one message at a time */

    struct qlock lock;        /* what follows */
    int broken;               /* 0, or -E_...: nothing will come any more */
    bool read;                /* somebody reads, and has `in` */
    struct call calls[CALLS]; /* by tag */
    uint8_t in[LINK_MSIZE];   /* of messages not yet whole */
    size_t have;              /* bytes in it */
} server = { .fd = -1 };

/* ---- answers: server.lock is held ---- */

static void
wake(struct call *c)
{
    if (!c->sleeps)
        return;
    c->sleeps = false;
    semrelease(&c->wake, 1);
}

static void
wake_all(void)
{
    for (unsigned i = 0; i < CALLS; i++)
        wake(&server.calls[i]);
}

static void
link_break(int err)
{
    server.broken = err;
    wake_all();
}

/* A whole message of n bytes has come.  0, or -E_... and the link is of no
 * use: nobody has asked for it, or there is no memory. */
static int
deliver(const uint8_t *bytes, size_t n)
{
    unsigned tag = bytes[5] | (unsigned)bytes[6] << 8;
    struct call *c = &server.calls[tag == NOTAG ? 0 : tag % CALLS];

    if ((tag == 0 || tag >= CALLS) && tag != NOTAG)
        return -E_BADMSG;
    if (!c->used || c->answer != NULL)
        return -E_BADMSG;
    c->answer = malloc(n);
    if (c->answer == NULL)
        return -E_NOMEM;
    memcpy(c->answer, bytes, n);
    c->len = n;
    wake(c);
    return 0;
}

/* Hand out what is whole of server.in.  0, or -E_... as deliver. */
static int
deliver_all(void)
{
    size_t at = 0;
    int64_t n = 0;
    int err = 0;

    while (err == 0) {
        n = fcall_frame(server.in + at, server.have - at, LINK_MSIZE);
        if (n <= 0 || (size_t)n > server.have - at)
            break;
        err = deliver(server.in + at, (size_t)n);
        at += (size_t)n;
    }
    server.have -= at;
    memmove(server.in, server.in + at, server.have);
    return n < 0 ? -E_BADMSG : err;
}

/* Read the link once, for all.  0, or -E_INTR. */
static int
read_some(void)
{
    int64_t n;
    int err;

    server.read = true;
    qunlock(&server.lock);
    n = read(server.fd, server.in + server.have, LINK_MSIZE - server.have);
    qlock(&server.lock);
    server.read = false;
    if (n == -E_INTR)
        return -E_INTR;
    server.have += n > 0 ? (size_t)n : 0;
    err = n > 0 ? deliver_all() : -E_HUNGUP;
    if (err < 0)
        link_break(err);
    return 0;
}

/* Somebody else reads: wait until c is woken.  0, or -E_INTR. */
static int
sleep_on(struct call *c)
{
    int got;

    c->sleeps = true;
    qunlock(&server.lock);
    got = semacquire(&c->wake, 1);
    qlock(&server.lock);
    c->sleeps = false;
    return got < 0 ? got : 0;
}

/* We wait no longer: one of those who sleep must read, if nobody does. */
static void
pass_reading(void)
{
    for (unsigned i = 0; i < CALLS && !server.read; i++) {
        if (server.calls[i].sleeps) {
            wake(&server.calls[i]);
            return;
        }
    }
}

/* ---- calls ---- */

struct call *
call_new(uint8_t type)
{
    unsigned i = type == Tversion ? 0 : 1;
    struct call *c = NULL;

    qlock(&server.lock);
    while (i < CALLS && server.calls[i].used)
        i++;
    if (i < CALLS) {
        c = &server.calls[i];
        c->used = true;
    }
    qunlock(&server.lock);
    return c;
}

void
call_free(struct call *c)
{
    qlock(&server.lock);
    free(c->answer);
    c->answer = NULL;
    c->used = false;
    qunlock(&server.lock);
}

uint16_t
call_tag(const struct call *c)
{
    return c == server.calls ? NOTAG : (uint16_t)(c - server.calls);
}

int
call_send(const struct call *c, struct msg *m)
{
    uint32_t size = (uint32_t)m->at, done = 0;
    int64_t n = 1;

    m->at = 0;
    put(m, 4, size);
    m->at = 5;
    put(m, 2, call_tag(c));
    qlock(&server.writing);
    while (done < size && (n > 0 || n == -E_INTR)) {
        n = write(server.fd, m->buf + done, size - done);
        done += n > 0 ? (uint32_t)n : 0;
    }
    qunlock(&server.writing);
    if (done == size)
        return 0;
    qlock(&server.lock);
    link_break(-E_HUNGUP);
    qunlock(&server.lock);
    return -E_HUNGUP;
}

int
call_wait(struct call *c)
{
    int err = 0;

    qlock(&server.lock);
    while (c->answer == NULL && server.broken == 0 && err == 0)
        err = server.read ? sleep_on(c) : read_some();
    pass_reading();
    if (c->answer != NULL)
        err = 0;
    else if (server.broken != 0)
        err = server.broken;
    qunlock(&server.lock);
    return err;
}

void
link_use(int fd)
{
    server.fd = fd;
}
