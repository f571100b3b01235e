/*
 * selftest.c - stage 2 proves itself: a few seconds of a reader's time, a few
 * hundred thousand instructions of the machine's.
 *
 * Run by stage 2's kernel when it starts and by `selftest` at its prompt.
 * The real tests are in grade/guest/kernel/.
 */
#include "mmu/private.h"

enum {
    SELF_PAGES = 200,
    SELF_BLOCKS = 64
};

#define SELF_VA 0x10000000ul

/* No page is given out twice; all come back. */
static bool
test_pages(void)
{
    paddr_t chain = 0;
    bool ok = true;

    for (uint64_t i = 0; i < SELF_PAGES; i++) {
        paddr_t pa = page_alloc();
        paddr_t *page = pa_to_kva(pa);

        if (pa == 0)
            return false;
        page[0] = chain;
        page[1] = i;
        chain = pa;
    }
    for (uint64_t i = SELF_PAGES; i-- > 0;) {
        paddr_t *page = pa_to_kva(chain);
        paddr_t pa = chain;

        ok &= page[1] == i;
        chain = page[0];
        page_unref(pa);
    }
    return ok && chain == 0;
}

/* Blocks are aligned to their size and merge when they come back. */
static bool
test_blocks(void)
{
    struct mem_counters before, after;
    bool ok = true;

    frame_counters(&before);
    for (unsigned order = 0; order < 10; order++) {
        paddr_t pa = pages_alloc(order);

        ok &= pa != 0 && !(pa & ((PAGE_SIZE << order) - 1));
        if (pa != 0)
            pages_free(pa, order);
    }
    frame_counters(&after);
    return ok && before.free + before.cached == after.free + after.cached;
}

/* Heap blocks of many sizes keep what is written to them. */
static bool
test_heap(void)
{
    uint8_t *block[SELF_BLOCKS];
    uint64_t live = kheap_live();
    bool ok = true;

    for (unsigned i = 0; i < SELF_BLOCKS; i++) {
        block[i] = kmalloc(i * 7 + 1);
        if (block[i] == NULL)
            return false;
        memset(block[i], i, i * 7 + 1);
    }
    for (unsigned i = 0; i < SELF_BLOCKS; i++) {
        ok &= block[i][0] == i && block[i][i * 7] == i;
        kfree(block[i]);
    }
    return ok && kheap_live() == live;
}

/* A space whose pages come by fault, with a value in the first. */
static struct space *
small_space(uint64_t value)
{
    struct region r = { .start = SELF_VA,
        .end = SELF_VA + 16 * PAGE_SIZE,
        .prot = PROT_READ | PROT_WRITE,
        .ops = &anon_region };
    struct space *s = space_new();

    if (s == NULL)
        return NULL;
    space_load(s);
    if (region_add(s, &r) < 0 || copy_out(SELF_VA, &value, sizeof(value)) < 0) {
        space_load(NULL);
        space_free(s);
        return NULL;
    }
    return s;
}

static uint64_t
user_word(vaddr_t va)
{
    uint64_t v = ~0ul;

    copy_in(&v, va, sizeof(v));
    return v;
}

/* Pages appear zeroed at the first touch, and only where a region is. */
static bool
test_demand_zero(void)
{
    struct space *s = small_space(1);
    uint64_t v;
    bool ok;

    if (s == NULL)
        return false;
    ok = user_word(SELF_VA + 5 * PAGE_SIZE) == 0 && s->resident == 2;
    ok &= copy_in(&v, SELF_VA - 8, 8) == -E_BADADDR;
    ok &= copy_in(&v, DIRECT_BASE, 8) == -E_BADADDR;
    space_load(NULL);
    space_free(s);
    return ok;
}

/* After a copy both see the same, until one of them writes. */
static bool
test_copy_on_write(void)
{
    struct space *parent = small_space(7), *child = space_new();
    uint64_t other = 8;
    bool ok = parent != NULL && child != NULL &&
              space_copy(parent, child, false) == 0;

    if (ok) {
        ok &= copy_out(SELF_VA, &other, sizeof(other)) == 0;
        ok &= user_word(SELF_VA) == 8;
        space_load(child);
        ok &= user_word(SELF_VA) == 7;
    }
    space_load(NULL);
    if (child != NULL)
        space_free(child);
    if (parent != NULL)
        space_free(parent);
    return ok;
}

static bool
test_counters(void)
{
    return mmu_check() == 0;
}

unsigned
mmu_self_test(void)
{
    static const struct {
        const char *what;
        bool (*passes)(void);
    } tests[] = {
        { "pages are given out once and come back", test_pages },
        { "blocks are aligned and merge again", test_blocks },
        { "the heap keeps what is written to it", test_heap },
        { "pages come zeroed, by fault, where a region is", test_demand_zero },
        { "copies of a space share until one writes", test_copy_on_write },
        { "all counters agree with the page tables", test_counters },
    };
    unsigned failed = 0;

    for (unsigned i = 0; i < ARRAY_LEN(tests); i++) {
        bool ok = tests[i].passes();

        print("self-test: %s: %s\n", tests[i].what, ok ? "ok" : "FAILED");
        failed += !ok;
    }
    return failed;
}
