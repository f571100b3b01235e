/*
 * smp.c - start the other CPUs, one after the other, and the interrupts that
 * CPUs send each other.
 *
 * Each gets its stack and tables from the first CPU, runs the trampoline,
 * loads its own GDT, IDT and GS base, and reports by `starting`.  Only then is
 * it counted in ncpu, so no CPU sends to one that cannot answer.
 *
 * A CPU may be late: a host has no time for it, firmware holds it.  Whoever
 * gives it up cannot stop it.  So the trampoline lets only the CPU in whose
 * APIC id stands in `starting`; any other halts there, before it has used
 * anything that belongs to the next one by now.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

enum {
    START_WAIT_US = 1000000, /* a host may have no time for it so long */
    MAX_APIC_ID = 254        /* the interrupt command has 8 bits; 255: all */
};

extern uint8_t trampoline_start[], trampoline_end[];
extern uint8_t trampoline_cr3[], trampoline_rsp[];
extern uint8_t trampoline_cpu[], trampoline_main[], trampoline_starting[];

/*
 * Which CPU may come in, atomic.  Its APIC id; then CAME_IN, which the
 * trampoline puts there in its place, in one step, once; then NOBODY, when
 * cpu_main has made it ready.
 */
static uint32_t starting = UINT32_MAX;
enum {
    CAME_IN = UINT32_MAX - 1, /* x86_64/trampoline.asm has the same number */
    NOBODY = UINT32_MAX
};

static void
wait_us(uint64_t us)
{
    uint64_t until = rdtsc() + ns_to_tsc(us * 1000);

    while (rdtsc() < until)
        cpu_pause();
}

/* Fill in one word of the trampoline's copy. */
static void
set_word(const uint8_t *label, uint64_t value)
{
    uint8_t *copy = pa_to_kva(AP_BOOT_PA);

    memcpy(copy + (label - trampoline_start), &value, sizeof value);
}

static void
resched_interrupt(struct trapframe *tf)
{
    (void)tf;
    apic_eoi();
}

/*
 * VEC_TLB: acknowledge the interrupt, answer the request that is pending.
 *
 * Lab 3.11
 */
static void
tlb_interrupt(struct trapframe *tf)
{
    (void)tf;
    apic_eoi();
    tlb_answer();
}

/*
 * tlb_ask of mmu/tlb.c: interrupt every CPU whose bit is set in mask with
 * VEC_TLB; mmu waits for their answers.
 *
 * Lab 3.11
 */
static void
ask_for_flush(uint32_t mask)
{
    for (; mask; mask &= mask - 1)
        apic_send((unsigned)__builtin_ctz(mask), VEC_TLB);
}

/*
 * First C code of every CPU but the first, on its idle process's stack; it does
 * not return, but becomes idle.  When it puts NOBODY into `starting` this CPU
 * is ready: it has its tables and features, the kernel's page tables, and what
 * sched_init_cpu sets.  (boot.h, mmu.h and sched.h say what each of these four
 * needs.)  It runs no process and takes no interrupt before ncpu counts it.
 *
 * Lab 3.11
 */
static void
cpu_main(struct cpu *cpu)
{
    cpu_init_tables(cpu);
    cpu_init_features();
    mmu_init_cpu();
    sched_init_cpu();
    __atomic_store_n(&starting, NOBODY, __ATOMIC_RELEASE);
    while (__atomic_load_n(&ncpu, __ATOMIC_ACQUIRE) <= cpu->id)
        cpu_pause();
    sched_become_idle();
}

/*
 * Start CPU `id`; false if there is no memory, or if it has not come in within
 * START_WAIT_US.  All that it will look at is there before INIT is sent: its
 * struct cpu, the trampoline's words, its APIC id in `starting`.  The start-up
 * interrupt follows INIT after 200 us (Intel SDM 3A 9.4.4.1).
 *
 * A CPU that is given up is never let in: its id leaves `starting` in one
 * atomic step, or it has come in already.  One that has come in uses what it
 * was given: it is waited for, however long it takes, and counted in ncpu when
 * it is ready.
 *
 * Lab 3.11
 */
static bool
start_cpu(unsigned id, uint32_t apic_id)
{
    struct cpu *cpu = &cpus[id];
    struct proc *idle = idle_new(id);
    uint32_t late = apic_id;
    uint64_t until;

    if (!idle)
        return false;
    cpu->id = id;
    cpu->apic_id = apic_id;
    cpu->proc = idle;
    set_word(trampoline_rsp, (uint64_t)idle->kstack_top);
    set_word(trampoline_cpu, (uint64_t)cpu);
    __atomic_store_n(&starting, apic_id, __ATOMIC_RELEASE);
    apic_send_init(apic_id);
    wait_us(200);
    apic_send_startup(apic_id, AP_BOOT_PA);
    until = rdtsc() + ns_to_tsc(START_WAIT_US * 1000ul);
    while (rdtsc() < until &&
            __atomic_load_n(&starting, __ATOMIC_ACQUIRE) == apic_id)
        cpu_pause();
    if (__atomic_compare_exchange_n(&starting, &late, NOBODY, false,
                __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return false;
    while (__atomic_load_n(&starting, __ATOMIC_ACQUIRE) != NOBODY)
        cpu_pause();
    __atomic_store_n(&ncpu, id + 1, __ATOMIC_RELEASE);
    return true;
}

void
smp_start(void)
{
    uint32_t apic_ids[MAX_CPUS];
    unsigned n = acpi_cpus(apic_ids), want;

    want = (unsigned)cmdline_number("cpus", n);
    trap_register(VEC_RESCHED, resched_interrupt);
    trap_register(VEC_TLB, tlb_interrupt);
    tlb_ask = ask_for_flush;
    panic_stop_others = apic_nmi_others;
    if (n == 1)
        return;
    memcpy(pa_to_kva(AP_BOOT_PA), trampoline_start,
            (size_t)(trampoline_end - trampoline_start));
    set_word(trampoline_cr3, ap_boot_root());
    set_word(trampoline_main, (uint64_t)cpu_main);
    set_word(trampoline_starting, (uint64_t)&starting);
    for (unsigned i = 0; i < n && ncpu < want; i++) {
        if (apic_ids[i] == cpus[0].apic_id)
            continue;
        if (apic_ids[i] > MAX_APIC_ID)
            print("smp: CPU with APIC id %u left out: ids up to %d work\n",
                    apic_ids[i], MAX_APIC_ID);
        else if (!start_cpu(ncpu, apic_ids[i]))
            print("smp: CPU with APIC id %u does not start; going on without "
                  "it\n",
                    apic_ids[i]);
    }
}
