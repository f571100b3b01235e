/*
 * heap.h - a pairing heap whose nodes live inside the members: smallest key
 * first.  Insert and look cost a few instructions, taking out the first or
 * any other O(log n) amortised (Fredman, Sedgewick, Sleator, Tarjan 1986).
 * Timers, fair share and EDF all order by it.
 */
#pragma once

#include <lux/types.h>

struct heap_node {
    uint64_t key;
    struct heap_node *child, *next; /* first child, right sibling */
    struct heap_node *prev;         /* left sibling; a first child's parent */
};

struct heap {
    struct heap_node *root; /* NULL: empty */
};

/* Add a node that is in no heap; node->key is set. */
void heap_insert(struct heap *h, struct heap_node *node);

/* Take out a node that is in h. */
void heap_remove(struct heap *h, struct heap_node *node);

/* The node with the smallest key, left in place; NULL: empty. */
static inline struct heap_node *
heap_first(const struct heap *h)
{
    return h->root;
}
