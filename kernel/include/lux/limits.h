/*
 * limits.h - the bounds that kernel and user programs agree on.
 *
 * User space is the lower canonical half less its first 4 MiB, which stay
 * unmapped so that a null pointer with a large index still faults, and less
 * its last page, so that no `syscall` instruction ends at a non-canonical
 * address (Intel SDM 2B, SYSRET: the fault would be taken in the kernel).
 */
#pragma once

#define MAX_CPUS  8
#define MAX_PROCS 16384

#define USER_BASE 0x0000000000400000ul /* first address a program may map */
#define USER_TOP  0x00007ffffffff000ul /* first address it may not */

#define USER_STACK_TOP  USER_TOP
#define USER_STACK_SIZE (1ul << 20)          /* grows down to this many bytes */
#define USER_ANON_BASE  0x0000100000000000ul /* mem_map picks from here up */

#define MAX_NAME      32  /* bytes in a process name, with its NUL */
#define MAX_PATH      256 /* bytes in a path, with its NUL */
#define MAX_ERR       128 /* bytes in an error, note or exit string, with NUL */
#define MAX_ARGS      1024  /* arguments of one exec */
#define MAX_ARGLEN    49152 /* bytes in all arguments of one exec, with NULs */
#define MAX_IO        (1ul << 20) /* bytes in one read, write or record */
#define MAX_NOTES     8           /* notes that wait for one process */
#define MAX_FDS       4096      /* open files of one process, and more at ... */
#define MAX_FD_PLACED (1 << 17) /* ... numbers below this (fd_walk) */
