/*
 * fcall_gen.h - messages made at random: any that fcall_pack must take.
 */
#pragma once

#include <lux/err.h>
#include <lux/fcall.h>

enum {
    MAX_MESSAGE = 8192 /* bytes in the largest one that fcall_random makes */
};

/* Any message of this type; its strings and data stay until the next call. */
void fcall_random(struct fcall *f, uint8_t type, uint64_t *seed);
void dir_random(struct dir *d, uint64_t *seed);

/* The next number of a test's seed (splitmix64). */
static inline uint64_t
next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}
