/*
 * syscall.h - prototypes of the system calls, out of lux/syscalls.def.
 */
#pragma once

#include "sched/process.h"

/* A call takes as many words as it has arguments; the others are not read. */
#define SYSCALL(number, stage, name, nargs)                                    \
    int64_t sys_##name(uint64_t a, uint64_t b, uint64_t c);
#include <lux/syscalls.def>
#undef SYSCALL

void syscall_dispatch(struct trapframe *tf);

#define UNUSED [[maybe_unused]]
