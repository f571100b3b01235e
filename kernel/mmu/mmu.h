/*
 * mmu.h - contents page of stage 2: who owns which frame, which address
 * means which frame, and what happens when an address means none.
 *
 * Everything here may be called with spinlocks of lower rank held, from
 * process context or before there are processes, but not from interrupt
 * handlers.  Nothing here sleeps.
 */
#pragma once

#include "boot/boot.h"

/* ---- mem_map.c, buddy.c, frame_init.c, frame.c: physical memory ---- */

enum frame_state {
    FRAME_RESERVED, /* not RAM, or the firmware's: never given out */
    FRAME_KERNEL,   /* the image, boot modules, frame table: never freed */
    FRAME_FREE,     /* head of a free block of 2^order frames */
    FRAME_CACHED,   /* free, in a CPU's page cache */
    FRAME_USED,     /* given out; ref counts its owners */
};

/*
 * One per frame, found by index.  Only heads of blocks are kept up to date:
 * the middle of a free or contiguous block is not initialised, which is why
 * boot time does not grow with memory (frame_init.c tells the rule).
 */
struct frame {
    uint32_t ref;  /* FRAME_USED: mappings and other owners */
    uint8_t state; /* enum frame_state */
    uint8_t order; /* of the block this frame is the head of */
    uint16_t flags;
    uint32_t next, prev; /* frame numbers in a free list; 0 ends it
                            (page tables: next counts entries in use) */
    uint64_t owner;      /* for later stages: who pays for it */
    uint64_t tag;        /* debug builds: return address of the allocator */
};

enum {
    MAX_ORDER = 18
}; /* largest block: 2^18 frames, 1 GiB */

/* One frame with reference count 1, contents undefined; 0: none left. */
paddr_t page_alloc(void);
paddr_t page_alloc_zeroed(void);

/* Count another owner of a used frame, or one fewer: the last one frees it. */
void page_ref(paddr_t pa);
void page_unref(paddr_t pa);
uint32_t page_refs(paddr_t pa);

/* 2^order contiguous frames, aligned to their size; 0: none. Not zeroed. */
paddr_t pages_alloc(unsigned order);
void pages_free(paddr_t pa, unsigned order);

/* Set pages aside: single pages that are given out only when there are no others,
 * and only if vital(), which is called with interrupts off, says yes. */
void reserve_init(bool (*vital)(void));

struct frame *frame_of(paddr_t pa); /* NULL: outside the frame table */

struct mem_counters { /* frames; total = free + cached + used + kernel */
    uint64_t total, free, cached, used, kernel;
};
void frame_counters(struct mem_counters *c);

/* For tests: the n-th allocation from now, of pages or of heap blocks, fails;
 * those after it work again (0: none fails). */
void page_fail_at(uint64_t n);

/* ---- pt.c: page tables ---- */

enum {
    PTE_PRESENT = 1 << 0,
    PTE_WRITE = 1 << 1,
    PTE_USER = 1 << 2,
    PTE_WRITE_THROUGH = 1 << 3,
    PTE_NO_CACHE = 1 << 4,
    PTE_ACCESSED = 1 << 5,
    PTE_DIRTY = 1 << 6,
    PTE_LARGE = 1 << 7,
    PTE_GLOBAL = 1 << 8,
    PTE_COW = 1 << 9, /* ours: shared until written */
};
#define PTE_NX   (1ul << 63)
#define PTE_ADDR 0x000ffffffffff000ul

enum pt_make {
    PT_FIND,
    PT_MAKE
};

bool is_canonical(vaddr_t va);
unsigned pt_index(vaddr_t va, int level); /* level 3: PML4 .. 0: PT */
pte_t *pt_walk(pte_t *root, vaddr_t va, enum pt_make make);

/* Map one page; flags are PTE_ bits.  0, -E_NOMEM, or -E_INUSE if mapped. */
int pt_map(pte_t *root, vaddr_t va, paddr_t pa, uint64_t flags);

/*
 * Remove the mapping of each page in [start, end) and hand each mapped frame
 * to `gone` (NULL: nothing is done with it).  Tables that become empty (user
 * half only) leave the tree; the result is a chain of them for pt_release.
 * The caller flushes TLBs before it reuses any frame or calls pt_release:
 * until then a CPU may still walk the tables.
 */
paddr_t pt_unmap(pte_t *root, vaddr_t start, vaddr_t end,
        void (*gone)(paddr_t pa, void *arg), void *arg);
void pt_release(paddr_t chain);

/* Replace the permission bits (WRITE, NX, COW, USER) of mapped pages. */
void pt_protect(pte_t *root, vaddr_t start, vaddr_t end, uint64_t flags);

/* What a whole walk says about va, level by level, for GDB and tests. */
void pt_print(pte_t *root, vaddr_t va);

extern pte_t *kernel_root; /* top-level table that all spaces' upper half is */

/* ---- kmap.c: the kernel's half ---- */

/* Load kernel_root on a CPU that starts, after cpu_init_features. */
void mmu_init_cpu(void);

/*
 * A CPU that starts in real mode needs a page of code below 1 MiB.  Page
 * AP_BOOT_PA is kept free for it (write to it through pa_to_kva).  For CR3
 * use ap_boot_root(): below 4 GiB, the kernel's half and that one page at its
 * physical address, read and execute.  mmu_init_cpu leaves it behind.
 */
#define AP_BOOT_PA 0x8000ul
paddr_t ap_boot_root(void);

/* ---- kheap.c: kernel heap by size classes ---- */

/* At least n bytes aligned to 16 (n <= 1 MiB), or NULL.  0 bytes is legal. */
void *kmalloc(size_t n);
void *kzalloc(size_t n);
void kfree(void *p); /* NULL is legal; a wrong pointer panics */

uint64_t kheap_live(void); /* blocks given out and not freed */
/* Keep free blocks at hand for each CPU, or no longer; whether it was so. */
bool kheap_use_magazines(bool use);
/* Free what the heap keeps at hand: magazines, and the empty slab of a class. */
void kheap_trim(void);
void kheap_report(void); /* debug builds: live blocks by allocator */

/* ---- kvm.c: kernel virtual memory: stacks with guards, device registers -- */

enum {
    KSTACK_PAGES = 2
};
#define KSTACK_SIZE (KSTACK_PAGES * PAGE_SIZE)

/* Top of a kernel stack with an unmapped page below it; NULL: no memory. */
void *kstack_alloc(void);
void kstack_free(void *top);

/* Map device registers uncached; NULL: no memory, or the range is RAM. */
void *mmio_map(paddr_t pa, size_t len);

/* ---- space.c, region.c: address spaces ---- */

enum region_prot {
    PROT_READ = 1,
    PROT_WRITE = 2,
    PROT_EXEC = 4, /* never with PROT_WRITE; either implies PROT_READ */
};

struct space;
struct region;

enum fault_access {
    ACCESS_READ,
    ACCESS_WRITE,
    ACCESS_EXEC
};

/*
 * What is special about a kind of region: the extension point for later
 * layers.  Called with the space's lock held.
 */
struct region_ops {
    const char *name; /* "anon", "stack", "image", "shared" */
    /*
     * Make the page at va (page-aligned, inside the region, access
     * permitted by it) usable.  0, or -E_NOMEM, -E_BADADDR, -E_IO.
     */
    int (*fault)(struct space *s, struct region *r, vaddr_t va,
            enum fault_access access);
    /* A copy of the region is about to appear in a forked space: count the
     * object. Anything that can fail fails here. */
    int (*dup)(struct region *r, struct region *copy);
    void (*close)(struct region *r); /* the region goes: uncount the object */
};

struct region {
    vaddr_t start, end; /* whole pages */
    uint32_t prot;
    const struct region_ops *ops;
    void *object;    /* image: its first byte, in kernel memory */
    uint64_t offset; /* of `start` in the object, bytes */
    uint64_t length; /* bytes of the object from `offset`; beyond: zeros */
};

struct space {
    struct spinlock lock; /* RANK_SPACE; guards all below */
    pte_t *root;
    struct region *regions; /* sorted by start, disjoint */
    unsigned nregion, room;
    vaddr_t heap_start; /* the heap region's, 0: none yet */
    uint64_t resident;  /* user pages mapped */
    uint64_t limit;     /* most pages it may map; UINT64_MAX: no limit */
    vaddr_t walked_va;  /* space_fault's: that page's entry is missing... */
    pte_t *walked;      /* here; walked_va 0: it knows nothing */
    uint32_t cpus;      /* bit n: CPU n may hold its translations */
    struct space *next, **link; /* [spaces_lock] in the list of all spaces */
};

struct space *space_new(void);    /* empty; NULL: no memory */
void space_free(struct space *s); /* it is no CPU's space_current */

/*
 * Load it on this CPU; no CR3 load if it is already.  NULL: kernel only; the
 * last one stays in CR3 then, in case it is next again, and space_free and
 * tlb_flush see to it that this does no harm.
 */
void space_load(struct space *s);

/* Same, for a caller on this CPU that has turned interrupts off. */
void space_switch(struct cpu *cpu, struct space *s);

/*
 * Add a region (page-aligned; [start, end) in USER_BASE..USER_TOP).
 * -E_BADARG (range, W and X together), -E_INUSE (overlap), -E_NOMEM.
 */
int region_add(struct space *s, const struct region *r);

/* The region that holds va, or NULL.  Caller holds s->lock. */
struct region *region_find(struct space *s, vaddr_t va);

/*
 * Unmap [start, end): regions inside go, regions across are cut.  -E_BADARG;
 * -E_NOMEM (a cut in the middle makes one more region) changes nothing.
 */
int region_remove(struct space *s, vaddr_t start, vaddr_t end);

/* Lowest free range of len bytes at or above `from`; 0: none. */
vaddr_t region_gap(struct space *s, vaddr_t from, size_t len);

/* Kinds of region that stage 2 brings. */
extern const struct region_ops anon_region;   /* demand-zero */
extern const struct region_ops stack_region;  /* same, and grows down by fault;
                    its lowest page is the guard and never becomes usable */
extern const struct region_ops image_region;  /* pages copied from object */
extern const struct region_ops shared_region; /* anonymous, by several spaces */

/* Give r, whose range and prot are set, a new shared object, so that it can
 * be added.  0 or -E_NOMEM.  The object is r's (r->ops->close gives it
 * up) until region_add makes it the space's. */
int shared_make(struct region *r);

/*
 * Move the end of the heap (the anonymous region at heap_start) to `end`;
 * shrinking frees.  A shared heap grows for all and cannot shrink (-E_INUSE).
 * -E_BADARG, -E_INUSE, -E_NOMEM.
 */
int space_brk(struct space *s, vaddr_t end);

/* Where the heap ends now, whoever of those who share it moved it last; 0: s
 * has no heap. */
vaddr_t space_heap_end(struct space *s);

/*
 * Fill the empty `child` with a copy of parent: private pages copy-on-write.
 * With `share`, anonymous and image regions that are writable become shared
 * between both (rfork's RFMEM: data, bss, heap; stacks are still copied).
 * Without it, data that the parent shares by an earlier RFMEM is copied.
 * On failure (-E_NOMEM) the parent is as before and the child still empty.
 */
int space_copy(struct space *parent, struct space *child, bool share);

/* Resolve a fault at va as the CPU would take it: 0, -E_BADADDR, -E_NOMEM. */
int space_fault(struct space *s, vaddr_t va, enum fault_access access);

/* In a trapframe's error code, ours: no memory was left to resolve it. */
#define FAULT_NOMEM (1ul << 31)

/* The space of this CPU, as space_load set it; NULL: kernel only. */
struct space *space_current(void);

/* ---- tlb.c: shoot-down ---- */

/*
 * No CPU uses an old translation of [start, end) of s when this returns.
 * More than a few pages flush everything.  s NULL: kernel addresses.
 */
void tlb_flush(struct space *s, vaddr_t start, vaddr_t end);

/* Interrupt the CPUs of mask so that they call tlb_answer; sched sets it.
 * It does not wait: tlb_flush does. */
extern void (*tlb_ask)(uint32_t mask);
void tlb_answer(void);

/*
 * Answer a request if there is one for this CPU.  Every loop that spins with
 * interrupts off calls it: the one it waits for may be waiting for the
 * answer.  A few instructions when there is nothing to do.
 */
bool tlb_wanted(void);
static inline void
tlb_poll(void)
{
    if (tlb_wanted())
        tlb_answer();
}

/* ---- copy.c, x86_64/usercopy.asm: the only way to user memory ---- */

/*
 * Between kernel and the current space; missing pages are faulted in.
 * 0; -E_BADADDR if any byte is outside user space or not permitted, -E_NOMEM
 * if there is no page for one, with an unknown part done.
 */
int copy_in(void *dst, vaddr_t src, size_t n);
int copy_out(vaddr_t dst, const void *src, size_t n);

/* A NUL-terminated string of at most len-1 bytes: its length, -E_BADADDR,
 * -E_NOMEM, or -E_TOOBIG if no NUL was found in len bytes. */
int copy_str_in(char *dst, vaddr_t src, size_t len);

/* One aligned 32-bit word, atomically: compare and exchange.  1: exchanged,
 * 0: *old has what is there now, -E_BADADDR, -E_NOMEM. */
int user_cas32(vaddr_t va, uint32_t *old, uint32_t new);

/* ---- check.c ---- */

/*
 * Recompute counters, references and region limits from the page tables of
 * all spaces and compare with what is stored; print and return the number
 * of differences.  Only while nothing else runs.
 */
unsigned mmu_check(void);

/* ---- mmu_init.c, selftest.c, mmu_monitor.c ---- */

/* All of the above, in order. */
void mmu_init(void);

/* What stage 2 alone does for its reader: print the memory map, the counters
 * and the results of a short self-test. */
void mmu_show(void);
