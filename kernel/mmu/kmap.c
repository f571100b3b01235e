/*
 * kmap.c - the kernel's own half of every address space.
 *
 *     DIRECT_BASE  all RAM          RW, no execute; text and rodata read-only
 *     KVM_BASE     stacks, devices  4 KiB pages, see kvm.c
 *     KERNEL_BASE  the image        text RX, rodata R, data RW
 *
 * Invariant: no page is both writable and executable, none of this half is
 * the user's, and its top-level entries never change once kmap_init is done:
 * each space copies them when it is made and they stay true.
 */
#include "mmu/private.h"

enum {
    LARGE_FRAMES = 1 << 9
};
enum {
    MAX_SLOTS = 16
};
#define EARLY_MAPPED 0x100000000ul /* boot's tables show so much RAM */

extern char text_start[], boot_stack_guard[];

pte_t *kernel_root;

static unsigned slots[MAX_SLOTS]; /* kernel_root's entries in use */
static unsigned nslot;
static bool gib_pages;
static paddr_t ap_root;

static pte_t *
early_table(void)
{
    paddr_t pa = early_alloc(1, EARLY_MAPPED);

    page_zero(pa);
    return pa_to_kva(pa);
}

/* Map one page of 4 KiB (level 0), 2 MiB (1) or 1 GiB (2). */
static void
kmap_page(pte_t *root, vaddr_t va, paddr_t pa, int leaf, uint64_t flags)
{
    pte_t *table = root;

    for (int level = 3; level > leaf; level--) {
        pte_t *e = &table[pt_index(va, level)];

        if (*e == 0)
            *e = kva_to_pa(early_table()) | PTE_PRESENT | PTE_WRITE;
        table = pa_to_kva(*e & PTE_ADDR);
    }
    table[pt_index(va, leaf)] =
            pa | flags | PTE_PRESENT | (leaf > 0 ? PTE_LARGE : 0);
}

/* Map [pa, end) at va in the largest pages that fit. */
static void
kmap_range(vaddr_t va, paddr_t pa, paddr_t end, uint64_t flags)
{
    while (pa < end) {
        int level = gib_pages ? 2 : 1;

        while (level > 0 && (((va | pa) & ((PAGE_SIZE << 9 * level) - 1)) ||
                                    end - pa < PAGE_SIZE << 9 * level))
            level--;
        kmap_page(kernel_root, va, pa, level, flags);
        va += PAGE_SIZE << 9 * level;
        pa += PAGE_SIZE << 9 * level;
    }
}

/*
 * Physical memory at DIRECT_BASE: all of the first 4 GiB (ACPI tables and
 * the screen lie there, marked reserved; firmware's MTRRs keep the device
 * parts uncached) and what is RAM above.
 */
static void
map_direct(void)
{
    const uint64_t flags = PTE_WRITE | PTE_NX | PTE_GLOBAL;
    paddr_t image = (vaddr_t)kernel_start - KERNEL_BASE;
    paddr_t image_ro = (vaddr_t)rodata_end - KERNEL_BASE;
    static struct spans above;

    for (unsigned i = 0; i < bootinfo.nmem; i++) {
        const struct mem_range *r = &bootinfo.mem[i];

        if (r->kind == MEM_USABLE || r->kind == MEM_ACPI || r->kind == MEM_NVS)
            spans_add(&above, ROUND_DOWN(pfn_of(r->start), LARGE_FRAMES),
                    ROUND_UP(pfn_of(r->end), LARGE_FRAMES));
    }
    spans_cut(&above, 0, pfn_of(EARLY_MAPPED));
    spans_cut(&above, PFN_LIMIT, ~0ul);
    kmap_range(DIRECT_BASE, 0, image, flags);
    kmap_range(DIRECT_BASE + image, image, image_ro, flags & ~PTE_WRITE);
    kmap_range(DIRECT_BASE + image_ro, image_ro, EARLY_MAPPED, flags);
    for (unsigned i = 0; i < above.n; i++) {
        paddr_t pa = above.span[i].first << PAGE_SHIFT;

        kmap_range(
                DIRECT_BASE + pa, pa, above.span[i].end << PAGE_SHIFT, flags);
    }
}

/* The kernel image where it was linked, in 4 KiB pages. */
static void
map_image(void)
{
    static const struct {
        const char *start, *end;
        uint64_t flags;
    } parts[] = {
        { text_start, text_end, PTE_GLOBAL },
        { text_end, rodata_end, PTE_GLOBAL | PTE_NX },
        { rodata_end, kernel_end, PTE_GLOBAL | PTE_NX | PTE_WRITE },
    };

    for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
        vaddr_t end = ROUND_UP((vaddr_t)parts[i].end, PAGE_SIZE);

        for (vaddr_t va = (vaddr_t)parts[i].start; va < end; va += PAGE_SIZE)
            if (va != (vaddr_t)boot_stack_guard)
                kmap_page(kernel_root, va, va - KERNEL_BASE, 0, parts[i].flags);
    }
}

/* Note which top-level entries exist: from now on these and no others. */
static void
note_slots(void)
{
    for (unsigned i = 256; i < 512; i++) {
        if (kernel_root[i] == 0)
            continue;
        assert(nslot < MAX_SLOTS);
        slots[nslot++] = i;
    }
}

/*
 * Tables for a CPU that wakes up in real mode: the kernel's half, and page
 * AP_BOOT_PA at its own physical address, read and execute.  They lie below
 * 4 GiB, as that CPU's first load of CR3 has 32 bits.
 */
static void
make_ap_root(void)
{
    pte_t *root = early_table();

    memcpy(&root[256], &kernel_root[256], 256 * sizeof(pte_t));
    kmap_page(root, AP_BOOT_PA, AP_BOOT_PA, 0, 0);
    ap_root = kva_to_pa(root);
}

paddr_t
ap_boot_root(void)
{
    return ap_root;
}

void
mmu_init_cpu(void)
{
    write_cr3(kva_to_pa(kernel_root));
}

void
kmap_init(void)
{
    gib_pages = cpu_has(FEATURE_GIB_PAGES);
    kernel_root = early_table();
    map_direct();
    map_image();
    kernel_root[pt_index(KVM_BASE, 3)] =
            kva_to_pa(early_table()) | PTE_PRESENT | PTE_WRITE;
    note_slots();
    make_ap_root();
    mmu_init_cpu();
}

/* A top-level table whose user half is empty, or NULL. */
pte_t *
root_new(void)
{
    paddr_t pa = page_alloc_zeroed();
    pte_t *root = pa_to_kva(pa);

    if (pa == 0)
        return NULL;
    frame_of(pa)->flags |= FRAME_TABLE;
    for (unsigned i = 0; i < nslot; i++)
        root[slots[i]] = kernel_root[slots[i]];
    return root;
}

void
root_free(pte_t *root)
{
    assert(frame_of(kva_to_pa(root))->next == 0);
    for (unsigned i = 0; i < nslot; i++)
        root[slots[i]] = 0;
    page_free_zeroed(kva_to_pa(root));
}

/* Count and print the leaves below `table` that break the invariant. */
static unsigned
check_table(const pte_t *table, int level, vaddr_t va)
{
    unsigned bad = 0;

    for (unsigned i = level == 3 ? 256 : 0; i < 512; i++) {
        vaddr_t at = va + ((vaddr_t)i << (PAGE_SHIFT + 9 * level));
        pte_t e = table[i];

        if (!(e & PTE_PRESENT))
            continue;
        if (level > 0 && !(e & PTE_LARGE)) {
            bad += check_table(pa_to_kva(e & PTE_ADDR), level - 1, at);
        } else if (((e & PTE_WRITE) && !(e & PTE_NX)) || (e & PTE_USER)) {
            print("kernel map: %#lx is %s\n", at,
                    e & PTE_USER ? "the user's" : "writable and executable");
            bad++;
        }
    }
    return bad;
}

unsigned
kmap_check_wx(void)
{
    return check_table(kernel_root, 3, 0xffff000000000000ul);
}
