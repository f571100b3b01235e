/*
 * flags.c - what a program does to the processor: instructions it may not
 * use, flags that must not follow it into the kernel, registers that a call
 * must keep, frames that it forges.
 */
#include "check.h"

enum {
    MS = 1000000,
    CARRY = 1 << 0,
    TRAP = 1 << 8,
    DIRECTION = 1 << 10,
    NESTED = 1 << 14,
    ALIGNMENT = 1 << 18,
};

static volatile unsigned seen;

static uint64_t
get_flags(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq; pop %0" : "=r"(flags) : : "memory");
    return flags;
}

static void
set_flags(uint64_t flags)
{
    __asm__ volatile("push %0; popfq" : : "r"(flags) : "memory", "cc");
}

/* ---- instructions ---- */

#define MAY_NOT(name, code)                                                    \
    static void name(void)                                                     \
    {                                                                          \
        __asm__ volatile(code : : : "rax", "rcx", "rdx", "memory");            \
    }

MAY_NOT(do_cli, "cli")
MAY_NOT(do_sti, "sti")
MAY_NOT(do_hlt, "hlt")
MAY_NOT(do_in, "mov $0x3f8, %%edx; in %%dx, %%al")
MAY_NOT(do_out, "mov $0xf4, %%edx; mov $0x31, %%al; out %%al, %%dx")
MAY_NOT(do_cr0, "mov %%cr0, %%rax")
MAY_NOT(do_cr3, "xor %%eax, %%eax; mov %%rax, %%cr3")
MAY_NOT(do_cr8, "xor %%eax, %%eax; mov %%rax, %%cr8")
MAY_NOT(do_dr7, "mov %%rax, %%dr7")
MAY_NOT(do_rdmsr, "mov $0xc0000082, %%ecx; rdmsr")
MAY_NOT(do_wrmsr, "mov $0xc0000082, %%ecx; wrmsr")
MAY_NOT(do_lgdt, "lgdt (%%rsp)")
MAY_NOT(do_lidt, "lidt (%%rsp)")
MAY_NOT(do_ltr, "mov $0x28, %%eax; ltr %%ax")
MAY_NOT(do_swapgs, "swapgs")
MAY_NOT(do_invlpg, "invlpg (%%rsp)")
MAY_NOT(do_wbinvd, "wbinvd")
MAY_NOT(do_sysret, "mov %%rsp, %%rcx; .byte 0x48, 0x0f, 0x07")
MAY_NOT(do_int_0, "int $0")
MAY_NOT(do_int_pf, "int $14")
MAY_NOT(do_int_timer, "int $0x20")
MAY_NOT(do_int_80, "int $0x80")
MAY_NOT(do_int_ff, "int $0xff")
MAY_NOT(do_kernel_ss, "mov $0x10, %%eax; mov %%ax, %%ss")
MAY_NOT(do_bad_ds, "mov $0xfff8, %%eax; mov %%ax, %%ds")
MAY_NOT(do_kernel_cs, "push $0x08; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:")
MAY_NOT(do_iret_kernel,
        "mov %%rsp, %%rdx; push $0x10; push %%rdx; pushfq;"
        "push $0x08; lea 1f(%%rip), %%rax; push %%rax; iretq; 1:")
MAY_NOT(do_call_kernel, "mov $0xffffffff80100000, %%rax; call *%%rax")
MAY_NOT(do_read_kernel, "mov $0xffff800000000000, %%rax; mov (%%rax), %%rax")
MAY_NOT(do_read_hole, "mov $0x8000000000000000, %%rax; mov (%%rax), %%rax")
MAY_NOT(do_jump_hole, "mov $0x800000000000, %%rax; jmp *%%rax")

/* What only the kernel may do ends the program that tries it, with a note. */
TEST(forbidden)
{
    static void (*const tries[])(void) = { do_cli, do_sti, do_hlt, do_in,
        do_out, do_cr0, do_cr3, do_cr8, do_dr7, do_rdmsr, do_wrmsr, do_lgdt,
        do_lidt, do_ltr, do_swapgs, do_invlpg, do_wbinvd, do_sysret, do_int_0,
        do_int_pf, do_int_timer, do_int_80, do_int_ff, do_kernel_ss, do_bad_ds,
        do_kernel_cs, do_iret_kernel, do_call_kernel, do_read_kernel,
        do_read_hole, do_jump_hole };
    struct waitmsg w;

    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        check_child(tries[i], &w);
        if (strncmp(w.msg, "sys: trap: ", 11) != 0)
            check_record("try %lu ended with \"%s\"", i, w.msg);
    }
}

/* ---- flags ---- */

static void
count_and_go_on(struct ureg *u, char *note)
{
    (void)note;
    u->rflags &= ~(uint64_t)TRAP;
    seen++;
    noted(NCONT);
}

/* A program that steps itself gets a note, even across a system call. */
TEST(single_step)
{
    notify(count_and_go_on);
    set_flags(get_flags() | TRAP);
    nop();
    CHECK_GE(seen, 1);
    set_flags(get_flags() & ~(uint64_t)TRAP);
    seen = 0;
    __asm__ volatile("pushfq\n"
                     "orl $0x100, (%%rsp)\n"
                     "popfq\n"
                     "syscall\n"
                     "nop\n"
                     :
                     : "a"((uint64_t)SYS_nop)
                     : "rcx", "r11", "memory", "cc");
    CHECK_GE(seen, 1);
}

static void
step_to_death(void)
{
    set_flags(get_flags() | TRAP);
    nop();
    nop();
}

/* Without a handler, stepping ends the program. */
TEST(step_kills)
{
    struct waitmsg w;

    check_child(step_to_death, &w);
    CHECK(strncmp(w.msg, "sys: trap: ", 11) == 0);
}

/* Make each call that copies memory and takes faults, with `flags` set. */
static void
work_with_flags(uint64_t flags)
{
    uint64_t plain = get_flags(), after, result;
    static struct cpustat stat;
    static char fresh[4 * PAGE_SIZE];

    set_flags(plain | flags);
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"((uint64_t)SYS_sysstat), "D"(&stat), "S"(1)
                     : "rcx", "r11", "memory");
    *(volatile char *)(fresh + 2 * PAGE_SIZE) = 1; /* a fault with them set */
    after = get_flags();
    set_flags(plain);
    CHECK_GE(result, 1);
    CHECK_EQ(after & flags, flags);
    CHECK_GT(stat.mem_total, 0);
    for (size_t i = 0; i < sizeof(fresh); i++)
        if (fresh[i] != (i == 2 * PAGE_SIZE))
            MUST(!"a fresh page is zero");
}

/* Flags of the program stay out of the kernel, and come back after it. */
TEST(flags_in_kernel)
{
    struct waitmsg w;
    static const uint64_t flags[] = { DIRECTION, NESTED, ALIGNMENT,
        DIRECTION | NESTED | ALIGNMENT | CARRY };

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        int pid = fork();

        if (pid == 0) {
            work_with_flags(flags[i]);
            exits(check_failures ? "a check failed" : "");
        }
        CHECK_EQ(wait(&w), pid);
        CHECK_STR(w.msg, "");
    }
}

/* Interrupts with the direction flag set harm neither side. */
TEST(flags_in_interrupts)
{
    static volatile unsigned ticks;
    uint64_t from = nsec();
    int pid = rfork(RFPROC | RFMEM);

    if (pid == 0) {
        for (int i = 0; i < 20; i++) {
            sleep(MS / 2);
            ticks++;
        }
        _exits("");
    }
    __asm__ volatile("std\n"
                     "1: cmpl $20, %0\n"
                     "jb 1b\n"
                     "cld\n"
                     :
                     : "m"(ticks)
                     : "memory", "cc");
    CHECK_EQ(wait(NULL), pid);
    CHECK_GE(nsec(), from + 10 * MS);
}

/* ---- segments ---- */

static uint64_t
yield_with_gs(uint16_t selector)
{
    uint64_t result;

    __asm__ volatile("mov %w1, %%gs\n"
                     "mov %w1, %%fs\n"
                     "syscall\n"
                     : "=a"(result)
                     : "r"(selector), "0"((uint64_t)SYS_getpid)
                     : "rcx", "r11", "memory");
    sleep(MS); /* another process, and interrupts, in between */
    return result;
}

/* Whatever a program loads into its segment registers, the kernel works. */
TEST(segments)
{
    uint16_t data = 0;

    __asm__ volatile("mov %%ss, %0" : "=r"(data));
    CHECK_EQ(data & 3, 3);
    for (uint16_t rpl = 0; rpl < 4; rpl++)
        CHECK_EQ(yield_with_gs(rpl), getpid());
    CHECK_EQ(yield_with_gs(data), getpid());
}

/* DS, ES, FS and GS, side by side. */
static uint64_t
selectors(void)
{
    uint16_t ds, es, fs, gs;

    __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
                     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
    return ds | (uint64_t)es << 16 | (uint64_t)fs << 32 | (uint64_t)gs << 48;
}

static void
load_selectors(uint64_t four)
{
    __asm__ volatile(
            "mov %w0, %%ds; mov %w1, %%es; mov %w2, %%fs; mov %w3, %%gs"
            :
            : "r"(four), "r"(four >> 16), "r"(four >> 32), "r"(four >> 48));
    CHECK_EQ(selectors(), four);
}

/* Four selectors that programs may load, none 0, as n chooses.  The null
 * selectors 1 to 3 are for FS and GS: an iret makes them 0 in the others. */
static uint64_t
some_selectors(unsigned n)
{
    uint16_t data, code;

    __asm__("mov %%ss, %0; mov %%cs, %1" : "=r"(data), "=r"(code));
    uint16_t may[] = { data, code, 1, 2, 3 };

    return may[n % 2] | (uint64_t)may[(n + 1) % 2] << 16 |
           (uint64_t)may[n % 5] << 32 | (uint64_t)may[(n + 2) % 5] << 48;
}

/* Lose the CPU in all ways, often: `mine` is there each time afterwards. */
static void
keep_selectors(uint64_t mine)
{
    for (unsigned round = 0; round < 30; round++) {
        uint64_t until = nsec() + MS;

        if (round % 3 == 0)
            sleep(MS / 10);
        else if (round % 3 == 1)
            yield();
        else
            while (nsec() < until)
                ; /* a timer interrupt, perhaps the end of a turn */
        if (selectors() != mine) {
            check_record("round %u: selectors %#lx, were %#lx", round,
                    selectors(), mine);
            break;
        }
    }
    if (mine)
        load_selectors(mine); /* and die with them */
}

/*
 * Segment registers are a process's own: it keeps what it loads, its children
 * begin with that, and no other process ever sees it.
 * cpus: 1 2
 * shifts: 5 7
 */
TEST(selectors_of_another)
{
    CHECK_EQ(selectors(), 0);
    for (unsigned i = 0; i < 6; i++) {
        uint64_t mine = i % 2 ? some_selectors(i) : 0;
        int pid = fork();

        if (pid == 0) {
            if (mine)
                load_selectors(mine);
            pid = fork();
            keep_selectors(mine);
            if (pid > 0)
                check_ends_well(pid);
            exits(check_failures ? "a check failed" : "");
        }
        MUST(pid > 0);
    }
    keep_selectors(0);
    for (unsigned i = 0; i < 6; i++) {
        struct waitmsg w;

        CHECK_GT(wait(&w), 0);
        CHECK_STR(w.msg, "");
        CHECK_EQ(selectors(), 0);
    }
}

/* ---- what a program begins with ---- */

/* Nothing in the registers tells what ran before. */
static void
check_fresh_registers(void)
{
    uint64_t flags = get_flags();
    uint32_t mxcsr = 0;
    uint16_t fcw = 0;

    __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(fcw));
    CHECK_EQ(selectors(), 0);
    CHECK_EQ(mxcsr, 0x1f80);
    CHECK_EQ(fcw, 0x37f);
    CHECK_EQ(flags & (TRAP | DIRECTION | NESTED | ALIGNMENT | 1 << 21), 0);
}

static void
exec_from_a_mess(void)
{
    char *argv[] = { "test/flags", "registers_at_exec", "1", "again", NULL };
    uint32_t mxcsr = 0x1fa5 | 3 << 13;
    uint16_t fcw = 0xf7f;
    double one = 1;

    load_selectors(some_selectors(0));
    __asm__ volatile("ldmxcsr %0; fldcw %1; fldl %2"
                     :
                     : "m"(mxcsr), "m"(fcw), "m"(one));
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq; syscall"
                     :
                     : "i"(CARRY | NESTED | ALIGNMENT | 1 << 21 | DIRECTION),
                     "a"((uint64_t)SYS_exec), "D"(argv[0]), "S"(argv)
                     : "rcx", "r11", "memory", "cc");
    exits("exec failed");
}

/*
 * A new program finds no register of the one before: flags, control words,
 * segment registers.
 */
TEST(registers_at_exec)
{
    struct waitmsg w;

    check_fresh_registers();
    if (check_args[0] != NULL)
        exits(check_failures ? "a check failed" : "");
    check_child(exec_from_a_mess, &w);
    CHECK_STR(w.msg, "");
    check_fresh_registers();
}

static uint64_t flags_in_handler;

static void
look_at_flags(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    flags_in_handler = get_flags();
    noted(NCONT);
}

/* A note handler begins with the flags that C code expects. */
TEST(flags_in_handler)
{
    int pid = getpid();

    notify(look_at_flags);
    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq; syscall; cld"
                     :
                     : "i"(NESTED | ALIGNMENT | DIRECTION),
                     "a"((uint64_t)SYS_postnote), "D"(NOTE_PROC), "S"(pid),
                     "d"("x")
                     : "rcx", "r11", "memory", "cc");
    set_flags(2);
    CHECK_NE(flags_in_handler, 0);
    CHECK_EQ(flags_in_handler & (DIRECTION | NESTED | ALIGNMENT), 0);
}

/* ---- what a call keeps ---- */

/* Call `number` with the registers of in[] and store them to out[]. */
void call_with(const uint64_t *in, uint64_t *out, uint64_t number);
__asm__(".text\n"
        "call_with:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "push %rsi\n"
        "mov %rdx, %rax\n"
        ".set k, 0\n"
        ".irp r, rbx,rbp,r8,r9,r10,r12,r13,r14,r15,rdx,rsi\n"
        "mov 8*k(%rdi), %\\r\n"
        ".set k, k + 1\n"
        ".endr\n"
        "mov 8*k(%rdi), %rdi\n"
        "syscall\n"
        "mov %rdi, %rcx\n"
        "mov (%rsp), %rdi\n"
        ".set k, 0\n"
        ".irp r, rbx,rbp,r8,r9,r10,r12,r13,r14,r15,rdx,rsi,rcx\n"
        "mov %\\r, 8*k(%rdi)\n"
        ".set k, k + 1\n"
        ".endr\n"
        "pop %rsi\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n");

/* A call changes rax, rcx and r11, and nothing else: no word of the kernel. */
TEST(registers_kept_by_calls)
{
    static const uint64_t calls[] = { SYS_nop, SYS_getpid, SYS_yield, SYS_nsec,
        SYS_notify, SYS_brk, 777, UINT64_MAX };
    uint64_t in[12], out[12];

    for (size_t c = 0; c < ARRAY_LEN(calls); c++) {
        for (int i = 0; i < 12; i++)
            in[i] = check_random() | 1ul << 63;
        memset(out, 0, sizeof(out));
        call_with(in, out, calls[c]);
        for (int i = 0; i < 12; i++)
            if (out[i] != in[i])
                check_record("call %lu: register %d is %#lx, was %#lx",
                        calls[c], i, out[i], in[i]);
    }
}

static uint64_t result_without_stack;

/* The stack pointer is the program's own business, unless a note comes. */
TEST(calls_without_stack)
{
    static const uint64_t nowhere[] = { 0, 8, 0x123, 0xffff800000000000,
        0xffffffff80000000, 0x8000000000000000, UINT64_MAX };

    for (size_t i = 0; i < ARRAY_LEN(nowhere); i++) {
        __asm__ volatile("mov %%rsp, %%r12\n"
                         "mov %1, %%rsp\n"
                         "syscall\n"
                         "mov %%r12, %%rsp\n"
                         : "=a"(result_without_stack)
                         : "r"(nowhere[i]), "0"((uint64_t)SYS_getpid)
                         : "rcx", "r11", "r12", "memory");
        CHECK_EQ(result_without_stack, getpid());
    }
}

/* ---- forged frames ---- */

static unsigned how_to_forge;

static void
forge(struct ureg *u, char *note)
{
    if (strcmp(note, "forge") != 0)
        noted(NDFLT);
    switch (how_to_forge) {
    case 0: u->rflags = ~0ul & ~(uint64_t)TRAP; break;
    case 1: u->cs = 0x08, u->ss = 0x10; break;
    case 2: u->cs = u->ss = 0xffff; break;
    case 3: u->rflags |= 3 << 12; break;
    case 4: u->vector = u->error = ~0ul; break;
    case 5: u->rflags = 0; break;
    }
    seen++;
    noted(NCONT);
}

static void
check_ordinary(void)
{
    uint16_t cs, ss;
    uint64_t flags = get_flags();

    __asm__("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(ss));
    __asm__ volatile("cld");
    set_flags(2);
    CHECK_EQ(cs & 3, 3);
    CHECK_EQ(ss & 3, 3);
    CHECK_EQ(flags & 3 << 12, 0); /* no I/O privilege */
    CHECK_EQ(flags & 1 << 17, 0); /* no virtual 8086 */
    CHECK(flags & 1 << 9);        /* interrupts are on */
}

/* After a forged frame the program is an ordinary program still. */
TEST(forged_frames)
{
    struct waitmsg w;

    for (how_to_forge = 0; how_to_forge < 6; how_to_forge++) {
        int pid = fork();

        if (pid == 0) {
            notify(forge);
            postnote(NOTE_PROC, (uint32_t)getpid(), "forge");
            check_ordinary();
            CHECK_EQ(seen, 1);
            do_out(); /* must still be forbidden */
            exits("did what it may not");
        }
        CHECK_EQ(wait(&w), pid);
        CHECK(strncmp(w.msg, "sys: trap: ", 11) == 0);
    }
}

static void
unmap_frame(struct ureg *u, char *note)
{
    (void)note;
    mem_unmap((uint64_t)u & ~PAGE_MASK, 2 * PAGE_SIZE);
    __asm__ volatile("syscall" /* noted, without touching the stack */
                     :
                     : "a"((uint64_t)SYS_noted), "D"(NCONT)
                     : "rcx", "r11", "memory");
    __builtin_unreachable();
}

static void
lose_frame(void)
{
    int64_t stack = mem_map(0, 16 * PAGE_SIZE, MEM_READ | MEM_WRITE);

    notify(unmap_frame);
    __asm__ volatile("mov %0, %%rsp\n"
                     "syscall\n"
                     "ud2\n"
                     :
                     : "r"(stack + 15 * (int64_t)PAGE_SIZE + 8),
                     "a"((uint64_t)SYS_postnote), "D"(NOTE_PROC), "S"(getpid()),
                     "d"("x")
                     : "rcx", "r11", "memory");
    __builtin_unreachable();
}

/* noted, when the frame's page is gone, ends the process alone. */
TEST(frame_unmapped)
{
    struct waitmsg w;

    check_child(lose_frame, &w);
    CHECK(strncmp(w.msg, "sys: ", 5) == 0);
    check_gives_back(lose_frame);
}
