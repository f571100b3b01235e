/*
 * dev_cons.c - #c: the console, and small files about the machine and the
 * process that asks.
 *
 *      cons      what is typed, by lines; written bytes appear
 *      consctl   `rawon`: each character at once and unechoed, until `rawoff`
 *                or until who asked for it closes the file
 *      random zero null, kmesg (the console's recent output), drivers
 *      time      seconds and nanoseconds since 1970, clock ticks, ticks per
 *                second; written by the system's user: seconds
 *      cputime   of the caller, in ms: user, system, since it was born; the
 *                same for its children that have ended, with theirs
 *      sysstat   a line a CPU: number, switches, interrupts, system calls,
 *                page faults, CR3 loads, shoot-downs, traps, idle ms;
 *                written by the system's user, whatever it is: all from zero
 *      swap      memory, page size, what the kernel has, used/all pages
 *      user sysname osversion pid ppid pgrpid
 */
#include "9p/private.h"

enum {
    CHUNK = 256, /* bytes of a console line copied at a time */
    LINE = 128,  /* bytes of a small file */
};

static char sysname[MAX_NAME] = "lux9"; /* [sysname_lock] */
static struct spinlock sysname_lock = SPINLOCK_INIT(RANK_DEVICE, "sysname");

static bool
is_system(void)
{
    return strcmp(my_files()->user, SYSTEM_USER) == 0;
}

/* The text that fmt makes, as the contents of a file. */
static int64_t
put_line(struct io *to, uint64_t offset, const char *fmt, ...)
{
    char text[LINE];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprint(text, sizeof text, fmt, args);
    va_end(args);
    return io_put_text(to, offset, text, (size_t)n);
}

/* ---- cons, consctl ---- */

static int64_t
cons_read(struct chan *c, struct io *to, uint64_t offset)
{
    char line[CHUNK];
    int n, err;

    (void)c, (void)offset;
    n = consin_take(line, to->left < CHUNK ? to->left : CHUNK);
    if (n <= 0)
        return n;
    err = io_put(to, line, (size_t)n);
    return err ? err : n;
}

static int64_t
cons_write(struct chan *c, struct io *from, uint64_t offset)
{
    char chunk[CHUNK];
    int64_t done = 0;

    (void)c, (void)offset;
    while (from->left > 0) {
        size_t n = from->left < CHUNK ? from->left : CHUNK;
        int err = io_get(from, chunk, n);

        if (err < 0)
            return done > 0 ? done : err;
        print_bytes(chunk, n);
        done += (int64_t)n;
        if (note_pending(proc_current()))
            break; /* the console is slow: let a note through */
        if (from->left > 0)
            sched_give_way();
    }
    return done;
}

/* c->aux, atomic: the number of this opener's request for raw mode, or 0. */
static void
raw_off(struct chan *c)
{
    uint64_t number = __atomic_exchange_n(&c->aux, 0, __ATOMIC_RELAXED);

    if (number)
        consin_raw_off((uint32_t)number);
}

/* One request of each opener counts; an older one may count no more. */
static int
raw_on(struct chan *c)
{
    uint64_t before;
    uint32_t turn, number;

    do {
        int err = console_right(&turn);

        if (err)
            return err;
        number = consin_raw_on(turn);
    } while (number == 0);
    before = __atomic_exchange_n(&c->aux, number, __ATOMIC_RELAXED);
    if (before)
        consin_raw_off((uint32_t)before);
    return 0;
}

static int64_t
consctl_write(struct chan *c, struct io *from, uint64_t offset)
{
    int64_t n = (int64_t)from->left;
    char text[LINE];
    int64_t err = io_get_text(from, text, sizeof text);

    (void)offset;
    if (err < 0)
        return err;
    if (strcmp(text, "rawon") == 0)
        err = raw_on(c);
    else if (strcmp(text, "rawoff") == 0)
        raw_off(c);
    else
        return -E_BADCTL;
    return err < 0 ? err : n;
}

static void
cons_close(struct chan *c)
{
    raw_off(c);
}

/* ---- streams ---- */

static int64_t
write_away(struct chan *c, struct io *from, uint64_t offset)
{
    (void)c, (void)offset;
    return (int64_t)from->left;
}

static int64_t
null_read(struct chan *c, struct io *to, uint64_t offset)
{
    (void)c, (void)to, (void)offset;
    return 0;
}

static int64_t
zero_read(struct chan *c, struct io *to, uint64_t offset)
{
    static const char zeros[1024];
    int64_t n = (int64_t)to->left;

    (void)c, (void)offset;
    while (to->left > 0) {
        int err = io_put(
                to, zeros, to->left < sizeof zeros ? to->left : sizeof zeros);

        if (err < 0)
            return err;
    }
    return n;
}

static int64_t
random_read(struct chan *c, struct io *to, uint64_t offset)
{
    (void)c, (void)offset;
    return random_put(to);
}

static int64_t
kmesg_read(struct chan *c, struct io *to, uint64_t offset)
{
    char chunk[CHUNK];
    size_t n = console_log_read(
            offset, chunk, to->left < CHUNK ? to->left : CHUNK);
    int err = io_put(to, chunk, n);

    (void)c;
    return err ? err : (int64_t)n;
}

/* ---- time ---- */

static int64_t
time_read(struct chan *c, struct io *to, uint64_t offset)
{
    uint64_t now = wall_ns(), ns = clock_ns();

    (void)c;
    return put_line(to, offset, "%11lu %21lu %21lu %21lu ", now / 1000000000,
            now, ns_to_tsc(ns), ns_to_tsc(1000000000));
}

static int64_t
time_write(struct chan *c, struct io *from, uint64_t offset)
{
    int64_t n = (int64_t)from->left;
    uint64_t seconds;
    char text[LINE];
    int64_t err = io_get_text(from, text, sizeof text);

    (void)c, (void)offset;
    if (err < 0)
        return err;
    if (!is_system())
        return -E_PERM;
    if (!parse_number(text, &seconds) || seconds > UINT64_MAX / 2000000000)
        return -E_BADARG;
    wall_set(seconds * 1000000000);
    return n;
}

/* ---- the machine ---- */

static int64_t
drivers_read(struct chan *c, struct io *to, uint64_t offset)
{
    char text[512];
    size_t n = 0;

    (void)c;
    for (char letter = '!'; letter < 0x7f; letter++) {
        const struct dev *d = dev_find(letter);

        if (d && n < sizeof text)
            n += (size_t)snprint(
                    text + n, sizeof text - n, "#%c %s\n", letter, d->name);
    }
    return io_put_text(to, offset, text, n < sizeof text ? n : sizeof text - 1);
}

static int64_t
osversion_read(struct chan *c, struct io *to, uint64_t offset)
{
    (void)c;
    return put_line(to, offset, "lux9");
}

static int64_t
sysname_read(struct chan *c, struct io *to, uint64_t offset)
{
    char name[MAX_NAME];

    (void)c;
    spin_lock(&sysname_lock);
    strlcpy(name, sysname, sizeof name);
    spin_unlock(&sysname_lock);
    return put_line(to, offset, "%s", name);
}

static int64_t
sysname_write(struct chan *c, struct io *from, uint64_t offset)
{
    int64_t n = (int64_t)from->left;
    char name[MAX_NAME];
    int64_t err = io_get_text(from, name, sizeof name);

    (void)c, (void)offset;
    if (err < 0)
        return err;
    if (!is_system())
        return -E_PERM;
    if (!name_ok(name))
        return -E_BADARG;
    spin_lock(&sysname_lock);
    strlcpy(sysname, name, sizeof sysname);
    spin_unlock(&sysname_lock);
    return n;
}

/* ---- the process that asks ---- */

static int64_t
pid_read(struct chan *c, struct io *to, uint64_t offset)
{
    (void)c;
    return put_line(to, offset, "%11u ", proc_current()->pid);
}

static int64_t
ppid_read(struct chan *c, struct io *to, uint64_t offset)
{
    const struct proc *p = proc_current();
    uint32_t ppid;

    (void)c;
    spin_lock(&proctab_lock);
    ppid = p->parent ? p->parent->pid : 0;
    spin_unlock(&proctab_lock);
    return put_line(to, offset, "%11u ", ppid);
}

static int64_t
pgrpid_read(struct chan *c, struct io *to, uint64_t offset)
{
    (void)c;
    return put_line(to, offset, "%11u ", proc_current()->notegrp);
}

static int64_t
user_read(struct chan *c, struct io *to, uint64_t offset)
{
    (void)c;
    return put_line(to, offset, "%s", my_files()->user);
}

/* Become another user: the system's may be anyone, all others nobody. */
static int64_t
user_write(struct chan *c, struct io *from, uint64_t offset)
{
    int64_t n = (int64_t)from->left;
    struct proc_files *f = my_files();
    char name[MAX_NAME];
    int64_t err = io_get_text(from, name, sizeof name);

    (void)c, (void)offset;
    if (err < 0)
        return err;
    if (!name_ok(name))
        return -E_BADARG;
    if (!is_system() && strcmp(name, NOBODY) != 0)
        return -E_PERM;
    spin_lock(&proctab_lock); /* others look: files.c:proc_user */
    strlcpy(f->user, name, sizeof f->user);
    spin_unlock(&proctab_lock);
    return n;
}

static const struct devfile files[] = {
    { "cons", 1, 0666, 0, cons_read, cons_write },
    { "consctl", 2, 0222, 0, NULL, consctl_write },
    { "random", 3, 0444, 0, random_read, NULL },
    { "null", 4, 0666, 0, null_read, write_away },
    { "zero", 5, 0666, 0, zero_read, write_away },
    { "kmesg", 6, 0444, 0, kmesg_read, NULL },
    { "drivers", 7, 0444, 0, drivers_read, NULL },
    { "time", 8, 0666, 4 * 22 - 10, time_read, time_write },
    { "cputime", 9, 0444, CPUTIME_LENGTH, cputime_read, NULL },
    { "sysstat", 10, 0644, 0, sysstat_read, sysstat_write },
    { "swap", 11, 0444, 0, swap_read, NULL },
    { "osversion", 12, 0444, 0, osversion_read, NULL },
    { "sysname", 13, 0666, 0, sysname_read, sysname_write },
    { "user", 14, 0666, 0, user_read, user_write },
    { "pid", 15, 0444, 12, pid_read, NULL },
    { "ppid", 16, 0444, 12, ppid_read, NULL },
    { "pgrpid", 17, 0444, 12, pgrpid_read, NULL },
};

const struct dev cons_dev = {
    .letter = 'c',
    .name = "cons",
    .files = files,
    .nfile = ARRAY_LEN(files),
    .close = cons_close,
};
