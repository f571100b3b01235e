/*
 * syscall.h - prototypes of the system calls, out of lux/syscalls.def.
 */
#pragma once

#include "sched/process.h"

/* A call takes as many words as it has arguments. */
#define WORDS_0 void
#define WORDS_1 uint64_t a
#define WORDS_2 WORDS_1, uint64_t b
#define WORDS_3 WORDS_2, uint64_t c
#define WORDS_4 WORDS_3, uint64_t d
#define WORDS_5 WORDS_4, uint64_t e

#define SYSCALL(number, stage, name, nargs) int64_t sys_##name(WORDS_##nargs);
#include <lux/syscalls.def>
#undef SYSCALL

/* Rows of stages that this kernel has. */
#define IN_STAGE_3(row) row,
#if STAGE >= 4
#define IN_STAGE_4(row) row,
#else
#define IN_STAGE_4(row)
#endif

/* A path from user memory: its length, -E_BADADDR, -E_NAMELEN (MAX_PATH). */
int copy_path_in(char buf[MAX_PATH], vaddr_t path);

void syscall_dispatch(struct trapframe *tf);
