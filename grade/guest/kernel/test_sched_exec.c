/*
 * test_sched_exec.c - exec seen from the kernel: the test's own process gets
 * the program, but never goes to it.
 */
#include "sched/process.h"
#include "boot/x86_64/x86.h"
#include "mmu_test.h"

static char *const some_args[] = { "echo", "", "two words", "x" };

/* What the program would find: word n from its stack pointer up. */
static uint64_t
word(unsigned n)
{
    return peek(proc_current()->tf->rsp + n * 8);
}

static bool
string_is(vaddr_t at, const char *want)
{
    char got[64] = { 0 };

    return copy_in(got, at, strlen(want) + 1) == 0 && strcmp(got, want) == 0;
}

/* The test's process is one of the kernel alone again. */
static void
forget_program(void)
{
    struct proc *p = proc_current();
    struct space *s = p->space;

    proc_use_space(p, NULL);
    if (s)
        space_free(s);
    this_cpu()->resched = 0;
}

/* argc, argv, two NULLs, the strings: where the System V ABI wants them. */
KTEST(exec_stack_layout)
{
    struct proc *p = proc_current();

    CHECK_EQ(proc_exec("bin/echo", some_args, 4), 0);
    CHECK_LT(p->tf->rsp, USER_STACK_TOP);
    CHECK_EQ(p->tf->rsp % 16, 0);
    CHECK_EQ(word(0), 4);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_GT(word(1 + i), p->tf->rsp + 6 * 8);
        CHECK_LT(word(1 + i), USER_STACK_TOP);
        CHECK(string_is(word(1 + i), some_args[i]));
    }
    CHECK_EQ(word(5), 0);
    CHECK_EQ(word(6), 0);
    forget_program();
}

/* Whatever the arguments' lengths, the stack is aligned; the most fit. */
KTEST(exec_stack_aligned)
{
    static char text[40], *argv[MAX_ARGS];

    for (unsigned n = 1; n <= MAX_ARGS; n += 7) {
        memset(text, 'a', sizeof text);
        text[n % 39] = '\0';
        for (unsigned i = 0; i < n; i++)
            argv[i] = text;
        CHECK_EQ(proc_exec("bin/true", argv, n), 0);
        CHECK_EQ(proc_current()->tf->rsp % 16, 0);
        CHECK_EQ(word(0), n);
        CHECK(string_is(word(n), text));
        CHECK_EQ(word(n + 1), 0);
    }
    forget_program();
}

/* The first registers hold nothing of what ran before. */
KTEST(exec_registers)
{
    struct proc *p = proc_current();
    uint64_t *regs = (uint64_t *)p->tf;

    memset(p->tf, 0x5a, sizeof *p->tf);
    p->note_handler = p->note_frame = 0x1000;
    this_cpu()->resched = 0;
    CHECK_EQ(proc_exec("bin/echo", some_args, 4), 0);
    for (unsigned i = 0; i < 17; i++) /* r15 to error */
        CHECK_EQ(regs[i], 0);
    CHECK_GE(p->tf->rip, USER_BASE);
    CHECK_LT(p->tf->rip, USER_TOP);
    CHECK_EQ(p->tf->cs, SEL_UCODE);
    CHECK_EQ(p->tf->ss, SEL_UDATA);
    CHECK_EQ(p->tf->rflags, RFLAGS_IF | 2);
    CHECK_EQ(p->note_handler, 0);
    CHECK_EQ(p->note_frame, 0);
    CHECK_EQ(this_cpu()->resched, 1);
    CHECK_EQ(strcmp(p->name, "echo"), 0);
    forget_program();
}

/* The program's memory: text, heap's place, stack, and nothing else. */
KTEST(exec_memory)
{
    struct proc *p = proc_current();
    struct region *r;
    uint8_t byte;

    CHECK_EQ(proc_exec("bin/echo", some_args, 4), 0);
    spin_lock(&p->space->lock);
    r = region_find(p->space, p->tf->rip);
    CHECK(r && r->prot & PROT_EXEC && r->ops == &image_region);
    r = region_find(p->space, USER_STACK_TOP - 1);
    CHECK(r && r->prot == (PROT_READ | PROT_WRITE));
    CHECK(r && r->end - r->start == USER_STACK_SIZE);
    CHECK(region_find(p->space, p->space->heap_start) == NULL);
    spin_unlock(&p->space->lock);
    CHECK_EQ(copy_in(&byte, p->tf->rip, 1), 0);
    CHECK_EQ(copy_out(p->tf->rip, &byte, 1), -E_BADADDR);
    forget_program();
}

/* A program that is not there, or none, leaves the old one as it is. */
KTEST(exec_failure_changes_nothing)
{
    static const struct {
        const char *path;
        int err;
    } bad[] = { { "bin/nothing", -E_NOEXIST }, { "etc/motd", -E_BADEXEC } };
    struct proc *p = proc_current();
    struct space *space;
    struct trapframe tf;

    CHECK_EQ(proc_exec("bin/echo", some_args, 4), 0);
    space = p->space;
    tf = *p->tf;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct balance b = balance_now();

        p->note_handler = 0x1000;
        CHECK_EQ(proc_exec(bad[i].path, some_args, 4), bad[i].err);
        CHECK_EQ(p->space, space);
        CHECK_EQ(space_current(), space);
        CHECK_EQ(memcmp(&tf, p->tf, sizeof tf), 0);
        CHECK_EQ(p->note_handler, 0x1000);
        CHECK_EQ(strcmp(p->name, "echo"), 0);
        CHECK(string_is(word(3), "two words"));
        CHECK_BALANCE(b);
    }
    forget_program();
}

/* Memory may be gone at any allocation: the old program goes on each time. */
KTEST(exec_out_of_memory)
{
    struct proc *p = proc_current();
    struct space *space;
    int err = -E_NOMEM;
    unsigned n;

    CHECK_EQ(proc_exec("bin/echo", some_args, 4), 0);
    space = p->space;
    for (n = 1; err == -E_NOMEM && n < 200; n++) {
        struct balance b = balance_now();

        page_fail_at(n);
        err = proc_exec("bin/ls", some_args, 4);
        page_fail_at(0);
        if (err == 0)
            break;
        CHECK_EQ(err, -E_NOMEM);
        CHECK_EQ(p->space, space);
        CHECK(string_is(word(3), "two words"));
        CHECK_EQ(strcmp(p->name, "echo"), 0);
        CHECK_BALANCE(b);
    }
    CHECK_EQ(err, 0);
    CHECK_GT(n, 3);
    forget_program();
}

/* The old program's memory is back after a good exec. */
KTEST(exec_gives_back)
{
    struct balance b;

    CHECK_EQ(proc_exec("bin/echo", some_args, 4), 0);
    b = balance_now();
    for (unsigned i = 0; i < 10; i++)
        CHECK_EQ(proc_exec("bin/echo", some_args, 4), 0);
    CHECK_BALANCE(b);
    forget_program();
}
