/*
 * backtrace.c - who called whom, read from the chain of frame pointers.
 *
 *     rbp --> +0  caller's rbp
 *             +8  return address
 *
 * It runs when something is broken, so it trusts nothing: a frame must lie in
 * kernel space, be aligned, mapped, and above the one before.
 */
#include "boot/boot.h"
#include "boot/panic.h"
#include "boot/symbols.h"
#include "boot/x86_64/x86.h"

enum {
    MAX_FRAMES = 32
};

struct frame_pointer {
    uint64_t caller_rbp;
    uint64_t return_address;
};

/*
 * Whether the page tables in use map va: a walk that allocates and checks
 * nothing, for code that must not fault.  Tables lie in direct-mapped memory.
 */
bool
address_mapped(vaddr_t va)
{
    uint64_t entry = read_cr3();

    if (va + (1ul << 47) >= 1ul << 48)
        return false; /* not canonical */
    for (int shift = 39; shift >= 12; shift -= 9) {
        const pte_t *table = pa_to_kva(entry & 0x000ffffffffff000);

        entry = table[va >> shift & 511];
        if (!(entry & 1))
            return false;
        if (shift < 39 && entry & 1 << 7)
            return true; /* large page */
    }
    return true;
}

/*
 * Whether the two words of a frame can be read at rbp: in the kernel's half
 * (from DIRECT_BASE on), a multiple of 8, and mapped from its first byte to
 * its last, which may lie on another page.
 *
 * Lab 1.12
 */
static bool
frame_readable(uint64_t rbp)
{
    return rbp >= DIRECT_BASE && rbp % 8 == 0 && address_mapped(rbp) &&
           address_mapped(rbp + 15);
}

/*
 * The return addresses on the stack whose innermost frame is at rbp, nearest
 * call first: at most max of them go to calls.  Returns how many.
 *
 * The walk ends at a frame that is not readable, at a return address of 0,
 * and after a frame whose caller's frame is not above it: stacks grow down, so
 * that one is broken, or the chain a circle.  It never faults, whatever rbp is.
 *
 * Lab 1.12
 */
unsigned
stack_walk(uint64_t rbp, uint64_t *calls, unsigned max)
{
    unsigned n = 0;

    while (n < max && frame_readable(rbp)) {
        const struct frame_pointer *f = (const void *)rbp;

        if (f->return_address == 0)
            break;
        calls[n++] = f->return_address;
        if (f->caller_rbp <= rbp)
            break;
        rbp = f->caller_rbp;
    }
    return n;
}

/* One call: `lookup` is an address inside of the instruction that calls. */
static void
print_frame(unsigned n, uint64_t rip, uint64_t lookup)
{
    const struct symbol *sym = symbol_find(lookup);
    unsigned line;
    const char *file = line_find(lookup, &line);

    print("  #%-2u 0x%016lx", n, rip);
    if (sym != NULL)
        print(" %s+0x%lx", sym->name, rip - sym->addr);
    if (file != NULL)
        print("  %s:%u", file, line);
    print("\n");
}

/*
 * A return address may be the first byte after the calling function, if its
 * last act was the call; the byte before it lies in the caller for sure.
 */
void
backtrace(uint64_t rip, uint64_t rbp)
{
    uint64_t calls[MAX_FRAMES - 1];
    unsigned n;

    print("backtrace:\n");
    print_frame(0, rip, rip);
    n = stack_walk(rbp, calls, ARRAY_LEN(calls));
    for (unsigned i = 0; i < n; i++)
        print_frame(i + 1, calls[i], calls[i] - 1);
    print("with inlined calls: addr2line -fipe %s %lx", KERNEL_ELF, rip);
    for (unsigned i = 0; i < n; i++)
        print(" %lx", calls[i] - 1);
    print("\n");
}
