/*
 * user_env.h - the knobs of user_env.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct env {
    bool fail_memory;     /* brk and mem_map find none */
    uint64_t mapped;      /* bytes in mappings */
    const char *input;    /* what cons_read will read */
    bool catch_exit;      /* exits jumps to exit_to */
    const char *exit_msg; /* what it was given */
    void *exit_to[5];     /* for __builtin_longjmp */
};

extern struct env env;
