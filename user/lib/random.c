/*
 * random.c - numbers for tests and games: the same sequence for each seed.
 *
 * splitmix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
 * Generators", 2014): a counter, scrambled.  Not for secrets.
 */
#include "lib/lux.h"

/* Advance *state by the golden ratio and scramble it. */
uint64_t
random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ul;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return z ^ z >> 31;
}
