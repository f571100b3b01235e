/*
 * tlb.c - making CPUs forget: flush here, ask the others.
 *
 * One shoot-down runs at a time.  The requester publishes the range, sets
 * the bit of every CPU that may hold a translation, interrupts them, and
 * waits until each has flushed and cleared its bit.
 *
 * It waits with interrupts off, and so do CPUs that want a lock the requester
 * holds: they could never take the interrupt.  So whoever spins with
 * interrupts off calls tlb_poll in its loop, which answers without one.
 *
 * Who must be asked: space_load sets the CPU's bit in space->cpus before it
 * loads CR3; we change the table first and read the mask after a full
 * barrier.  So either we see the bit, or that CPU's CR3 load comes after our
 * change and it never held the old translation.
 */
#include "mmu/private.h"

enum {
    FEW_PAGES = 16
}; /* more than these: flush everything */

static struct {
    uint32_t busy;             /* a shoot-down runs */
    uint32_t pending;          /* bit n: CPU n has not answered */
    const struct space *space; /* NULL: kernel addresses */
    vaddr_t start, end;
    bool leave; /* do not even keep the space loaded */
} request;

void (*tlb_ask)(uint32_t mask);

/* Forget everything, global pages too (Intel SDM 3A 4.10.4.1). */
static void
flush_global(void)
{
    uint64_t cr4 = read_cr4();

    write_cr4(cr4 & ~(uint64_t)CR4_PGE);
    write_cr4(cr4);
}

/* Forget [start, end) on this CPU. */
static void
flush_here(const struct space *s, vaddr_t start, vaddr_t end)
{
    if (end - start <= FEW_PAGES * PAGE_SIZE) {
        for (vaddr_t va = start; va < end; va += PAGE_SIZE)
            invlpg(va);
    } else if (s != NULL) {
        write_cr3(read_cr3());
        this_cpu()->cr3_loads++;
    } else {
        flush_global();
    }
}

/* CPUs other than this one that may hold translations of s. */
static uint32_t
others(const struct space *s)
{
    uint32_t mask = 0;

    if (s != NULL) {
        mask = __atomic_load_n(&s->cpus, __ATOMIC_SEQ_CST);
    } else {
        for (unsigned i = 0; i < ncpu; i++)
            mask |= cpus[i].online ? 1u << i : 0;
    }
    return mask & ~(1u << this_cpu()->id);
}

/* Have the CPUs of mask carry out a request; returns when all have. */
static void
ask(uint32_t mask, const struct space *s, vaddr_t start, vaddr_t end,
        bool leave)
{
    while (__atomic_exchange_n(&request.busy, 1, __ATOMIC_ACQUIRE)) {
        tlb_poll();
        cpu_pause();
    }
    request.space = s;
    request.start = start;
    request.end = end;
    request.leave = leave;
    __atomic_store_n(&request.pending, mask, __ATOMIC_RELEASE);
    this_cpu()->shootdowns++;
    tlb_ask(mask);
    while (__atomic_load_n(&request.pending, __ATOMIC_ACQUIRE) != 0)
        cpu_pause();
    __atomic_store_n(&request.busy, 0, __ATOMIC_RELEASE);
}

/* Flush here and on the CPUs that may hold translations of s. */
void
tlb_flush(struct space *s, vaddr_t start, vaddr_t end)
{
    bool on = intr_save();
    uint32_t mask;

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (s == NULL || space_is_loaded(s))
        flush_here(s, start, end);
    mask = others(s);
    if (unlikely(mask != 0 && tlb_ask != NULL))
        ask(mask, s, start, end, false);
    intr_restore(on);
}

/* Have every CPU that idles with s still loaded let go of it. */
void
tlb_leave(struct space *s)
{
    bool on = intr_save();
    uint32_t mask = others(s);

    if (mask != 0 && tlb_ask != NULL)
        ask(mask, s, 0, 0, true);
    intr_restore(on);
}

bool
tlb_wanted(void)
{
    return __atomic_load_n(&request.pending, __ATOMIC_ACQUIRE) >>
                   this_cpu()->id &
           1;
}

void
tlb_answer(void)
{
    bool on = intr_save();
    uint32_t me = 1u << this_cpu()->id;

    if (tlb_wanted()) {
        if (request.leave)
            space_leave(request.space);
        else
            flush_here(request.space, request.start, request.end);
        __atomic_and_fetch(&request.pending, ~me, __ATOMIC_RELEASE);
    }
    intr_restore(on);
}
