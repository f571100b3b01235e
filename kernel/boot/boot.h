/*
 * boot.h - contents page of stage 1: from the boot loader to a machine that
 * prints, takes traps and explains its own crashes.
 *
 * Lowest layer: includes nothing of the kernel's outside this folder.  Its
 * calls may be used at any time, in interrupts too, and never sleep.
 */
#pragma once

#include <lux/types.h>
#include <lux/limits.h>
#include <lux/err.h>
#include "boot/cpu.h"
#include "boot/lock.h"

/* ---- the map of kernel addresses (docs: book chapter 1) ---- */

#define KERNEL_BASE 0xffffffff80000000ul /* image: pa + KERNEL_BASE */
#define DIRECT_BASE 0xffff800000000000ul /* all RAM: pa + DIRECT_BASE */
#define DIRECT_END  0xffffc00000000000ul
#define KVM_BASE    0xffffd00000000000ul /* stacks with guards, registers */
#define KVM_END     0xffffe00000000000ul

extern char kernel_start[], text_end[], rodata_end[], kernel_end[]; /* ld */

/* Kernel pointer to physical memory; valid for all RAM once boot is done. */
static inline void *
pa_to_kva(paddr_t pa)
{
    return (void *)(pa + DIRECT_BASE);
}

/* ---- bootinfo.c: what the loader told us, whichever loader it was ---- */

enum {
    MAX_MEM_RANGES = 128,
    MAX_MODULES = 16,
    MAX_CMDLINE = 4096
};

enum mem_kind {
    MEM_USABLE = 1,
    MEM_RESERVED,
    MEM_ACPI,
    MEM_NVS,
    MEM_BAD
};

struct mem_range { /* as the loader gave them: unsorted, may overlap */
    paddr_t start;
    paddr_t end; /* first byte after it */
    enum mem_kind kind;
};

struct module {
    paddr_t start, end;
    char name[MAX_NAME]; /* first word of its command line; may be empty */
};

struct framebuffer { /* pa 0: none; text: VGA character cells */
    paddr_t pa;
    uint32_t width, height, pitch; /* pixels (cells), pixels, bytes */
    uint8_t bpp;
    bool text;
    uint8_t red_shift, green_shift, blue_shift;
};

struct bootinfo {
    const char *loader; /* "GRUB 2.06-..." or "PVH" */
    char cmdline[MAX_CMDLINE];
    struct mem_range mem[MAX_MEM_RANGES];
    unsigned nmem;
    struct module modules[MAX_MODULES];
    unsigned nmodule;
    struct framebuffer fb;
    paddr_t rsdp;       /* ACPI root pointer, 0: look for it */
    uint64_t entry_tsc; /* TSC at the first instruction */
};

extern struct bootinfo bootinfo;

/*
 * The value of `key=value` or `key="some words"` on the command line, copied
 * to buf without quotation marks, or "" for a bare `key`.  Returns its length,
 * or -E_NOEXIST.  Cut to fit len bytes.
 */
int cmdline_get(const char *key, char *buf, size_t len);

/* A whole string as a number, decimal or 0x; false: it is none, or too big. */
bool parse_number(const char *s, uint64_t *value);

/* Same as a number (decimal or 0x); `fallback` if missing or malformed. */
uint64_t cmdline_number(const char *key, uint64_t fallback);

/* ---- console.c, serial.c, screen.c, keyboard.c ---- */

/* To COM1 and the screen, and kept in the panic log.  Takes no lock. */
void console_write(const char *s, size_t len);

/* What of the recent output lies `from` bytes behind its oldest byte: at most
 * len bytes to buf; how many.  A moment's picture: it may be written on. */
size_t console_log_read(uint64_t from, char *buf, size_t len);

/* Next character typed (serial or keyboard; Enter on a serial line is '\r'),
 * or -1.  Polls the devices. */
int console_poll(void);

/*
 * Let COM1 and the keyboard raise their ISA interrupts (4 and 1).  The
 * caller has routed them and calls console_poll in the handler.
 */
void console_enable_interrupts(void);

/* The screen's memory: physical address (0: none) and length in bytes. */
paddr_t screen_memory(size_t *len);

/* It is mapped at `memory` from now on: whoever replaces the page tables
 * tells, if its place is not the direct map's or that did not reach it. */
void screen_moved(void *memory);

/* ---- print.c ---- */

/*
 * printf's %d %i %u %x %X %o %c %s %p %%, with flags "-0+ #", width,
 * precision, `*` and the sizes hh h l ll z; and two of ours: %y prints an
 * address as symbol+offset, %e an error number as its string.  Prints at
 * most len-1 bytes and a NUL; returns the length it would have had.
 */
int vsnprint(char *buf, size_t len, const char *fmt, va_list args);
int snprint(char *buf, size_t len, const char *fmt, ...);

/* To the console, whole lines not mixed with another CPU's. */
void print(const char *fmt, ...);

/* The same for bytes that are no format: what a program writes. */
void print_bytes(const char *s, size_t n);

/* ---- string.c: memory and strings, as in C ---- */

void *memset(void *dst, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
/* Copy at most len-1 bytes and always a NUL (len > 0); returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t len);

/* ---- panic.c, symbols.c, backtrace.c ---- */

/* The kernel's own bug: print, backtrace, halt all CPUs.  Never returns. */
void panic(const char *fmt, ...) __attribute__((noreturn));

#define assert(cond)                                                           \
    do {                                                                       \
        if (!(cond))                                                           \
            panic("%s:%d: %s: assertion failed: %s", __FILE__, __LINE__,       \
                    __func__, #cond);                                          \
    } while (0)

/* A panic stops the other CPUs through this, by NMIs, for which panic.c has
 * the handler; sched sets it. */
extern void (*panic_stop_others)(void);

struct symbol { /* by rising address */
    uint64_t addr;
    const char *name;
};

/* The symbol at or before addr, NULL outside the kernel's text. */
const struct symbol *symbol_find(uint64_t addr);

/* Print the calls on the stack that starts at frame pointer rbp. */
void backtrace(uint64_t rip, uint64_t rbp);

/* ---- traps: x86_64/trap_entry.asm, trap.c ---- */

struct trapframe { /* as trap_entry.asm pushes it; lowest address first */
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss; /* pushed by the CPU */
};

enum trap_vector {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_NMI = 2,
    TRAP_BREAKPOINT = 3,
    TRAP_DOUBLE_FAULT = 8,
    TRAP_GP = 13,
    TRAP_PAGE_FAULT = 14,
    TRAP_FPU = 16,
    TRAP_ALIGN = 17,
    TRAP_MACHINE_CHECK = 18,
    TRAP_SIMD = 19,
    TRAP_IRQ0 = 0x20,  /* ISA interrupt n arrives at TRAP_IRQ0 + n */
    TRAP_LAPIC = 0xf0, /* the local APIC's own: see sched */
    TRAP_SPURIOUS = 0xff,
};

/*
 * Who handles a vector.  The handler runs with interrupts off on the kernel
 * stack (IST vectors: on theirs); returning resumes what was interrupted.
 * A vector without handler is a panic, unless it is an exception that a user
 * program caused: that goes to `user_trap`, if there is one.  Returns the handler
 * there was.
 */
typedef void trap_handler(struct trapframe *tf);
trap_handler *trap_register(unsigned vector, trap_handler *handler);

/* An exception of a user program that no handler settled; sched sets it. */
extern trap_handler *user_trap;

/* Called last on the way back to user mode, interrupts off; sched sets it. */
extern trap_handler *user_return;

static inline bool
trap_from_user(const struct trapframe *tf)
{
    return (tf->cs & 3) == 3;
}

/* Name of an exception, "page fault"; "interrupt 0x41" style is the caller's. */
const char *trap_name(unsigned vector);

/* A trap that nobody can settle: panic with its registers and backtrace; `why`
 * adds what the caller knows about it (NULL: nothing). */
void panic_trap(struct trapframe *tf, const char *why)
        __attribute__((noreturn));

/* Print all registers, flags decoded, and what the error code means. */
void trap_dump(const struct trapframe *tf);

/* ---- x86_64/gdt.c, x86_64/idt.c, x86_64/features.c: for each CPU ---- */

/* Load GDT, TSS, IDT and GS base of a CPU, whose IST stacks are set here. */
void cpu_init_tables(struct cpu *cpu);

/* what the kernel and its programs use of a CPU; features.c has their names */
enum cpu_feature_id {
    FEATURE_FPU,
    FEATURE_TSC,
    FEATURE_MSR,
    FEATURE_PAE,
    FEATURE_APIC,
    FEATURE_CMOV,
    FEATURE_FXSR,
    FEATURE_SSE,
    FEATURE_SSE2,
    FEATURE_SYSCALL,
    FEATURE_MCE,
    FEATURE_PGE,
    FEATURE_SMEP,
    FEATURE_SMAP,
    FEATURE_UMIP,
    FEATURE_RDRAND,
    FEATURE_GIB_PAGES,
    NFEATURES
};

/* Does this CPU have it? */
bool cpu_has(enum cpu_feature_id id);

/* 64 bits of the CPU's own generator; 0: it has none, or is exhausted. */
uint64_t cpu_random(void);

/* Turn on what this CPU has of PGE, MCE, SMEP, SMAP, UMIP; SSE, WP and NX,
 * which all have. */
void cpu_init_features(void);
extern bool cpu_has_smap;

/* ---- acpi.c, madt.c, power.c ---- */

/* A table by its signature ("APIC"), checksum checked; NULL: none. */
const void *acpi_find(const char signature[4]);

/* CPUs that the MADT lists as usable; fills apic_ids; at least 1. */
unsigned acpi_cpus(uint32_t apic_ids[MAX_CPUS]);

/* Physical address of the first I/O APIC and its first interrupt number;
 * irq_map[n] becomes the global interrupt of ISA interrupt n. */
paddr_t acpi_ioapic(uint32_t *gsi_base, uint32_t irq_map[16]);

/* I/O port of the 3.579545 MHz power-management timer, 0: none. */
uint16_t acpi_pm_timer(void);

/* Power off, restart.  Return only if the machine refuses. */
void acpi_power_off(void);
void acpi_reboot(void);

/* ---- debugport.c: framed records for whoever tests this kernel ---- */

/*
 * Write one record to the debug port (I/O port 0xe9) if the command line has
 * `records`; nothing otherwise.  Frame: "\x1eLUX9 <type> <len>\n" then len
 * bytes then "\n".  type is a lower-case word; data may be any bytes.  With
 * `records=KEY`, up to 16 characters, the first line ends with " KEY".
 * Records of several CPUs do not mix.
 */
void record(const char *type, const void *data, size_t len);
void record_printf(const char *type, const char *fmt, ...);

/*
 * End of a test run: to isa-debug-exit (port 0xf4; QEMU exits with
 * status * 2 + 1), or power off where there is none.
 */
void test_exit(unsigned status) __attribute__((noreturn));

/* ---- ktest.c: test functions linked into test kernels ---- */

/*
 * KTEST(name) { ... } defines a test; the command line `ktest=name seed=N`
 * runs it in place of the kernel's usual work once all layers are up.
 * ktest=name,name runs several; `ktest=list` records all the names.
 */
typedef void ktest_fn(uint64_t seed);
struct ktest {
    const char *name;
    ktest_fn *fn;
};

#define KTEST(name_)                                                           \
    static ktest_fn ktest_fn_##name_;                                          \
    static const struct ktest ktest_##name_ __attribute__((                    \
            used, section("ktests"))) = { #name_, ktest_fn_##name_ };          \
    static void ktest_fn_##name_([[maybe_unused]] uint64_t seed)

/*
 * A failed check is recorded with place and values; the test goes on.  CHECK
 * is for what has no value but true and false.  `want` may be evaluated twice.
 */
#define CHECK(cond)         ktest_check(!!(cond), __FILE__, __LINE__, #cond)
#define CHECK_LT(got, want) CHECK_OP(got, <, want, #got " < " #want)
#define CHECK_LE(got, want) CHECK_OP(got, <=, want, #got " <= " #want)
#define CHECK_GT(got, want) CHECK_OP(got, >, want, #got " > " #want)
#define CHECK_GE(got, want) CHECK_OP(got, >=, want, #got " >= " #want)
#define CHECK_NE(got, want) CHECK_OP(got, !=, want, #got " != " #want)
#define CHECK_EQ(got, want)                                                    \
    ktest_check_eq((uint64_t)(got), (uint64_t)(want), __FILE__, __LINE__,      \
            #got " == " #want)
#define CHECK_OP(got, op, want, what)                                          \
    ({                                                                         \
        __auto_type got_ = (got);                                              \
        ktest_check_op(got_ op(want), (uint64_t)got_, #op, (uint64_t)(want),   \
                __FILE__, __LINE__, what);                                     \
    })

bool ktest_check(bool ok, const char *file, int line, const char *what);
bool ktest_check_eq(uint64_t got, uint64_t want, const char *file, int line,
        const char *what);
bool ktest_check_op(bool ok, uint64_t got, const char *op, uint64_t want,
        const char *file, int line, const char *what);

/*
 * First in the body of a loop: checks that fail there name this round.  n is
 * what tells the rounds apart.
 */
#define CHECK_ROUND(n)                                                         \
    [[maybe_unused, gnu::cleanup(ktest_round_end)]] uint64_t outer_##n##_ =    \
            ktest_round((uint64_t)(n))

uint64_t ktest_round(uint64_t round); /* returns the one before */
void ktest_round_end(const uint64_t *before);

/* Next number of a test's own generator (splitmix64); *state is its seed. */
uint64_t ktest_random(uint64_t *state);

/* Run what the command line asks for, and test_exit; returns if nothing. */
void ktest_run(void);

/* ---- monitor.c: a prompt for kernels that have no processes yet ---- */

/* One command of the monitor; `usage` is its line in `help`. */
struct monitor_command {
    const char *name, *usage;
    void (*run)(int argc, char **argv);
};

/* Add a table of commands; a layer calls it once for its own. */
void monitor_add(const struct monitor_command *commands, unsigned n);

/* Read commands from the console by polling, for ever. */
void monitor(void) __attribute__((noreturn));

/* ---- start.c ---- */

/* Everything above, in order; called once with the loader's magic and data. */
void boot_init(uint32_t magic, paddr_t info);

/* In kernel/main.c: entry.asm calls it on the boot stack, interrupts off. */
void kernel_main(uint32_t magic, paddr_t info);
