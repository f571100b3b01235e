/*
 * flush.c - requests that the client does not want any more: it sends a
 * Tflush, begins another session, or is gone.
 *
 * Each of them is hurried up, and its server told, once.  It still ends by
 * req_answer, as every request does; only that settles it.
 */
#include "lib/9p/srv.h"

/* The last of r's waiting flushes is f. */
static void
add_waiting(struct req *r, struct req *f)
{
    struct req **end = &r->waiting;

    while (*end != NULL)
        end = &(*end)->next;
    f->next = NULL;
    *end = f;
}

/*
 * The client is tired of r, or gone: hurry it up.  Must the server be told
 * (ops->flush)?  Only once, and never of a Tflush, which is ours.  Holds
 * c->lock.
 */
static bool
flush_begin(struct req *r)
{
    bool first = !r->flushed;

    r->flushed = true;
    work_interrupt(r);
    return first && r->t.type != Tflush && r->conn->server.ops->flush != NULL;
}

/* Make f wait for the request it names; false: that one is answered. */
static bool
flush_wait(struct req *f)
{
    struct conn *c = f->conn;
    struct req *old;
    bool tell = false;

    qlock(&c->lock);
    old = req_find(c, f->t.oldtag);
    if (old != NULL) {
        add_waiting(old, f);
        tell = flush_begin(old);
    }
    qunlock(&c->lock);
    if (tell)
        c->server.ops->flush(old);
    return old != NULL;
}

/*
 * Tflush.  If nobody with that tag waits the answer may go at once; else it
 * goes after that one's, who is told to hurry.
 */
int
do_flush(struct req *r)
{
    struct conn *c = r->conn;
    bool found;
    int err;

    qlock(&c->lock);
    found = req_find(c, r->t.oldtag) != NULL;
    qunlock(&c->lock);
    if (!found)
        return 0;
    err = req_later(r);
    if (err < 0)
        return err;
    if (!flush_wait(r))
        req_answer(r, 0); /* it was answered just now */
    return REQ_LATER;
}

/* Take every pending request out of c->tags; those that the server must be
 * told of are returned, linked by their slots. */
static struct slot *
drop_pending(struct conn *c)
{
    struct slot *told = NULL, *s;
    unsigned from = 0;

    qlock(&c->lock);
    while ((s = table_take(&c->tags, &from)) != NULL) {
        struct req *r = CONTAINER_OF(s, struct req, slot);

        r->dropped = true;
        if (flush_begin(r)) {
            s->next = told;
            told = s;
        }
    }
    qunlock(&c->lock);
    return told;
}

/* Wait until nobody is about to answer a request of c. */
static void
drain(struct conn *c)
{
    bool wait;

    qlock(&c->lock);
    wait = c->draining = c->later > 0;
    qunlock(&c->lock);
    while (wait && semacquire(&c->quiet, 1) <= 0)
        ; /* a late note */
}

/*
 * Drop every pending request: its answer will not be sent.  Waits until all
 * of them are over, so that none holds a fid.  Until then none is used again,
 * whoever answers it: only the caller takes new ones.
 */
void
req_drop_all(struct conn *c)
{
    struct slot *s, *next;

    for (s = drop_pending(c); s != NULL; s = next) {
        next = s->next;
        c->server.ops->flush(CONTAINER_OF(s, struct req, slot));
    }
    drain(c);
}
