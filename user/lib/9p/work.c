/*
 * work.c - requests that run in processes of their own (server.parallel).
 *
 * The process that reads the connection puts each request into a queue; the
 * workers, its children with the same memory, take them out.  There are as
 * many as requests run at a time, never more than server.pending, so that
 * one that blocks keeps nobody waiting.
 *
 * A flush is a note for the worker, which ends the system call it blocks in
 * (process.c).
 */
#include "lib/9p/srv.h"

/* The next request for this worker; NULL: end.  Blocks. */
static struct req *
work_take(struct conn *c, uint32_t pid)
{
    struct req *r;

    while (semacquire(&c->todo, 1) <= 0)
        ; /* a late note */
    qlock(&c->lock);
    r = c->work;
    if (r != NULL) {
        c->work = r->next;
        if (c->work == NULL)
            c->work_end = &c->work;
        c->nwork--;
        c->idle--;
        r->worker = pid;
    }
    qunlock(&c->lock);
    return r;
}

/*
 * Run r, or if it was flushed before it began, do not.  Notes about r that
 * are still on their way come before the second work_calm, not later.
 */
static void
work_run(struct conn *c, struct req *r)
{
    bool flushed;

    qlock(&c->lock);
    flushed = r->flushed;
    qunlock(&c->lock);
    if (flushed)
        req_answer(r, -E_INTR);
    else
        req_handle(r);
    work_calm();
    work_calm();
}

/* A worker's life. */
static void
work_main(struct conn *c)
{
    uint32_t pid = (uint32_t)getpid();
    struct req *r;

    while ((r = work_take(c, pid)) != NULL) {
        work_run(c, r);
        qlock(&c->lock);
        c->idle++;
        qunlock(&c->lock);
    }
    semrelease(&c->gone, 1);
}

/*
 * Give r to a worker, a new one if none is idle.  REQ_LATER; if there are too
 * many requests or processes an error, and r is still the caller's.
 */
int
work_add(struct req *r)
{
    struct conn *c = r->conn;
    bool more;
    int err = 0;

    qlock(&c->lock);
    more = c->idle <= c->nwork && c->workers < c->server.pending;
    if (more && work_start(work_main, c) >= 0) {
        c->workers++;
        c->idle++;
    } else if (c->workers == 0) {
        err = -E_MAXPROC;
    }
    qunlock(&c->lock);
    if (err == 0)
        err = req_later(r);
    if (err < 0)
        return err;
    qlock(&c->lock);
    r->next = NULL;
    *c->work_end = r;
    c->work_end = &r->next;
    c->nwork++;
    qunlock(&c->lock);
    semrelease(&c->todo, 1);
    return REQ_LATER;
}

/* Make r's worker, if it has one, stop waiting; c->lock is held. */
void
work_interrupt(struct req *r)
{
    if (r->worker != 0)
        postnote(NOTE_PROC, r->worker, "flush");
}

/* Let all workers end, and wait until they have.  Nothing is pending. */
void
work_end(struct conn *c)
{
    semrelease(&c->todo, c->workers);
    for (; c->workers > 0; c->workers--)
        while (semacquire(&c->gone, 1) <= 0)
            ;
}
