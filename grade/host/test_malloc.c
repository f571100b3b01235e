/*
 * test_malloc.c - the allocator against a model, and its guards.
 *
 * sources: user/lib/malloc.c user/lib/memory.c user/lib/lock.c
 * sources: user/lib/random.c user/lib/errstr.c user/lib/print.c
 * sources: user/lib/float.c kernel/boot/format.c user/lib/string.c
 * sources: user/lib/ctype.c grade/host/user_env.c
 */
#include "host.h"
#include "rename.h"
#include "lib/lux.h"
#include "user_env.h"

enum {
    SLOTS = 400,
    STEPS = 60000
};

struct slot { /* the model: what a live block must hold */
    uint8_t *p;
    size_t n;
    uint8_t fill;
};

static struct slot slots[SLOTS];

static size_t
random_size(uint64_t *seed)
{
    uint64_t r = random_next(seed);

    switch (r % 16) {
    case 0: return 0;
    case 1: return r >> 8 & 0x7ffff; /* big ones too */
    case 2: return r >> 8 & 0x7fff;
    default: return r >> 8 & 0x1ff;
    }
}

static void
check_fill(const struct slot *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s->p[i] != s->fill) {
            CHECK_EQ(s->p[i], s->fill);
            return;
        }
}

static void
take(struct slot *s, uint8_t *p, size_t n, uint64_t *seed)
{
    *s = (struct slot){ .p = p, .n = n, .fill = (uint8_t)random_next(seed) };
    CHECK_EQ((uintptr_t)p % 16, 0);
    memset(p, s->fill, n);
}

static void
step(struct slot *s, uint64_t *seed)
{
    size_t n = random_size(seed);
    uint8_t *p;

    if (s->p == NULL) {
        bool zeroed = random_next(seed) % 4 == 0;

        p = zeroed ? calloc(n / 8 + 1, 8) : malloc(n);
        CHECK(p != NULL);
        if (zeroed)
            check_fill(&(struct slot){ .p = p }, (n / 8 + 1) * 8);
        take(s, p, n, seed);
        return;
    }
    check_fill(s, s->n);
    if (random_next(seed) % 3 == 0 && n > 0) {
        p = realloc(s->p, n);
        CHECK(p != NULL);
        s->p = p;
        check_fill(s, n < s->n ? n : s->n);
        take(s, p, n, seed);
        return;
    }
    free(s->p);
    s->p = NULL;
}

static void
free_all(void)
{
    for (int i = 0; i < SLOTS; i++) {
        free(slots[i].p);
        slots[i].p = NULL;
    }
}

/* Live small blocks by the model; big ones are mappings. */
static int64_t
model_live(void)
{
    int64_t live = 0;

    for (int i = 0; i < SLOTS; i++)
        live += slots[i].p != NULL;
    return live;
}

/* Any sequence of calls keeps every block's bytes, and the heap whole. */
TEST(random_calls)
{
    for (int i = 0; i < STEPS; i++) {
        step(&slots[random_next(&seed) % SLOTS], &seed);
        if (i % 512 == 0) {
            int64_t live = malloc_check();

            CHECK(live >= 0 && live <= model_live());
        }
    }
    free_all();
    CHECK_EQ(malloc_check(), 0);
    CHECK_EQ(env.mapped, 0);
}

/* What was freed is used again: a steady load does not grow the heap. */
TEST(no_creep)
{
    int64_t before, after;

    for (int i = 0; i < STEPS; i++)
        step(&slots[random_next(&seed) % 50], &seed);
    before = brk(0);
    for (int i = 0; i < STEPS; i++)
        step(&slots[random_next(&seed) % 50], &seed);
    after = brk(0);
    free_all();
    CHECK(after - before <= 1 << 20);
}

/* All free neighbours join: afterwards the whole heap is one block. */
TEST(joins_neighbours)
{
    void *p[64], *all;
    int64_t end;

    for (int i = 0; i < 64; i++)
        p[i] = malloc(2000);
    end = brk(0);
    for (int i = 0; i < 64; i += 2)
        free(p[i]);
    for (int i = 63; i > 0; i -= 2)
        free(p[i]);
    all = malloc(50 * 2000); /* only a block of joined ones can hold it */
    CHECK_EQ(brk(0), end);
    free(all);
}

/* No memory: NULL and an error, realloc leaves its block as it was. */
TEST(no_memory)
{
    uint8_t *p = malloc(1000), *q;

    memset(p, 7, 1000);
    env.fail_memory = true;
    CHECK(malloc(1 << 20) == NULL);
    CHECK(strcmp(errstr(), "out of memory") == 0);
    q = realloc(p, 100 << 20);
    CHECK(q == NULL);
    check_fill(&(struct slot){ .p = p, .fill = 7 }, 1000);
    CHECK(malloc(SIZE_MAX) == NULL);
    CHECK(malloc(SIZE_MAX - 15) == NULL);
    CHECK(calloc(SIZE_MAX / 2, 3) == NULL);
    while (malloc(100000) != NULL)
        ; /* small ones end too, without a crash */
    env.fail_memory = false;
    free(p);
}

/* The exit string that free(p) ends the program with, or NULL. */
static const char *
exit_of_free(void *p)
{
    env.exit_msg = NULL;
    env.catch_exit = true;
    if (__builtin_setjmp(env.exit_to) == 0)
        free(p);
    env.catch_exit = false;
    return env.exit_msg;
}

static void
check_refused(void *p, const char *why)
{
    const char *msg = exit_of_free(p);

    CHECK(msg != NULL && strstr(msg, why) != NULL);
}

/* A second free is found, whether neighbours are free or not. */
TEST(double_free)
{
    char *a = malloc(100), *b = malloc(100), *c = malloc(100);

    free(b);
    check_refused(b, "double free");
    free(a);
    check_refused(a, "double free");
    check_refused(b, "double free");
    free(c);
    check_refused(c, "double free");
}

/* Pointers that malloc never gave out are refused. */
TEST(wrong_pointers)
{
    static _Alignas(16) char other[64];
    char *a = malloc(100);

    memset(a, 0, 100);
    check_refused(a + 1, "wrong pointer");
    check_refused(a + 16, "wrong pointer");
    check_refused(other + 32, "wrong pointer");
    CHECK(exit_of_free(a) == NULL);
}

/* A write past the end is found when the block is freed. */
TEST(overrun)
{
    char *a = malloc(24), *b = malloc(24);

    memset(a, 0x55, 40);
    check_refused(a, "overwritten");
    CHECK(b != NULL);
}
