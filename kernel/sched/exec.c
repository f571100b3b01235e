/*
 * exec.c - replace a process's program.
 *
 * The new address space is built beside the old one and loaded while the
 * arguments are written to its stack; until the last step succeeded the old
 * one can come back, so a failed exec does no harm.
 */
#include "sched/process.h"
#include "boot/x86_64/x86.h"

enum {
    HEAP_GAP = PAGE_SIZE
}; /* between the program and its heap */

/* Regions for the program's segments, its heap and its stack. */
static int
map_program(
        struct space *s, const struct elf_image *image, const struct program *f)
{
    struct region stack = { .start = USER_STACK_TOP - USER_STACK_SIZE,
        .end = USER_STACK_TOP,
        .prot = PROT_READ | PROT_WRITE,
        .ops = &stack_region };

    for (unsigned i = 0; i < image->nseg; i++) {
        const struct elf_segment *seg = &image->seg[i];
        struct region r = { .start = seg->start,
            .end = seg->end,
            .prot = seg->prot,
            .ops = f->ops,
            .object = (void *)f->data,
            .offset = seg->offset,
            .length = seg->length };
        int err = r.ops->dup(&r, &r); /* one more that needs the file */

        if (err)
            return err;
        err = region_add(s, &r);
        if (err) {
            r.ops->close(&r);
            return err;
        }
    }
    s->heap_start = image->end + HEAP_GAP;
    return region_add(s, &stack);
}

/* Write a word for the program to *at, and step over it. */
static bool
push_word(vaddr_t *at, uint64_t word)
{
    bool ok = copy_out(*at, &word, sizeof word) == 0;

    *at += sizeof word;
    return ok;
}

/*
 * Write the arguments to the top of the loaded space's stack:
 *
 *      rsp ->  argc
 *              argv[0] .. argv[argc-1], NULL
 *              NULL (no environment)
 *              the strings
 *      USER_STACK_TOP
 *
 * rsp is a multiple of 16 (System V ABI 3.4.1).  Returns 0 and sets *rsp, or
 * -E_NOMEM if a page of the stack cannot be had.
 *
 * Lab 3.8
 */
static int
push_args(char *const argv[], unsigned argc, vaddr_t *rsp)
{
    vaddr_t text = USER_STACK_TOP, at;

    for (unsigned i = 0; i < argc; i++)
        text -= strlen(argv[i]) + 1;
    at = *rsp = ROUND_DOWN(text - (argc + 3) * sizeof(uint64_t), 16);
    if (!push_word(&at, argc))
        return -E_NOMEM;
    for (unsigned i = 0; i < argc; i++) {
        size_t len = strlen(argv[i]) + 1;

        if (!push_word(&at, text) || copy_out(text, argv[i], len) < 0)
            return -E_NOMEM;
        text += len;
    }
    return push_word(&at, 0) && push_word(&at, 0) ? 0 : -E_NOMEM;
}

/*
 * The user's registers at the program's first instruction: all 0 but rip,
 * rsp, the user's two selectors, and rflags with IF and bit 1, which is
 * always set.  The FPU's are those of fpu_reset, in the CPU too; so are DS, ES,
 * FS and GS, which no frame holds: 0 (selectors_load).
 *
 * Lab 3.8
 */
static void
fresh_registers(struct proc *p, vaddr_t entry, vaddr_t rsp)
{
    memset(p->tf, 0, sizeof *p->tf);
    p->tf->rip = entry;
    p->tf->rsp = rsp;
    p->tf->cs = SEL_UCODE;
    p->tf->ss = SEL_UDATA;
    p->tf->rflags = RFLAGS_IF | 2;
    fpu_reset(&p->fpu);
    fpu_restore(&p->fpu);
    selectors_load(0);
}

/* The name that ps shows: the last part of the path. */
static void
set_name(struct proc *p, const char *path)
{
    const char *base = path;

    for (const char *c = path; *c; c++)
        if (*c == '/')
            base = c + 1;
    strlcpy(p->name, base, sizeof p->name);
}

/*
 * See sched.h.  Replace the running process's image by the program at path.
 *
 * Returns 0, or the error of program_open, elf_check, map_program or
 * push_args, or -E_NOMEM.
 * On an error the old image goes on as if nothing had been: its space is in
 * use, nothing of the process has changed, and no page is left of the new one.
 * On success the process has the new space, with the arguments on its stack
 * (push_args writes to the space in use); the old one (a kernel process has
 * none) is freed.  Name, program and registers are the new ones, note handler
 * and note frame are gone, and resched makes the way back to user mode load
 * all registers.
 *
 * Lab 3.8
 */
int
proc_exec(const char *path, char *const argv[], unsigned argc)
{
    struct proc *p = proc_current();
    struct space *old = p->space, *new;
    struct program f;
    struct elf_image image;
    vaddr_t rsp;
    int err = proc_hooks.program_open(path, &f);

    if (err)
        return err;
    err = elf_check(f.data, f.size, &image);
    if (err)
        return err;
    new = space_new();
    if (!new)
        return -E_NOMEM;
    err = map_program(new, &image, &f);
    if (err)
        goto free_new;
    proc_use_space(p, new);
    err = push_args(argv, argc, &rsp);
    if (err)
        goto restore_old;
    if (old)
        space_free(old);
    set_name(p, path);
    p->program = f.data;
    p->program_size = f.size;
    p->note_handler = p->note_frame = 0;
    fresh_registers(p, image.entry, rsp);
    this_cpu()->resched = 1; /* all registers change: leave by iret */
    TRACE(TRACE_EXEC, p->pid, *(uint64_t *)p->name);
    return 0;

restore_old:
    proc_use_space(p, old);
free_new:
    space_free(new);
    return err;
}
