/*
 * fpu.c - floating-point and SSE registers of processes.
 *
 * They are saved and loaded at every switch between user processes: one
 * instruction each, cheaper than the trap that a lazy scheme takes, and no
 * stale registers lie around.  The kernel itself uses none.
 */
#include "sched/process.h"

enum {
    FCW_DEFAULT = 0x37f,
    MXCSR_DEFAULT = 0x1f80
}; /* Intel SDM 1 8.1.5,
        10.2.3: all exceptions masked, round to nearest, full precision */

void
fpu_reset(struct fpu_state *f)
{
    uint16_t fcw = FCW_DEFAULT;
    uint32_t mxcsr = MXCSR_DEFAULT;

    memset(f, 0, sizeof *f);
    memcpy(&f->bytes[0], &fcw, sizeof fcw);
    memcpy(&f->bytes[24], &mxcsr, sizeof mxcsr); /* Intel SDM 1 table 10-2 */
}
