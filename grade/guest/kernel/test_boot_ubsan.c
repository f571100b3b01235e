/*
 * test_boot_ubsan.c - undefined behaviour in a SAN=ubsan kernel is a panic
 * that names place and values.  In other kernels these tests are not run.
 */
#include "boot/boot.h"

/* The value, unknown to the compiler. */
static uint64_t
hide(uint64_t v)
{
    __asm__ volatile("" : "+r"(v));
    return v;
}

/* kernel: ubsan
 * panic: shift of 'int' 1 by 40 */
KTEST(ubsan_shift)
{
    print("%d\n", 1 << (int)hide(40));
}

/* kernel: ubsan
 * panic: 2147483647 + 1 does not fit 'int' */
KTEST(ubsan_signed_overflow)
{
    print("%d\n", (int)hide(INT32_MAX) + (int)hide(1));
}

/* kernel: ubsan
 * panic: index 4 is outside of 'char */
KTEST(ubsan_array_index)
{
    char four[4] = "abc";

    print("%c\n", four[hide(4)]);
}

/* kernel: ubsan
 * panic: not aligned to 8 */
KTEST(ubsan_alignment)
{
    static char bytes[16] __attribute__((aligned(8)));
    const uint64_t *p = (const void *)hide((uint64_t)bytes + 1);

    print("%lu\n", *p);
}

/* kernel: ubsan
 * panic: at NULL */
KTEST(ubsan_null)
{
    print("%d\n", *(const int *)hide(0));
}

/* With ubsan=go the report is a message, and the kernel goes on.
 * kernel: ubsan
 * append: ubsan=go */
KTEST(ubsan_goes_on)
{
    CHECK_EQ((int)hide(INT32_MAX) + (int)hide(1), (uint64_t)INT32_MIN);
}
