/*
 * panic.c - the kernel's own bug: say what, where and how it came there, then
 * stop every CPU.
 *
 * Works at any moment: takes no lock, allocates nothing.  A second panic on
 * the same CPU (in printing the first) stops without another word, a panic on
 * another CPU meanwhile is the one that waits.
 */
#include "boot/boot.h"
#include "boot/trap.h"
#include "boot/x86_64/x86.h"

enum {
    STATUS_PANIC = 2
};

void (*panic_stop_others)(void);

static uint32_t panicking; /* 1: a CPU is at it, and only it may print */

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

/* First to come goes on; a repeated or a second panic ends here. */
static void
panic_enter(void)
{
    struct cpu *cpu = this_cpu();

    intr_off();
    if (cpu->in_panic++ > 0) {
        console_write("panic in panic\n", 15);
        if (cmdline_has("records", NULL))
            test_exit(STATUS_PANIC);
        halt_forever();
    }
    if (__atomic_exchange_n(&panicking, 1, __ATOMIC_ACQUIRE) != 0)
        halt_forever();
    if (panic_stop_others != NULL)
        panic_stop_others();
}

static void __attribute__((noreturn)) panic_leave(void)
{
    if (cmdline_has("records", NULL))
        test_exit(STATUS_PANIC);
    if (cmdline_has("panic", "reboot"))
        acpi_reboot();
    print("debug: `make gdb` starts it again under GDB; then `break panic`\n");
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

    panic_enter();
    va_start(args, fmt);
    vsnprint(message, sizeof(message), fmt, args);
    va_end(args);
    print("\npanic: cpu %u: %s\n", this_cpu()->id, message);
    print_control_registers();
    backtrace((uint64_t)__builtin_return_address(0), frame[0]);
    record("panic", message, strlen(message));
    panic_leave();
}

void
panic_trap(struct trapframe *tf, const char *why)
{
    char message[128];

    panic_enter();
    if (trap_name(tf->vector) != NULL)
        snprint(message, sizeof(message), "%s at %y%s%s", trap_name(tf->vector),
                tf->rip, why != NULL ? ": " : "", why != NULL ? why : "");
    else
        snprint(message, sizeof(message), "interrupt 0x%lx without handler",
                tf->vector);
    print("\npanic: cpu %u: %s\n", this_cpu()->id, message);
    trap_dump(tf);
    backtrace(tf->rip, tf->rbp);
    record("panic", message, strlen(message));
    panic_leave();
}
