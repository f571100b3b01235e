/*
 * fault.c - an address that means no page: make it mean one, or explain.
 *
 *   user, or kernel in usercopy.asm:  the space's regions may resolve it
 *     page there, write to PTE_COW    -> a page of one's own
 *     page missing                    -> the region's kind makes it
 *     neither                         -> user: user_trap; usercopy: fix-up
 *   kernel elsewhere: the kernel's own bug, explained as far as possible
 */
#include "mmu/private.h"

/* Page-fault error code (Intel SDM 3A 4.7) */
enum {
    PF_PRESENT = 1 << 0,
    PF_WRITE = 1 << 1,
    PF_USER = 1 << 2,
    PF_FETCH = 1 << 4,
};

/* usercopy.asm: if the instruction at `at` faults, go on at `resume` */
struct fixup {
    uint64_t at, resume;
};
extern const struct fixup fixups_start[], fixups_end[];

/*
 * A region permits writing with PROT_WRITE, executing with PROT_EXEC, reading
 * with any of the three: x86 cannot forbid it then.
 *
 * Lab 2.9
 */
static bool
permits(const struct region *r, enum fault_access access)
{
    switch (access) {
    case ACCESS_WRITE: return r->prot & PROT_WRITE;
    case ACCESS_EXEC: return r->prot & PROT_EXEC;
    default: return r->prot != 0;
    }
}

/*
 * Give s a writable page at va in place of the PTE_COW one that e maps: with
 * the same bytes and permission bits, but PTE_WRITE and not PTE_COW.  If s is
 * the last owner there is nothing to copy: it gets its write permission back.
 * Otherwise s gives up its reference to the old page, after no TLB has the old
 * translation.  0; or -E_NOMEM, with nothing changed.
 *
 * Lab 2.11
 */
int
space_break_cow(struct space *s, vaddr_t va, pte_t *e)
{
    paddr_t old = *e & PTE_ADDR, pa = old;
    pte_t flags = (*e & ~(PTE_ADDR | PTE_COW)) | PTE_WRITE;

    if (page_refs(old) > 1) {
        pa = page_alloc();
        if (pa == 0)
            return -E_NOMEM;
        memcpy(pa_to_kva(pa), pa_to_kva(old), PAGE_SIZE);
    }
    pte_set(e, pa | flags);
    tlb_flush(s, va, va + PAGE_SIZE);
    if (pa != old)
        page_unref(old);
    return 0;
}

/*
 * space_fault with the lock held, va at the start of a page.  In this order:
 *
 *   no region, even after shared_follow   -> -E_BADADDR
 *   the region does not permit `access`   -> -E_BADADDR
 *   no page there                         -> what the region's kind says
 *   write to a PTE_COW page               -> space_break_cow
 *   anything else                         -> 0: it was resolved meanwhile and
 *                          only this CPU's TLB is old, so drop that (invlpg)
 *
 * If the leaf table was there and only its entry was not, s->walked and
 * s->walked_va may tell space_map so; walked_va is 0 again when this returns.
 *
 * Lab 2.9
 */
static int
fault_locked(struct space *s, vaddr_t va, enum fault_access access)
{
    struct region *r = region_find(s, va);
    pte_t *e;

    if (unlikely(r == NULL)) {
        shared_follow(s); /* another process may have grown our heap */
        r = region_find(s, va);
    }
    if (r == NULL || !permits(r, access))
        return -E_BADADDR;
    e = pt_walk(s->root, va, PT_FIND);
    if (e == NULL || !(*e & PTE_PRESENT)) {
        int err;

        s->walked = e;
        s->walked_va = e != NULL ? va : 0;
        err = r->ops->fault(s, r, va, access);
        s->walked_va = 0;
        return err;
    }
    if (access == ACCESS_WRITE && (*e & PTE_COW))
        return space_break_cow(s, va, e);
    invlpg(va); /* resolved meanwhile: only this CPU's TLB is old */
    return 0;
}

int
space_fault(struct space *s, vaddr_t va, enum fault_access access)
{
    int err;

    if (va >= USER_TOP)
        return -E_BADADDR;
    spin_lock(&s->lock);
    err = fault_locked(s, va & ~PAGE_MASK, access);
    spin_unlock(&s->lock);
    return err;
}

static enum fault_access
access_of(uint64_t error)
{
    if (error & PF_FETCH)
        return ACCESS_EXEC;
    return error & PF_WRITE ? ACCESS_WRITE : ACCESS_READ;
}

/*
 * Where to go on after a fault at rip, by the table that FIXUP lines of
 * usercopy.asm fill (fixups_start to fixups_end); 0: nobody is prepared for a
 * fault there.
 *
 * Lab 2.10
 */
static uint64_t
fixup_find(uint64_t rip)
{
    for (const struct fixup *f = fixups_start; f < fixups_end; f++)
        if (f->at == rip)
            return f->resume;
    return 0;
}

/* Why the kernel should not have touched va, in words. */
static const char *
explain(vaddr_t va, uint64_t error)
{
    if (!(error & PF_PRESENT) && va < PAGE_SIZE)
        return "null pointer";
    if (kvm_is_guard(va))
        return "kernel stack overflow: guard page";
    if (va < USER_TOP)
        return "user memory, touched outside copy_in and copy_out";
    if (error & PF_FETCH)
        return error & PF_PRESENT ? "jump into data" : "wild jump";
    if (error & PF_PRESENT)
        return "write to read-only kernel memory";
    if (va >= DIRECT_BASE && va < DIRECT_END)
        return "physical address that is not RAM";
    return "wild kernel pointer";
}

static void
print_regions(const struct space *s)
{
    for (unsigned i = 0; i < s->nregion; i++) {
        const struct region *r = &s->regions[i];

        print("  %#018lx-%#018lx %c%c%c %s\n", r->start, r->end,
                r->prot & PROT_READ ? 'r' : '-',
                r->prot & PROT_WRITE ? 'w' : '-',
                r->prot & PROT_EXEC ? 'x' : '-', r->ops->name);
    }
}

/* The kernel's own bug: say all that is known, and stop. */
static void __attribute__((noreturn))
kernel_fault(struct trapframe *tf, vaddr_t va)
{
    pt_print(pa_to_kva(read_cr3() & PTE_ADDR), va);
    if (space_current() != NULL) {
        print("regions of the current space:\n");
        print_regions(space_current());
    }
    panic_trap(tf, explain(va, tf->error));
}

/* Handler of the page-fault exception, interrupts off. */
static void
page_fault(struct trapframe *tf)
{
    vaddr_t va = read_cr2();
    struct space *s = space_current();
    bool user = trap_from_user(tf);
    uint64_t resume = user ? 0 : fixup_find(tf->rip);
    int err = -E_BADADDR;

    if (!user && resume == 0)
        kernel_fault(tf, va);
    /*
     * A program's own accesses have PF_USER.  QEMU's lret and iret read its
     * stack without, which SMAP forbids: no page would help, for ever.
     */
    if (s != NULL && (!user || tf->error & PF_USER))
        err = space_fault(s, va, access_of(tf->error));
    if (err == 0)
        return;
    if (resume != 0) {
        tf->rip = resume;
        tf->rax = (uint64_t)(int64_t)err; /* the reason: usercopy.asm */
        return;
    }
    if (err == -E_NOMEM)
        tf->error |= FAULT_NOMEM;
    if (user_trap == NULL)
        panic_trap(tf, "user program");
    user_trap(tf);
}

void
fault_init(void)
{
    trap_register(TRAP_PAGE_FAULT, page_fault);
}
