/*
 * features.h - once-only settings of start.c; for this folder only.
 */
#pragma once

/* Choose the value that guards stacks; before any function that is guarded. */
void stack_guard_init(void);
