/*
 * test_boot_panic.c - the kernel's own bugs: told once, in full, whatever
 * state the machine is in.
 */
#include "boot/boot.h"
#include "boot/panic.h"
#include "boot/symbols.h"
#include "boot/x86_64/x86.h"

/* panic: the answer is 42 */
KTEST(panic_formats_message)
{
    panic("the answer is %d", 42);
}

/* panic: assertion failed: seed == 0 */
KTEST(panic_assertion)
{
    seed |= 1;
    assert(seed == 0);
}

/* A frame pointer that leads nowhere ends the backtrace, not the report.
 * panic: lost my frame */
KTEST(panic_bad_frame_pointer)
{
    __asm__ volatile("mov %0, (%%rbp)"
                     :
                     : "r"(0xffffffffe0000008ul)
                     : "memory");
    panic("lost my frame");
}

/* A frame pointer that points at itself does not make it endless.
 * panic: round and round */
KTEST(panic_circular_frames)
{
    __asm__ volatile("mov %%rbp, (%%rbp)" : : : "memory");
    panic("round and round");
}

/* panic: stack overrun in ktest_fn_stack_overrun_caught */
KTEST(stack_overrun_caught)
{
    char room[16], *p = room;

    __asm__ volatile("" : "+r"(p)); /* the compiler does not know p */
    for (size_t i = 0; i < 32; i++)
        p[i] = seed + i;
    __asm__ volatile("" : : "r"(p) : "memory");
}

/* A panic with every lock held still prints: it takes none.
 * panic: inside the console's lock */
KTEST(panic_with_locks_held)
{
    struct spinlock console = SPINLOCK_INIT(RANK_CONSOLE, "another");

    spin_lock(&console);
    panic("inside the console's lock");
}

KTEST(symbol_lookup)
{
    const struct symbol *s = symbol_find((uint64_t)panic + 5);

    CHECK(s != NULL && strcmp(s->name, "panic") == 0);
    CHECK(s != NULL && s->addr == (uint64_t)panic);
    CHECK(symbol_find((uint64_t)text_end) == NULL);
    CHECK(symbol_find((uint64_t)text_end - 1) != NULL);
    CHECK(symbol_find(0) == NULL);
    CHECK(symbol_find((uint64_t)&bootinfo) == NULL);
}

/* Each function's first byte and the one before it have different names. */
KTEST(symbol_borders)
{
    static void *const functions[] = { panic, print, memcpy, cmdline_get,
        acpi_find, record, boot_init };

    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        uint64_t addr = (uint64_t)functions[i];
        const struct symbol *at = symbol_find(addr);
        const struct symbol *before = symbol_find(addr - 1);

        CHECK(at != NULL && at->addr == addr);
        CHECK(before != NULL && before < at);
    }
}

/* The kernel knows the line of its own code, and that of nothing else. */
KTEST(line_lookup)
{
    uint64_t here;
    unsigned line = 0;
    const unsigned wanted = __LINE__ + 3; /* the next statement's */
    const char *file;

    __asm__ volatile("lea (%%rip), %0" : "=r"(here));
    file = line_find(here - 1, &line);
    CHECK(file != NULL && strcmp(file, "test_boot_panic.c") == 0);
    CHECK_EQ(line, wanted);
    file = line_find((uint64_t)symbol_find, &line);
    CHECK(file != NULL && strcmp(file, "symbols.c") == 0);
    CHECK(line_find((uint64_t)text_end, &line) == NULL);
    CHECK(line_find((uint64_t)&bootinfo, &line) == NULL);
    CHECK(line_find(0, &line) == NULL);
}

KTEST(address_mapped_knows)
{
    CHECK(address_mapped((vaddr_t)panic));
    CHECK(address_mapped((vaddr_t)&seed));
    CHECK(address_mapped((vaddr_t)pa_to_kva(0x100000)));
    CHECK(!address_mapped(0));
    CHECK(!address_mapped(1ul << 63));          /* not canonical */
    CHECK(!address_mapped(0x0000800000000000)); /* nor this */
    CHECK(!address_mapped(0xffffa00000000000));
}

/* ---- stack_walk on stacks that never were ---- */

enum {
    WALK_MAX = 8
};

/* From the last frame up: caller's rbp, return address. */
static uint64_t made[2 * (WALK_MAX + 2)] __attribute__((aligned(16)));

/* A chain of n frames in made, return addresses 1000, 1001, ... */
static uint64_t
make_chain(unsigned n)
{
    memset(made, 0, sizeof(made));
    for (unsigned i = 0; i < n; i++) {
        made[2 * i] = i + 1 < n ? (uint64_t)&made[2 * i + 2] : 0;
        made[2 * i + 1] = 1000 + i;
    }
    return (uint64_t)made;
}

static __attribute__((noinline)) unsigned
walk_here(uint64_t *calls, unsigned max)
{
    return stack_walk((uint64_t)__builtin_frame_address(0), calls, max);
}

/* The stack of this very call: a return address here, the last in kernel_main,
 * or where a stage begins that is no process's. */
KTEST(walk_finds_callers)
{
    uint64_t calls[32];
    unsigned n = walk_here(calls, ARRAY_LEN(calls));
    const struct symbol *sym;

    CHECK_GE(n, 3);
    sym = symbol_find(calls[0] - 1);
    CHECK(sym != NULL && strcmp(sym->name, "ktest_fn_walk_finds_callers") == 0);
    for (unsigned i = 0; i < n; i++)
        CHECK(symbol_find(calls[i] - 1) != NULL);
}

KTEST(walk_follows_chain)
{
    uint64_t calls[WALK_MAX];

    for (unsigned n = 1; n <= 5; n++) {
        CHECK_EQ(stack_walk(make_chain(n), calls, WALK_MAX), n);
        for (unsigned i = 0; i < n; i++)
            CHECK_EQ(calls[i], 1000 + i);
    }
    make_chain(3);
    made[3] = 0; /* a return address of 0 is the bottom of a stack */
    CHECK_EQ(stack_walk((uint64_t)made, calls, WALK_MAX), 1);
}

/* No more than there is room for, and not a word behind it. */
KTEST(walk_keeps_to_max)
{
    uint64_t calls[4] = { 0, 0, 0, 42 };

    CHECK_EQ(stack_walk(make_chain(WALK_MAX), calls, 3), 3);
    CHECK_EQ(calls[2], 1002);
    CHECK_EQ(calls[3], 42);
    calls[0] = 42;
    CHECK_EQ(stack_walk(make_chain(3), calls, 0), 0);
    CHECK_EQ(calls[0], 42);
}

/* A frame pointer that is none ends the walk, at once or later. */
KTEST(walk_trusts_no_frame)
{
    static const uint64_t bad[] = {
        8,                  /* a null pointer's neighbour */
        0x00007fffffffe000, /* a program's stack */
        0x0000800000000000, /* not canonical */
        0xffffa00000000000, /* not mapped */
        0xffffffffe0000008, /* nor this */
        UINT64_MAX - 7,     /* the last word there is */
    };
    uint64_t calls[WALK_MAX];

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_EQ(stack_walk(bad[i], calls, WALK_MAX), 0);
        make_chain(1);
        made[0] = bad[i];
        CHECK_EQ(stack_walk((uint64_t)made, calls, WALK_MAX), 1);
    }
    CHECK_EQ(stack_walk(make_chain(3) + 4, calls, WALK_MAX), 0); /* odd */
}

/* A chain that turns back is broken, or a circle. */
KTEST(walk_ends_circles)
{
    uint64_t calls[WALK_MAX];

    make_chain(3);
    made[0] = (uint64_t)made; /* to itself */
    CHECK_EQ(stack_walk((uint64_t)made, calls, WALK_MAX), 1);
    make_chain(3);
    made[4] = (uint64_t)made; /* back to the first */
    CHECK_EQ(stack_walk((uint64_t)made, calls, WALK_MAX), 3);
}
