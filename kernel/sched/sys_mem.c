/*
 * sys_mem.c - system calls about memory.
 */
#include "sched/syscall.h"

int64_t
sys_brk(uint64_t end)
{
    struct space *s = space_current();
    int err;

    if (end == 0)
        return (int64_t)space_heap_end(s);
    err = space_brk(s, end);
    return err ? err : (int64_t)space_heap_end(s);
}

/* Anonymous memory at `addr`, or where there is room if that is 0. */
int64_t
sys_mem_map(uint64_t addr, uint64_t len, uint64_t prot)
{
    struct space *s = space_current();
    struct region r = { .ops = &anon_region };
    int err;

    if (len == 0 || len > USER_TOP || addr % PAGE_SIZE ||
            prot & ~(uint64_t)(MEM_READ | MEM_WRITE) || !(prot & MEM_READ))
        return -E_BADARG;
    len = ROUND_UP(len, PAGE_SIZE);
    r.prot = PROT_READ | (prot & MEM_WRITE ? PROT_WRITE : 0u);
    r.start = addr ? addr : region_gap(s, USER_ANON_BASE, len);
    if (r.start == 0)
        return -E_NOMEM;
    if (r.start > USER_TOP - len)
        return -E_BADARG;
    r.end = r.start + len;
    err = region_add(s, &r);
    return err ? err : (int64_t)r.start;
}

int64_t
sys_mem_unmap(uint64_t addr, uint64_t len)
{
    if (addr % PAGE_SIZE || len == 0 || len > USER_TOP || addr > USER_TOP - len)
        return -E_BADARG;
    return region_remove(
            space_current(), addr, addr + ROUND_UP(len, PAGE_SIZE));
}
