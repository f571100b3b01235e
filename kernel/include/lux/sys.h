/*
 * sys.h - what a system call carries: numbers, flags and the structures that
 * kernel and user programs exchange.  All sizes are fixed, all padding is
 * named, so that nothing of the kernel's leaks through it.
 */
#pragma once

#include <lux/types.h>
#include <lux/limits.h>

enum sys_number {
#define SYSCALL(number, stage, name, nargs) SYS_##name = number,
#include <lux/syscalls.def>
#undef SYSCALL
    SYS_COUNT
};

/* rfork: Plan 9's flags, fork(2) */
enum rfork_flags {
    RFNAMEG = 1 << 0,   /* stage 4: a copy of the name space */
    RFENVG = 1 << 1,    /* stage 4: a copy of the environment */
    RFFDG = 1 << 2,     /* stage 4: a copy of the table of files */
    RFCNAMEG = 1 << 10, /* stage 4: an empty name space */
    RFCENVG = 1 << 11,  /* stage 4: an empty environment */
    RFCFDG = 1 << 12,   /* stage 4: no open files */
    RFPROC = 1 << 4,    /* make a child; without it the caller itself changes */
    RFMEM = 1 << 5,     /* child shares data, bss and heap with the parent */
    RFNOWAIT = 1 << 6,  /* no wait message for this child */
    RFNOTEG = 1 << 3,   /* a new note group */
    RFREND = 1 << 13,   /* a new rendezvous group */
};

/* rendezvous_next: what it returns when a note came, in place of a value */
#define RENDEZ_INTR  UINT64_MAX       /* before the first meeting */
#define RENDEZ_GIVEN (UINT64_MAX - 1) /* after it: the value has been given */

/* mem_map: protection; a page is never both writable and executable */
enum mem_prot {
    MEM_READ = 1,
    MEM_WRITE = 2,
};

/* noted: what the note handler decided */
enum noted_how {
    NCONT, /* go on where the note struck */
    NDFLT, /* do what would have happened without a handler */
};

/* postnote: who gets it */
enum note_target {
    NOTE_PROC,  /* one process */
    NOTE_GROUP, /* every process of that process's note group but the caller */
};

/* power */
enum power_how {
    POWER_OFF,
    POWER_REBOOT
};

/* seek */
enum seek_whence {
    SEEK_SET, /* from the start */
    SEEK_CUR, /* from where the file's offset is */
    SEEK_END, /* from the end */
};

/* what wait returns: wait(2) with the times in nanoseconds; those of its own
 * children that have ended are in user and sys */
struct waitmsg {
    uint32_t pid;
    uint32_t pad;
    uint64_t user_ns;
    uint64_t sys_ns;
    uint64_t real_ns;
    char msg[MAX_ERR]; /* empty: success; a fault: "sys: trap: ..." */
};

/* one row of ps */
struct procinfo {
    uint32_t pid;
    uint32_t ppid; /* 0: none */
    uint32_t notegrp;
    uint32_t group; /* scheduling group */
    uint32_t cpu;   /* last ran there */
    uint32_t edf;   /* 1: EDF class */
    uint64_t pages; /* resident user pages */
    uint64_t user_ns;
    uint64_t sys_ns;
    char state[16]; /* New, Ready, Running, Sleeping, Dying */
    char wchan[16]; /* the call or event it waits in */
    char name[MAX_NAME];
};

/* one row of the boot archive's listing */
struct archiveinfo {
    uint64_t size;
    uint32_t mode; /* permission bits, 0755 */
    uint32_t pad;
    char name[MAX_PATH];
};

/* counters of one CPU since boot; row n of sysstat is CPU n */
struct cpustat {
    uint64_t syscalls;
    uint64_t traps;  /* exceptions and interrupts, faults included */
    uint64_t faults; /* page faults */
    uint64_t interrupts;
    uint64_t switches; /* context switches */
    uint64_t cr3_loads;
    uint64_t shootdowns; /* TLB shoot-down requests sent */
    uint64_t idle_ns;
    uint64_t mem_total; /* frames; the same in every row */
    uint64_t mem_free;
    uint64_t nproc;
    uint64_t ncpu;
};
