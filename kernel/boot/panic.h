/*
 * panic.h - what backtrace.c offers for readers of broken stacks; for this
 * folder only.
 */
#pragma once

#include "boot/boot.h"

/* Whether the page tables in use map va; never faults. */
bool address_mapped(vaddr_t va);

/* The return addresses on a stack, at most max; see backtrace.c. */
unsigned stack_walk(uint64_t rbp, uint64_t *calls, unsigned max);
