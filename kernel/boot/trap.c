/*
 * trap.c - who handles which vector, and what happens when nobody does.
 *
 * Runs with interrupts off.  The table of handlers is the extension point:
 * later layers register theirs at start-up and never take them away.
 */
#include "boot/boot.h"
#include "boot/trap.h"

static trap_handler *handlers[256];

trap_handler *user_trap;
trap_handler *user_return;

trap_handler *
trap_register(unsigned vector, trap_handler *handler)
{
    trap_handler *before;

    assert(vector < ARRAY_LEN(handlers));
    before = handlers[vector];
    handlers[vector] = handler;
    return before;
}

/*
 * Count a trap of this CPU: each in traps, page faults also in faults, and
 * what is no exception (TRAP_IRQ0 and above) also in interrupts.
 *
 * Lab 1.10
 */
static void
count(struct cpu *cpu, unsigned vector)
{
    cpu->traps++;
    if (vector == TRAP_PAGE_FAULT)
        cpu->faults++;
    else if (vector >= TRAP_IRQ0)
        cpu->interrupts++;
}

/*
 * Whether a program can be blamed for a trap: it ran (trap_from_user), and the
 * trap is an exception (below TRAP_IRQ0), but none of the machine's own events
 * NMI, double fault and machine check.
 *
 * Lab 1.10
 */
static bool
is_programs_fault(const struct trapframe *tf)
{
    return trap_from_user(tf) && tf->vector < TRAP_IRQ0 &&
           tf->vector != TRAP_NMI && tf->vector != TRAP_DOUBLE_FAULT &&
           tf->vector != TRAP_MACHINE_CHECK;
}

/*
 * Called by trap_entry.asm for every exception and interrupt: counts it, then
 * the first of these that applies settles it, and returning resumes what was
 * interrupted.
 *
 * - the vector's handler, if one is registered;
 * - user_trap, if it is set and a program can be blamed;
 * - for a breakpoint trap_breakpoint, which reports it;
 * - else nobody can: panic_trap with no more to say (NULL).
 *
 * Lab 1.10
 */
void
trap_dispatch(struct trapframe *tf)
{
    trap_handler *handler = handlers[tf->vector];

    count(this_cpu(), tf->vector);
    if (handler != NULL)
        handler(tf);
    else if (is_programs_fault(tf) && user_trap != NULL)
        user_trap(tf);
    else if (tf->vector == TRAP_BREAKPOINT)
        trap_breakpoint(tf);
    else
        panic_trap(tf, NULL);
}

/* Called by trap_entry.asm last on the way back to user mode. */
void
trap_leave(struct trapframe *tf)
{
    if (user_return != NULL)
        user_return(tf);
}

/* The PIC's and the LAPIC's way of saying "it was nothing": no answer. */
static void
ignore(struct trapframe *tf)
{
    (void)tf;
}

void
trap_init(void)
{
    trap_register(TRAP_IRQ0 + 7, ignore);
    trap_register(TRAP_IRQ0 + 15, ignore);
    trap_register(TRAP_SPURIOUS, ignore);
}
