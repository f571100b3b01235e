/*
 * symbols.c - which function an address lies in.
 *
 * The table is made by tools/symbols.py from the first link of the kernel and
 * put in by a second link, behind everything it could move.
 */
#include "boot/boot.h"

extern const struct symbol symbols[];
extern const unsigned nsymbol;
extern char text_start[];

const struct symbol *
symbol_find(uint64_t addr)
{
    unsigned lo = 0, hi = nsymbol; /* the answer is before hi, not before lo */

    if (addr < (uint64_t)text_start || addr >= (uint64_t)text_end ||
            nsymbol == 0 || addr < symbols[0].addr)
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
