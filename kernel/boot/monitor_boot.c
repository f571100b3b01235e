/*
 * monitor_boot.c - what can be asked of a stage 1 kernel at its prompt.
 */
#include "boot/boot.h"
#include "boot/console.h"
#include "boot/monitor.h"
#include "boot/panic.h"
#include "boot/x86_64/x86.h"

/* An argument as a number, or `fallback`; a wrong one is told and is it too */
static uint64_t
number(int argc, char **argv, int i, uint64_t fallback)
{
    uint64_t n;

    if (i >= argc)
        return fallback;
    if (!parse_number(argv[i], &n)) {
        print("%s: not a number\n", argv[i]);
        return fallback;
    }
    return n;
}

static void
cmd_bootinfo(int argc, char **argv)
{
    static const char *const kinds[] = { "?", "usable", "reserved", "ACPI",
        "ACPI NVS", "bad" };

    (void)argc, (void)argv;
    print("loader  %s\ncommand line \"%s\"\n", bootinfo.loader,
            bootinfo.cmdline);
    for (unsigned i = 0; i < bootinfo.nmem; i++)
        print("memory  %012lx..%012lx %s\n", bootinfo.mem[i].start,
                bootinfo.mem[i].end, kinds[bootinfo.mem[i].kind]);
    for (unsigned i = 0; i < bootinfo.nmodule; i++)
        print("module  %012lx..%012lx %s\n", bootinfo.modules[i].start,
                bootinfo.modules[i].end, bootinfo.modules[i].name);
    print("screen  %ux%u %s at 0x%lx\n", bootinfo.fb.width, bootinfo.fb.height,
            bootinfo.fb.text ? "characters" : "pixels", bootinfo.fb.pa);
    print("kernel  %012lx..%012lx\n", (paddr_t)kernel_start - KERNEL_BASE,
            (paddr_t)kernel_end - KERNEL_BASE);
}

static void
cmd_acpi(int argc, char **argv)
{
    uint32_t ids[MAX_CPUS], gsi_base, irqs[16];
    unsigned n = acpi_cpus(ids);

    (void)argc, (void)argv;
    print("cpus   ");
    for (unsigned i = 0; i < n; i++)
        print(" %u", ids[i]);
    print("\nI/O APIC at 0x%lx", acpi_ioapic(&gsi_base, irqs));
    print(", first interrupt %u, ISA 0 is %u\n", gsi_base, irqs[0]);
    print("power-management timer at port 0x%x\n", acpi_pm_timer());
}

/* A breakpoint reports everything and returns: the very thing wanted. */
static void
cmd_regs(int argc, char **argv)
{
    (void)argc, (void)argv;
    __asm__ volatile("int3");
}

static void
cmd_backtrace(int argc, char **argv)
{
    (void)argc, (void)argv;
    backtrace((uint64_t)cmd_backtrace, (uint64_t)__builtin_frame_address(0));
}

static void
cmd_symbol(int argc, char **argv)
{
    uint64_t addr = number(argc, argv, 1, (uint64_t)monitor_run);

    print("%lx %y\n", addr, addr);
}

static void
cmd_peek(int argc, char **argv)
{
    vaddr_t va = number(argc, argv, 1, (vaddr_t)kernel_start) & ~15ul;

    for (int i = 0; i < 8; i++, va += 16) {
        const uint64_t *p = (const void *)va;

        if (!address_mapped(va)) {
            print("%016lx  not mapped\n", va);
            return;
        }
        print("%016lx  %016lx %016lx\n", va, p[0], p[1]);
    }
}

/* The exceptions a kernel most likely meets, each caused for real. */
static void
cmd_trap(int argc, char **argv)
{
    uint64_t n = number(argc, argv, 1, TRAP_BREAKPOINT);

    switch (n) {
    case TRAP_DIVIDE:
        __asm__ volatile("div %0" : : "r"(0ul) : "rax", "rdx");
        break;
    case TRAP_BREAKPOINT: __asm__ volatile("int3"); break;
    case 6: __asm__ volatile("ud2"); break;
    case TRAP_DOUBLE_FAULT: /* a fault whose frame has no stack to go on */
        __asm__ volatile("mov $0x1000000000000, %%rsp; push %%rax"
                         :
                         :
                         : "memory");
        break;
    case TRAP_GP: /* an address that is not canonical */
        __asm__ volatile("mov (%0), %0" : : "r"(1ul << 63) : "memory");
        break;
    case TRAP_PAGE_FAULT: *(volatile uint64_t *)0xffffa00000000000ul = 0; break;
    default: print("trap: 0, 3, 6, 8, 13 or 14\n");
    }
}

static void
cmd_panic(int argc, char **argv)
{
    panic("%s", argc > 1 ? argv[1] : "asked for at the prompt");
}

static void
cmd_log(int argc, char **argv)
{
    uint64_t end = console_log_end;
    uint64_t at = end > CONSOLE_LOG_SIZE / 2 ? end - CONSOLE_LOG_SIZE / 2 : 0;

    (void)argc, (void)argv;
    for (; at < end; at++)
        print("%c", console_log[at % CONSOLE_LOG_SIZE]);
}

static void
cmd_reboot(int argc, char **argv)
{
    (void)argc, (void)argv;
    acpi_reboot();
    print("this machine does not restart\n");
}

static void
cmd_off(int argc, char **argv)
{
    (void)argc, (void)argv;
    acpi_power_off();
    print("this machine does not switch off\n");
}

static const struct monitor_command commands[] = {
    { "help", "help          this list", monitor_help },
    { "bootinfo", "bootinfo      what the loader told", cmd_bootinfo },
    { "acpi", "acpi          CPUs, interrupt controller, timer", cmd_acpi },
    { "regs", "regs          registers and backtrace, by int3", cmd_regs },
    { "bt", "bt            backtrace", cmd_backtrace },
    { "sym", "sym ADDR      name of the function at an address", cmd_symbol },
    { "peek", "peek ADDR     128 bytes of memory", cmd_peek },
    { "trap", "trap N        cause exception 0, 3, 6, 8, 13 or 14", cmd_trap },
    { "panic", "panic [WORD]  stop, with a report", cmd_panic },
    { "log", "log           recent output once more", cmd_log },
    { "reboot", "reboot        start again", cmd_reboot },
    { "off", "off           power off", cmd_off },
};

void
monitor_boot_init(void)
{
    monitor_add(commands, ARRAY_LEN(commands));
}
