/*
 * lab_todo.h - what stands where a step of a lab is not written yet.
 *
 * The compiler includes it in every file.  Replace the call, and the (void)
 * of parameters above it, by your code; nothing else has to change.
 */
#pragma once

#define lab_todo(step) lab_todo_at(step, __FILE__, __func__)

#if __STDC_HOSTED__ /* a host test: make test T=host */
static inline __attribute__((noreturn, unused)) void
lab_todo_at(const char *step, const char *file, const char *function)
{
    __builtin_printf(
            "step %s is not written yet: %s:%s\n", step, file, function);
    __builtin_abort();
}
#else /* the kernel: lab_todo.c; a program: lab_todo_user.c */
const char *lab_todo_text(
        const char *step, const char *file, const char *function);
__attribute__((noreturn)) void lab_todo_at(
        const char *step, const char *file, const char *function);
#endif
