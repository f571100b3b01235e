/*
 * list.h - doubly linked rings whose links live inside the members.
 *
 * An empty list, and a node that is on no list, points at itself; so
 * removing twice is harmless and `list_empty(&node)` asks "on no list?".
 */
#pragma once

#include <lux/types.h>

struct list {
    struct list *next, *prev;
};

static inline void
list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool
list_empty(const struct list *l)
{
    return l->next == l;
}

/* Add a node at the end (before the head `l`). */
static inline void
list_append(struct list *l, struct list *node)
{
    node->prev = l->prev;
    node->next = l;
    l->prev->next = node;
    l->prev = node;
}

static inline void
list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* The member that holds the first node; the list is not empty. */
#define LIST_FIRST(head, type, member) CONTAINER_OF((head)->next, type, member)

#define LIST_EACH(head, node)                                                  \
    for (struct list *node = (head)->next; node != (head); node = node->next)
