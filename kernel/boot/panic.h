/*
 * panic.h - between panic.c and backtrace.c; for this folder only.
 */
#pragma once

#include "boot/boot.h"

/* Whether the page tables in use map va; never faults. */
bool address_mapped(vaddr_t va);
