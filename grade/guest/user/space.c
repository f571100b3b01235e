/*
 * space.c - a process's memory as it sees it: heap, mappings, stack, what
 * may be written or run, and copies that stay copies.
 */
#include "check.h"

enum {
    MS = 1000000
};

#define FIXED 0x0000200000000000ul /* nothing of a program lies here */
#define RW    (MEM_READ | MEM_WRITE)

static bool
all_zero(uint64_t at, uint64_t len)
{
    const uint64_t *words = (const uint64_t *)at;

    for (uint64_t i = 0; i < len / 8; i++)
        if (words[i] != 0)
            return false;
    return true;
}

static void
fill(uint64_t at, uint64_t len, uint64_t seed)
{
    for (uint64_t i = 0; i < len / 8; i++)
        ((uint64_t *)at)[i] = seed + i;
}

static bool
filled(uint64_t at, uint64_t len, uint64_t seed)
{
    for (uint64_t i = 0; i < len / 8; i++)
        if (((uint64_t *)at)[i] != seed + i)
            return false;
    return true;
}

/* Run fn in a child: it must die of a fault of this kind ("read", ...). */
static void
faults(void (*fn)(void), const char *kind)
{
    char want[64];
    struct waitmsg w;

    snprint(want, sizeof(want), "sys: trap: fault %s", kind);
    check_child(fn, &w);
    if (strncmp(w.msg, want, strlen(want)) != 0)
        check_record("\"%s\" does not begin with \"%s\"", w.msg, want);
}

/* ---- heap ---- */

/* The heap grows by zeros, gives back what it shrinks by, and forgets it. */
TEST(heap_moves)
{
    uint64_t start = (uint64_t)brk(0), len = 64 * PAGE_SIZE, before;

    CHECK_EQ(brk(start + len), start + len);
    CHECK(all_zero(start, len));
    fill(start, len, 1);
    CHECK_EQ(brk(0), start + len);
    before = check_free_memory();
    CHECK_EQ(brk(start + PAGE_SIZE), start + PAGE_SIZE);
    CHECK_GE(check_free_memory(), before + 63);
    CHECK(filled(start, PAGE_SIZE, 1));
    CHECK_EQ(brk(start + len), start + len);
    CHECK(filled(start, PAGE_SIZE, 1));
    CHECK(all_zero(start + PAGE_SIZE, len - PAGE_SIZE));
    CHECK_EQ(brk(start), start);
    CHECK_EQ(brk(0), start);
}

/* The heap stops at its start below, and at its neighbour above. */
TEST(heap_limits)
{
    uint64_t start = (uint64_t)brk(0);
    uint64_t wall = ROUND_UP(start, PAGE_SIZE) + 16 * PAGE_SIZE;

    CHECK_EQ(brk(start - PAGE_SIZE), -E_BADARG);
    CHECK_EQ(brk(1), -E_BADARG);
    CHECK_EQ(mem_map(wall, PAGE_SIZE, RW), wall);
    CHECK_EQ(brk(wall + 1), -E_INUSE);
    CHECK_EQ(brk(0), start);
    CHECK_EQ(brk(wall), wall);
    CHECK_EQ(brk(wall + PAGE_SIZE), -E_INUSE);
    CHECK_EQ(brk(0), wall);
}

static void
touch_past_heap(void)
{
    *(volatile char *)(ROUND_UP((uint64_t)brk(0), PAGE_SIZE)) = 1;
}

/* Behind the heap is nothing. */
TEST(heap_ends)
{
    brk((uint64_t)brk(0) + PAGE_SIZE);
    faults(touch_past_heap, "write");
}

/* ---- mappings ---- */

/* A mapping is where it was asked for, zero, and a neighbour of others. */
TEST(map_fixed)
{
    CHECK_EQ(mem_map(FIXED, 3 * PAGE_SIZE, RW), FIXED);
    CHECK(all_zero(FIXED, 3 * PAGE_SIZE));
    fill(FIXED, 3 * PAGE_SIZE, 7);
    CHECK_EQ(mem_map(FIXED + 3 * PAGE_SIZE, 1, RW), FIXED + 3 * PAGE_SIZE);
    CHECK_EQ(mem_map(FIXED - PAGE_SIZE, PAGE_SIZE, RW), FIXED - PAGE_SIZE);
    CHECK(filled(FIXED, 3 * PAGE_SIZE, 7));
    CHECK(all_zero(FIXED + 3 * PAGE_SIZE, PAGE_SIZE)); /* rounded up */
    CHECK(all_zero(FIXED - PAGE_SIZE, PAGE_SIZE));
}

/* Overlaps of any kind are refused and harm nothing. */
TEST(map_overlap)
{
    CHECK_EQ(mem_map(FIXED, 4 * PAGE_SIZE, RW), FIXED);
    fill(FIXED, 4 * PAGE_SIZE, 3);
    CHECK_EQ(mem_map(FIXED, 4 * PAGE_SIZE, RW), -E_INUSE);
    CHECK_EQ(mem_map(FIXED + PAGE_SIZE, PAGE_SIZE, RW), -E_INUSE);
    CHECK_EQ(mem_map(FIXED - PAGE_SIZE, 2 * PAGE_SIZE, RW), -E_INUSE);
    CHECK_EQ(mem_map(FIXED + 3 * PAGE_SIZE, 2 * PAGE_SIZE, RW), -E_INUSE);
    CHECK_EQ(mem_map(FIXED - PAGE_SIZE, 6 * PAGE_SIZE, RW), -E_INUSE);
    CHECK_EQ(
            mem_map((uint64_t)&test_map_overlap & ~PAGE_MASK, 1, RW), -E_INUSE);
    CHECK_EQ(mem_map(USER_STACK_TOP - PAGE_SIZE, PAGE_SIZE, RW), -E_INUSE);
    CHECK(filled(FIXED, 4 * PAGE_SIZE, 3));
}

/* Ranges outside user space, off the page grid or empty are refused. */
TEST(map_refused)
{
    static const uint64_t at[] = { 1, FIXED + 8, USER_BASE - PAGE_SIZE,
        PAGE_SIZE, USER_TOP, 1ul << 47, 0xffff800000000000, 0xffffffff80000000,
        -PAGE_SIZE };
    int64_t heap = brk(0);

    for (size_t i = 0; i < ARRAY_LEN(at); i++)
        CHECK_EQ(mem_map(at[i], PAGE_SIZE, RW), -E_BADARG);
    CHECK_EQ(mem_map(FIXED, 0, RW), -E_BADARG);
    CHECK_EQ(mem_map(FIXED, USER_TOP - FIXED + 1, RW), -E_BADARG);
    CHECK_EQ(mem_map(FIXED, UINT64_MAX, RW), -E_BADARG);
    CHECK_EQ(mem_map(FIXED, -FIXED, RW), -E_BADARG);
    CHECK_EQ(mem_map(FIXED, PAGE_SIZE, MEM_WRITE), -E_BADARG);
    CHECK_EQ(mem_map(FIXED, PAGE_SIZE, 4), -E_BADARG);
    CHECK_EQ(mem_map(FIXED, PAGE_SIZE, RW | 4), -E_BADARG);
    CHECK_EQ(mem_map(FIXED, PAGE_SIZE, RW), FIXED);
    CHECK_EQ(brk(0), heap);
}

static void
write_read_only(void)
{
    *(volatile int *)FIXED = 1;
}

/* Read-only memory reads as zeros, and writing it is a fault. */
TEST(read_only)
{
    CHECK_EQ(mem_map(FIXED, 2 * PAGE_SIZE, MEM_READ), FIXED);
    faults(write_read_only, "write"); /* missing page */
    CHECK(all_zero(FIXED, 2 * PAGE_SIZE));
    faults(write_read_only, "write"); /* present page */
    CHECK_EQ(sysstat((void *)FIXED, 1), -E_BADADDR);
    CHECK_EQ(semrelease((uint32_t *)FIXED, 1), -E_BADADDR);
    CHECK(all_zero(FIXED, 2 * PAGE_SIZE));
}

static void
read_the_hole(void)
{
    (void)*(volatile int *)(FIXED + 2 * PAGE_SIZE);
}

/* A hole in the middle leaves both sides as they were. */
TEST(unmap_middle)
{
    uint64_t before;

    MUST(mem_map(FIXED, 8 * PAGE_SIZE, RW) == FIXED);
    fill(FIXED, 8 * PAGE_SIZE, 9);
    before = check_free_memory();
    CHECK_EQ(mem_unmap(FIXED + 2 * PAGE_SIZE, 3 * PAGE_SIZE), 0);
    CHECK_EQ(check_free_memory(), before + 3);
    faults(read_the_hole, "read");
    CHECK(filled(FIXED, 2 * PAGE_SIZE, 9));
    CHECK(filled(FIXED + 5 * PAGE_SIZE, 3 * PAGE_SIZE, 9 + 5 * PAGE_SIZE / 8));
    CHECK_EQ(mem_unmap(FIXED + 2 * PAGE_SIZE, 3 * PAGE_SIZE), 0);
    CHECK_EQ(mem_map(FIXED + 2 * PAGE_SIZE, 3 * PAGE_SIZE, RW),
            FIXED + 2 * PAGE_SIZE);
    CHECK(all_zero(FIXED + 2 * PAGE_SIZE, 3 * PAGE_SIZE));
}

static void
map_and_unmap(void)
{
    for (uint64_t i = 0; i < 10; i++) {
        uint64_t at = FIXED + i * 2 * PAGE_SIZE;

        MUST(mem_map(at, PAGE_SIZE, RW) == (int64_t)at);
        *(volatile char *)at = 1;
    }
    CHECK_EQ(mem_unmap(FIXED - 5 * PAGE_SIZE, 100 * PAGE_SIZE), 0);
    for (uint64_t i = 0; i < 10; i++)
        CHECK_GT(mem_map(FIXED + i * 2 * PAGE_SIZE, PAGE_SIZE, RW), 0);
    CHECK_EQ(mem_unmap(FIXED, 19 * PAGE_SIZE - 5), 0); /* rounded up */
    CHECK_EQ(mem_map(FIXED, 19 * PAGE_SIZE, RW), FIXED);
}

/* One call may remove many mappings and the holes between them. */
TEST(unmap_many)
{
    check_gives_back(map_and_unmap);
}

/* mem_map finds room, again and again, and never gives it out twice. */
TEST(map_anywhere)
{
    int64_t at[40];

    for (int i = 0; i < 40; i++) {
        CHECK_ROUND(i);
        uint64_t len = (check_random() % 5 + 1) * PAGE_SIZE;

        at[i] = mem_map(0, len, RW);
        MUST(at[i] > 0);
        CHECK(all_zero((uint64_t)at[i], len));
        fill((uint64_t)at[i], PAGE_SIZE, (uint64_t)i << 32);
        if (i % 3 == 2)
            CHECK_EQ(mem_unmap((uint64_t)at[i - 1], PAGE_SIZE), 0);
    }
    for (int i = 0; i < 40; i++)
        if (i % 3 != 1 || i == 39)
            CHECK(filled((uint64_t)at[i], PAGE_SIZE, (uint64_t)i << 32));
}

static void
map_till_it_fails(void)
{
    int64_t got = 0;
    uint64_t n = 0;

    while (got >= 0 && n < 60000)
        got = mem_map(FIXED + 2 * PAGE_SIZE * n++, PAGE_SIZE, MEM_READ);
    CHECK_EQ(got, -E_NOMEM);
    CHECK_GT(n, 1000);
    CHECK_EQ(mem_unmap(FIXED, 2 * PAGE_SIZE * n), 0);
    CHECK_EQ(mem_map(FIXED, PAGE_SIZE, RW), FIXED);
}

/* So many mappings that the kernel has no room to list them: an error. */
TEST(mappings_exhausted)
{
    check_gives_back(map_till_it_fails);
}

static void
unmap_all(void)
{
    mem_unmap(USER_BASE, USER_TOP - USER_BASE);
    exits("still here");
}

/* A process that unmaps all its memory, program and stack too, only ends
 * itself. */
TEST(unmap_everything)
{
    struct waitmsg w;

    check_gives_back(unmap_all);
    check_child(unmap_all, &w);
    CHECK(strncmp(w.msg, "sys: trap: fault", 16) == 0);
}

/* ---- stack ---- */

static uint64_t
deep(uint64_t bytes)
{
    volatile char block[1024];
    uint64_t below;

    __asm__ volatile("" ::"r"(block) : "memory"); /* all of it is in use */
    for (size_t i = 0; i < sizeof(block); i += 64)
        block[i] = 1;
    if (bytes <= sizeof(block))
        return (uint64_t)block[0];
    below = deep(bytes - sizeof(block));
    __asm__ volatile("" ::: "memory"); /* keeps this call from being a loop */
    return below + (uint64_t)block[64];
}

static void
too_deep(void)
{
    deep(USER_STACK_SIZE + 100000);
}

static void
below_the_stack(void)
{
    *(volatile char *)(USER_STACK_TOP - USER_STACK_SIZE - 8) = 1;
}

/* The stack grows to its size; below it is a guard, and a fault. */
TEST(stack_grows)
{
    CHECK_GT(deep(USER_STACK_SIZE - 100000), 0);
    faults(too_deep, "write");
    faults(below_the_stack, "write");
}

/* A call that fills memory of a stack not used so far makes it usable. */
TEST(kernel_grows_stack)
{
    char *far = (char *)USER_STACK_TOP - USER_STACK_SIZE / 2;

    CHECK_GE(sysstat((struct cpustat *)far, 1), 1);
    CHECK_GT(((struct cpustat *)far)->mem_total, 0);
    CHECK_EQ(
            sysstat((void *)(USER_STACK_TOP - USER_STACK_SIZE), 1), -E_BADADDR);
}

/* ---- write or execute, never both ---- */

static uint8_t data_code[16] = { 0xc3 }; /* ret */
static const char constant[] = "constant";

static void
run_data(void)
{
    ((void (*)(void))data_code)();
}

static void
run_stack(void)
{
    volatile uint8_t code[16] = { 0xc3 };

    ((void (*)(void))code)();
}

static void
run_heap(void)
{
    uint64_t at = (uint64_t)brk(0);

    brk(at + PAGE_SIZE);
    *(uint8_t *)at = 0xc3;
    ((void (*)(void))at)();
}

static void
run_mapping(void)
{
    int64_t at = mem_map(0, PAGE_SIZE, RW);

    *(uint8_t *)at = 0xc3;
    ((void (*)(void))at)();
}

static void
run_constant(void)
{
    ((void (*)(void))constant)();
}

static void
write_text(void)
{
    *(volatile uint8_t *)run_data = 0xc3;
}

static void
write_constant(void)
{
    *(volatile char *)constant = 'x';
}

/* What can be written cannot be run, and what can be run not written. */
TEST(write_xor_execute)
{
    faults(run_data, "exec");
    faults(run_stack, "exec");
    faults(run_heap, "exec");
    faults(run_mapping, "exec");
    faults(run_constant, "exec");
    faults(write_text, "write");
    faults(write_constant, "write");
}

/* Memory that others dirtied comes to the next as zeros. */
static void
dirty_much(void)
{
    int64_t at = mem_map(0, 4 << 20, RW);

    MUST(at > 0);
    CHECK(all_zero((uint64_t)at, 4 << 20));
    memset((void *)at, 0xa5, 4 << 20);
}

/* mem: 64M */
TEST(fresh_is_zero)
{
    struct waitmsg w;

    for (int i = 0; i < 12; i++)
        check_child(dirty_much, &w);
}

/* ---- copies ---- */

enum {
    PAGES = 24
};

static uint64_t pattern_at;
static uint32_t done;

static void
copy_child(uint64_t n)
{
    CHECK(filled(pattern_at, PAGES * PAGE_SIZE, 1));
    for (uint64_t i = n % 3; i < PAGES; i += 3)
        fill(pattern_at + i * PAGE_SIZE, PAGE_SIZE, n << 40);
    yield();
    for (uint64_t i = 0; i < PAGES; i++)
        CHECK(filled(pattern_at + i * PAGE_SIZE, PAGE_SIZE,
                i % 3 == n % 3 ? n << 40 : 1 + i * PAGE_SIZE / 8));
    exits(check_failures ? "a check failed" : "");
}

static void
copy_to_many(void)
{
    pattern_at = (uint64_t)mem_map(0, PAGES * PAGE_SIZE, RW);
    fill(pattern_at, PAGES * PAGE_SIZE, 1);
    for (uint64_t n = 1; n <= 12; n++)
        if (fork() == 0)
            copy_child(n);
    for (int n = 0; n < 12; n++)
        CHECK_GT(wait(NULL), 0);
    CHECK(filled(pattern_at, PAGES * PAGE_SIZE, 1));
}

/*
 * A dozen children write to their copies, and none sees another's.
 * cpus: 1 2 4
 * shifts: 5 parallel
 */
TEST(copies)
{
    copy_to_many();
}

/* Copied pages come back, whichever process wrote or ended first. */
TEST(copies_given_back)
{
    check_gives_back(copy_to_many);
}

static void
generation(int depth)
{
    CHECK(filled(pattern_at, PAGES * PAGE_SIZE, (uint64_t)depth));
    if (depth < 6 && fork() == 0) {
        fill(pattern_at, PAGES * PAGE_SIZE, (uint64_t)depth + 1);
        generation(depth + 1);
        exits(check_failures ? "a check failed" : "");
    }
    wait(NULL);
    CHECK(filled(pattern_at, PAGES * PAGE_SIZE, (uint64_t)depth));
}

/*
 * Copies of copies of copies.
 * cpus: 1 4
 */
TEST(generations)
{
    pattern_at = (uint64_t)mem_map(0, PAGES * PAGE_SIZE, RW);
    fill(pattern_at, PAGES * PAGE_SIZE, 0);
    generation(0);
}

/* Pages written by the kernel for a child are the child's own too. */
TEST(kernel_breaks_copies)
{
    static struct cpustat stat;
    int pid;

    stat.mem_total = 12345;
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(sysstat(&stat, 1) >= 1, 1);
        CHECK_NE(stat.mem_total, 12345);
        exits(check_failures ? "a check failed" : "");
    }
    CHECK_EQ(wait(NULL), pid);
    CHECK_EQ(stat.mem_total, 12345);
    CHECK_EQ(done, 0);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(semrelease(&done, 3), 3);
        exits("");
    }
    CHECK_EQ(wait(NULL), pid);
    CHECK_EQ(done, 0);
}
