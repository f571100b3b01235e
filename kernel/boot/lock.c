/*
 * lock.c - spinlocks before there is anybody to lock out.
 *
 * Stages 1 and 2 run on one CPU with interrupts off: taking a lock is nothing
 * to do.  Stage 3 puts the real ones into both pointers (boot/lock.h).
 */
#include "boot/boot.h"

static void
lock_nothing(struct spinlock *lock)
{
    (void)lock;
}

void (*spin_lock)(struct spinlock *lock) = lock_nothing;
void (*spin_unlock)(struct spinlock *lock) = lock_nothing;

void
spin_init(struct spinlock *lock, enum lock_rank rank, const char *name)
{
    *lock = (struct spinlock)SPINLOCK_INIT(rank, name);
}
