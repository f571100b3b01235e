/*
 * types.h - the words every part of Lux9 shares, kernel and user alike.
 *
 * Addresses get types of their own because mixing them up is a bug that no
 * test finds quickly: a paddr_t is never dereferenced, a vaddr_t is an
 * address in the current (or a named) address space.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t; /* physical address, bytes */
typedef uint64_t vaddr_t; /* virtual address, bytes */
typedef uint64_t pte_t;   /* page-table entry, any level */

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (PAGE_SIZE - 1)

#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))
#define likely(x)         __builtin_expect(!!(x), 1)
#define unlikely(x)       __builtin_expect(!!(x), 0)
#define ROUND_UP(n, to)   (((n) + (to)-1) & ~((uint64_t)(to)-1))
#define ROUND_DOWN(n, to) ((n) & ~((uint64_t)(to)-1))
#define CONTAINER_OF(p, type, member)                                          \
    ((type *)((char *)(p)-offsetof(type, member)))
