/*
 * table.c - things found by number, at a cost that does not grow.
 *
 * A hash table of chains.  Each thing brings its own link, so that adding
 * needs no memory: the array of chains doubles when there are as many things
 * as chains, and if no memory is left the chains get longer instead.
 */
#include "lib/9p/srv.h"

enum {
    FIRST_BUCKETS = 16
};

/*
 * Which of n (a power of 2, at least 2) chains: the upper bits of the product,
 * on which all bits of the number have an influence (Knuth 3, 6.4), so that
 * numbers in a row and multiples of a large power of 2 both get spread.
 */
static unsigned
bucket_of(uint32_t key, unsigned n)
{
    return key * 0x9e3779b1u >> (__builtin_clz(n) + 1);
}

/* Twice as many chains, if there is memory for them. */
static void
table_grow(struct table *t)
{
    unsigned n = t->nbucket > 0 ? 2 * t->nbucket : FIRST_BUCKETS;
    struct slot **bucket = calloc(n, sizeof(*bucket)), *next;

    if (bucket == NULL)
        return;
    for (unsigned i = 0; i < t->nbucket; i++) {
        for (struct slot *s = t->bucket[i]; s != NULL; s = next) {
            unsigned to = bucket_of(s->key, n);

            next = s->next;
            s->next = bucket[to];
            bucket[to] = s;
        }
    }
    free(t->bucket);
    t->bucket = bucket;
    t->nbucket = n;
}

/*
 * A thing with this number, or NULL.  Others with the same number follow in
 * its chain, in no order: table_next.
 *
 * Contract of all of table.c: whoever shares a table holds a lock.
 */
struct slot *
table_find(const struct table *t, uint32_t key)
{
    struct slot *s;

    if (t->nbucket == 0)
        return NULL;
    for (s = t->bucket[bucket_of(key, t->nbucket)]; s != NULL; s = s->next)
        if (s->key == key)
            return s;
    return NULL;
}

/* The next with s's number, or NULL. */
struct slot *
table_next(const struct slot *s)
{
    uint32_t key = s->key;

    do
        s = s->next;
    while (s != NULL && s->key != key);
    return (struct slot *)s;
}

/* Put s, whose key is set, into t.  0; -E_NOMEM only for the first thing. */
int
table_add(struct table *t, struct slot *s)
{
    struct slot **head;

    if (t->count >= t->nbucket)
        table_grow(t);
    if (t->nbucket == 0)
        return -E_NOMEM;
    head = &t->bucket[bucket_of(s->key, t->nbucket)];
    s->next = *head;
    *head = s;
    t->count++;
    return 0;
}

/* Take s, which is in t, out of it. */
void
table_remove(struct table *t, struct slot *s)
{
    struct slot **at = &t->bucket[bucket_of(s->key, t->nbucket)];

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    t->count--;
}

/*
 * Take one thing out, or NULL: the table is empty.  *from is 0 at first and
 * kept by the caller, so that emptying a table looks at each chain once.
 */
struct slot *
table_take(struct table *t, unsigned *from)
{
    for (; *from < t->nbucket; ++*from) {
        struct slot *s = t->bucket[*from];

        if (s != NULL) {
            table_remove(t, s);
            return s;
        }
    }
    return NULL;
}

/* Give back the memory of the empty table t. */
void
table_free(struct table *t)
{
    assert(t->count == 0);
    free(t->bucket);
    *t = (struct table){ 0 };
}
