/*
 * symbols.h - the tables behind symbols.c, made by tools/symbols.py and
 * tools/lines.py from the first link; for this folder only.
 */
#pragma once

#include "boot/boot.h"

extern const struct symbol symbols[]; /* by rising address */
extern const unsigned nsymbol;

/* The code from an address on, up to the next one's, is of this line. */
struct line {
    uint32_t offset; /* of the address from KERNEL_BASE */
    uint16_t file;   /* index of line_files */
    uint16_t line;   /* 0: not known */
};

extern const struct line lines[]; /* by rising offset */
extern const unsigned nline;
extern const char *const line_files[];

/* File and line of an address of the kernel's text; NULL: not known. */
const char *line_find(uint64_t addr, unsigned *line);
