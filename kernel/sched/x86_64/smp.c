/*
 * smp.c - start the other CPUs, one after the other, and the interrupts that
 * CPUs send each other.
 *
 * Each gets its stack and tables from the first CPU, runs the trampoline,
 * loads its own GDT, IDT and GS base, and reports by `starting`.  Only then is
 * it counted in ncpu, so nobody sends to a CPU that cannot answer.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

enum {
    START_WAIT_US = 100000
};

extern uint8_t trampoline_start[], trampoline_end[];
extern uint8_t trampoline_cr3[], trampoline_rsp[];
extern uint8_t trampoline_cpu[], trampoline_main[];

/*
 * The CPU that is being started, atomic.  It takes itself out when it is up;
 * who finds another number, or NOBODY, has come too late and must not run.
 */
static uint32_t starting;
enum {
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
 * First C code of every CPU but the first, on its idle process's stack:
 * cpu_init_tables, cpu_init_features, mmu_init_cpu, sched_init_cpu.  Then it
 * takes its number out of `starting` in one atomic step; if it finds another
 * there it came too late, and halts for good with interrupts off.  Then it
 * waits until ncpu counts it, and becomes idle.
 *
 * Lab 3.11
 */
static void
cpu_main(struct cpu *cpu)
{
    uint32_t self = cpu->id;

    cpu_init_tables(cpu);
    cpu_init_features();
    mmu_init_cpu();
    sched_init_cpu();
    while (!__atomic_compare_exchange_n(&starting, &self, NOBODY, false,
            __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        __asm__ volatile("cli; hlt");
    while (__atomic_load_n(&ncpu, __ATOMIC_ACQUIRE) <= cpu->id)
        cpu_pause();
    sched_become_idle();
}

/*
 * Start CPU `id`; false if there is no memory or it does not report within
 * START_WAIT_US.  All that it will look at is set before INIT is sent: its
 * struct cpu, `starting`, the trampoline's words.  The start-up interrupt
 * follows INIT after 200 us (Intel SDM 3A 9.4.4.1).  It is counted in ncpu
 * only if it took itself out of `starting`; if it did not, nobody may be
 * there for it when it comes late.
 *
 * Lab 3.11
 */
static bool
start_cpu(unsigned id, uint32_t apic_id)
{
    struct cpu *cpu = &cpus[id];
    struct proc *idle = idle_new(id);
    uint64_t until;

    if (!idle)
        return false;
    cpu->id = id;
    cpu->apic_id = apic_id;
    cpu->proc = idle;
    __atomic_store_n(&starting, id, __ATOMIC_RELEASE);
    set_word(trampoline_rsp, (uint64_t)idle->kstack_top);
    set_word(trampoline_cpu, (uint64_t)cpu);
    apic_send_init(apic_id);
    wait_us(200);
    apic_send_startup(apic_id, AP_BOOT_PA);
    until = rdtsc() + ns_to_tsc(START_WAIT_US * 1000);
    while (rdtsc() < until &&
            __atomic_load_n(&starting, __ATOMIC_ACQUIRE) != NOBODY)
        cpu_pause();
    if (__atomic_exchange_n(&starting, NOBODY, __ATOMIC_ACQ_REL) != NOBODY)
        return false;
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
    for (unsigned i = 0; i < n && ncpu < want; i++) {
        if (apic_ids[i] == cpus[0].apic_id || start_cpu(ncpu, apic_ids[i]))
            continue;
        /* it may still come, and read the trampoline's words: stop here */
        print("smp: CPU with APIC id %u does not start; going on with %u\n",
                apic_ids[i], ncpu);
        return;
    }
}
