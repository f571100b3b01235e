/*
 * sort.c - quicksort that cannot be tricked: past 2 log2 n levels a part is
 * finished by heap sort, so the worst case is n log n too.
 */
#include "lib/lux.h"

typedef int compare_fn(const void *, const void *);

struct array {
    char *base;
    size_t size; /* bytes of one element */
    compare_fn *compare;
};

enum {
    SHORT_PART = 8
}; /* insertion sort wins below */

/* Address of element i. */
static char *
at(const struct array *a, size_t i)
{
    return a->base + i * a->size;
}

/* compare() of elements i and j. */
static int
order(const struct array *a, size_t i, size_t j)
{
    return a->compare(at(a, i), at(a, j));
}

/* Exchange elements i and j, eight bytes at a time. */
static void
swap(const struct array *a, size_t i, size_t j)
{
    char *p = at(a, i), *q = at(a, j);
    size_t n = a->size;

    for (; n >= 8; n -= 8, p += 8, q += 8) {
        uint64_t x, y;

        memcpy(&x, p, 8);
        memcpy(&y, q, 8);
        memcpy(p, &y, 8);
        memcpy(q, &x, 8);
    }
    for (; n > 0; n--, p++, q++) {
        char c = *p;

        *p = *q;
        *q = c;
    }
}

/* Sort [from, to): n^2 / 4 steps, best for a few. */
static void
insertion_sort(const struct array *a, size_t from, size_t to)
{
    for (size_t i = from + 1; i < to; i++)
        for (size_t k = i; k > from && order(a, k - 1, k) > 0; k--)
            swap(a, k - 1, k);
}

/* Restore the heap below `root` among elements from..to. */
static void
sift(const struct array *a, size_t from, size_t root, size_t to)
{
    for (;;) {
        size_t child = from + 2 * (root - from) + 1;

        if (child >= to)
            return;
        if (child + 1 < to && order(a, child, child + 1) < 0)
            child++;
        if (order(a, root, child) >= 0)
            return;
        swap(a, root, child);
        root = child;
    }
}

/* Sort [from, to): 2 n log n steps, whatever the input. */
static void
heap_sort(const struct array *a, size_t from, size_t to)
{
    for (size_t i = from + (to - from) / 2; i-- > from;)
        sift(a, from, i, to);
    while (to - from > 1) {
        swap(a, from, --to);
        sift(a, from, from, to);
    }
}

/* Put the median of the first, middle and last element first. */
static void
choose_pivot(const struct array *a, size_t from, size_t to)
{
    size_t mid = from + (to - from) / 2, last = to - 1;

    if (order(a, mid, last) > 0)
        swap(a, mid, last);
    if (order(a, from, last) > 0) /* now the last is the largest */
        swap(a, from, last);
    if (order(a, from, mid) < 0)
        swap(a, from, mid);
}

/* Split [from, to) around its first element; returns where that lands. */
static size_t
partition(const struct array *a, size_t from, size_t to)
{
    size_t i = from, j = to;

    for (;;) {
        do
            i++;
        while (i < to && order(a, i, from) < 0);
        do
            j--;
        while (order(a, j, from) > 0);
        if (i >= j)
            break;
        swap(a, i, j);
    }
    swap(a, from, j);
    return j;
}

/* Recursion into the smaller part keeps the stack at log2 n frames. */
static void
sort_part(const struct array *a, size_t from, size_t to, int levels)
{
    while (to - from > SHORT_PART) {
        size_t middle;

        if (levels-- == 0) {
            heap_sort(a, from, to);
            return;
        }
        choose_pivot(a, from, to);
        middle = partition(a, from, to);
        if (middle - from < to - middle) {
            sort_part(a, from, middle, levels);
            from = middle + 1;
        } else {
            sort_part(a, middle + 1, to, levels);
            to = middle;
        }
    }
    insertion_sort(a, from, to);
}

/* Allow twice the levels that a good split would need. */
void
qsort(void *base, size_t n, size_t size, compare_fn *compare)
{
    struct array a = { .base = base, .size = size, .compare = compare };

    if (n > 1)
        sort_part(&a, 0, n, 2 * (64 - __builtin_clzl(n)));
}

/* Halve [from, from + n) until the key is met or nothing left. */
void *
bsearch(const void *key, const void *base, size_t n, size_t size,
        compare_fn *compare)
{
    const char *from = base;

    while (n > 0) {
        const char *mid = from + n / 2 * size;
        int c = compare(key, mid);

        if (c == 0)
            return (void *)mid;
        if (c > 0) {
            from = mid + size;
            n -= n / 2 + 1;
        } else {
            n /= 2;
        }
    }
    return NULL;
}
