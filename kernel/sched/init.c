/*
 * init.c - bring stage 3 up, start the first process, and what happens when
 * that ends.
 */
#include "sched/runq.h"
#include "boot/x86_64/x86.h"

/* How and what this CPU runs when nothing is ready.  NULL: no memory.  A CPU
 * that was given up has not used its own: the next one with its number does. */
struct proc *
idle_new(unsigned cpu)
{
    struct proc *p = runqs[cpu].idle;

    if (p)
        return p;
    p = proc_alloc("idle");
    if (!p)
        return NULL;
    p->is_idle = true;
    p->state = PROC_RUNNING;
    p->on_cpu = 1;
    p->cpu = cpu;
    runqs[cpu].idle = p;
    return p;
}

static void
timer_trap(struct trapframe *tf)
{
    apic_eoi();
    timer_interrupt();
    sched_tick(trap_from_user(tf));
}

/* What every CPU does for itself. */
void
sched_init_cpu(void)
{
    struct cpu *cpu = this_cpu();

    if (cpu->id != 0)
        apic_init_cpu();
    syscall_init_cpu();
    cpu->proc = runqs[cpu->id].idle;
    cpu->proc->ran_from = rdtsc();
    timer_init_cpu();
}

void
sched_init(void)
{
    spin_plug_in();
    kheap_use_magazines(true);
    apic_init();
    clock_init();
    timer_init();
    fair_init();
    runq_init();
    sema_init();
    rendez_init();
    if (!idle_new(0))
        panic("sched_init: no memory for the first idle process");
    trap_register(VEC_TIMER, timer_trap);
    user_trap = user_fault;
    user_return = sched_user_return;
    sched_init_cpu();
    archive_init();
    consin_init();
    smp_start();
    /* tests of what has to work before there is a process */
    if (cmdline_get("early", NULL, 0) >= 0)
        ktest_run();
}

static bool
is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/*
 * Take a word of `args=` out of the text at *at, in place: up to a comma, \ooo
 * the byte with that number in base 8.  *at is the next one, or NULL.
 */
static char *
take_word(char **at)
{
    char *word = *at, *to = *at, *p = *at;

    while (*p != '\0' && *p != ',') {
        if (p[0] == '\\' && is_octal(p[1]) && is_octal(p[2]) &&
                is_octal(p[3])) {
            *to++ = (char)(((p[1] & 3) << 6) | ((p[2] & 7) << 3) | (p[3] & 7));
            p += 4;
        } else {
            *to++ = *p++;
        }
    }
    *at = *p == ',' ? p + 1 : NULL;
    *to = '\0';
    return word;
}

/* The program to start: `init=path` of the command line, and its arguments
 * in `args=`, divided by commas. */
static unsigned
init_args(char path[MAX_PATH], char *argv[MAX_ARGS], char buf[MAX_CMDLINE])
{
    unsigned argc = 1;
    char *at = buf;

    if (cmdline_get("init", path, MAX_PATH) <= 0)
        strlcpy(path, "bin/init", MAX_PATH);
    argv[0] = path;
    if (cmdline_get("args", buf, MAX_CMDLINE) <= 0)
        return argc;
    while (argc < MAX_ARGS && at != NULL)
        argv[argc++] = take_word(&at);
    return argc;
}

static void
first_process(void *arg)
{
    static char path[MAX_PATH], buf[MAX_CMDLINE];
    static char *argv[MAX_ARGS];
    unsigned argc;
    int err;

    (void)arg;
    intr_on();
    proc_hooks.start();
    ktest_run();
    if (cmdline_get("trace", buf, sizeof buf) >= 0)
        trace_start();
    argc = init_args(path, argv, buf);
    console_start();
    vital_init();
    proc_current()->vital = true;
    err = proc_exec(path, argv, argc);
    proc_hooks.exec_done(err);
    if (err) {
        print("init: %s: %e\n", path, err);
        init_died(err_string(err));
    }
}

void
init_died(const char *msg)
{
    trace_stop();
    record("exit", msg, strlen(msg));
    if (cmdline_get("records", NULL, 0) >= 0)
        test_exit(msg[0] != '\0');
    print("the first process has ended%s%s; powering off\n", msg[0] ? ": " : "",
            msg);
    acpi_power_off();
    for (;;)
        intr_on_and_halt();
}

void
sched_start(void)
{
    struct proc *p = proc_kernel("init", first_process, NULL);

    if (!p)
        panic("sched_start: no memory for the first process");
    proc_ready(p);
    sched_become_idle();
}
