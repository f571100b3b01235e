/*
 * sched.h - contents page of stage 3: CPUs, time, processes and what they
 * may ask of the kernel.
 *
 * The kernel itself is never preempted: a process loses its CPU in kernel
 * mode only where it calls something marked "sleeps".  An interrupt that
 * wants another process to run says so in cpu->resched, which is read on
 * the way back to user mode.
 */
#pragma once

#include "mmu/mmu.h"
#include "sched/heap.h"
#include "sched/list.h"
#include <lux/sys.h>
#include <lux/ureg.h>

struct proc;
struct edf;

/* ---- clock.c: nanoseconds since boot, from the TSC ---- */

/* Measure TSC and APIC timer against the ACPI timer; takes about 2 ms. */
void clock_init(void);
uint64_t clock_ns(void);
uint64_t tsc_to_ns(uint64_t ticks);
uint64_t ns_to_tsc(uint64_t ns); /* saturates */

/* APIC timer count that ends at `when`, at least 1 and at most 32 bits. */
uint32_t clock_tsc_to_apic(uint64_t when, uint64_t now);

/* ---- spinlock.c ---- */

/* Put the ranked locks behind boot/lock.h's pointers. */
void spin_plug_in(void);

/* The names of a set of lock ranks (bit r: rank r), written to buf; buf. */
const char *lock_ranks_text(uint32_t ranks, char *buf, size_t len);

/* ---- timer.c: one-shot timers of each CPU ---- */

/*
 * A timer calls fn(arg) in an interrupt, at `when` (TSC) or a little later,
 * on the CPU that armed it.  Its memory is the caller's, and free for reuse
 * once fn has started or timer_cancel has returned.
 */
struct timer {
    struct heap_node node; /* key: when, TSC */
    void (*fn)(void *arg);
    void *arg;
    uint32_t cpu;
    bool armed;
};
void timer_init(void);
void timer_init_cpu(void);
void timer_arm(struct timer *t, uint64_t when, void (*fn)(void *), void *arg);

/* True if it was armed; fn neither runs nor will run when this returns. */
bool timer_cancel(struct timer *t);

/* Run what is due on this CPU and set the hardware for what is next. */
void timer_interrupt(void);

/* Have the hardware interrupt this CPU no later than `when` (TSC). */
void timer_need(uint64_t when);

/* ---- x86_64/apic.c: interrupt controllers and IPIs ---- */

enum {
    VEC_TIMER = TRAP_LAPIC,
    VEC_RESCHED,
    VEC_TLB,
};
void apic_init(void);     /* first CPU: find, map, mask the old PIC */
void apic_init_cpu(void); /* each CPU */
void apic_eoi(void);
void apic_send(unsigned cpu, unsigned vector);
void apic_nmi_others(void);
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, paddr_t entry);
void apic_timer_set(uint32_t count); /* one shot; 0 stops */
uint32_t apic_timer_count(void);
void apic_route_isa(unsigned irq, unsigned vector);

/* ---- x86_64/smp.c ---- */

/* Start the other CPUs (at most `cpus=` of the command line). */
void smp_start(void);

/* ---- proc.c, fork.c, exec.c, exit.c; process.h has the structure ---- */

/*
 * struct proc *proc_current(void): the running process, or this CPU's idle
 * process.  Never NULL once up.  One instruction, so that no interrupt can
 * divide it.  A macro: a function that begins with it would have its first line
 * here, for a debugger.
 */
#define proc_current()                                                         \
    ({                                                                         \
        struct proc *proc_;                                                    \
                                                                               \
        __asm__("mov %%gs:%c1, %0"                                             \
                : "=r"(proc_)                                                  \
                : "i"(offsetof(struct cpu, proc)));                            \
        proc_;                                                                 \
    })

/*
 * A process that runs fn(arg) in the kernel, not yet ready.  NULL: no memory
 * or no free process.  When fn returns the process goes to user mode if it
 * has exec'ed, else it ends.
 */
struct proc *proc_kernel(const char *name, void (*fn)(void *), void *arg);

/* End the running process; msg "" is success.  Frees all it held. */
void proc_exit(const char *msg) __attribute__((noreturn));

/* Replace the running process's image: see user/lib/lux.h:exec. */
int proc_exec(const char *path, char *const argv[], unsigned argc);

unsigned proc_count(void);

/* ---- sched.c: who runs; fair.c, edf.c: in which order ---- */

/* Give up the CPU; the caller stays ready.  Sleeps. */
void sched_yield(void);

/* The same if it is another's turn: for loops in the kernel that last. */
void sched_give_way(void);

/* ---- wake.c: falling asleep and being woken ---- */

enum block_how {
    PROC_INTERRUPTIBLE,
    PROC_STUBBORN
};

/*
 * Sleep until proc_wake.  The caller holds `lock` and no other, and wakers
 * find it under that lock, which is released once the process counts as
 * asleep.  `why` shows in ps.  Returns without the lock:
 * 0: woken, maybe for nothing (the caller checks again under its lock);
 * -E_INTR: a note came (PROC_INTERRUPTIBLE only);
 * -E_TIMEOUT: `deadline` (TSC; 0: none) has passed.
 */
int proc_block(struct spinlock *lock, const char *why, enum block_how how,
        uint64_t deadline);

/* Make a sleeping process ready; nothing if it is not asleep.  Any context. */
void proc_wake(struct proc *p);

/*
 * The same, and let it have this CPU next, ahead of the queue, for the rest
 * of the caller's quantum: for callers about to block on its answer.
 */
void proc_wake_next(struct proc *p);

/* First run of a new process. */
void proc_ready(struct proc *p);

/* ---- sleep.c: wait queues ---- */

struct waitq {
    struct spinlock lock; /* RANK_SLEEPQ; guards the list */
    struct list procs;
};
void waitq_init(struct waitq *q, const char *name);

/*
 * Sleep until cond(arg) holds.  cond runs with q->lock held, and whoever
 * changes what it looks at calls wakeup(q) afterwards; so no wakeup is lost.
 * 0, -E_INTR (a note), -E_TIMEOUT (deadline in TSC ticks, 0: none).
 */
int sleep(
        struct waitq *q, bool (*cond)(void *arg), void *arg, uint64_t deadline);
void wakeup(struct waitq *q);
void wakeup_locked(struct waitq *q); /* the caller holds q->lock */

/* ---- qlock.c, rwlock.c: locks that sleep; first come, first served ---- */

struct qlock {
    struct spinlock lock; /* RANK_QLOCK */
    struct proc *holder;
    struct list queue;
    const char *name;
};
void qlock_init(struct qlock *l, const char *name);
void qlock(struct qlock *l);
int qlock_noted(struct qlock *l); /* 0; -E_INTR: a note came first */
bool qlock_try(struct qlock *l);
void qunlock(struct qlock *l);

struct rwlock {
    struct spinlock lock; /* RANK_QLOCK */
    int readers;          /* -1: a writer is in */
    struct list queue;
    const char *name;
};
void rwlock_init(struct rwlock *l, const char *name);
void read_lock(struct rwlock *l);
void read_unlock(struct rwlock *l);
void write_lock(struct rwlock *l);
void write_unlock(struct rwlock *l);

/* ---- hooks.c: what later layers do in a process's life ---- */

struct exec_args { /* what exec was given, and room to change it */
    char path[MAX_PATH];
    char *argv[MAX_ARGS];
    unsigned argc;
    char bytes[MAX_ARGLEN];
    char script[2 * MAX_PATH];
};

struct program { /* a program's file, in kernel memory */
    const uint8_t *data;
    uint64_t size;
    const struct region_ops *ops; /* of its segments: image_region's, and the
                                     object is data */
};

struct proc_hooks {
    uint64_t rfork_flags; /* those that fork and change_self know */

    /* In the first process, before it execs. */
    void (*start)(void);

    /* The child gets what it shares or copies: 0, or -E_... and it has
     * nothing.  Nobody else knows the child yet. */
    int (*fork)(struct proc *parent, struct proc *child, uint64_t flags);

    /* The caller gets a new one of what the flags say: 0, or -E_... and
     * nothing has changed. */
    int (*change_self)(uint64_t flags);

    /* Give up what fork or start gave; p runs this, or has never run. */
    void (*exit)(struct proc *p);

    /* Around a system call exec: look at the arguments, and change them, for
     * 0; -E_...: it fails.  Then proc_exec, if there was no error, and in any
     * case exec_done with exec's result. */
    int (*exec)(struct exec_args *args);
    void (*exec_done)(int err);

    /* The program of this name, for proc_exec.  0; -E_... */
    int (*program_open)(const char *path, struct program *out);

    /* May `from` send notes to `to`?  Holds proctab_lock. */
    bool (*may_note)(const struct proc *from, const struct proc *to);

    /* The user whose process p is; the name is there while proctab_lock is
     * held, as it is.  "": there are no users. */
    const char *(*user)(const struct proc *p);

    /* May the caller switch off the machine, and watch all of it? */
    bool (*may_rule)(void);

    /* p, which runs this, has p->stop set: stop here, on the way to user mode
     * and with nothing held, until it is started again or killed. */
    void (*stop)(struct proc *p);
};
extern struct proc_hooks proc_hooks;

/* ---- archive.c: the boot archive, a ustar file in a boot module ---- */

struct archive_file {
    char name[MAX_PATH];
    const uint8_t *data;
    uint64_t size;
    uint32_t mode;
};
void archive_init(void);

/* File by path (a leading '/' is ignored); 0, -E_NOEXIST. */
int archive_find(const char *path, struct archive_file *f);

/* The n-th file; 0, -E_NOEXIST past the end. */
int archive_nth(unsigned n, struct archive_file *f);

/* ---- elf.c: programs are hostile until checked ---- */

enum {
    ELF_MAX_SEGMENTS = 8
};

struct elf_segment {
    vaddr_t start, end;      /* whole pages */
    uint32_t prot;           /* PROT_... */
    uint64_t offset, length; /* bytes of the file that begin at `start` */
};

struct elf_image {
    vaddr_t entry;
    vaddr_t end; /* first page after the last segment: the heap starts there */
    unsigned nseg;
    struct elf_segment seg[ELF_MAX_SEGMENTS];
};

/* Check all of it, trust nothing: 0 or -E_BADEXEC. */
int elf_check(const uint8_t *file, uint64_t size, struct elf_image *out);

/* ---- note.c ---- */

enum {
    NOTE_BIT_KILL = 1,
    NOTE_BIT_INTERRUPT = 2,
    NOTE_BIT_ALARM = 4,
    NOTE_BIT_OF_GROUP = 8 /* beside NOTE_BIT_INTERRUPT: it came to the group */
};

/* Queue a note for p, which the caller keeps from going away (it holds
 * proctab_lock, or is p).  0, -E_NOTESFULL, -E_NOMEM. */
int note_post(struct proc *p, const char *text);

/* One of the notes that need no memory: never fails, any context. */
void note_post_bit(struct proc *p, uint32_t bit);

/* To every process of a note group but `except`, who sends it, and to whom he
 * may not; NULL: the kernel does, to all.  How many. */
unsigned note_post_group(
        uint32_t notegrp, const char *text, struct proc *except);

/* ---- console_input.c: lines typed at the console ---- */

void consin_init(void);

/* One line, or part of it, to user memory; see user/lib/lux.h:cons_read. */
int64_t consin_read(vaddr_t buf, size_t len); /* sleeps */

/* The same to kernel memory: how many, 0 at an end mark, -E_INTR, -E_PERM
 * (console_right). */
int consin_take(char *buf, size_t len); /* sleeps */

/* Each character as it is typed, without echo, ^C and ^D too; what was typed
 * of a line so far comes first.  As long as any of those that asked has not
 * taken it back by the number that it got; but no longer than the console is
 * the same user's.  0: the user that had `turn` (console_right) has it no
 * more, and nothing has changed. */
uint32_t consin_raw_on(uint32_t turn);
void consin_raw_off(uint32_t number);

/* ---- console_owner.c: which processes may read it, which ^C interrupts ----
 * */

/* The running process's group and user have it: the first's, at boot. */
void console_start(void);

/* The running process gives the console to a note group.  0; -E_PERM: it may
 * not use the console, or not send notes to all of the group; -E_NOPROC:
 * nothing is in the group. */
int console_take(uint32_t group);

/* May the running process use what is typed?  0, -E_PERM; and the turn, which
 * is another one as soon as the console is given away. */
int console_right(uint32_t *turn);
uint32_t console_turn(void);

/* The turn with which the console came to the user that has it; any context. */
uint32_t console_since(void);

/* The group that ^C interrupts; any context. */
uint32_t console_group(void);

/* ---- trace.c: what happened, per CPU, for `make trace` ---- */

enum trace_event {
    TRACE_SWITCH = 1, /* a: pid going in, b: pid going out */
    TRACE_SYSCALL,    /* a: number */
    TRACE_SYSRET,     /* a: number, b: result */
    TRACE_WAKE,       /* a: pid woken */
    TRACE_FAULT,      /* a: address, b: error code */
    TRACE_IRQ,        /* a: vector */
    TRACE_IPI,        /* a: vector, b: target cpu */
    TRACE_FORK,       /* a: child's pid */
    TRACE_EXEC,       /* a: first 8 bytes of the name */
    TRACE_EXIT,       /* a: pid */
    TRACE_9P,         /* a, b: kernel/9p/mnt_wire.c:message_trace */
};

struct trace_record { /* tools/trace.py reads these */
    uint64_t tsc;
    uint32_t pid;
    uint8_t cpu, event;
    uint16_t pad;
    uint64_t a, b;
};

extern bool trace_enabled;
void trace_add(enum trace_event event, uint64_t a, uint64_t b);
int trace_start(void); /* 0, -E_NOMEM */

/* Events of a CPU since tracing began first, and the n-th of them: false if
 * it was overwritten, as all but the last TRACE_KEPT are sooner or later. */
enum {
    TRACE_KEPT = 8192
};
uint64_t trace_count(unsigned cpu);
bool trace_get(unsigned cpu, uint64_t n, struct trace_record *r);

void trace_pause(void);
void trace_stop(void); /* and write the rings as "trace" records */

#define TRACE(event, a, b)                                                     \
    do {                                                                       \
        if (__builtin_expect(trace_enabled, 0))                                \
            trace_add(event, (uint64_t)(a), (uint64_t)(b));                    \
    } while (0)

/* ---- init.c ---- */

void sched_init(void);

/* Make the first process and become the first CPU's idle loop. */
void sched_start(void) __attribute__((noreturn));
