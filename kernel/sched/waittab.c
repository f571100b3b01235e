/*
 * waittab.c - tables of processes that wait for a number: see waittab.h.
 */
#include "sched/waittab.h"
#include <lux/limits.h>

_Static_assert(2 * WAIT_SLOTS == MAX_PROCS, "a chain of two when all wait");

void
wait_table_init(struct wait_table *t, enum lock_rank rank, const char *name)
{
    for (unsigned i = 0; i < WAIT_LOCKS; i++)
        spin_init(&t->lock[i], rank, name);
}
