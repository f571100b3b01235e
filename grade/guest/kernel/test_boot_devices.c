/*
 * test_boot_devices.c - ACPI tables, keyboard, panic log, descriptor tables:
 * what stage 1 knows of the machine.
 */
#include "boot/acpi.h"
#include "boot/console.h"
#include "boot/monitor.h"
#include "boot/x86_64/x86.h"

KTEST(acpi_tables_found)
{
    const struct acpi_head *madt = acpi_find("APIC");
    const struct acpi_head *fadt = acpi_find("FACP");

    CHECK(madt != NULL && memcmp(madt->signature, "APIC", 4) == 0);
    CHECK(fadt != NULL && acpi_sum_ok(fadt, fadt->length));
    CHECK(acpi_find("NONE") == NULL);
    CHECK_EQ(acpi_pm_timer(), 0x608); /* q35 */
}

/* Make the table's sum right for a length of len bytes. */
static void
fix_sum(struct acpi_head *t, size_t len)
{
    const uint8_t *bytes = (const void *)t;
    uint8_t sum = 0;

    t->checksum = 0;
    for (size_t i = 0; i < len; i++)
        sum += bytes[i];
    t->checksum = -sum;
}

/* A table with a wrong sum, a short length, or nowhere, is not a table. */
KTEST(acpi_broken_tables)
{
    static struct acpi_head t;
    paddr_t pa = (paddr_t)&t - KERNEL_BASE;

    t = (struct acpi_head){ .signature = "TEST", .length = sizeof(t) };
    fix_sum(&t, sizeof(t));
    CHECK(acpi_table(pa) != NULL);
    t.checksum++;
    CHECK(acpi_table(pa) == NULL);
    t.length = sizeof(t) - 1;
    fix_sum(&t, t.length);
    CHECK(acpi_table(pa) == NULL);
    t.length = UINT32_MAX;
    CHECK(acpi_table(pa) == NULL);
    CHECK(acpi_table(0) == NULL);
    CHECK(acpi_table(UINT64_MAX) == NULL);
    CHECK(acpi_table(1ul << 46) == NULL);
}

KTEST(acpi_one_cpu)
{
    uint32_t ids[MAX_CPUS];

    CHECK_EQ(acpi_cpus(ids), 1);
    CHECK_EQ(ids[0], cpuid(1, 0).ebx >> 24);
}

/* cpus: 4 */
KTEST(acpi_four_cpus)
{
    uint32_t ids[MAX_CPUS];

    CHECK_EQ(acpi_cpus(ids), 4);
    for (uint32_t i = 0; i < 4; i++)
        CHECK_EQ(ids[i], i);
}

/* The PC's timer, ISA interrupt 0, is wired to input 2 of the I/O APIC. */
KTEST(acpi_interrupt_override)
{
    uint32_t base, map[16];

    CHECK_EQ(acpi_ioapic(&base, map), 0xfec00000);
    CHECK_EQ(base, 0);
    CHECK_EQ(map[0], 2);
    CHECK_EQ(map[1], 1);
    CHECK_EQ(map[4], 4);
}

KTEST(acpi_sleep_package)
{
    static const char ok[] = "xx\x08_S5_\x12\x06\x04\x0a\x05\x00\x00\x00";
    static const char one[] = "_S5_\x12\x06\x04\x01\x0a\x07\x00\x00";
    static const char cut[] = "_S5_\x12\x06\x04\x00\x0a";
    static const char no_package[] = "_S5_\x14\x06\x04\x0a\x05\x00\x00";
    unsigned types[2] = { 9, 9 };

    CHECK(acpi_sleep_types(ok, sizeof(ok) - 1, types));
    CHECK_EQ(types[0], 5);
    CHECK_EQ(types[1], 0);
    CHECK(acpi_sleep_types(one, sizeof(one) - 1, types));
    CHECK_EQ(types[0], 1);
    CHECK_EQ(types[1], 7);
    CHECK(!acpi_sleep_types(cut, sizeof(cut) - 1, types));
    CHECK(!acpi_sleep_types(no_package, sizeof(no_package) - 1, types));
    CHECK(!acpi_sleep_types("", 0, types));
}

enum {
    UP = 0x80,
    SHIFT = 0x2a,
    CTRL = 0x1d,
    CAPS = 0x3a,
    KEY_A = 0x1e,
    KEY_1 = 0x02,
    ENTER = 0x1c,
    EXTENDED = 0xe0,
    ARROW_UP = 0x48,
    RIGHT_SHIFT = 0x36
};

KTEST(keyboard_shift_and_caps)
{
    CHECK_EQ(keyboard_key(KEY_A), 'a');
    CHECK_EQ(keyboard_key(KEY_A | UP), -1);
    CHECK_EQ(keyboard_key(SHIFT), -1);
    CHECK_EQ(keyboard_key(KEY_A), 'A');
    CHECK_EQ(keyboard_key(KEY_1), '!');
    CHECK_EQ(keyboard_key(CAPS), -1);
    CHECK_EQ(keyboard_key(KEY_A), 'a'); /* shift and caps lock cancel */
    CHECK_EQ(keyboard_key(SHIFT | UP), -1);
    CHECK_EQ(keyboard_key(KEY_A), 'A');
    CHECK_EQ(keyboard_key(KEY_1), '1'); /* caps lock is for letters */
    CHECK_EQ(keyboard_key(CAPS | UP), -1);
    CHECK_EQ(keyboard_key(KEY_A), 'A');
    keyboard_key(CAPS);
    CHECK_EQ(keyboard_key(KEY_A), 'a');
    keyboard_key(CAPS | UP);
}

/* A key that is still held keeps its effect when its twin comes up. */
KTEST(keyboard_two_keys_of_a_kind)
{
    keyboard_key(SHIFT);
    keyboard_key(RIGHT_SHIFT);
    keyboard_key(RIGHT_SHIFT | UP);
    CHECK_EQ(keyboard_key(KEY_A), 'A');
    keyboard_key(SHIFT | UP);
    CHECK_EQ(keyboard_key(KEY_A), 'a');
    keyboard_key(CTRL);
    keyboard_key(EXTENDED);
    keyboard_key(CTRL);
    keyboard_key(EXTENDED);
    keyboard_key(CTRL | UP);
    CHECK_EQ(keyboard_key(KEY_A), 1);
    keyboard_key(CTRL | UP);
    CHECK_EQ(keyboard_key(KEY_A), 'a');
}

/* Caps Lock held down repeats its code, and toggles once. */
KTEST(keyboard_caps_repeats)
{
    for (int i = 0; i < 2; i++)
        keyboard_key(CAPS);
    CHECK_EQ(keyboard_key(KEY_A), 'A');
    keyboard_key(CAPS | UP);
    keyboard_key(CAPS);
    keyboard_key(CAPS | UP);
    CHECK_EQ(keyboard_key(KEY_A), 'a');
}

KTEST(keyboard_control_and_enter)
{
    keyboard_key(CTRL);
    CHECK_EQ(keyboard_key(KEY_A), 1);
    keyboard_key(CTRL | UP);
    CHECK_EQ(keyboard_key(KEY_A), 'a');
    CHECK_EQ(keyboard_key(ENTER), '\n');
    CHECK_EQ(keyboard_key(0x7f), -1); /* no such key */
}

/* An arrow gives the characters a terminal would send. */
KTEST(keyboard_arrow)
{
    CHECK_EQ(keyboard_key(EXTENDED), -1);
    CHECK_EQ(keyboard_key(SHIFT), -1); /* part of the arrow, not a shift */
    CHECK_EQ(keyboard_key(EXTENDED), -1);
    CHECK_EQ(keyboard_key(ARROW_UP), 033);
    CHECK_EQ(keyboard_poll(), '[');
    CHECK_EQ(keyboard_poll(), 'A');
    CHECK_EQ(keyboard_key(EXTENDED), -1);
    CHECK_EQ(keyboard_key(ARROW_UP | UP), -1);
    CHECK_EQ(keyboard_key(KEY_A), 'a');
}

/* What was printed can be found in memory, also after the ring went round. */
KTEST(console_log_keeps_the_end)
{
    uint64_t at = console_log_end;

    print("needle\n");
    CHECK_EQ(console_log_end, at + 7);
    for (size_t i = 0; i < 7; i++)
        CHECK_EQ(console_log[(at + i) % CONSOLE_LOG_SIZE], "needle\n"[i]);
}

/* Control characters, broken UTF-8 and long lines stay on the screen. */
KTEST(screen_survives_any_bytes)
{
    char bytes[64];

    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = ktest_random(&seed);
        screen_write(bytes, sizeof(bytes));
    }
    screen_write("\033[m\n", 4);
    CHECK(!this_cpu()->in_panic);
}

/* Whether cell i and those after it show text in light grey. */
static bool
cells_show(const uint16_t *cells, const char *text)
{
    for (; *text != '\0'; text++, cells++)
        if (*cells != (0x700 | *text))
            return false;
    return true;
}

/* A screen that moves shows at its new place what it showed before. */
KTEST(screen_moves)
{
    static uint16_t elsewhere[80 * 25];
    size_t len;
    unsigned i = 0;

    CHECK_EQ(screen_memory(&len), 0xb8000);
    CHECK_EQ(len, sizeof(elsewhere));
    screen_write("\nneedle\n", 8);
    screen_moved(elsewhere);
    while (i < 24 && !cells_show(elsewhere + i * 80, "needle "))
        i++;
    CHECK_LT(i, 24);
    screen_write("pin", 3);
    CHECK(cells_show(elsewhere + (i + 1) * 80, "pin "));
    screen_moved(pa_to_kva(0xb8000));
}

KTEST(monitor_splits_lines)
{
    char line[] = "  peek  0x10 x ", *words[3];

    CHECK_EQ(monitor_split(line, words, 3), 3);
    CHECK(strcmp(words[0], "peek") == 0);
    CHECK(strcmp(words[1], "0x10") == 0);
    CHECK(strcmp(words[2], "x") == 0);
    line[0] = '\0';
    CHECK_EQ(monitor_split(line, words, 3), 0);
}

/* Interrupt stacks: one each, and every CPU's struct where GS says. */
KTEST(cpu_tables)
{
    struct cpu *cpu = this_cpu();

    CHECK_EQ(cpu, &cpus[cpu->id]);
    CHECK_EQ(rdmsr(MSR_GS_BASE), (uint64_t)cpu);
    CHECK_EQ(rdmsr(MSR_KERNEL_GS_BASE), 0); /* a program's */
    CHECK_EQ(rdmsr(MSR_FS_BASE), 0);
    CHECK_NE(cpu->tss.ist[IST_DOUBLE_FAULT - 1], 0);
    CHECK_NE(cpu->tss.ist[IST_DOUBLE_FAULT - 1], cpu->tss.ist[IST_NMI - 1]);
    CHECK_NE(cpu->tss.ist[IST_NMI - 1], cpu->tss.ist[IST_MACHINE_CHECK - 1]);
    CHECK_EQ(cpu->tss.ist[0] % 16, 0);
}

KTEST(cpu_features_on)
{
    CHECK(read_cr4() & CR4_SMEP);
    CHECK(read_cr4() & CR4_SMAP);
    CHECK(read_cr4() & CR4_UMIP);
    CHECK(read_cr4() & CR4_PGE);
    CHECK(read_cr0() & CR0_WP);
    CHECK(!(read_cr0() & CR0_EM));
    CHECK(rdmsr(MSR_EFER) & EFER_NXE);
    CHECK(cpu_has_smap);
}

/* CR4 and CR0 as the kernel wants them, whatever the firmware left there. */
KTEST(cpu_features_exact)
{
    uint64_t cr0 = read_cr0(), cr4 = read_cr4();

    write_cr4(cr4 | 1ul << 2 | 1ul << 3 | 1ul << 16); /* TSD, DE, FSGSBASE */
    write_cr0(cr0 | 1ul << 18);                       /* AM */
    cpu_init_features();
    CHECK_EQ(read_cr4(), cr4);
    CHECK_EQ(read_cr0(), cr0);
    CHECK(cpu_has(FEATURE_SSE2));
    CHECK(cpu_has(FEATURE_RDRAND));
}

/* cpu: qemu64 */
KTEST(cpu_features_missing)
{
    CHECK(!cpu_has(FEATURE_SMAP));
    CHECK(!cpu_has(FEATURE_UMIP));
    CHECK(cpu_has(FEATURE_PGE));
    CHECK(!(read_cr4() & (CR4_SMEP | CR4_SMAP | CR4_UMIP)));
    CHECK(read_cr0() & CR0_WP);
    CHECK(rdmsr(MSR_EFER) & EFER_NXE);
    CHECK(!cpu_has_smap);
}

KTEST(entry_time_recorded)
{
    CHECK_GT(bootinfo.entry_tsc, 0);
    CHECK(bootinfo.entry_tsc < rdtsc());
}
