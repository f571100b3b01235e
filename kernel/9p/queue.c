/*
 * queue.c - queues of blocks, with flow control.
 *
 * Writers wait while the queue is full, readers while it is empty.  Who frees
 * bytes or brings some takes the first waiter off its list and wakes it; the
 * woken one looks again, and when it is done wakes the next if something is
 * left.  So no wake-up is lost although only one is woken at a time, and a
 * note may end any wait.
 *
 * No byte is copied with the lock held.  A writer fills its block before it
 * waits for room.  A reader takes the first block off and puts it back if
 * its memory is bad; if it wants only a part of it, the block stays where it
 * is, and the queue is marked as `reading` while the reader copies.
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

bool
queue_full(const struct queue *q)
{
    return !q->hungup &&
           (__atomic_load_n(&q->len, __ATOMIC_RELAXED) >= QUEUE_LIMIT ||
                   __atomic_load_n(&q->used, __ATOMIC_RELAXED) >= USED_LIMIT);
}

size_t
queue_len(struct queue *q)
{
    return __atomic_load_n(&q->len, __ATOMIC_RELAXED);
}

/* ---- waiting; the lock is held in all of this part ---- */

static inline bool
can_read(const struct queue *q)
{
    return (q->first || q->hungup) && !q->reading;
}

static inline bool
can_write(const struct queue *q)
{
    return !queue_full(q);
}

/* For who can also read the other way, and must if that is full: there the
 * other end may wait, and will not read here before. */
static inline bool
can_write_or_read(const struct queue *q)
{
    return can_write(q) || (q->back && queue_full(q->back));
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

/* Something has come, or gone, or changed hands. */
static inline void
wake_who_can(struct queue *q)
{
    if (can_read(q))
        wake_first(&q->readers);
    if (can_write(q))
        wake_first(&q->writers);
}

/*
 * Sleep in a list of waiters until `can`; 0, or -E_INTR if a note came before
 * that, and then there is nothing that another waiter should be woken for.
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
    return can(q) ? 0 : err; /* it came true in the last moment: that counts */
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

/* The first block leaves the queue, which has one; the lock is held. */
static void
take_first(struct queue *q)
{
    struct block *b = q->first;

    q->first = b->next;
    if (!q->first)
        q->last = &q->first;
    q->len -= b->len;
    q->used -= b->len + OVERHEAD;
    b->next = NULL;
}

/* It comes back, since it could not be used. */
static void
put_back(struct queue *q, struct block *b)
{
    spin_lock(&q->lock);
    b->next = q->first;
    if (!q->first)
        q->last = &b->next;
    q->first = b;
    q->len += b->len;
    q->used += b->len + OVERHEAD;
    wake_who_can(q);
    spin_unlock(&q->lock);
}

enum read_what { /* what read_begin gives, or -E_INTR */
    READ_END,    /* nothing is there, and nothing will come */
    READ_WHOLE,  /* a block that is the caller's now */
    READ_PART    /* one that stays; its first bytes are the caller's */
};

/*
 * Wait for something to read: the first block, if it has at most max bytes,
 * or max bytes of it, and then nobody else reads until part_end.
 */
static int
read_begin(struct queue *q, size_t max, struct block **out)
{
    int got = 0;

    spin_lock(&q->lock);
    if (!can_read(q))
        got = wait_until(q, &q->readers, "read", can_read);
    *out = q->first;
    if (got == 0 && q->first) {
        got = q->first->len <= max ? READ_WHOLE : READ_PART;
        if (got == READ_WHOLE)
            take_first(q);
        else
            q->reading = true;
    }
    wake_who_can(q); /* the end is for all: who sees it tells the next */
    spin_unlock(&q->lock);
    return got;
}

/* n bytes of b, not all of it, have been read. */
static void
part_end(struct queue *q, struct block *b, size_t n)
{
    spin_lock(&q->lock);
    b->data += n;
    b->len -= n;
    q->len -= n;
    q->used -= n;
    q->reading = false;
    wake_who_can(q);
    spin_unlock(&q->lock);
}

int64_t
queue_read(struct queue *q, struct io *to)
{
    struct block *b;
    size_t n;
    int got, err;

    if (to->left == 0)
        return 0;
    got = read_begin(q, to->left, &b);
    if (got <= 0)
        return got;
    n = got == READ_WHOLE ? b->len : to->left;
    err = io_put(to, b->data, n);
    if (got == READ_PART)
        part_end(q, b, err < 0 ? 0 : n);
    else if (err < 0)
        put_back(q, b);
    else
        block_free(b);
    return err < 0 ? err : (int64_t)n;
}

int64_t
queue_bread(struct queue *q, size_t max, struct block **out)
{
    struct block *b;
    int got = read_begin(q, max, &b);

    *out = got == READ_WHOLE ? b : NULL;
    if (got == READ_PART) {
        *out = block_new(max);
        if (*out) {
            memcpy((*out)->data, b->data, max);
            (*out)->len = max;
        }
        part_end(q, b, *out ? max : 0);
        if (!*out)
            return -E_NOMEM;
    }
    return *out ? (int64_t)(*out)->len : got;
}

/* ---- writing ---- */

/* Those who wait to write the other way look again. */
static void
wake_back(struct queue *back)
{
    if (!back)
        return;
    spin_lock(&back->lock);
    while (!list_empty(&back->writers))
        wake_first(&back->writers);
    spin_unlock(&back->lock);
}

/* q is full: wait until `can`.  0, -E_INTR; the lock is let go and held
 * again. */
static int
wait_room(struct queue *q, bool (*can)(const struct queue *))
{
    spin_unlock(&q->lock);
    wake_back(q->back);
    spin_lock(&q->lock);
    return wait_until(q, &q->writers, "write", can);
}

/*
 * Wait for room and add b, which is the queue's then, or freed: 0,
 * -E_HUNGUP, -E_INTR.  1: `can` came true, which waits for that or more, but
 * there is no room; b is the caller's.
 */
static int
put_last(struct queue *q, struct block *b, bool (*can)(const struct queue *))
{
    int err = 0;

    spin_lock(&q->lock);
    if (!can_write(q)) {
        err = wait_room(q, can);
        if (err == 0 && !can_write(q))
            err = 1;
    }
    if (err == 0 && q->hungup)
        err = -E_HUNGUP;
    if (err == 0) {
        b->next = NULL;
        *q->last = b;
        q->last = &b->next;
        q->len += b->len;
        q->used += b->len + OVERHEAD;
        wake_who_can(q);
    }
    spin_unlock(&q->lock);
    if (err < 0)
        block_free(b);
    return err;
}

int64_t
queue_bwrite(struct queue *q, struct block *b)
{
    int64_t n = (int64_t)b->len;
    int err = put_last(q, b, can_write_or_read);

    return err < 0 ? err : err > 0 ? 0 : n;
}

/* Write n bytes, at most BLOCK_MAX, as one block. */
static int
write_block(struct queue *q, struct io *from, size_t n)
{
    struct block *b = block_new(n);
    int err;

    if (!b)
        return -E_NOMEM;
    b->len = n;
    err = io_get(from, b->data, n);
    if (err == 0)
        return put_last(q, b, can_write);
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
