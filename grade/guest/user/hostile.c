/*
 * hostile.c - system calls with the worst arguments that a program can
 * think of.  Each gives an error, or ends the caller; the kernel stays up,
 * and says nothing that it should not.
 */
#include "check.h"

/* A system call by number, valid or not. */
static int64_t
raw_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    int64_t result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

/* Where no program has memory, or none that the kernel may be sent to. */
static const uint64_t nowhere[] = {
    0, /* NULL */
    1,
    0x1000,
    USER_BASE - 1,
    0x0000123456789000ul, /* user half, nothing there */
    USER_TOP - 8,         /* the stack's top is mapped below only */
    USER_TOP,
    0x00007ffffffffffful,
    0x0000800000000000ul, /* not canonical */
    0x8000000000000000ul,
    0xffff7ffffffffffful,
    0xffff800000000000ul, /* the kernel's map of all memory */
    0xffffffff80100000ul, /* the kernel's code */
    0xfffffffffffff000ul,
    0xffffffffffffffffull,
};

#define EACH_NOWHERE(p)                                                        \
    for (uint64_t i_ = 0, p;                                                   \
            i_ < ARRAY_LEN(nowhere) && ((p = nowhere[i_]), true); i_++)

/* A page with an unmapped one behind it; room bytes up to the edge. */
static char *
at_edge(size_t room)
{
    static char *page;

    if (page == NULL) {
        int64_t at = mem_map(0, 2 * PAGE_SIZE, MEM_READ | MEM_WRITE);

        MUST(at > 0);
        MUST(mem_unmap((uint64_t)at + PAGE_SIZE, PAGE_SIZE) == 0);
        page = (char *)at;
    }
    return page + PAGE_SIZE - room;
}

/* Data that may be read but not written. */
static const char constant[PAGE_SIZE] __attribute__((aligned(8))) = "constant";

/* Calls that read the caller's memory refuse what is not there. */
TEST(bad_sources)
{
    char *argv[] = { "true", NULL };

    EACH_NOWHERE(p)
    {
        if (p == USER_TOP - 8) /* argv's NULL may be there */
            continue;
        CHECK_EQ(cons_write((void *)p, 8), -E_BADADDR);
        CHECK_EQ(record((void *)p, 8), -E_BADADDR);
        CHECK_EQ(exec((char *)p, argv), -E_BADADDR);
        CHECK_EQ(exec("bin/true", (char **)p), -E_BADADDR);
        if (p != 0) { /* NULL ends argv */
            argv[0] = (char *)p;
            CHECK_EQ(exec("bin/true", argv), -E_BADADDR);
            argv[0] = "true";
        }
        CHECK_EQ(
                postnote(NOTE_PROC, (uint32_t)getpid(), (char *)p), -E_BADADDR);
    }
}

/* Calls that write the caller's memory refuse what it may not write. */
TEST(bad_destinations)
{
    EACH_NOWHERE(p)
    {
        if (p == 0 || p == USER_TOP - 8)
            continue;
        CHECK_EQ(procs((void *)p, 4), -E_BADADDR);
        CHECK_EQ(archive((void *)p, 4), -E_BADADDR);
        CHECK_EQ(sysstat((void *)p, 4), -E_BADADDR);
    }
    CHECK_EQ(procs((void *)constant, 1), -E_BADADDR);
    CHECK_EQ(archive((void *)constant, 1), -E_BADADDR);
    CHECK_EQ(sysstat((void *)constant, 1), -E_BADADDR);
    CHECK_STR(constant, "constant");
}

/* A bad place for wait's message costs no child: it is waited for later. */
TEST(bad_wait)
{
    struct waitmsg w;
    int pid = fork();

    if (pid == 0)
        _exits("gone");
    EACH_NOWHERE(p)
    {
        if (p != 0 && p != USER_TOP - 8)
            CHECK_EQ(wait((void *)p), -E_BADADDR);
    }
    CHECK_EQ(wait((void *)constant), -E_BADADDR);
    CHECK_EQ(wait((void *)at_edge(sizeof(w) - 1)), -E_BADADDR);
    CHECK_EQ(wait(&w), pid);
    CHECK_STR(w.msg, "gone");
    CHECK_EQ(wait(NULL), -E_NOCHILD);
}

/* Buffers that end exactly at the end of memory work, one byte more fails. */
TEST(edges_of_pages)
{
    size_t row = sizeof(struct cpustat);
    char *path = "bin/no such file";

    CHECK_EQ(sysstat((void *)at_edge(row), 1), 1);
    CHECK_EQ(sysstat((void *)at_edge(row - 8), 1), -E_BADADDR);
    memcpy(at_edge(6), "info x", 6);
    CHECK_EQ(record(at_edge(6), 6), 6);
    CHECK_EQ(record(at_edge(6), 7), -E_BADADDR);
    CHECK_EQ(cons_write(at_edge(0), 1), -E_BADADDR);
    CHECK_EQ(cons_write(at_edge(0), 0), 0);
    strcpy(at_edge(strlen(path) + 1), path);
    CHECK_EQ(exec(at_edge(strlen(path) + 1), NULL), -E_BADADDR);
    CHECK_EQ(exec(at_edge(strlen(path) + 1), (char *[]){ NULL }), -E_NOEXIST);
    memcpy(at_edge(4), "bin/", 4); /* no NUL before the edge */
    CHECK_EQ(exec(at_edge(4), (char *[]){ NULL }), -E_BADADDR);
}

/* Lengths that are huge, or wrap around the address space. */
TEST(bad_lengths)
{
    char buf[16] = "info x";

    CHECK_LT(cons_write(buf, SIZE_MAX), 0);
    CHECK_LT(cons_write(buf, 1ul << 63), 0);
    CHECK_LT(cons_write(buf, -(uint64_t)buf), 0);
    CHECK_LT(record(buf, SIZE_MAX), 0);
    CHECK_EQ(record(buf, 4097), -E_BADARG);
    for (uint64_t n = 1ul << 32; n != 0; n <<= 1) { /* rows go past the edge */
        CHECK_EQ(raw_call(SYS_procs, (uint64_t)at_edge(8), n | 9, 0),
                -E_BADADDR);
        CHECK_EQ(raw_call(SYS_archive, (uint64_t)at_edge(8), n | 9, 0),
                -E_BADADDR);
        CHECK_EQ(raw_call(SYS_sysstat, (uint64_t)at_edge(8), n | 9, 0),
                -E_BADADDR);
    }
}

static void
pass_exec_limits(void)
{
    static char *many[MAX_ARGS + 2], big[MAX_ARGLEN + 1], path[MAX_PATH + 8];

    for (int i = 0; i < MAX_ARGS + 1; i++)
        many[i] = "x";
    memset(path, 'x', MAX_PATH);
    memset(big, 'x', MAX_ARGLEN);
    CHECK_EQ(exec("bin/true", many), -E_TOOBIG);
    CHECK_EQ(exec("bin/true", (char *[]){ big, NULL }), -E_TOOBIG);
    CHECK_EQ(exec(path, (char *[]){ "x", NULL }), -E_NAMELEN);
    CHECK_EQ(exec("", (char *[]){ "x", NULL }), -E_NOEXIST);
    CHECK_EQ(exec("/", (char *[]){ "x", NULL }), -E_NOEXIST);
    CHECK_EQ(exec("bin", (char *[]){ "x", NULL }), -E_NOEXIST);
    CHECK_EQ(exec("bin/../bin/true", (char *[]){ "x", NULL }), -E_NOEXIST);
    CHECK_EQ(exec("etc/motd", (char *[]){ "x", NULL }), -E_BADEXEC);
}

/* exec keeps to its limits, and a failed one keeps no memory. */
TEST(exec_limits)
{
    check_gives_back(pass_exec_limits);
}

/* No number outside the table is a call. */
TEST(bad_numbers)
{
    static const uint64_t numbers[] = { SYS_COUNT, 255, 256, 1000, 1ul << 31,
        1ul << 32, (1ul << 32) + SYS_getpid, 1ul << 63, UINT64_MAX };

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        CHECK_EQ(raw_call(numbers[i], 1, 2, 3), -E_NOSYS);
}

/* Flags, handles and ranges that mean nothing are refused. */
TEST(bad_values)
{
    CHECK_EQ(rfork(1u << 31 | RFPROC), -E_BADARG);
    CHECK_EQ(rfork(RFMEM), -E_BADARG);
    CHECK_EQ(rfork(RFNOWAIT), -E_BADARG);
    CHECK_EQ(noted(NCONT), -E_BADARG);
    CHECK_EQ(noted((enum noted_how)77), -E_BADARG);
    CHECK_EQ(postnote((enum note_target)9, 1, "x"), -E_BADARG);
    CHECK_EQ(postnote(NOTE_PROC, 0xffffffff, "x"), -E_NOPROC);
    CHECK_EQ(postnote(NOTE_PROC, 0, "x"), -E_NOPROC);
    CHECK_EQ(postnote(NOTE_GROUP, 0x7fffffff, "x"), -E_NOPROC);
    CHECK_EQ(sched_group(0), -E_BADARG);
    CHECK_EQ(sched_group(10001), -E_BADARG);
    CHECK_EQ(edf_enter(0, 0, 0), -E_BADARG);
    CHECK_EQ(edf_enter(10000000, 10000000, 20000000), -E_BADARG);
    CHECK_EQ(edf_enter(10000000, 20000000, 1000000), -E_BADARG);
    CHECK_LT(edf_enter(UINT64_MAX, UINT64_MAX, UINT64_MAX), 0);
    CHECK_EQ(edf_next(), -E_BADARG);
    CHECK_EQ(power((enum power_how)55), -E_BADARG);
}

static void
set_alarm_and_sleep(void)
{
    CHECK_EQ(alarm(UINT64_MAX), 0);
    CHECK_GT(alarm(20000000), 1ul << 62);
    sleep(UINT64_MAX); /* saturates: for ever, until the alarm kills */
    CHECK(!"reached");
}

/* Times so long that they overflow are just long. */
TEST(long_times)
{
    struct waitmsg w;
    uint32_t sem = 1;

    CHECK_EQ(tsemacquire(&sem, UINT64_MAX), 1);
    check_child(set_alarm_and_sleep, &w);
    CHECK_STR(w.msg, "alarm");
}

/* Semaphores that are nowhere, misaligned, read-only or would overflow. */
TEST(bad_semaphores)
{
    uint32_t sem[2] = { 0, 0 };
    uint32_t *odd = (uint32_t *)((char *)sem + 1);

    EACH_NOWHERE(p)
    {
        uint32_t *s = (uint32_t *)p;
        bool aligned = p % 4 == 0;

        if (p == USER_TOP - 8)
            continue;
        CHECK_EQ(semacquire(s, 0), aligned ? -E_BADADDR : -E_BADARG);
        CHECK_EQ(semacquire(s, 1), aligned ? -E_BADADDR : -E_BADARG);
        CHECK_EQ(tsemacquire(s, 1000), aligned ? -E_BADADDR : -E_BADARG);
        CHECK_EQ(semrelease(s, 1), aligned ? -E_BADADDR : -E_BADARG);
    }
    CHECK_EQ(semrelease((uint32_t *)constant, 1), -E_BADADDR);
    CHECK_EQ(semacquire((uint32_t *)constant, 0), -E_BADADDR);
    CHECK_EQ(semacquire(odd, 0), -E_BADARG);
    CHECK_EQ(semrelease(odd, 1), -E_BADARG);
    CHECK_EQ(semrelease(sem, 0), -E_BADARG);
    CHECK_EQ(semrelease(sem, INT32_MAX), INT32_MAX);
    CHECK_EQ(semrelease(sem, 1), -E_BADARG);
    CHECK_EQ(sem[0], INT32_MAX);
    CHECK_EQ(semrelease(sem, UINT32_MAX), -E_BADARG);
}

static void
ask_for_bad_memory(void)
{
    int64_t heap = brk(0);

    EACH_NOWHERE(p)
    {
        if (p % PAGE_SIZE == 0 && p > USER_BASE && p < USER_TOP)
            continue;
        CHECK(p == 0 || brk(p) < 0);
        CHECK(p == 0 || mem_map(p, PAGE_SIZE, MEM_READ) < 0);
        CHECK(p == 0 || mem_unmap(p, PAGE_SIZE) < 0);
    }
    CHECK_LT(brk((uint64_t)heap - (1ul << 30)), 0);
    CHECK_LT(brk(USER_TOP - PAGE_SIZE), 0);
    CHECK_EQ(mem_map(0, 0, MEM_READ), -E_BADARG);
    CHECK_LT(mem_map(0, UINT64_MAX, MEM_READ), 0);
    CHECK_LT(mem_map(0, 1ul << 47, MEM_READ), 0);
    CHECK_LT(mem_map(USER_TOP - PAGE_SIZE, 2 * PAGE_SIZE, MEM_READ), 0);
    CHECK_LT(mem_map(USER_BASE, UINT64_MAX - USER_BASE, MEM_READ), 0);
    CHECK_EQ(mem_map(USER_BASE, PAGE_SIZE, MEM_READ | MEM_WRITE), -E_INUSE);
    CHECK_EQ(mem_map(0, PAGE_SIZE, 0), -E_BADARG);
    CHECK_EQ(mem_map(0, PAGE_SIZE, 4 | MEM_READ), -E_BADARG);
    CHECK_EQ(mem_map(0, PAGE_SIZE, ~0u), -E_BADARG);
    CHECK_EQ(mem_unmap(0x1001, PAGE_SIZE), -E_BADARG);
    CHECK_EQ(mem_unmap(USER_BASE, UINT64_MAX), -E_BADARG);
    CHECK_EQ(brk(0), heap);
}

/* brk and mem_map never reach what is not a program's to have. */
TEST(bad_memory)
{
    check_gives_back(ask_for_bad_memory);
}

/* ---- ends of a process in which the kernel must not trust it ---- */

static void
exit_from(uint64_t p)
{
    raw_call(SYS_exits, p, 0, 0);
    CHECK(!"exits returned");
}

/* exits with a string that is nowhere still ends the process. */
TEST(bad_exit_string)
{
    struct waitmsg w;

    EACH_NOWHERE(p)
    {
        int pid = fork();

        if (pid == 0)
            exit_from(p);
        CHECK_EQ(wait_for(pid, &w), pid);
    }
}

static uint64_t bad;

static void
note_to_bad_handler(void)
{
    notify((void (*)(struct ureg *, char *))bad);
    postnote(NOTE_PROC, (uint32_t)getpid(), "hello");
    nop();
    CHECK(!"survived");
}

/* A handler at an address that is none ends the process, not the kernel. */
TEST(bad_handlers)
{
    struct waitmsg w;

    EACH_NOWHERE(p)
    {
        if (p == 0)
            continue;
        bad = p;
        check_child(note_to_bad_handler, &w);
        CHECK(strncmp(w.msg, "sys: ", 5) == 0 || strcmp(w.msg, "hello") == 0);
    }
}

static void
note_on_bad_stack(void)
{
    notify((void (*)(struct ureg *, char *))note_on_bad_stack);
    __asm__ volatile("mov %0, %%rsp\n"
                     "mov $" /* postnote to itself, without a stack */
                     "13, %%eax\n"
                     "mov %1, %%edi\n"
                     "mov %2, %%esi\n"
                     "mov %3, %%rdx\n"
                     "syscall\n"
                     "ud2"
                     :
                     : "r"(bad), "i"(NOTE_PROC), "r"(getpid()), "r"("hello")
                     : "memory", "rax", "rdi", "rsi", "rdx", "rcx", "r11");
    __builtin_unreachable();
}

/* A note when the stack pointer is nowhere ends the process. */
TEST(bad_stacks)
{
    struct waitmsg w;

    EACH_NOWHERE(p)
    {
        bad = p;
        check_child(note_on_bad_stack, &w);
        CHECK_NE(w.msg[0], '\0');
    }
    bad = (uint64_t)constant + 2048;
    check_child(note_on_bad_stack, &w);
    CHECK_NE(w.msg[0], '\0');
}

static void (*spoil)(struct ureg *u);

static void
spoiling_handler(struct ureg *u, char *note)
{
    if (strcmp(note, "hello") != 0)
        noted(NDFLT); /* of what the first brought about */
    spoil(u);
    noted(NCONT);
}

static void
continue_spoiled(void)
{
    notify(spoiling_handler);
    postnote(NOTE_PROC, (uint32_t)getpid(), "hello");
    nop();
}

static void
spoil_selectors(struct ureg *u)
{
    u->cs = 0x08;
    u->ss = 0x10;
}

static void
spoil_flags(struct ureg *u)
{
    u->rflags = ~0ul & ~(1ul << 8); /* all but single step */
}

static void
spoil_vector(struct ureg *u)
{
    u->vector = u->error = ~0ul;
}

/* Registers that a program may not choose are forced, not believed. */
TEST(registers_forced)
{
    static void (*const ways[])(
            struct ureg *) = { spoil_selectors, spoil_flags, spoil_vector };
    struct waitmsg w;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        uint64_t flags;

        spoil = ways[i];
        check_child(continue_spoiled, &w);
        CHECK_STR(w.msg, "");
        __asm__ volatile("pushfq; pop %0" : "=r"(flags));
        CHECK_EQ(flags & 0x3000, 0); /* no I/O privilege */
    }
}

static void
spoil_rip(struct ureg *u)
{
    u->rip = bad;
}

static void
spoil_rsp(struct ureg *u)
{
    u->rsp = bad;
    u->rip = (uint64_t)_exits; /* whatever happens, no more notes */
    u->rdi = 0;
}

/* Going on at an address that is none is the process's own fault. */
TEST(registers_nowhere)
{
    struct waitmsg w;

    EACH_NOWHERE(p)
    {
        bad = p;
        spoil = spoil_rip;
        check_child(continue_spoiled, &w);
        CHECK(strncmp(w.msg, "sys: ", 5) == 0);
        spoil = spoil_rsp;
        check_child(continue_spoiled, &w);
    }
}

/* Random calls with random arguments, some of them nearly right. */
static uint64_t
random_argument(void)
{
    static char buf[64];
    uint64_t r = check_random();

    switch (r >> 8 & 7) {
    case 0: return nowhere[r % ARRAY_LEN(nowhere)];
    case 1: return r % 16;
    case 2: return (uint64_t)buf + (r >> 16 & 31);
    case 3: return (uint64_t)brk(0) + (r >> 16 & 0xfff);
    case 4: return check_random() >> (r >> 16 & 63);
    case 5: return 1ul << (r >> 16 & 63);
    case 6: return -(r >> 16 & 0xffff);
    default: return (uint64_t)at_edge(r >> 16 & 63);
    }
}

/* Calls that end, block or multiply the caller are left out. */
static bool
may_fuzz(uint64_t number)
{
    static const uint8_t never[] = { SYS_rfork, SYS_exec, SYS_exits,
        SYS_cons_read, SYS_sleep, SYS_alarm, SYS_rendezvous,
        SYS_rendezvous_next, SYS_semacquire, SYS_tsemacquire, SYS_power,
        SYS_postnote, SYS_edf_enter, SYS_record, SYS_notify, SYS_noted,
        SYS_trace, SYS_cons_write, SYS_mem_unmap, SYS_sched_group };

    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (number == never[i])
            return false;
    return true;
}

static void
fuzz(void)
{
    for (int i = 0; i < 3000; i++) {
        uint64_t number = check_random() % (SYS_COUNT + 4);

        if (may_fuzz(number))
            raw_call(number, random_argument(), random_argument(),
                    random_argument());
    }
}

/* seeds: 3 */
TEST(random_arguments)
{
    struct waitmsg w;

    at_edge(0);
    for (int i = 0; i < 10; i++) {
        CHECK_ROUND(i);
        check_random();
        check_child(fuzz, &w);
        CHECK(w.msg[0] == '\0' || strncmp(w.msg, "sys: ", 5) == 0);
    }
}
