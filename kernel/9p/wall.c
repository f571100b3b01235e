/*
 * wall.c - the time of day: the battery clock's, read once, and from then on
 * the processor's.
 */
#include "9p/9p.h"

static uint64_t wall_base; /* [a] ns since 1970 at boot; 0: not known yet */

uint64_t
wall_ns(void)
{
    uint64_t base = __atomic_load_n(&wall_base, __ATOMIC_RELAXED);

    if (base == 0) {
        uint64_t none = 0;

        base = rtc_seconds() * 1000000000ul - clock_ns();
        if (!__atomic_compare_exchange_n(&wall_base, &none, base, false,
                    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            base = none; /* another process was faster: one answer for all */
    }
    return base + clock_ns();
}

void
wall_set(uint64_t ns)
{
    __atomic_store_n(&wall_base, ns - clock_ns(), __ATOMIC_RELAXED);
}
