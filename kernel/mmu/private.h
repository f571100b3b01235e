/*
 * private.h - what the files of stage 2 share among themselves.  No other
 * folder includes it; tests of stage 2 do.
 */
#pragma once

#include "mmu/mmu.h"
#include "boot/x86_64/x86.h"

/* ---- mem_map.c: lists of frames by number ---- */

struct span {
    uint64_t first, end; /* frame numbers; end is the first one after it */
};

enum {
    PFN_LIMIT = 1 << 28
}; /* 1 TiB: RAM above it is not used */
enum {
    MAX_SPANS = 2 * (MAX_MEM_RANGES + MAX_MODULES)
};

struct spans { /* sorted, disjoint, not touching */
    unsigned n;
    struct span span[MAX_SPANS];
};

void spans_add(struct spans *l, uint64_t first, uint64_t end);
void spans_cut(struct spans *l, uint64_t first, uint64_t end);
uint64_t spans_total(const struct spans *l);
void mem_map_spans(struct spans *l, const struct mem_range *mem, unsigned n,
        uint64_t pfn_limit);

/* ---- buddy.c: free blocks ---- */

struct buddy {
    struct frame *frames; /* by frame number */
    uint64_t nframes;
    uint64_t free;                /* frames in all lists */
    uint32_t orders;              /* bit n: list n is not empty */
    uint32_t head[MAX_ORDER + 1]; /* 0: empty */
};

void buddy_fence(struct buddy *b, uint64_t first, uint64_t end);
void buddy_seed(struct buddy *b, uint64_t first, uint64_t end);
uint64_t buddy_alloc(struct buddy *b, unsigned order);
void buddy_free(struct buddy *b, uint64_t pfn, unsigned order);

/* ---- frame_init.c: from boot loader to frame table ---- */

/* n frames for good, not zeroed, below physical address `below`.  Only until
 * frames_seed; panics if there are none. */
paddr_t early_alloc(uint64_t n, paddr_t below);

uint64_t frames_end(void);     /* first number after all free ones */
void frames_init(void);        /* read the map: early_alloc works from here */
void frames_seed(void);        /* build the table: page_alloc works from here */
extern uint64_t frames_total;  /* frames that could be used at all */
extern uint64_t frames_kernel; /* of them, taken before seeding */

/* ---- frame.c ---- */

enum frame_flags {
    FRAME_POISONED = 1 << 0, /* debug builds: free and filled with POISON */
    FRAME_SLAB = 1 << 1,     /* the heap's: blocks of one class */
    FRAME_BIG = 1 << 2,      /* the heap's: one large block */
    FRAME_TABLE = 1 << 3,    /* a page table; next counts entries in use */
    FRAME_SEEN = 1 << 4,     /* mmu_check has been here */
};

extern struct buddy ram;
extern struct spinlock frames_lock;

enum {
    CACHE_PAGES = 64
};

struct page_stack {
    unsigned n;
    uint32_t pfn[CACHE_PAGES];
};

struct page_cache {
    struct page_stack any, zeroed;
    int64_t used;   /* frames given out here less those given back here */
    int64_t parked; /* of them, in pools */
} __attribute__((aligned(64)));
extern struct page_cache page_caches[MAX_CPUS];

/* How many pages each stack holds before some go back: CACHE_PAGES, or 0 while
 * the reserve is not full.  Other CPUs change it at any moment. */
extern unsigned cache_room;

/* ---- reserve.c; interrupts are off ---- */

uint64_t reserve_take(void); /* a frame if this allocation is vital; or 0 */
void reserve_fill(struct page_stack *s); /* from s, then from the free lists */
unsigned reserve_pages(void);            /* holds frames_lock */

/* Give back a page that the caller alone owns and that is all zeros. */
void page_free_zeroed(paddr_t pa);

/* n used frames are parked in a pool (n > 0) or taken out of it (n < 0):
 * frame_counters shows parked frames as cached. */
void frames_park(int64_t n);

/* Is it this allocation's turn to fail?  See page_fail_at. */
bool mem_should_fail(void);

static inline uint64_t
pfn_of(paddr_t pa)
{
    return pa >> PAGE_SHIFT;
}

/* Physical address of memory that the direct map shows. */
static inline paddr_t
kva_to_pa(const void *p)
{
    return (vaddr_t)p - DIRECT_BASE;
}

/* Interrupts off; returns whether they were on, for intr_restore. */
static inline bool
intr_save(void)
{
    bool on = intr_enabled();

    intr_off();
    return on;
}

static inline void
intr_restore(bool on)
{
    if (on)
        intr_on();
}

/* Fill with 64-bit words; REP makes it one instruction a word. */
static inline void
fill_words(void *dst, uint64_t word, size_t n)
{
    __asm__ volatile("rep stosq" : "+D"(dst), "+c"(n) : "a"(word) : "memory");
}

static inline void
page_zero(paddr_t pa)
{
    fill_words(pa_to_kva(pa), 0, PAGE_SIZE / 8);
}

/* ---- pt.c ---- */

/* Write an entry that pt_walk returned, keeping its table's count. */
void pte_set(pte_t *e, pte_t value);

/* The leaf table that maps *va or, if there is none, the next one below end;
 * *va moves up to the first address it maps.  NULL: none left. */
pte_t *pt_next_table(pte_t *root, vaddr_t *va, vaddr_t end);
vaddr_t pt_table_end(vaddr_t va, vaddr_t end);
pte_t *pte_skip(pte_t *e, pte_t *end);

/* ---- kmap.c ---- */

void kmap_init(void);         /* build kernel_root and load it */
pte_t *root_new(void);        /* a top-level table: the kernel's half */
void root_free(pte_t *root);  /* its user half must be empty */
unsigned kmap_check_wx(void); /* leaves both writable and executable */

/* ---- kvm.c, tlb.c, space.c ---- */

bool kvm_is_guard(vaddr_t va);
void tlb_leave(struct space *s); /* no CPU but this has s in CR3 after it */
bool space_is_loaded(const struct space *s); /* in this CPU's CR3 */
void space_leave(const struct space *s);     /* if it is there, drop it */
extern struct space *spaces;                 /* all of them, for mmu_check */

/* Page-table bits of a user page with that protection. */
uint64_t prot_flags(uint32_t prot);

/* Map a page that the caller owns at va, for a fault: 0 or -E_NOMEM (no page
 * for a table, or the limit), and then it is still the caller's. */
int space_map(struct space *s, vaddr_t va, paddr_t pa, uint64_t flags);

/* Unmap user pages, drop their references; TLBs are flushed. */
void space_unmap(struct space *s, vaddr_t start, vaddr_t end);

/* ---- region.c: the caller holds the space's lock ---- */

int regions_room(struct space *s, unsigned room);
unsigned region_index(const struct space *s, vaddr_t va);
int region_insert(struct space *s, const struct region *r);
void region_drop(struct space *s, struct region *r);
void regions_clear(struct space *s);
struct region *heap_region(struct space *s);
int heap_begin(struct space *s, vaddr_t end);

/* ---- kinds.c, shared.c ---- */

/* Copy what an image has for the page at `offset` of it; the rest zeros. */
void image_fill(
        void *page, const void *image, uint64_t length, uint64_t offset);
struct shared {
    struct spinlock lock; /* RANK_SHARED: pages and size */
    uint32_t refs;        /* regions that show it */
    pte_t *pages;         /* by offset */
    uint64_t size;        /* bytes, whole pages */
    const void *image;    /* first contents; beyond its length: zeros */
    uint64_t length;
    bool data;                   /* made by RFMEM: a fork without it copies */
    struct shared *next, **link; /* [shared_lock] in the list of all */
};
extern struct shared *shared_objects; /* all of them, for mmu_check */
vaddr_t shared_end(const struct region *r);
void shared_follow(struct space *s);
int shared_brk(struct space *s, struct region *r, vaddr_t end);
struct before_sharing { /* how to undo shared_convert */
    struct region *regions;
    bool new_heap;
};
int shared_convert(struct space *s, struct before_sharing *b);
void shared_revert(struct space *s, struct before_sharing *b);
void shared_keep(struct before_sharing *b);
int shared_copy(
        const struct region *r, struct space *child, struct region *copy);

/* ---- fault.c, and what mmu_init starts ---- */

/* Give s a writable page at va in place of the COW one that e maps. */
int space_break_cow(struct space *s, vaddr_t va, pte_t *e);
void kheap_init(void);
void mmu_print_map(void);
unsigned mmu_self_test(void); /* tests that failed; prints them all */
void mmu_print_counters(void);
void fault_init(void);
void mmu_monitor_init(void);
