/*
 * kvm.c - kernel virtual memory that is not the direct map: stacks with an
 * unmapped page below each, and device registers.
 *
 *     KVM_BASE                    slot 0      slot 1
 *                                 | guard | stack | guard | stack | ...
 *     KVM_BASE + 256 GiB          device registers, one after the other
 *
 * A stack that is freed stays mapped and waits in a pool, because mapping,
 * unmapping and flushing TLBs costs more than all the rest of a fork.
 */
#include "mmu/private.h"

enum {
    MAX_STACKS = MAX_PROCS + MAX_CPUS + 64,
    POOL_STACKS = 64,
    SLOT_SIZE = (KSTACK_PAGES + 1) * 4096
};
#define MMIO_BASE (KVM_BASE + (256ul << 30))
#define MMIO_END  (KVM_BASE + (512ul << 30))

static struct spinlock kvm_lock = SPINLOCK_INIT(RANK_KVM, "kvm");
static uint64_t slot_used[(MAX_STACKS + 63) / 64]; /* [kvm_lock] bit: taken */
static unsigned slot_hint;                         /* no free slot before it */
static void *pool[POOL_STACKS];                    /* [kvm_lock] tops */
static unsigned npool;
static vaddr_t mmio_next = MMIO_BASE; /* [kvm_lock] */

static vaddr_t
slot_stack(unsigned slot)
{
    return KVM_BASE + (vaddr_t)slot * SLOT_SIZE + PAGE_SIZE;
}

/* Take the lowest free slot; -1: none is left.  Caller holds kvm_lock. */
static int
slot_take(void)
{
    for (unsigned w = slot_hint; w < ARRAY_LEN(slot_used); w++) {
        unsigned bit;

        slot_hint = w;
        if (~slot_used[w] == 0)
            continue;
        bit = __builtin_ctzl(~slot_used[w]);
        if (w * 64 + bit >= MAX_STACKS)
            return -1;
        slot_used[w] |= 1ul << bit;
        return w * 64 + bit;
    }
    return -1;
}

static void
slot_give(unsigned slot)
{
    slot_used[slot / 64] &= ~(1ul << slot % 64);
    if (slot / 64 < slot_hint)
        slot_hint = slot / 64;
}

static void
page_gone(paddr_t pa, void *arg)
{
    paddr_t **next = arg;

    *(*next)++ = pa;
}

/* Unmap a stack's pages [bottom, top); they are free when this returns. */
static void
stack_unmap(vaddr_t bottom, vaddr_t top)
{
    paddr_t pages[KSTACK_PAGES], *end = pages;

    pt_unmap(kernel_root, bottom, top, page_gone, &end);
    tlb_flush(NULL, bottom, top);
    while (end > pages)
        page_unref(*--end);
}

/* Map fresh pages at bottom: 0 or -E_NOMEM, with nothing left behind. */
static int
stack_map(vaddr_t bottom)
{
    for (vaddr_t va = bottom; va < bottom + KSTACK_SIZE; va += PAGE_SIZE) {
        paddr_t pa = page_alloc();

        if (pa == 0 || pt_map(kernel_root, va, pa,
                               PTE_WRITE | PTE_NX | PTE_GLOBAL) < 0) {
            if (pa != 0)
                page_unref(pa);
            stack_unmap(bottom, va);
            return -E_NOMEM;
        }
    }
    return 0;
}

/* A stack that was never used, or whose slot was.  Caller holds kvm_lock. */
static void *
stack_new(void)
{
    int slot = slot_take();

    if (slot < 0)
        return NULL;
    if (stack_map(slot_stack(slot)) < 0) {
        slot_give(slot);
        return NULL;
    }
    return (void *)(slot_stack(slot) + KSTACK_SIZE);
}

void *
kstack_alloc(void)
{
    void *top;

    if (mem_should_fail())
        return NULL;
    spin_lock(&kvm_lock);
    if (npool > 0) {
        top = pool[--npool];
        frames_park(-KSTACK_PAGES);
    } else {
        top = stack_new();
    }
    spin_unlock(&kvm_lock);
    return top;
}

void
kstack_free(void *top)
{
    vaddr_t bottom = (vaddr_t)top - KSTACK_SIZE;

    assert(bottom >= KVM_BASE && bottom < slot_stack(MAX_STACKS) &&
            (bottom - KVM_BASE) % SLOT_SIZE == PAGE_SIZE);
    spin_lock(&kvm_lock);
    if (npool < POOL_STACKS) {
        pool[npool++] = top;
        frames_park(KSTACK_PAGES);
    } else {
        stack_unmap(bottom, (vaddr_t)top);
        slot_give((bottom - KVM_BASE) / SLOT_SIZE);
    }
    spin_unlock(&kvm_lock);
}

/* Is va in the guard page of a stack slot?  For fault reports. */
bool
kvm_is_guard(vaddr_t va)
{
    return va >= KVM_BASE && va < slot_stack(MAX_STACKS) &&
           (va - KVM_BASE) % SLOT_SIZE < PAGE_SIZE;
}

/* Does [start, end) touch memory that the loader called usable? */
static bool
is_ram(paddr_t start, paddr_t end)
{
    for (unsigned i = 0; i < bootinfo.nmem; i++) {
        const struct mem_range *r = &bootinfo.mem[i];

        if (r->kind == MEM_USABLE && r->start < end && start < r->end)
            return true;
    }
    return false;
}

void *
mmio_map(paddr_t pa, size_t len)
{
    const uint64_t flags =
            PTE_WRITE | PTE_NX | PTE_GLOBAL | PTE_NO_CACHE | PTE_WRITE_THROUGH;
    paddr_t first = pa & ~PAGE_MASK;
    uint64_t size = ROUND_UP((pa & PAGE_MASK) + len, PAGE_SIZE);
    vaddr_t base, at;

    if (len == 0 || len > MMIO_END - MMIO_BASE || first + size < first ||
            is_ram(first, first + size))
        return NULL;
    spin_lock(&kvm_lock);
    base = mmio_next;
    for (at = 0; at < size && base + size <= MMIO_END; at += PAGE_SIZE)
        if (pt_map(kernel_root, base + at, first + at, flags) < 0)
            break;
    if (at < size)
        pt_unmap(kernel_root, base, base + at, NULL, NULL);
    else
        mmio_next += size;
    spin_unlock(&kvm_lock);
    return at < size ? NULL : (void *)(base + (pa & PAGE_MASK));
}
