/*
 * crash.c - do what a program must not, to see what the system says.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: crash null|write|kernel|divide|jump|stack|opcode|privilege\n"
        "Read a null pointer, write to constants, read the kernel, divide by\n"
        "zero, jump into data, recurse for ever, run an undefined or a\n"
        "privileged instruction.\n";

static volatile int zero;
static char data[16];

static void
crash_null(void)
{
    (void)*(volatile int *)(uintptr_t)zero;
}

static void
crash_write(void)
{
    *(volatile char *)usage = 'x';
}

static void
crash_kernel(void)
{
    (void)*(volatile int *)0xffffffff80100000ul;
}

static void
crash_divide(void)
{
    __asm__ volatile("divl %0" : : "m"(zero) : "eax", "edx");
}

static void
crash_jump(void)
{
    ((void (*)(void))(uintptr_t)data)();
}

/* Not a tail call, and not one that the compiler can turn into a loop. */
static int
deeper(volatile int *last)
{
    volatile int here[64];

    here[0] = *last + 1;
    return here[0] < 0 ? 0 : deeper(here) + here[0];
}

static void
crash_stack(void)
{
    volatile int first = 0;

    deeper(&first);
}

static void
crash_opcode(void)
{
    __asm__ volatile("ud2");
}

static void
crash_privilege(void)
{
    __asm__ volatile("cli");
}

static const struct {
    const char *name;
    void (*run)(void);
} ways[] = {
    { "null", crash_null },
    { "write", crash_write },
    { "kernel", crash_kernel },
    { "divide", crash_divide },
    { "jump", crash_jump },
    { "stack", crash_stack },
    { "opcode", crash_opcode },
    { "privilege", crash_privilege },
};

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    if (argc == 1)
        for (size_t i = 0; i < ARRAY_LEN(ways); i++)
            if (strcmp(argv[0], ways[i].name) == 0) {
                ways[i].run();
                fatal("%s: nothing happened", argv[0]);
            }
    usage_die(usage);
}
