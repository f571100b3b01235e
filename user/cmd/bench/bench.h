/*
 * bench.h - what a row of the speed table is, for the files that have some.
 */
#pragma once

#include "lib/lux.h"

struct row {
    const char *name;
    unsigned n; /* operations in a batch */
    void (*setup)(void);
    void (*run)(unsigned n);
    void (*finish)(void);
};

/* Tables that end with a row without name; the library of stage 3 has not
 * what the later ones need, and there they are not. */
extern const struct row pipe_rows[] __attribute__((weak)); /* pipes.c */
extern const struct row file_rows[] __attribute__((weak)); /* files.c */
