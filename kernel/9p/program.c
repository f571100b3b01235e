/*
 * program.c - exec's half of the name space: finding a program by its path,
 * and scripts that name another program in their first line.
 *
 * Programs of the boot archive run from where they are.  Others are read
 * into frames of their own, which live as long as a process runs the program
 * or any address space has a region of it.
 */
#include "9p/private.h"

enum {
    FIRST_ORDER = 4, /* 64 KiB: most programs fit */
    LAST_ORDER = 12, /* 16 MiB, header included: the largest */
};

struct program_file { /* the beginning of a block of frames; then its bytes */
    uint32_t ref;     /* [a] */
    unsigned order;
    uint64_t size;
    uint8_t pad[48];
    uint8_t data[];
};

/* ---- files in memory ---- */

void
program_ref(struct program_file *f)
{
    if (f)
        __atomic_add_fetch(&f->ref, 1, __ATOMIC_RELAXED);
}

void
program_unref(struct program_file *f)
{
    if (f && __atomic_sub_fetch(&f->ref, 1, __ATOMIC_ACQ_REL) == 0)
        pages_free((uint64_t)f - DIRECT_BASE, f->order);
}

static struct program_file *
of_region(const struct region *r)
{
    return CONTAINER_OF((uint8_t(*)[])r->object, struct program_file, data);
}

static int
program_fault(
        struct space *s, struct region *r, vaddr_t va, enum fault_access access)
{
    return image_region.fault(s, r, va, access);
}

static int
program_dup(struct region *r, struct region *copy)
{
    (void)copy;
    program_ref(of_region(r));
    return 0;
}

static void
program_close(struct region *r)
{
    program_unref(of_region(r));
}

static const struct region_ops program_region = {
    .name = "image",
    .fault = program_fault,
    .dup = program_dup,
    .close = program_close,
};

static struct program_file *
program_room(unsigned order)
{
    paddr_t pa = order <= LAST_ORDER ? pages_alloc(order) : 0;
    struct program_file *f = pa ? pa_to_kva(pa) : NULL;

    if (f)
        *f = (struct program_file){ .ref = 1, .order = order };
    return f;
}

/* Bytes that fit into f. */
static uint64_t
room_of(const struct program_file *f)
{
    return (PAGE_SIZE << f->order) - sizeof *f;
}

/* The same file with twice the room; the old one is gone in any case. */
static struct program_file *
program_larger(struct program_file *f)
{
    struct program_file *new = program_room(f->order + 1);

    if (new) {
        memcpy(new->data, f->data, f->size);
        new->size = f->size;
    }
    program_unref(f);
    return new;
}

/* All of the open file c.  The length that its server claims is not asked
 * for: there is no more than what it gives.  NULL, and *err says why. */
static struct program_file *
program_read(struct chan *c, int *err)
{
    struct program_file *f = program_room(FIRST_ORDER);

    while (f) {
        struct io to = io_kernel(f->data + f->size, room_of(f) - f->size);
        int64_t n = chan_read(c, &to, f->size);

        if (n < 0) {
            *err = (int)n;
            program_unref(f);
            return NULL;
        }
        if (n == 0)
            return f;
        f->size += (uint64_t)n;
        if (f->size == room_of(f))
            f = program_larger(f);
    }
    *err = -E_NOMEM;
    return NULL;
}

/* ---- exec ---- */

/* Drop the program that an exec has opened. */
static void
close_opened(struct proc_files *f)
{
    if (f->opened.data && f->opened.ops == &program_region)
        program_unref(CONTAINER_OF(
                (uint8_t(*)[])f->opened.data, struct program_file, data));
    f->opened.data = NULL;
}

/* Open the program `path` and keep it as my_files()->opened.  0, -E_... */
static int
open_program(const char *path)
{
    struct proc_files *f = my_files();
    struct program *p = &f->opened;
    struct program_file *file;
    struct chan *c;
    int err = name_open(path, NAME_OPEN, OEXEC, 0, &c);

    if (err)
        return err;
    if (c->dev == &boot_dev) {
        p->ops = &image_region;
        boot_file(c, &p->data, &p->size);
    } else {
        file = program_read(c, &err);
        if (file)
            *p = (struct program){ file->data, file->size, &program_region };
    }
    chan_close(c);
    return err;
}

/*
 * The first line of a script, behind "#!": the name of its interpreter and at
 * most one word for it, copied to args->script as two strings.  0; 1: this is
 * no script; -E_BADEXEC: a bad line.
 */
static int
script_line(const struct program *p, struct exec_args *args, char **word)
{
    const char *at = (const char *)p->data + 2, *end;
    char *to = args->script;
    size_t n = p->size < MAX_PATH ? p->size : MAX_PATH;

    if (n < 2 || p->data[0] != '#' || p->data[1] != '!')
        return 1;
    end = (const char *)p->data + n;
    *word = NULL;
    for (int words = 0;; words++) {
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        if (at == end || *at == '\n')
            return at < end && words > 0 ? 0 : -E_BADEXEC;
        if (words == 2)
            return -E_BADEXEC;
        if (words == 1)
            *word = to;
        while (at < end && *at != ' ' && *at != '\t' && *at != '\n' && *at)
            *to++ = *at++;
        if (at == end || !*at)
            return -E_BADEXEC;
        *to++ = '\0';
    }
}

/* The arguments of a script become its interpreter's.  0, -E_TOOBIG. */
static int
script_args(struct exec_args *args, char *word)
{
    unsigned first = word ? 2 : 1; /* new arguments before the path */
    unsigned rest = args->argc > 1 ? args->argc - 1 : 0;
    char *path = args->script + MAX_PATH;

    if (first + 1 + rest > MAX_ARGS)
        return -E_TOOBIG;
    memmove(&args->argv[first + 1], &args->argv[1], rest * sizeof(char *));
    strlcpy(path, args->path, MAX_PATH);
    strlcpy(args->path, args->script, MAX_PATH);
    args->argv[0] = args->script;
    if (word)
        args->argv[1] = word;
    args->argv[first] = path;
    args->argc = first + 1 + rest;
    return 0;
}

/* proc_hooks.exec.  An interpreter cannot be a script: -E_BADEXEC. */
int
program_exec(struct exec_args *args)
{
    struct proc_files *f = my_files();
    char *word;
    int err = open_program(args->path);

    if (err)
        return err;
    err = script_line(&f->opened, args, &word);
    if (err != 0)
        return err < 0 ? err : 0;
    close_opened(f);
    err = script_args(args, word);
    return err ? err : open_program(args->path);
}

/* proc_hooks.program_open: what program_exec has opened; for the first
 * process, which did not come that way, what path names. */
int
program_open(const char *path, struct program *out)
{
    struct proc_files *f = my_files();
    int err = f->opened.data ? 0 : open_program(path);

    if (err == 0)
        *out = f->opened;
    return err;
}

/* proc_hooks.exec_done: keep the program that runs now, for its symbols. */
void
program_exec_done(int err)
{
    struct proc_files *f = my_files();
    struct program_file *old = f->program;

    if (err < 0) {
        close_opened(f);
        return;
    }
    f->program = NULL;
    if (f->opened.ops == &program_region)
        f->program = CONTAINER_OF(
                (uint8_t(*)[])f->opened.data, struct program_file, data);
    f->opened.data = NULL;
    program_unref(old);
    fds_close_cexec(f->fds);
}
