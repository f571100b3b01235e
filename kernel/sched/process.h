/*
 * process.h - struct proc: all that the kernel knows of a process.
 *
 * Letters say what guards a field:
 *   [I] set at creation      [o] only the process itself
 *   [t] proctab_lock         [p] p->lock
 *   [a] atomic, rule beside  [q] the run queue it is on; else its own CPU
 *
 * Life: NEW (being made, in the table, unknown to the scheduler) -> READY ->
 * RUNNING <-> READY (loses the CPU), RUNNING -> SLEEPING -> READY (woken),
 * RUNNING -> DEAD (proc_exit; freed by whatever its CPU runs next).
 *
 * Each change of state is one atomic step by one owner:
 *   NEW -> READY        its maker, once
 *   SLEEPING -> READY   whoever wins the compare-and-exchange in
 *                       wake.c:proc_wake; the winner, and only the winner,
 *                       queues it
 *   all others          the process itself, on its own CPU
 */
#pragma once

#include "sched/sched.h"
#include "sched/waittab.h"
#include "sched/x86_64/selectors.h"

enum proc_state {
    PROC_NEW,
    PROC_READY,
    PROC_RUNNING,
    PROC_SLEEPING,
    PROC_DEAD,
};

enum queued {
    NOT_QUEUED,
    QUEUED_FAIR,
    QUEUED_EDF
};

enum proc_stop { /* a debugger's will: see proc_hooks.stop */
    STOP_NONE,
    STOP_WANTED, /* it will, on its way to user mode */
    STOP_DONE,
    STOP_GONE /* it ends and will not stop any more */
};

struct fpu_state {
    uint8_t bytes[512];
} __attribute__((aligned(16)));

struct proc_files;   /* files, name space: stage 4's */
struct sched_group;  /* shares its weight among its processes: fair.c */
struct rendez_group; /* processes that meet by rendezvous: rendez.c */

struct waitrec { /* what wait will return; made at fork: exit cannot fail */
    struct list link;
    struct waitmsg msg;
};

struct times { /* nanoseconds */
    uint64_t user_ns, sys_ns, real_ns;
};

struct posted_note {
    struct list link;
    bool of_group; /* it came to the note group, see note_group.c */
    char text[MAX_ERR];
};

struct proc {
    struct fpu_state fpu; /* [o] while not running; first: alignment */
    uint32_t pid;         /* [I] */
    uint32_t state;       /* [a] enum proc_state, see above */
    uint32_t on_cpu;      /* [a] its registers are still in its CPU: no
                              other may run it */
    uint32_t cpu;         /* [a] where it ran last, or is queued */
    uint32_t attention;   /* [a] look at its notes before user mode */
    uint32_t stop;        /* [a] enum proc_stop */
    bool is_idle;         /* [I] */
    bool vital;           /* [o] see vital.c */
    uint64_t ksp;         /* [q] stack pointer while not running */
    uint64_t selectors;   /* [o] while not running; 0: it has loaded none */
    char *kstack_top;     /* [I] */
    struct trapframe *tf; /* [I] the user's registers: top of the stack */
    struct space *space;  /* [o], changed under [t]; NULL: kernel only */

    /* scheduling */
    struct heap_node runq_node; /* [q] key: virtual time or deadline */
    enum queued queued;         /* [q] on which of its run queue's heaps */
    uint64_t vtime;             /* [q] virtual time: see fair.c */
    struct sched_group *group;  /* [o] */
    struct edf *edf;            /* [o] NULL: fair class */
    uint64_t run_ticks;         /* [o] TSC ticks on a CPU till ran_from */
    uint64_t ran_from;          /* [o] TSC at the last switch in */
    uint64_t user_samples, sys_samples; /* [o] what timer ticks found */
    uint64_t born_ns;                   /* [I] */

    /* sleeping */
    struct list wait_link;        /* the lock given to proc_block */
    struct spinlock own_lock;     /* RANK_SLEEPQ; to sleep on alone */
    const char *wchan;            /* [o] why it sleeps */
    struct qlock *wait_lock;      /* [a] queue lock it waits for */
    struct timer sleep_timer;     /* [o] */
    bool timed_out;               /* [a] set by sleep_timer */
    struct wait_node rendez_node; /* rendez.c: its slot's lock */
    uint64_t rendez_value;        /* the same lock */
    bool rendez_done;             /* the same lock */

    /* family */
    struct proc *parent;           /* [t] NULL: nobody waits for it */
    struct list children, sibling; /* [t] */
    struct list waitrecs;          /* [t] of dead children */
    struct waitrec *waitrec;       /* [o] NULL: RFNOWAIT */
    struct times ended;            /* [t] of children that have ended */
    uint32_t notegrp;              /* [t] */
    struct rendez_group *rendez;   /* [o] */

    /* notes */
    struct spinlock lock;       /* RANK_PROC */
    struct list notes;          /* [p] oldest first */
    uint32_t nnote;             /* [p] */
    uint32_t note_bits;         /* [a] NOTE_BIT_... */
    uint32_t note_count;        /* [a] notes ever posted */
    uint32_t notes_waived;      /* [o] at that count no sleep is interrupted */
    vaddr_t note_handler;       /* [o] 0: none */
    vaddr_t note_frame;         /* [o] user's ureg; 0: not in a handler */
    char note_text[MAX_ERR];    /* [o] the note being handled */
    struct fpu_state *note_fpu; /* [o] registers under the handler */
    struct timer alarm;         /* [o] */

    struct proc_files *files; /* [o] stage 4's; NULL before */

    const uint8_t *program; /* [o] its file, for backtraces */
    uint64_t program_size;  /* [o] bytes */
    char name[MAX_NAME];    /* [o] */
};

/* vital.c: processes that a shortage of memory must not end */
void vital_init(void);
void vital_inherit(struct proc *child, const struct proc *parent);
void vital_exec(struct proc *p); /* p runs another program now */

/* Wait a while for memory; false: the running process is not the first one, or
 * it is being killed.  Sleeps. */
bool vital_pause(void);

/* Room for exec's arguments, or NULL; a vital process may sleep for it. */
struct exec_args *exec_args_new(void);
void exec_args_free(struct exec_args *args);

/* proc.c: the table */
extern struct spinlock proctab_lock;
struct proc *proc_alloc(const char *name); /* NEW, not in the table; NULL */
int proc_publish(struct proc *p);     /* pid and place in the table, E_MAXPROC;
                                     holds proctab_lock */
void proc_unpublish(struct proc *p);  /* holds proctab_lock */
void proc_free(struct proc *p);       /* NEW or DEAD, off every list */
struct proc *proc_find(uint32_t pid); /* holds proctab_lock; or NULL */
struct proc *proc_next(uint32_t pid); /* same; smallest pid above; or NULL */

/* Set up the stack so that the first switch to p calls fn(arg). */
void proc_main(void (*fn)(void *), void *arg);
void proc_set_entry(struct proc *p, void (*fn)(void *), void *arg);

/* sys_proc.c: its state in a word */
const char *proc_state_name(const struct proc *p);

/* fork.c, exit.c */
int64_t proc_rfork(uint64_t flags);
int64_t proc_wait(struct waitmsg *msg);
void proc_use_space(struct proc *p, struct space *s);
void proc_times(const struct proc *p, uint64_t *user_ns, uint64_t *sys_ns);

/* init.c */
struct proc *idle_new(unsigned cpu);
void sched_init_cpu(void);
/* The first process has ended, and with it the system's purpose. */
void init_died(const char *msg) __attribute__((noreturn));

/* syscall.c, user_fault.c */
void syscall_init_cpu(void);
void user_fault(struct trapframe *tf);
int elf_symbol(const uint8_t *data, uint64_t size, uint64_t pc, char *name,
        size_t len, uint64_t *offset);

/* sched.c */
void sched_become_idle(void) __attribute__((noreturn));
void sched_finish(void);
void sched_switch(void); /* sleeps; interrupts off, no spinlock held */
void sched_charge(struct proc *p, uint64_t now);
void sched_forget(void); /* before the running process, which sleeps no more,
                            can be freed */

/* fair.c */
struct sched_group *group_default(void);
void group_ref(struct sched_group *g);
void group_unref(struct sched_group *g);
unsigned group_id(const struct sched_group *g);
int group_enter_new(uint64_t weight);

/* edf.c */
int edf_enter(uint64_t period, uint64_t deadline, uint64_t cost);
int edf_next(void);
void edf_exit(struct proc *p);

/* note.c */
bool note_pending(const struct proc *p);

/* Would a note interrupt p's sleep?  Attention is drawn to every note, so
 * without it there is none. */
static inline bool
notes_wait(const struct proc *p)
{
    return __atomic_load_n(&p->attention, __ATOMIC_SEQ_CST) &&
           __atomic_load_n(&p->note_count, __ATOMIC_SEQ_CST) !=
                   p->notes_waived &&
           note_pending(p);
}

/*
 * Until notes_heed, the notes that have come to the running process so far
 * interrupt no sleep: it works on the first one's account, and only a second
 * one shall stop that.  "kill" is never waived: -E_INTR, and nothing is.
 */
int notes_waive(void);
void notes_heed(void);
void note_attention(struct proc *p); /* it stays in the table meanwhile */
void notes_free(struct proc *p);
void note_return(struct trapframe *tf); /* deliver before user mode */
int64_t note_notify(vaddr_t handler);
int64_t note_done(uint64_t how, struct trapframe *tf);
void note_handle(struct trapframe *tf, const char *text);
int note_post_text(struct proc *p, const char *text, enum note_target to);

/* note_group.c; both hold proctab_lock */
int notes_inherit(struct proc *child, struct proc *parent); /* 0, -E_NOMEM */
void notes_keep(struct proc *p); /* it leaves its group */

/* rendez.c, sema.c: see user/lib/lux.h for what they do */
uint64_t rendezvous(uint64_t tag, uint64_t value);
uint64_t rendezvous_next(uint64_t tag, uint64_t value, uint64_t next);
int64_t sema_acquire(vaddr_t va, bool block, uint64_t deadline);
int64_t sema_release(vaddr_t va, uint64_t n);
void sema_init(void);
void rendez_init(void);
struct rendez_group *rendez_group_new(void); /* NULL: no memory */
void rendez_group_ref(struct rendez_group *g);
void rendez_group_unref(struct rendez_group *g);

/* fpu.c */
void fpu_reset(struct fpu_state *f);

static inline void
fpu_save(struct fpu_state *f)
{
    __asm__ volatile("fxsave64 %0" : "=m"(*f));
}

static inline void
fpu_restore(const struct fpu_state *f)
{
    __asm__ volatile("fxrstor64 %0" : : "m"(*f));
}

/* Debug builds: panic if the wait-for chain from the caller returns to it. */
void waitfor_check(const struct proc *self, const struct qlock *wanted);
