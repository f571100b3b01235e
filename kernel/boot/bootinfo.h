/*
 * bootinfo.h - between start.c and the two parsers of loaders' data; for this
 * folder only.
 */
#pragma once

#include "boot/boot.h"

enum {
    MULTIBOOT2_MAGIC = 0x36d76289,
    PVH_MAGIC = 0x336ec578
};

/* Highest physical address that the early page tables reach. */
#define EARLY_LIMIT (4ul << 30)

/*
 * Fill the global bootinfo; magic is known to be one of the two.  Panics with
 * a readable message if the data make no sense.
 */
void bootinfo_init(uint32_t magic, paddr_t info);

/* One loader's half each. */
void multiboot2_parse(paddr_t info);
void pvh_parse(paddr_t info);

/* Copy the command line: len bytes at most, up to a NUL if there is one.  One
 * that is too long is left out with a message: a part of it may mean another
 * thing. */
void bootinfo_set_cmdline(const char *text, size_t len);

/* Add to the lists; what has no room is dropped with a message. */
void bootinfo_add_range(uint64_t start, uint64_t len, uint32_t type);
void bootinfo_add_module(
        uint64_t start, uint64_t end, const char *cmdline, size_t max);

/* len bytes at pa if the early page tables reach them all, else NULL. */
const void *early_data(uint64_t pa, uint64_t len);

/* debugport.c: the command line is there; does it ask for records? */
void debugport_init(void);
