/*
 * self.h - the library's own data of one process (see start.c).
 */
#pragma once

#include "lib/lux.h"

struct self {
    int64_t error;        /* last error's number; 0: it is in `text` */
    char text[MAX_ERR];   /* set by werrstr */
    uint64_t reserved[3]; /* keeps the size a multiple of 32 */
};

extern struct self *self;

/* Called by crt0.asm with the arguments and room for struct self. */
NORETURN void start(int argc, char **argv, struct self *mine);
