/*
 * rpc.c - a message to the server of 9P2000.L and its answer.
 *
 * A note while a call waits means that our client is tired of it: so the
 * server gets a Tflush, and what it has not answered when the Rflush comes
 * has not happened.
 */
#include "servers/hostfs/hostfs.h"

/* The same, but notes do not count. */
static int
call_wait_long(struct call *c)
{
    int err;

    do
        err = call_wait(c);
    while (err == -E_INTR);
    return err;
}

/* Nobody wants c's answer: 0 if it came all the same; -E_INTR: it never will;
 * or the link is broken. */
static int
call_flush(struct call *c)
{
    struct call *q = call_new(Tflush);
    struct msg m;
    int err;

    if (q == NULL)
        return call_wait_long(c);
    msg_begin(&m, Tflush);
    put(&m, 2, call_tag(c));
    err = call_send(q, &m);
    if (err == 0)
        err = call_wait_long(q);
    call_free(q);
    if (c->answer != NULL)
        return 0;
    return err == 0 ? -E_INTR : err;
}

/* What ends quickly, and had to be asked once more, is not flushed. */
static bool
may_flush(uint8_t type)
{
    return type != Tversion && type != Tclunk && type != Tremove;
}

/* Send m as c's message; 0, and the answer is in m. */
static int
call_do(struct call *c, struct msg *m)
{
    uint8_t type = m->buf[4];
    int err = call_send(c, m);

    if (err == 0)
        err = may_flush(type) ? call_wait(c) : call_wait_long(c);
    if (err == -E_INTR)
        err = call_flush(c);
    if (err < 0)
        return err;
    memcpy(m->buf, c->answer, c->len);
    m->at = 4;
    m->end = c->len;
    m->bad = false;
    return 0;
}

int
link_rpc(struct msg *m)
{
    uint8_t type = m->buf[4], answer;
    struct call *c;
    int err;

    if (m->bad)
        return -E_NAMELEN;
    c = call_new(type);
    if (c == NULL)
        return srv_error("too many requests");
    err = call_do(c, m);
    call_free(c);
    if (err < 0)
        return err;
    answer = (uint8_t)get(m, 1);
    get(m, 2);
    if (answer == Rlerror)
        return l_error((uint32_t)get(m, 4));
    return answer == type + 1 ? 0 : -E_BADMSG;
}

int
link_start(int fd)
{
    char version[16];
    struct msg m;
    int err;

    link_use(fd);
    msg_begin(&m, Tversion);
    put(&m, 4, LINK_MSIZE);
    put_str(&m, "9P2000.L");
    err = link_rpc(&m);
    if (err < 0)
        return err;
    if (get(&m, 4) != LINK_MSIZE || !get_string(&m, version, sizeof(version)) ||
            strcmp(version, "9P2000.L") != 0)
        return -E_VERSION;
    return 0;
}
