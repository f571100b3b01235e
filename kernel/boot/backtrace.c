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

static bool
frame_readable(uint64_t rbp)
{
    return rbp >= DIRECT_BASE && rbp % 8 == 0 && address_mapped(rbp) &&
           address_mapped(rbp + 15);
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
    uint64_t addresses[MAX_FRAMES];
    unsigned n = 0;

    print("backtrace:\n");
    print_frame(0, rip, rip);
    addresses[n++] = rip;
    while (n < MAX_FRAMES && frame_readable(rbp)) {
        const struct frame_pointer *f = (const void *)rbp;

        if (f->return_address == 0)
            break;
        print_frame(n, f->return_address, f->return_address - 1);
        addresses[n++] = f->return_address - 1;
        if (f->caller_rbp <= rbp)
            break;
        rbp = f->caller_rbp;
    }
    print("with inlined calls: addr2line -fipe %s", KERNEL_ELF);
    for (unsigned i = 0; i < n; i++)
        print(" %lx", addresses[i]);
    print("\n");
}
