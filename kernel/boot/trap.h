/*
 * trap.h - between trap.c, trap_dump.c, panic.c and trap_entry.asm; for this
 * folder only.
 */
#pragma once

#include "boot/boot.h"

void trap_init(void);
void trap_dispatch(struct trapframe *tf);
void trap_leave(struct trapframe *tf);

/* A breakpoint in the kernel is a question, not a mistake: answer, go on. */
void trap_breakpoint(const struct trapframe *tf);
