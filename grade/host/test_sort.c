/*
 * test_sort.c - qsort and bsearch: right, and never slow.
 *
 * sources: user/lib/sort.c user/lib/random.c user/lib/memory.c
 */
#include "host.h"
#include "rename.h"
#include "lib/lux.h"

enum {
    MOST = 4096
};

static uint64_t compared;

static int
by_int(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    compared++;
    return x < y ? -1 : x > y;
}

static uint64_t
log2_up(uint64_t n)
{
    uint64_t k = 0;

    while (1ul << k < n)
        k++;
    return k;
}

/* Sort n numbers: in order afterwards, the same ones, at most 6 n log n. */
static void
check_sort(const int *input, size_t n)
{
    static int a[MOST];
    int64_t sum = 0, mix = 0;

    for (size_t i = 0; i < n; i++) {
        a[i] = input[i];
        sum += a[i];
        mix ^= (int64_t)a[i] * 0x9e3779b1;
    }
    compared = 0;
    qsort(a, n, sizeof(int), by_int);
    for (size_t i = 0; i < n; i++) {
        CHECK(i == 0 || a[i - 1] <= a[i]);
        sum -= a[i];
        mix ^= (int64_t)a[i] * 0x9e3779b1;
    }
    CHECK_EQ(sum, 0);
    CHECK_EQ(mix, 0);
    if (n > 1)
        CHECK(compared <= 6 * n * log2_up(n) + 64);
}

/* All patterns that trip naive quicksorts, at many lengths. */
TEST(patterns)
{
    static int a[MOST];

    for (size_t n = 0; n < MOST; n = n < 70 ? n + 1 : n * 2 - 5)
        for (int kind = 0; kind < 7; kind++) {
            for (int i = 0; i < (int)n; i++) {
                int half = (int)n / 2;
                int values[] = { i, -i, 0, i % 2, i < half ? i : (int)n - i,
                    i % 17, (int)(random_next(&seed) % 1000) };

                a[i] = values[kind];
            }
            check_sort(a, n);
        }
}

/*
 * The adversary of McIlroy, "A Killer Adversary for Quicksort" (1999): it
 * decides what the values are while they are being compared, so that every
 * pivot is a bad one.
 */
static int values[MOST], solid, candidate, gas;

static int
against(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    compared++;
    if (values[x] == gas && values[y] == gas)
        values[x == candidate ? x : y] = solid++;
    if (values[x] == gas)
        candidate = x;
    else if (values[y] == gas)
        candidate = y;
    return values[x] - values[y];
}

TEST(adversary)
{
    static int a[MOST];

    gas = MOST;
    solid = candidate = 0;
    for (int i = 0; i < MOST; i++) {
        a[i] = i;
        values[i] = gas;
    }
    compared = 0;
    qsort(a, MOST, sizeof(int), against);
    CHECK(compared <= 6 * MOST * log2_up(MOST));
    for (int i = 1; i < MOST; i++)
        CHECK(values[a[i - 1]] <= values[a[i]]);
}

struct odd { /* a size that is not a multiple of 8 */
    char key;
    char text[12];
};

static int
by_key(const void *a, const void *b)
{
    return ((const struct odd *)a)->key - ((const struct odd *)b)->key;
}

/* Elements move whole, whatever their size. */
TEST(odd_sizes)
{
    struct odd a[100];

    for (int i = 0; i < 100; i++) {
        a[i].key = (char)(random_next(&seed) % 100);
        memset(a[i].text, a[i].key, sizeof(a[i].text));
    }
    qsort(a, 100, sizeof(a[0]), by_key);
    for (int i = 0; i < 100; i++) {
        CHECK(i == 0 || a[i - 1].key <= a[i].key);
        CHECK_EQ(a[i].text[0], a[i].key);
        CHECK_EQ(a[i].text[11], a[i].key);
    }
}

/* bsearch finds every element, and nothing that is not there. */
TEST(binary_search)
{
    int a[64];

    for (int n = 0; n < 64; n++) {
        a[n] = 2 * n;
        for (int key = -1; key <= 2 * n + 3; key++) {
            int *found = bsearch(&key, a, (size_t)n + 1, sizeof(int), by_int);

            if (key >= 0 && key % 2 == 0 && key <= 2 * n)
                CHECK(found == &a[key / 2]);
            else
                CHECK(found == NULL);
        }
    }
    CHECK(bsearch(a, a, 0, sizeof(int), by_int) == NULL);
}
