/*
 * queue.h - blocks of bytes and queues of them: what pipes are made of, and
 * how a message gets from one place to another without being copied.
 */
#pragma once

#include "sched/sched.h"

struct io;

enum {
    QUEUE_LIMIT = 64 << 10, /* bytes that wait; then writers do */
    BLOCK_MAX = 128 << 10,  /* bytes of one block that a write makes */
};

/*
 * len bytes at data, which has room for more when it is new.  A block has one
 * owner, who passes it on or frees it.
 */
struct block {
    struct block *next;
    uint8_t *data; /* first byte that is still to be read */
    size_t len;
    size_t room;   /* bytes the buffer holds */
    uint8_t *base; /* the buffer; NULL: it follows this structure */
};

/* A block of no bytes with room for n (at most BLOCK_MAX); NULL: no memory. */
struct block *block_new(size_t n);
void block_free(struct block *b); /* NULL is legal */

/* All fields belong to queue.c. */
struct queue {
    struct spinlock lock; /* RANK_QUEUE; guards all of this */
    struct block *first, **last;
    size_t len;  /* bytes that can be read */
    size_t used; /* those, and what the blocks themselves take */
    bool reading;
    bool hungup;
    struct list readers, writers; /* they wait here by wait_link */
    struct queue *back;           /* [I] the other way of a pipe, or NULL */
};

/* All but `back`, which whoever pairs two queues sets. */
void queue_init(struct queue *q, const char *name);

/* Hung up and emptied, it is as new; nobody uses it now. */
void queue_reset(struct queue *q);

/*
 * No more will be written: writers get -E_HUNGUP, readers what is there and
 * then 0.
 */
void queue_hangup(struct queue *q);

/* Bytes that can be read. */
size_t queue_len(struct queue *q);

/* Would a writer have to wait?  It may have changed when this returns. */
bool queue_full(const struct queue *q);

/*
 * Read from one block, at most to->left bytes: what one write wrote comes out
 * in one read if there is room for it, and never together with another's.
 * Waits while there is none.  The bytes moved; 0: hung up and empty; -E_INTR;
 * -E_BADADDR, and then the bytes are still there.
 */
int64_t queue_read(struct queue *q, struct io *to);

/*
 * Write all of from->left in blocks of at most BLOCK_MAX.  Waits while
 * QUEUE_LIMIT bytes are there.  The bytes written (fewer if interrupted or
 * hung up in the middle); -E_HUNGUP, -E_INTR, -E_BADADDR, -E_NOMEM: none.
 */
int64_t queue_write(struct queue *q, struct io *from);

/*
 * The same with a block that changes hands and no byte copied.  queue_bread
 * gives one of at most max bytes (cut from a longer one, which copies), NULL
 * in *out when hung up and empty: its length, 0, -E_INTR, -E_NOMEM.
 * queue_bwrite owns b (at least a byte) from here on, unless it returns 0: then
 * both ways are full, and the other end may wait for us to read there.
 */
int64_t queue_bread(struct queue *q, size_t max, struct block **out);
int64_t queue_bwrite(struct queue *q, struct block *b);
