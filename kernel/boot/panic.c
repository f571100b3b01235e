/*
 * panic.c - the kernel's own bug: say what, where and how it came there, then
 * stop every CPU.
 *
 * Works at any moment: takes no lock, allocates nothing.  One CPU reports; one
 * that panics meanwhile halts like the rest.  An NMI that nobody here sent (a
 * person's, on a machine that hangs) is a panic too, and tells where each CPU
 * was.
 */
#include "boot/boot.h"
#include "boot/trap.h"
#include "boot/x86_64/x86.h"

enum {
    STATUS_PANIC = 2,
    PATIENCE = 100000 /* pauses to wait for another CPU's answer */
};

void (*panic_stop_others)(void);

static uint32_t panicking; /* number + 1 of the CPU that may report; 0: none */
static uint64_t stopped_at[MAX_CPUS]; /* rip of the others; 0: still running */

static void __attribute__((noreturn)) halt_forever(void)
{
    for (;;) {
        intr_off();
        __asm__ volatile("hlt");
    }
}

static bool
cmdline_has(const char *key, const char *value)
{
    char text[16];

    return cmdline_get(key, text, sizeof(text)) >= 0 &&
           (value == NULL || strcmp(text, value) == 0);
}

/* Second panic on the same CPU, in reporting the first: not another word. */
static void __attribute__((noreturn)) panic_again(void)
{
    console_write("panic in panic\n", 15);
    if (cmdline_has("records", NULL))
        test_exit(STATUS_PANIC);
    halt_forever();
}

/*
 * First to come goes on and stops the others, by an NMI that brings them here
 * too.  They note where they were and halt.
 */
static void
panic_enter(uint64_t rip)
{
    struct cpu *cpu = this_cpu();
    uint32_t first = 0;

    intr_off();
    if (__atomic_compare_exchange_n(&panicking, &first, cpu->id + 1, false,
                __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        cpu->in_panic = 1;
        if (panic_stop_others != NULL)
            panic_stop_others();
        return;
    }
    if (first == cpu->id + 1)
        panic_again();
    __atomic_store_n(&stopped_at[cpu->id], rip, __ATOMIC_RELEASE);
    halt_forever();
}

/* Where the other CPUs were; one that does not answer is told too. */
static void
print_stopped(void)
{
    for (unsigned i = 0; i < ncpu; i++) {
        uint64_t rip = 0;

        if (i == this_cpu()->id)
            continue;
        for (int n = 0; n < PATIENCE && rip == 0; n++) {
            cpu_pause();
            rip = __atomic_load_n(&stopped_at[i], __ATOMIC_ACQUIRE);
        }
        if (rip != 0)
            print("cpu %u was at %y\n", i, rip);
        else
            print("cpu %u does not answer\n", i);
    }
}

static void __attribute__((noreturn)) panic_leave(void)
{
    if (cmdline_has("records", NULL))
        test_exit(STATUS_PANIC);
    if (cmdline_has("panic", "reboot"))
        acpi_reboot();
    print("debug: `make gdb` starts it again; there `break panic_enter`, "
          "`continue`\n");
    print("halted\n");
    halt_forever();
}

static void
print_control_registers(void)
{
    print("cr0 %016lx  cr2 %016lx  cr3 %016lx  cr4 %016lx\n", read_cr0(),
            read_cr2(), read_cr3(), read_cr4());
}

void
panic(const char *fmt, ...)
{
    uint64_t *frame = __builtin_frame_address(0);
    char message[256];
    va_list args;

    panic_enter((uint64_t)__builtin_return_address(0));
    va_start(args, fmt);
    vsnprint(message, sizeof(message), fmt, args);
    va_end(args);
    record("panic", message, strlen(message));
    print("\npanic: cpu %u: %s\n", this_cpu()->id, message);
    print_control_registers();
    backtrace((uint64_t)__builtin_return_address(0), frame[0]);
    print_stopped();
    panic_leave();
}

void
panic_trap(struct trapframe *tf, const char *why)
{
    char message[128];

    panic_enter(tf->rip);
    if (trap_name(tf->vector) != NULL)
        snprint(message, sizeof(message), "%s at %y%s%s", trap_name(tf->vector),
                tf->rip, why != NULL ? ": " : "", why != NULL ? why : "");
    else
        snprint(message, sizeof(message), "interrupt 0x%lx without handler",
                tf->vector);
    record("panic", message, strlen(message));
    print("\npanic: cpu %u: %s\n", this_cpu()->id, message);
    trap_dump(tf);
    backtrace(tf->rip, tf->rbp);
    print_stopped();
    panic_leave();
}
