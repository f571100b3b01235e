/*
 * queue.c - queues of blocks, with flow control.
 *
 * Writers wait while the queue is full, readers while it is empty.  Who frees
 * bytes or brings some takes the first waiter off its list and wakes it; the
 * woken one looks again, and when it is done wakes the next if something is
 * left.  So no wake-up is lost although only one is woken at a time, and a
 * note may end any wait.
 *
 * No byte is copied with the lock held: a reader marks the queue as `reading`
 * and copies out of the first block, which stays where it is until all went
 * well; a writer is promised room first and then fills its block.
 */
#include "9p/9p.h"
#include "sched/process.h"

enum {
    SMALL = 1024, /* up to here a block and its bytes are one allocation */
    OVERHEAD = sizeof(struct block),
    /* blocks of a few bytes fill a queue earlier: they take memory, too */
    USED_LIMIT = 2 * QUEUE_LIMIT,
};

struct block *
block_new(size_t n)
{
    struct block *b = kmalloc(sizeof *b + (n <= SMALL ? n : 0));

    if (!b)
        return NULL;
    b->next = NULL;
    b->len = 0;
    b->room = n;
    b->base = NULL;
    b->data = (uint8_t *)(b + 1);
    if (n > SMALL) {
        b->data = b->base = kmalloc(n);
        if (!b->base) {
            kfree(b);
            return NULL;
        }
    }
    return b;
}

void
block_free(struct block *b)
{
    if (!b)
        return;
    if (b->base)
        kfree(b->base);
    kfree(b);
}

void
queue_init(struct queue *q, const char *name)
{
    spin_init(&q->lock, RANK_QUEUE, name);
    list_init(&q->readers);
    list_init(&q->writers);
    q->first = NULL;
    q->last = &q->first;
    q->len = q->used = 0;
    q->reading = q->hungup = false;
}

void
queue_reset(struct queue *q)
{
    struct block *b = q->first, *next;

    for (; b; b = next) {
        next = b->next;
        block_free(b);
    }
    queue_init(q, q->lock.name);
}

size_t
queue_len(struct queue *q)
{
    return __atomic_load_n(&q->len, __ATOMIC_RELAXED);
}

/* ---- waiting; the lock is held in all of this part ---- */

static bool
can_read(const struct queue *q)
{
    return (q->first || q->hungup) && !q->reading;
}

static bool
can_write(const struct queue *q)
{
    return q->hungup || (q->len < QUEUE_LIMIT && q->used < USED_LIMIT);
}

/* Take the first waiter off its list; the CPU is its next if the list is the
 * readers', who are waited for more often than not. */
static void
wake_first(struct list *waiters)
{
    struct proc *p;

    if (list_empty(waiters))
        return;
    p = LIST_FIRST(waiters, struct proc, wait_link);
    list_remove(&p->wait_link);
    proc_wake_next(p);
}

static void
wake_who_can(struct queue *q)
{
    if (can_read(q))
        wake_first(&q->readers);
    if (can_write(q))
        wake_first(&q->writers);
}

/*
 * Sleep in a list of waiters until `can`; 0, or -E_INTR if a note came before
 * that.  Who leaves with an error may have been the one that was woken for
 * what is there: it passes that on.
 */
static int
wait_until(struct queue *q, struct list *waiters, const char *why,
        bool (*can)(const struct queue *))
{
    struct proc *p = proc_current();
    int err = 0;

    while (!can(q) && err == 0) {
        list_append(waiters, &p->wait_link);
        err = proc_block(&q->lock, why, PROC_INTERRUPTIBLE, 0);
        spin_lock(&q->lock);
        list_remove(&p->wait_link);
    }
    return can(q) ? 0 : err;
}

void
queue_hangup(struct queue *q)
{
    spin_lock(&q->lock);
    q->hungup = true;
    while (!list_empty(&q->readers))
        wake_first(&q->readers);
    while (!list_empty(&q->writers))
        wake_first(&q->writers);
    spin_unlock(&q->lock);
}

/* ---- reading ---- */

/* The first block has lost n bytes; if that was all, it is the caller's. */
static struct block *
take_bytes(struct queue *q, size_t n)
{
    struct block *b = q->first;

    q->len -= n;
    q->used -= n;
    b->data += n;
    b->len -= n;
    if (b->len > 0)
        return NULL;
    q->used -= OVERHEAD;
    q->first = b->next;
    if (!q->first)
        q->last = &q->first;
    return b;
}

/*
 * Wait for something to read and have the first block to oneself: 1, 0 if
 * there is none and none will come, -E_INTR.  After 1, read_end.
 */
static int
read_begin(struct queue *q)
{
    int got;

    spin_lock(&q->lock);
    got = wait_until(q, &q->readers, "read", can_read);
    if (got == 0 && q->first)
        got = q->reading = true;
    spin_unlock(&q->lock);
    return got;
}

/* n bytes of the first block have been read. */
static void
read_end(struct queue *q, size_t n)
{
    struct block *done;

    spin_lock(&q->lock);
    done = n > 0 ? take_bytes(q, n) : NULL;
    q->reading = false;
    wake_who_can(q);
    spin_unlock(&q->lock);
    block_free(done);
}

int64_t
queue_read(struct queue *q, struct io *to)
{
    size_t n;
    int got;

    if (to->left == 0)
        return 0;
    got = read_begin(q);
    if (got <= 0)
        return got;
    n = q->first->len < to->left ? q->first->len : to->left;
    got = io_put(to, q->first->data, n);
    read_end(q, got < 0 ? 0 : n);
    return got < 0 ? got : (int64_t)n;
}

/* The front of a block that is too long. */
static struct block *
block_front(const struct block *b, size_t n)
{
    struct block *front = block_new(n);

    if (front) {
        memcpy(front->data, b->data, n);
        front->len = n;
    }
    return front;
}

int64_t
queue_bread(struct queue *q, size_t max, struct block **out)
{
    struct block *b;
    int64_t n;
    int got = read_begin(q);

    *out = NULL;
    if (got <= 0)
        return got;
    b = q->first;
    if (b->len > max) {
        *out = block_front(b, max);
        read_end(q, *out ? max : 0);
        return *out ? (int64_t)max : -E_NOMEM;
    }
    n = (int64_t)b->len;
    spin_lock(&q->lock);
    q->first = b->next;
    if (!q->first)
        q->last = &q->first;
    q->len -= b->len;
    q->used -= b->len + OVERHEAD;
    q->reading = false;
    wake_who_can(q);
    spin_unlock(&q->lock);
    b->next = NULL;
    *out = b;
    return n;
}

/* ---- writing ---- */

/* Wait until a block of n bytes may come, and promise it its room: 0,
 * -E_HUNGUP, -E_INTR. */
static int
write_begin(struct queue *q, size_t n)
{
    int err;

    spin_lock(&q->lock);
    err = wait_until(q, &q->writers, "write", can_write);
    if (err == 0 && q->hungup)
        err = -E_HUNGUP;
    if (err == 0) {
        q->used += n + OVERHEAD;
        if (can_write(q))
            wake_first(&q->writers);
    }
    spin_unlock(&q->lock);
    return err;
}

/* The room is not needed after all. */
static void
write_undo(struct queue *q, size_t n)
{
    spin_lock(&q->lock);
    q->used -= n + OVERHEAD;
    wake_who_can(q);
    spin_unlock(&q->lock);
}

/* Add b, for which there is a promise: 0, or -E_HUNGUP and it is freed. */
static int
write_end(struct queue *q, struct block *b)
{
    spin_lock(&q->lock);
    if (q->hungup) {
        q->used -= b->len + OVERHEAD;
        spin_unlock(&q->lock);
        block_free(b);
        return -E_HUNGUP;
    }
    b->next = NULL;
    *q->last = b;
    q->last = &b->next;
    q->len += b->len;
    if (can_read(q))
        wake_first(&q->readers);
    spin_unlock(&q->lock);
    return 0;
}

int64_t
queue_bwrite(struct queue *q, struct block *b)
{
    int64_t n = (int64_t)b->len;
    int err;

    if (n == 0) {
        block_free(b);
        return 0;
    }
    err = write_begin(q, b->len);
    if (err == 0)
        return write_end(q, b) < 0 ? -E_HUNGUP : n;
    block_free(b);
    return err;
}

/* Write n bytes, at most BLOCK_MAX, as one block. */
static int
write_block(struct queue *q, struct io *from, size_t n)
{
    struct block *b;
    int err = write_begin(q, n);

    if (err < 0)
        return err;
    b = block_new(n);
    if (b) {
        b->len = n;
        err = io_get(from, b->data, n);
        if (err == 0)
            return write_end(q, b);
    }
    write_undo(q, n);
    if (!b)
        return -E_NOMEM;
    block_free(b);
    return err;
}

int64_t
queue_write(struct queue *q, struct io *from)
{
    int64_t done = 0;
    int err = 0;

    while (from->left > 0 && err == 0) {
        size_t n = from->left < BLOCK_MAX ? from->left : BLOCK_MAX;

        err = write_block(q, from, n);
        if (err == 0)
            done += (int64_t)n;
    }
    return done > 0 ? done : err;
}
