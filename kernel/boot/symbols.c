/*
 * symbols.c - which function an address lies in, and which line of a file.
 *
 * The tables are made from the first link of the kernel and put in by a second
 * link, behind everything they could move.
 */
#include "boot/symbols.h"

extern char text_start[];

static bool
is_text(uint64_t addr)
{
    return addr >= (uint64_t)text_start && addr < (uint64_t)text_end;
}

const struct symbol *
symbol_find(uint64_t addr)
{
    unsigned lo = 0, hi = nsymbol; /* the answer is before hi, not before lo */

    if (!is_text(addr) || nsymbol == 0 || addr < symbols[0].addr)
        return NULL;
    while (hi - lo > 1) {
        unsigned mid = lo + (hi - lo) / 2;

        if (symbols[mid].addr <= addr)
            lo = mid;
        else
            hi = mid;
    }
    return &symbols[lo];
}

const char *
line_find(uint64_t addr, unsigned *line)
{
    uint64_t offset = addr - KERNEL_BASE;
    unsigned lo = 0, hi = nline;

    if (!is_text(addr) || nline == 0 || offset < lines[0].offset)
        return NULL;
    while (hi - lo > 1) {
        unsigned mid = lo + (hi - lo) / 2;

        if (lines[mid].offset <= offset)
            lo = mid;
        else
            hi = mid;
    }
    *line = lines[lo].line;
    return *line == 0 ? NULL : line_files[lines[lo].file];
}
