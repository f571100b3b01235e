/*
 * heap.c - the pairing heap: a tree in which no child is smaller than its
 * parent; see heap.h.
 */
#include "sched/heap.h"

/* Make the root with the larger key the first child of the other. */
static struct heap_node *
link_roots(struct heap_node *a, struct heap_node *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->key < a->key) {
        struct heap_node *t = a;

        a = b;
        b = t;
    }
    b->prev = a;
    b->next = a->child;
    if (b->next)
        b->next->prev = b;
    a->child = b;
    return a;
}

/*
 * Merge a list of siblings to one tree: neighbours in pairs from left to
 * right, then the pairs from right to left.  Both passes matter for the
 * amortised bound; `done` chains the pairs through `next`.
 */
static struct heap_node *
link_siblings(struct heap_node *first)
{
    struct heap_node *done = NULL, *root = NULL;

    while (first) {
        struct heap_node *a = first, *b = a->next;

        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        a = link_roots(a, b);
        a->next = done;
        done = a;
    }
    while (done) {
        struct heap_node *a = done;

        done = a->next;
        a->next = NULL;
        root = link_roots(root, a);
    }
    return root;
}

void
heap_insert(struct heap *h, struct heap_node *node)
{
    node->child = node->next = node->prev = NULL;
    h->root = link_roots(h->root, node);
}

void
heap_remove(struct heap *h, struct heap_node *node)
{
    struct heap_node *rest = link_siblings(node->child);

    if (node == h->root) {
        h->root = rest;
        return;
    }
    if (node->prev->child == node)
        node->prev->child = node->next;
    else
        node->prev->next = node->next;
    if (node->next)
        node->next->prev = node->prev;
    h->root = link_roots(h->root, rest);
}
