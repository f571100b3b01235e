/*
 * kernel_env.h - for tests of kernel sources on the host: the kernel's
 * headers beside the host's, whose functions keep their own names here.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rename.h"
#include "boot/boot.h"
#undef CHECK
#undef CHECK_EQ
#undef malloc
#undef free
#undef memcmp
#undef memset
#undef memmove
#undef strlen
#undef strcmp
#include "host.h"

/* The next number of a test's seed (splitmix64). */
static inline uint64_t
next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
