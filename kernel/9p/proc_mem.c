/*
 * proc_mem.c - another process's memory and registers.
 *
 * Bytes go through a page of the kernel's, one page at a time: between the
 * process and that page under proctab_lock, which keeps its address space
 * from going away; between that page and the caller with no lock held, since
 * the caller's memory may fault.
 */
#include "9p/dev_proc.h"

enum {
    USER_FLAGS = 0xcd5, /* what a debugger may change, as a note handler may */
    SEGMENT_LINE = 64
};

/* Move n bytes, within one page, between buf and va of space s. */
static int
move_bytes(struct space *s, vaddr_t va, uint8_t *buf, size_t n,
        enum fault_access access)
{
    pte_t need =
            PTE_PRESENT | PTE_USER | (access == ACCESS_WRITE ? PTE_WRITE : 0);
    int err = space_fault(s, va, access); /* make it, or our own copy of it */
    uint8_t *there;
    pte_t *e;

    if (err < 0)
        return err;
    spin_lock(&s->lock);
    e = pt_walk(s->root, va & ~PAGE_MASK, PT_FIND);
    if (!e || (*e & need) != need) {
        err = -E_BADADDR; /* unmapped meanwhile */
    } else {
        there = (uint8_t *)pa_to_kva(*e & PTE_ADDR) + (va & PAGE_MASK);
        if (access == ACCESS_WRITE)
            memcpy(there, buf, n);
        else
            memcpy(buf, there, n);
    }
    spin_unlock(&s->lock);
    return err;
}

/* The same for the process that c is about. */
static int
move_page(struct chan *c, vaddr_t va, uint8_t *buf, size_t n,
        enum fault_access access)
{
    struct proc *p = proc_hold(c);
    int err = -E_NOPROC;

    if (!p)
        return err;
    if (p->space)
        err = move_bytes(p->space, va, buf, n, access);
    proc_release();
    return err;
}

/* How many of `left` bytes at va lie in its page. */
static size_t
in_page(vaddr_t va, size_t left)
{
    size_t room = PAGE_SIZE - (va & PAGE_MASK);

    return left < room ? left : room;
}

int64_t
proc_mem_read(struct chan *c, struct io *to, uint64_t va)
{
    uint8_t *page = kmalloc(PAGE_SIZE);
    int64_t done = 0;
    int err = 0;

    if (!page)
        return -E_NOMEM;
    while (to->left > 0 && err == 0) {
        size_t n = in_page(va, to->left);

        err = move_page(c, va, page, n, ACCESS_READ);
        if (err == 0)
            err = io_put(to, page, n);
        if (err == 0) {
            va += n;
            done += (int64_t)n;
        }
    }
    kfree(page);
    return done > 0 ? done : err;
}

int64_t
proc_mem_write(struct chan *c, struct io *from, uint64_t va)
{
    uint8_t *page = kmalloc(PAGE_SIZE);
    int64_t done = 0;
    int err = 0;

    if (!page)
        return -E_NOMEM;
    while (from->left > 0 && err == 0) {
        size_t n = in_page(va, from->left);

        err = io_get(from, page, n);
        if (err == 0)
            err = move_page(c, va, page, n, ACCESS_WRITE);
        if (err == 0) {
            va += n;
            done += (int64_t)n;
        }
    }
    kfree(page);
    return done > 0 ? done : err;
}

/* ---- registers ---- */

int64_t
proc_regs_read(struct chan *c, struct io *to, uint64_t offset)
{
    struct proc *p = proc_hold(c);
    struct trapframe regs = { 0 };

    if (!p)
        return -E_NOPROC;
    if (p->space)
        regs = *p->tf;
    proc_release();
    return io_put_text(to, offset, (const char *)&regs, sizeof regs);
}

/* Take what may be changed from `new`: nothing that the kernel relies on. */
static int
set_registers(struct proc *p, const struct trapframe *new)
{
    struct trapframe *tf = p->tf;

    if (new->rip >= USER_TOP)
        return -E_BADADDR;
    memcpy(tf, new, offsetof(struct trapframe, vector));
    tf->rip = new->rip;
    tf->rsp = new->rsp;
    tf->rflags =
            (tf->rflags & ~(uint64_t)USER_FLAGS) | (new->rflags &USER_FLAGS);
    return 0;
}

/* Only those of a stopped process: any other is about to change them, too. */
int64_t
proc_regs_write(struct chan *c, struct io *from, uint64_t offset)
{
    struct trapframe regs;
    uint8_t bytes[sizeof regs];
    size_t n = from->left;
    struct proc *p;
    int err;

    if (offset > sizeof regs || n > sizeof regs - offset)
        return -E_BADLEN;
    err = io_get(from, bytes, n);
    if (err < 0)
        return err;
    p = proc_hold(c);
    if (!p)
        return -E_NOPROC;
    if (p->stop != STOP_DONE) {
        err = -E_BADCTL;
    } else {
        regs = *p->tf;
        memcpy((uint8_t *)&regs + offset, bytes, n);
        err = set_registers(p, &regs);
    }
    proc_release();
    return err < 0 ? err : (int64_t)n;
}

/* ---- segment: a line of SEGMENT_LINE bytes for each region ---- */

/* The i-th region of c's process in line: 1, 0 if there is none, -E_NOPROC. */
static int
segment_line(struct chan *c, uint64_t i, char line[SEGMENT_LINE + 1])
{
    struct proc *p = proc_hold(c);
    struct space *s;
    int found = 0;

    if (!p)
        return -E_NOPROC;
    s = p->space;
    if (s) {
        spin_lock(&s->lock);
        found = i < s->nregion;
        if (found) {
            const struct region *r = &s->regions[i];

            snprint(line, SEGMENT_LINE + 1, "%016lx %016lx %c%c%c %-25s\n",
                    r->start, r->end, r->prot & PROT_READ ? 'r' : '-',
                    r->prot & PROT_WRITE ? 'w' : '-',
                    r->prot & PROT_EXEC ? 'x' : '-', r->ops->name);
        }
        spin_unlock(&s->lock);
    }
    proc_release();
    return found;
}

int64_t
proc_segment_read(struct chan *c, struct io *to, uint64_t offset)
{
    char line[SEGMENT_LINE + 1];
    int64_t done = 0;

    while (to->left > 0) {
        int64_t n = segment_line(c, offset / SEGMENT_LINE, line);

        if (n > 0)
            n = io_put_text(to, offset % SEGMENT_LINE, line, SEGMENT_LINE);
        if (n <= 0)
            return done > 0 ? done : n;
        offset += (uint64_t)n;
        done += n;
    }
    return done;
}
