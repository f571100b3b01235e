/*
 * stack_guard.c - the canary that the compiler puts between a function's
 * arrays and its return address, and what happens when it is dead.
 */
#include "boot/boot.h"
#include "boot/features.h"
#include "boot/x86_64/x86.h"

uintptr_t __stack_chk_guard; /* the compiler's name; read in every function */

void __stack_chk_fail(void) __attribute__((noreturn));

/*
 * Guarded functions that run now would find another value on their way out;
 * the caller is none.  The low byte is zero, so that no string that runs over
 * can rewrite it.
 */
__attribute__((no_stack_protector)) void
stack_guard_init(void)
{
    __stack_chk_guard = (rdtsc() * 0x9e3779b97f4a7c15 ^ cpu_random()) << 8;
}

void
__stack_chk_fail(void)
{
    panic("stack overrun in %y", (uint64_t)__builtin_return_address(0));
}
