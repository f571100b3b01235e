/*
 * test_table.c - lib9p's tables, against an array as the model.
 *
 * sources: user/lib/9p/table.c user/lib/random.c
 */
#include "lib/9p/srv.h"
#include "host.h"

enum {
    KEYS = 3000,
    STEPS = 100000
};

struct thing {
    struct slot slot;
    bool in;
};

static struct thing things[KEYS];

/* What the library calls is renamed on the host: the host's serves here. */
void *lux_calloc(size_t count, size_t size);
void lux_free(void *p);

void *
lux_calloc(size_t count, size_t size)
{
    return calloc(count, size);
}

void
lux_free(void *p)
{
    free(p);
}

void
assert_failed(const char *file, int line, const char *what)
{
    check_failed(file, line, what);
    __builtin_trap();
}

static void
set_keys(uint32_t factor)
{
    for (uint32_t i = 0; i < KEYS; i++)
        things[i] = (struct thing){ .slot.key = i * factor };
}

/* Is every thing found that is in t, and no other? */
static void
check_all(const struct table *t)
{
    for (uint32_t i = 0; i < KEYS; i++) {
        struct slot *s = table_find(t, things[i].slot.key);

        CHECK(things[i].in ? s == &things[i].slot : s == NULL);
    }
}

static void
random_steps(uint64_t seed, uint32_t factor)
{
    struct table t = { 0 };
    unsigned count = 0, from = 0;

    set_keys(factor);
    for (int i = 0; i < STEPS; i++) {
        struct thing *x = &things[random_next(&seed) % KEYS];

        if (x->in)
            table_remove(&t, &x->slot);
        else
            CHECK_EQ(table_add(&t, &x->slot), 0);
        x->in = !x->in;
        count += x->in ? 1 : -1u;
        CHECK_EQ(t.count, count);
    }
    check_all(&t);
    while (table_take(&t, &from) != NULL)
        count--;
    CHECK_EQ(count, 0);
    table_free(&t);
}

/* Things come and go: found while they are in, and only then. */
TEST(random_keys)
{
    random_steps(seed, 2654435761u);
}

/* The same with numbers that are multiples of a power of two. */
TEST(aligned_keys)
{
    random_steps(seed, 1u << 16);
}

/* Fids in a row, or far apart, lie in chains that stay short. */
TEST(short_chains)
{
    static const uint32_t factors[] = { 1, 3, 256, 4096, 1u << 16 };

    for (unsigned i = 0; i < ARRAY_LEN(factors); i++) {
        struct table t = { 0 };
        unsigned longest = 0, from = 0;

        set_keys(factors[i]);
        for (unsigned k = 0; k < KEYS; k++)
            table_add(&t, &things[k].slot);
        for (unsigned b = 0; b < t.nbucket; b++) {
            unsigned n = 0;

            for (struct slot *s = t.bucket[b]; s != NULL; s = s->next)
                n++;
            longest = n > longest ? n : longest;
        }
        CHECK(longest <= 16);
        while (table_take(&t, &from) != NULL)
            ;
        table_free(&t);
    }
}

/* Of several with one number each is found, once. */
TEST(equal_keys)
{
    struct table t = { 0 };
    unsigned found = 0;

    set_keys(0);
    for (int i = 0; i < 20; i++)
        table_add(&t, &things[i].slot);
    for (struct slot *s = table_find(&t, 0); s != NULL; s = table_next(s)) {
        struct thing *x = (struct thing *)s;

        CHECK(!x->in);
        x->in = true;
        found++;
    }
    CHECK_EQ(found, 20);
    for (int i = 0; i < 20; i++)
        table_remove(&t, &things[i].slot);
    table_free(&t);
}
