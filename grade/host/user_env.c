/*
 * user_env.c - what the user library expects around it, on the host: the
 * process's own data, an end for exits, a heap for brk and mappings.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include "rename.h"
#include "lib/self.h"
#include "user_env.h"

static struct self own;
struct self *self = &own;
const char *arg0 = "test";

struct env env;

int64_t
server_text(char *text, size_t n)
{
    (void)text;
    (void)n;
    return 0;
}

enum {
    HEAP_BYTES = 64 << 20
};
static _Alignas(4096) char heap[HEAP_BYTES];
static uint64_t heap_used;

int64_t
brk(uint64_t addr)
{
    uint64_t start = (uint64_t)heap;

    if (addr == 0)
        return (int64_t)(start + heap_used);
    if (env.fail_memory || addr < start || addr > start + sizeof(heap))
        return error_set(-E_NOMEM);
    heap_used = addr - start;
    return (int64_t)addr;
}

int64_t
mem_map(uint64_t addr, uint64_t len, unsigned prot)
{
    void *p = MAP_FAILED;

    if (!env.fail_memory && addr == 0 && prot == (MEM_READ | MEM_WRITE))
        p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (p == MAP_FAILED)
        return error_set(-E_NOMEM);
    env.mapped += len;
    return (int64_t)p;
}

int
mem_unmap(uint64_t addr, uint64_t len)
{
    env.mapped -= len;
    return munmap((void *)addr, len);
}

/* One process: a semaphore that would block is a bug of the caller. */
int
semacquire(uint32_t *sem, int block)
{
    if (*sem == 0 && block)
        abort();
    return *sem > 0 ? (int)(*sem)-- > 0 : 0;
}

int
semrelease(uint32_t *sem, uint32_t n)
{
    return (int)(*sem += n);
}

void
exits(const char *msg)
{
    env.exit_msg = msg;
    if (!env.catch_exit)
        abort();
    __builtin_longjmp(env.exit_to, 1);
}

int64_t
cons_write(const void *buf, size_t len)
{
    (void)buf;
    return (int64_t)len;
}

int64_t
cons_read(void *buf, size_t len)
{
    size_t n = 0;
    char *p = buf;

    while (n < len && env.input != NULL && *env.input != '\0') {
        p[n++] = *env.input++;
        if (p[n - 1] == '\n')
            break;
    }
    return (int64_t)n;
}
