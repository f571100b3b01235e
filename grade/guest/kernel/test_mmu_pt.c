/*
 * test_mmu_pt.c - page tables, the kernel's own map, stacks and device
 * registers.
 */
#include "mmu_test.h"

static unsigned ngone;
static paddr_t last_gone;

static void
count_gone(paddr_t pa, void *arg)
{
    CHECK(arg == &ngone);
    ngone++;
    last_gone = pa;
}

KTEST(pt_canonical)
{
    CHECK(is_canonical(0));
    CHECK(is_canonical(0x00007fffffffffff));
    CHECK(!is_canonical(0x0000800000000000));
    CHECK(!is_canonical(0xffff7fffffffffff));
    CHECK(is_canonical(0xffff800000000000));
    CHECK(is_canonical(~0ul));
    CHECK(!is_canonical(1ul << 63));
}

KTEST(pt_index_of_each_level)
{
    vaddr_t va = 0x1fful << 39 | 0x0aaul << 30 | 0x155ul << 21 | 3ul << 12;

    CHECK_EQ(pt_index(va | 0xfff, 3), 0x1ff);
    CHECK_EQ(pt_index(va | 0xfff, 2), 0x0aa);
    CHECK_EQ(pt_index(va | 0xfff, 1), 0x155);
    CHECK_EQ(pt_index(va | 0xfff, 0), 3);
}

/* ---- pt_walk ---- */

/* Where the walk goes, followed by hand: the address of va's leaf entry. */
static pte_t *
by_hand(pte_t *root, vaddr_t va)
{
    pte_t *table = root;

    for (unsigned shift = 39; shift > 12; shift -= 9) {
        pte_t e = table[va >> shift & 511];

        if (!(e & PTE_PRESENT))
            return NULL;
        table = pa_to_kva(e & PTE_ADDR);
    }
    return &table[va >> 12 & 511];
}

/* Take out what a walk to va has made. */
static void
forget(pte_t *root, vaddr_t va)
{
    for (unsigned level = 1; level <= 3; level++) {
        pte_t *table = root, *e;
        unsigned at = 3;

        for (; at > level; at--)
            table = pa_to_kva(table[pt_index(va, at)] & PTE_ADDR);
        e = &table[pt_index(va, level)];
        if (!(*e & PTE_PRESENT) || frame_of(*e & PTE_ADDR)->next != 0)
            return;
        page_free_zeroed(*e & PTE_ADDR);
        pte_set(e, 0);
    }
}

/* Looking for what is not there finds nothing and makes nothing. */
KTEST(pt_walk_finds_nothing)
{
    struct balance b = balance_now();
    pte_t *root = root_new();

    CHECK(pt_walk(root, 0, PT_FIND) == NULL);
    CHECK(pt_walk(root, USER_TOP - PAGE_SIZE, PT_FIND) == NULL);
    CHECK_EQ(balance_now().used, b.used + 1);
    root_free(root);
    CHECK_BALANCE(b);
}

/* The entry found is the one that the CPU would use, for every offset. */
KTEST(pt_walk_agrees_with_the_cpu)
{
    static const vaddr_t vas[] = { 0, 0x1ff000, 0x200000, 0x3fffffff,
        0x40000000, 0x7fffffffff, 0x8000000000, 0x123456789abc,
        0x7ffffffff000 };
    pte_t *root = root_new();

    for (unsigned i = 0; i < ARRAY_LEN(vas); i++) {
        pte_t *e = pt_walk(root, vas[i], PT_MAKE);

        if (!CHECK(e != NULL && e == by_hand(root, vas[i])))
            print("va %#lx: entry %p, the CPU looks at %p\n", vas[i], e,
                    by_hand(root, vas[i]));
        CHECK(pt_walk(root, vas[i], PT_FIND) == e);
        CHECK(pt_walk(root, vas[i] ^ 0xfff, PT_FIND) == e);
    }
    for (unsigned i = 0; i < ARRAY_LEN(vas); i++)
        forget(root, vas[i]);
    root_free(root);
}

/* Three tables for the first page of a terabyte, none for its neighbour. */
KTEST(pt_walk_shares_tables)
{
    struct balance b = balance_now();
    pte_t *root = root_new(), *e;
    vaddr_t va = 0x10000000000;

    e = pt_walk(root, va, PT_MAKE);
    CHECK_EQ(balance_now().used, b.used + 4);
    CHECK(pt_walk(root, va + PAGE_SIZE, PT_MAKE) == e + 1);
    CHECK_EQ(balance_now().used, b.used + 4);
    CHECK(pt_walk(root, va + 0x200000, PT_MAKE) != NULL); /* a new PT */
    CHECK_EQ(balance_now().used, b.used + 5);
    CHECK(pt_walk(root, va + 0x40000000, PT_MAKE) != NULL); /* PD and PT */
    CHECK_EQ(balance_now().used, b.used + 7);
    forget(root, va + 0x40000000);
    forget(root, va + 0x200000);
    forget(root, va);
    root_free(root);
    CHECK_BALANCE(b);
}

/* The upper levels permit everything, so that the leaf alone decides. */
KTEST(pt_walk_upper_levels_permit_all)
{
    const pte_t all = PTE_PRESENT | PTE_WRITE | PTE_USER;
    pte_t *root = root_new(), *table = root;
    vaddr_t va = 0x345678901000;

    CHECK(pt_walk(root, va, PT_MAKE) != NULL);
    for (int level = 3; level > 0; level--) {
        pte_t e = table[pt_index(va, level)];

        if (!CHECK_EQ(e & ~PTE_ADDR, all))
            break;
        table = pa_to_kva(e & PTE_ADDR);
        CHECK(frame_of(e & PTE_ADDR)->flags & FRAME_TABLE);
        CHECK_EQ(frame_of(e & PTE_ADDR)->next, level > 1 ? 1 : 0);
    }
    CHECK_EQ(frame_of(kva_to_pa(root))->next, 1);
    forget(root, va);
    root_free(root);
}

/* Without memory for the n-th table, not one of them is there. */
KTEST(pt_walk_no_memory)
{
    struct balance b = balance_now();
    pte_t *root = root_new();
    vaddr_t va = 0x123456789000;

    for (unsigned n = 1; n <= 3; n++) {
        page_fail_at(n);
        CHECK(pt_walk(root, va, PT_MAKE) == NULL);
        page_fail_at(0);
        CHECK_EQ(balance_now().used, b.used + 1);
        CHECK_EQ(root[pt_index(va, 3)], 0);
        CHECK_EQ(frame_of(kva_to_pa(root))->next, 0);
    }
    CHECK(pt_walk(root, va, PT_MAKE) != NULL);
    forget(root, va);
    root_free(root);
    CHECK_BALANCE(b);
}

/* ---- map, unmap, protect ---- */

/* The leaf entry of va, 0 if there is none. */
static pte_t
entry(pte_t *root, vaddr_t va)
{
    pte_t *e = pt_walk(root, va, PT_FIND);

    return e != NULL ? *e : 0;
}

/* One mapping costs three tables, its neighbour none; all come back. */
KTEST(pt_map_and_unmap)
{
    struct balance b = balance_now();
    pte_t *root = root_new();
    vaddr_t va = 0x123456789000;
    paddr_t chain;
    uint64_t used = balance_now().used;

    CHECK(pt_walk(root, va, PT_FIND) == NULL);
    CHECK_EQ(balance_now().used, used);
    CHECK_EQ(pt_map(root, va, 0x5000, PTE_USER), 0);
    CHECK_EQ(balance_now().used, used + 3);
    CHECK_EQ(pt_map(root, va, 0x6000, PTE_USER), -E_INUSE);
    CHECK_EQ(pt_map(root, va + PAGE_SIZE, 0x6000, PTE_USER), 0);
    CHECK_EQ(balance_now().used, used + 3);
    CHECK_EQ(*pt_walk(root, va, PT_FIND), 0x5000 | PTE_USER | PTE_PRESENT);
    ngone = 0;
    chain = pt_unmap(root, va, va + PAGE_SIZE, count_gone, &ngone);
    CHECK_EQ(chain, 0); /* the neighbour is still there */
    CHECK_EQ(ngone, 1);
    CHECK_EQ(last_gone, 0x5000);
    chain = pt_unmap(root, va, va + 2 * PAGE_SIZE, count_gone, &ngone);
    CHECK_NE(chain, 0);
    CHECK_EQ(last_gone, 0x6000);
    CHECK_EQ(balance_now().used, used + 3); /* not before pt_release */
    pt_release(chain);
    CHECK_EQ(balance_now().used, used);
    CHECK(pt_walk(root, va, PT_FIND) == NULL);
    root_free(root);
    CHECK_BALANCE(b);
}

/* Without memory for the n-th table nothing changes. */
KTEST(pt_map_no_memory)
{
    struct balance b = balance_now();
    pte_t *root = root_new();
    vaddr_t va = 0x123456789000;
    int err = -E_NOMEM;
    unsigned n = 0;

    while (err == -E_NOMEM) {
        struct balance now = balance_now();

        page_fail_at(++n);
        err = pt_map(root, va, 0x5000, PTE_USER);
        page_fail_at(0);
        if (err < 0) {
            CHECK_BALANCE(now);
            CHECK(pt_walk(root, va, PT_FIND) == NULL);
        }
    }
    CHECK_EQ(err, 0);
    CHECK_EQ(n, 4); /* three tables */
    pt_release(pt_unmap(root, va, va + PAGE_SIZE, NULL, NULL));
    root_free(root);
    CHECK_BALANCE(b);
}

/* Against a model: map, unmap and protect ranges in three places. */
/* seeds: 3 */
KTEST(pt_random)
{
    enum {
        N = 96
    };
    static pte_t model[N];
    struct balance b = balance_now();
    pte_t *root = root_new();

    memset(model, 0, sizeof(model));
    for (unsigned step = 0; step < 3000; step++) {
        CHECK_ROUND(step);
        unsigned i = ktest_random(&seed) % N;
        unsigned n = 1 + ktest_random(&seed) % 8;
        pte_t flags = ktest_random(&seed) % 2 ? PTE_WRITE : PTE_NX;
        /* around two borders of tables: 2 MiB and 512 GiB */
        vaddr_t base = i < N / 2 ? 0x7fffe8000 : 0x7fffffe8000;
        vaddr_t va = base + i % (N / 2) * PAGE_SIZE;

        if (i % (N / 2) + n > N / 2)
            n = N / 2 - i % (N / 2);
        switch (ktest_random(&seed) % 4) {
        case 0:
            pt_release(pt_unmap(root, va, va + n * PAGE_SIZE, NULL, NULL));
            memset(&model[i], 0, n * sizeof(model[0]));
            break;
        case 1:
            pt_protect(root, va, va + n * PAGE_SIZE, flags);
            for (unsigned j = i; j < i + n; j++)
                if (model[j] != 0)
                    model[j] = (model[j] & PTE_ADDR) | flags | PTE_PRESENT;
            break;
        default:
            CHECK_EQ(pt_map(root, va, (i + 1) * PAGE_SIZE, flags),
                    model[i] ? -E_INUSE : 0);
            if (model[i] == 0)
                model[i] = (i + 1) * PAGE_SIZE | flags | PTE_PRESENT;
        }
        if (step % 50 == 0) {
            for (unsigned j = 0; j < N; j++) {
                vaddr_t at_j = (j < N / 2 ? 0x7fffe8000 : 0x7fffffe8000) +
                               j % (N / 2) * PAGE_SIZE;

                CHECK_EQ(entry(root, at_j), model[j]);
            }
        }
    }
    pt_release(pt_unmap(root, 0, USER_TOP, NULL, NULL));
    root_free(root);
    CHECK_BALANCE(b);
}

/* One page in 128 TiB is found by looking at few tables. */
KTEST(pt_unmap_skips_what_is_missing)
{
    pte_t *root = root_new();
    uint64_t start;
    paddr_t chain;

    CHECK_EQ(pt_map(root, USER_TOP - PAGE_SIZE, 0x5000, PTE_USER), 0);
    ngone = 0;
    start = rdtsc();
    chain = pt_unmap(root, 0, USER_TOP, count_gone, &ngone);
    CHECK_LT(rdtsc() - start, 2000000ul * 32); /* a tick is 1/32 instruction */
    CHECK_EQ(ngone, 1);
    CHECK_EQ(last_gone, 0x5000);
    pt_release(chain);
    root_free(root);
}

/* Only permissions change: not the address, not what the CPU noted. */
KTEST(pt_protect_keeps_the_rest)
{
    const pte_t noted = PTE_ACCESSED | PTE_DIRTY | PTE_PRESENT;
    pte_t *root = root_new();
    vaddr_t va = 0x7fffff000; /* the last entry of a table, and the next */

    CHECK_EQ(pt_map(root, va, 0x5000, PTE_USER | PTE_WRITE | noted), 0);
    CHECK_EQ(pt_map(root, va + PAGE_SIZE, 0x6000, PTE_USER | PTE_NX), 0);
    CHECK_EQ(pt_map(root, va + 3 * PAGE_SIZE, 0x7000, PTE_USER), 0);
    pt_protect(root, va, va + 3 * PAGE_SIZE, PTE_USER | PTE_COW);
    CHECK_EQ(entry(root, va), 0x5000 | noted | PTE_USER | PTE_COW);
    CHECK_EQ(entry(root, va + PAGE_SIZE),
            0x6000 | PTE_PRESENT | PTE_USER | PTE_COW);
    CHECK_EQ(entry(root, va + 2 * PAGE_SIZE), 0); /* not mapped by it */
    CHECK_EQ(entry(root, va + 3 * PAGE_SIZE), 0x7000 | PTE_PRESENT | PTE_USER);
    pt_release(pt_unmap(root, 0, USER_TOP, NULL, NULL));
    root_free(root);
}

/* A table goes with its last entry, those above it when they are empty. */
KTEST(pt_unmap_prunes_to_the_root)
{
    struct balance b = balance_now();
    pte_t *root = root_new();
    vaddr_t va = 0x10000000000;

    CHECK_EQ(pt_map(root, va, 0x5000, PTE_USER), 0);
    CHECK_EQ(pt_map(root, va + 0x40000000, 0x6000, PTE_USER), 0);
    CHECK_EQ(balance_now().used, b.used + 6);
    pt_release(pt_unmap(root, va, va + PAGE_SIZE, NULL, NULL));
    CHECK_EQ(balance_now().used, b.used + 4); /* its PT and PD are gone */
    CHECK_EQ(entry(root, va + 0x40000000), 0x6000 | PTE_PRESENT | PTE_USER);
    pt_release(pt_unmap(root, va, va + 0x80000000, NULL, NULL));
    CHECK_EQ(balance_now().used, b.used + 1);
    CHECK_EQ(root[pt_index(va, 3)], 0);
    root_free(root);
    CHECK_BALANCE(b);
}

/* Tables of the kernel's half stay: every space points at them. */
KTEST(pt_unmap_keeps_the_kernels_tables)
{
    vaddr_t va = KVM_BASE + (1ul << 37); /* far from all stacks */

    CHECK_EQ(pt_map(kernel_root, va, 0x5000, PTE_NX), 0);
    CHECK_EQ(pt_unmap(kernel_root, va, va + PAGE_SIZE, NULL, NULL), 0);
    CHECK_EQ(entry(kernel_root, va), 0);
    CHECK(pt_walk(kernel_root, va, PT_FIND) != NULL);
}

/* grade/test_mmu.py stops the machine here and reads the tables itself. */
void look_at_root(pte_t *root);

void __attribute__((noinline)) look_at_root(pte_t *root)
{
    __asm__ volatile("" : : "r"(root) : "memory");
}

/* A page table for a look from outside, which knows the random numbers. */
KTEST(pt_to_look_at)
{
    struct balance b = balance_now();
    pte_t *root = root_new();

    seed = 1;
    for (uint64_t step = 0; step < 400; step++) {
        uint64_t i = ktest_random(&seed) % 64;
        uint64_t what = ktest_random(&seed) % 4, bits = ktest_random(&seed);
        vaddr_t va = i < 32 ? 0x7ffff0000 + i * PAGE_SIZE
                            : 0x10000000000 + ((i - 32) << 30);
        pte_t flags =
                PTE_USER | (bits & 1 ? PTE_WRITE : 0) | (bits & 2 ? PTE_NX : 0);

        if (what == 0)
            pt_release(pt_unmap(root, va, va + PAGE_SIZE, NULL, NULL));
        else if (what == 1)
            pt_protect(root, va, va + PAGE_SIZE, flags);
        else
            pt_map(root, va, (step + 1) * PAGE_SIZE, flags);
    }
    look_at_root(root);
    pt_release(pt_unmap(root, 0, USER_TOP, NULL, NULL));
    root_free(root);
    CHECK_BALANCE(b);
}

/* ---- the kernel's map ---- */

/* What the whole walk says about an address: flags all levels grant. */
static pte_t
whole_walk(vaddr_t va)
{
    pte_t *table = pa_to_kva(read_cr3() & PTE_ADDR);
    pte_t e = 0;

    for (int level = 3; level >= 0; level--) {
        e = table[pt_index(va, level)];
        if (!(e & PTE_PRESENT))
            return 0;
        if (level == 0 || (e & PTE_LARGE))
            break;
        table = pa_to_kva(e & PTE_ADDR);
    }
    return e;
}

/* No kernel address is both writable and executable, or the user's. */
KTEST(kmap_write_xor_execute)
{
    CHECK_EQ(kmap_check_wx(), 0);
}

/* The check does find a page that is both. */
KTEST(kmap_check_finds_a_bad_page)
{
    char *top = kstack_alloc();
    pte_t *e = pt_walk(kernel_root, (vaddr_t)top - PAGE_SIZE, PT_FIND);
    pte_t good = *e;

    *e = good & ~PTE_NX;
    CHECK_EQ(kmap_check_wx(), 1);
    *e = good | PTE_USER;
    CHECK_EQ(kmap_check_wx(), 1);
    *e = good;
    CHECK_EQ(kmap_check_wx(), 0);
    kstack_free(top);
}

extern char text_start[];

KTEST(kmap_permissions)
{
    pte_t text = whole_walk((vaddr_t)text_start);
    pte_t rodata = whole_walk((vaddr_t)text_end);
    pte_t data = whole_walk((vaddr_t)rodata_end);
    pte_t direct = whole_walk(
            (vaddr_t)pa_to_kva(0x200000 + (vaddr_t)kernel_end - KERNEL_BASE));

    CHECK(text != 0 && !(text & (PTE_WRITE | PTE_NX | PTE_USER)));
    CHECK(rodata != 0 && !(rodata & (PTE_WRITE | PTE_USER)));
    CHECK(rodata & PTE_NX);
    CHECK((data & PTE_WRITE) && (data & PTE_NX));
    CHECK((direct & PTE_WRITE) && (direct & PTE_NX) && (direct & PTE_GLOBAL));
    CHECK(direct & PTE_LARGE);
    CHECK_EQ(whole_walk(0), 0); /* boot's identity map is gone */
    CHECK_EQ(whole_walk(0x100000), 0);
    CHECK_EQ(whole_walk((vaddr_t)kernel_start), 0); /* 32-bit entry code */
}

/* The last byte of the last usable range is there. */
KTEST(kmap_covers_all_ram)
{
    for (unsigned i = 0; i < bootinfo.nmem; i++) {
        const struct mem_range *r = &bootinfo.mem[i];
        pte_t e;

        if (r->kind != MEM_USABLE || r->end <= r->start)
            continue;
        e = whole_walk((vaddr_t)pa_to_kva(r->end - 1));
        CHECK(e & PTE_PRESENT);
        e = whole_walk((vaddr_t)pa_to_kva(r->start));
        CHECK(e & PTE_PRESENT);
    }
}

/* The record of a table counts its entries: each table must have one. */
KTEST(kmap_tables_have_records)
{
    const uint64_t large = PTE_PRESENT | PTE_LARGE;

    CHECK(frame_of(kva_to_pa(kernel_root)) != NULL);
    CHECK(frame_of(ap_boot_root()) != NULL);
    for (unsigned i = 256; i < 512; i++) {
        pte_t *table = pa_to_kva(kernel_root[i] & PTE_ADDR);

        if (!(kernel_root[i] & PTE_PRESENT))
            continue;
        CHECK(frame_of(kernel_root[i] & PTE_ADDR) != NULL);
        for (unsigned j = 0; j < 512; j++)
            if ((table[j] & large) == PTE_PRESENT)
                CHECK(frame_of(table[j] & PTE_ADDR) != NULL);
    }
}

/* Tables for a starting CPU: below 4 GiB, one page executable, same upper
 * half. */
KTEST(kmap_ap_root)
{
    paddr_t pa = ap_boot_root();
    pte_t *root = pa_to_kva(pa);
    pte_t *e = pt_walk(root, AP_BOOT_PA, PT_FIND);

    CHECK(pa != 0 && pa < 1ul << 32);
    for (unsigned i = 256; i < 512; i++)
        CHECK_EQ(root[i] & ~(pte_t)PTE_ACCESSED,
                kernel_root[i] & ~(pte_t)PTE_ACCESSED);
    CHECK(e != NULL && *e == (AP_BOOT_PA | PTE_PRESENT));
    CHECK_NE(frame_of(AP_BOOT_PA)->state, FRAME_USED);
}

/* ---- stacks and registers ---- */

KTEST(kstack_pool)
{
    enum {
        N = 100
    };
    static char *stack[N];
    struct balance b;

    for (unsigned round = 0; round < 2; round++) {
        CHECK_ROUND(round);
        if (round == 1) /* tables and pool are there now */
            b = balance_now();
        for (unsigned i = 0; i < N; i++) {
            stack[i] = kstack_alloc();
            CHECK(stack[i] != NULL);
            memset(stack[i] - KSTACK_SIZE, i, KSTACK_SIZE);
        }
        for (unsigned i = 0; i < N; i++) {
            CHECK_EQ((uint8_t)stack[i][-1], i);
            CHECK_EQ((uint8_t)stack[i][-(int)KSTACK_SIZE], i);
            CHECK_EQ(whole_walk((vaddr_t)stack[i] - KSTACK_SIZE - 1), 0);
            kstack_free(stack[i]);
        }
    }
    CHECK_BALANCE(b);
}

KTEST(kstack_no_memory)
{
    enum {
        N = 80
    };
    static void *stack[N];
    void *more = NULL;
    unsigned n = 0;

    for (unsigned i = 0; i < N; i++) /* empty the pool */
        stack[i] = kstack_alloc();
    while (more == NULL) {
        struct balance b = balance_now();

        page_fail_at(++n);
        more = kstack_alloc();
        page_fail_at(0);
        if (more == NULL)
            CHECK_BALANCE(b);
    }
    CHECK_GE(n, 4); /* the call itself and its pages failed */
    kstack_free(more);
    for (unsigned i = 0; i < N; i++)
        kstack_free(stack[i]);
    CHECK_EQ(mmu_check(), 0);
}

/* The HPET's registers answer; RAM and nonsense are refused. */
KTEST(mmio_map_registers)
{
    volatile uint32_t *hpet = mmio_map(0xfed00000, 0x400);
    volatile uint32_t *again = mmio_map(0xfed00004, 4);

    CHECK(hpet != NULL && again != NULL);
    CHECK(hpet[0] != 0 && hpet[0] != ~0u); /* HPET 1.0a, 2.3.4 */
    CHECK_EQ(hpet[1], again[0]);           /* period, in femtoseconds */
    CHECK(whole_walk((vaddr_t)hpet) & PTE_NO_CACHE);
    CHECK(mmio_map(0x200000, PAGE_SIZE) == NULL);
    CHECK(mmio_map(0xfed00000, 0) == NULL);
    CHECK(mmio_map(~0ul - 10, 100) == NULL);
    CHECK(mmio_map(0xfed00000, 1ul << 40) == NULL);
}
