/*
 * waittab.h - processes that wait for a number: a hash table with room for
 * all processes there can be, so that it never grows and never fails, and
 * costs the same with one in it as with thousands.
 *
 * A process waits for one number at a time, so there are at most MAX_PROCS
 * nodes, and a chain has two of them on average when all wait.
 */
#pragma once

#include "boot/lock.h"

enum {
    WAIT_SLOT_BITS = 13, /* MAX_PROCS / 2 slots */
    WAIT_SLOTS = 1 << WAIT_SLOT_BITS,
    WAIT_LOCKS = 64
};

struct wait_node {
    const void *space; /* what the number is one of; two may use the same */
    uint64_t number;
    struct wait_node *next, **at; /* at NULL: in no table */
};

struct wait_table {
    struct spinlock lock[WAIT_LOCKS]; /* slot n: number n % WAIT_LOCKS */
    struct wait_node *first[WAIT_SLOTS];
};

void wait_table_init(
        struct wait_table *t, enum lock_rank rank, const char *name);

/* The slot of a number, whatever the table. */
static inline unsigned
wait_slot(const void *space, uint64_t number)
{
    uint64_t h = number ^ (uint64_t)space * 0x9e3779b97f4a7c15ul;

    return (unsigned)(h * 0xd1342543de82ef95ul >> (64 - WAIT_SLOT_BITS));
}

static inline struct spinlock *
wait_lock(struct wait_table *t, unsigned slot)
{
    return &t->lock[slot % WAIT_LOCKS];
}

/* ---- callers hold the slot's lock ---- */

/* The node that waits for this number; NULL: none. */
static inline struct wait_node *
wait_find(const struct wait_table *t, unsigned slot, const void *space,
        uint64_t number)
{
    struct wait_node *n = t->first[slot];

    while (n && (n->number != number || n->space != space))
        n = n->next;
    return n;
}

/* Add a node that is in no table; space, number are set, and new in t. */
static inline void
wait_add(struct wait_table *t, unsigned slot, struct wait_node *n)
{
    n->next = t->first[slot];
    n->at = &t->first[slot];
    if (n->next)
        n->next->at = &n->next;
    *n->at = n;
}

/* Take out a node; nothing if it is in no table. */
static inline void
wait_remove(struct wait_node *n)
{
    if (!n->at)
        return;
    *n->at = n->next;
    if (n->next)
        n->next->at = n->at;
    n->at = NULL;
}
