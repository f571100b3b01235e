/*
 * dev_trace.c - #t: what the kernel did lately, as text.
 *
 *      ctl      `start` and `stop`; read: "on" or "off", and how many events
 *               each CPU has seen
 *      trace    the events of all CPUs by time, a line of LINE bytes each:
 *               nanoseconds since boot, CPU, process, event, what is known
 *               of it
 *      raw      the same as struct trace_record
 *
 * Who opens the file gets a copy of the rings as they are at that moment,
 * and reads that.  /proc/n/trace is the same for one process (dev_proc.c).
 */
#include "9p/9p.h"
#include <lux/fcall.h>

enum {
    LINE = 80,
    DETAIL = LINE - 37, /* what the line's first columns leave */
    MAX_EVENTS = 32000, /* in one copy: the heap gives 1 MiB at most */
};

struct trace_copy {
    uint64_t n; /* events that were found; the last `room` are kept */
    uint64_t room;
    struct trace_record ring[];
};

/* ---- a copy of the rings ---- */

struct cursor { /* into one CPU's ring */
    uint64_t next, end;
    struct trace_record r; /* the one before `next`, if `valid` */
    bool valid;
};

/* Step to the next record of a process (0: any) that is still there. */
static void
cursor_step(struct cursor *k, unsigned cpu, uint32_t pid)
{
    k->valid = false;
    while (!k->valid && k->next < k->end)
        k->valid = trace_get(cpu, k->next++, &k->r) &&
                   (pid == 0 || k->r.pid == pid);
}

/* The cursor at the oldest record; ncpu: all are at their ends. */
static unsigned
oldest(const struct cursor *k)
{
    unsigned best = ncpu;

    for (unsigned i = 0; i < ncpu; i++)
        if (k[i].valid && (best == ncpu || k[i].r.tsc < k[best].r.tsc))
            best = i;
    return best;
}

struct trace_copy *
trace_copy_new(uint32_t pid)
{
    struct cursor k[MAX_CPUS];
    struct trace_copy *copy;
    uint64_t total = 1;
    unsigned cpu;

    for (unsigned i = 0; i < ncpu; i++) {
        k[i].end = trace_count(i);
        k[i].next = k[i].end > TRACE_KEPT ? k[i].end - TRACE_KEPT : 0;
        total += k[i].end - k[i].next;
        cursor_step(&k[i], i, pid);
    }
    if (total > MAX_EVENTS)
        total = MAX_EVENTS;
    copy = kmalloc(sizeof *copy + total * sizeof copy->ring[0]);
    if (!copy)
        return NULL;
    copy->n = 0;
    copy->room = total;
    while ((cpu = oldest(k)) < ncpu) {
        copy->ring[copy->n++ % total] = k[cpu].r;
        cursor_step(&k[cpu], cpu, pid);
    }
    return copy;
}

/* The i-th event that is kept; NULL: there are fewer. */
static const struct trace_record *
event_at(const struct trace_copy *copy, uint64_t i)
{
    uint64_t lost = copy->n > copy->room ? copy->n - copy->room : 0;

    if (i >= copy->n - lost)
        return NULL;
    return &copy->ring[(lost + i) % copy->room];
}

/* ---- as text ---- */

static const char *
call_name(uint64_t number)
{
    static const char *const names[SYS_COUNT] = {
#define SYSCALL(number_, stage, name, nargs) [number_] = #name,
#include <lux/syscalls.def>
#undef SYSCALL
    };

    return number < SYS_COUNT && names[number] ? names[number] : "?";
}

static const char *
event_name(unsigned event)
{
    static const char *const names[] = {
        [TRACE_SWITCH] = "switch",
        [TRACE_SYSCALL] = "syscall",
        [TRACE_SYSRET] = "sysret",
        [TRACE_WAKE] = "wake",
        [TRACE_FAULT] = "fault",
        [TRACE_IRQ] = "irq",
        [TRACE_IPI] = "ipi",
        [TRACE_FORK] = "fork",
        [TRACE_EXEC] = "exec",
        [TRACE_EXIT] = "exit",
        [TRACE_9P] = "9p",
    };

    return event < ARRAY_LEN(names) && names[event] ? names[event] : "?";
}

/* What a and b mean for this kind of event. */
static void
describe(const struct trace_record *r, char text[DETAIL])
{
    switch (r->event) {
    case TRACE_SWITCH:
        snprint(text, DETAIL, "to %lu from %lu", r->a, r->b);
        break;
    case TRACE_SYSCALL: snprint(text, DETAIL, "%s", call_name(r->a)); break;
    case TRACE_SYSRET:
        snprint(text, DETAIL, "%s = %ld", call_name(r->a), (int64_t)r->b);
        break;
    case TRACE_WAKE:
    case TRACE_FORK:
    case TRACE_EXIT: snprint(text, DETAIL, "%lu", r->a); break;
    case TRACE_EXEC: snprint(text, DETAIL, "%.8s", (const char *)&r->a); break;
    case TRACE_9P:
        snprint(text, DETAIL, "%c%s tag %lu of connection %lu",
                fcall_is_t((uint8_t)(r->a >> 16)) ? 'T' : 'R',
                fcall_verb((uint8_t)(r->a >> 16)), r->a & 0xffff, r->a >> 32);
        break;
    case TRACE_IPI: snprint(text, DETAIL, "%#lx to cpu%lu", r->a, r->b); break;
    default: snprint(text, DETAIL, "%#lx %#lx", r->a, r->b);
    }
}

/* Exactly LINE bytes, the last a '\n', and a NUL. */
static void
format_line(const struct trace_record *r, char line[LINE + 1])
{
    char detail[DETAIL];

    describe(r, detail);
    for (char *p = detail; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            *p = '?'; /* a program's name may be anything */
    snprint(line, LINE + 1, "%15lu cpu%u %7u %-8s%-*s\n", tsc_to_ns(r->tsc),
            r->cpu, r->pid, event_name(r->event), DETAIL - 1, detail);
}

int64_t
trace_copy_text(const struct trace_copy *copy, struct io *to, uint64_t offset)
{
    int64_t done = 0;

    while (to->left > 0) {
        const struct trace_record *r = event_at(copy, offset / LINE);
        char line[LINE + 1];
        int64_t n;

        if (!r)
            break;
        format_line(r, line);
        n = io_put_text(to, offset % LINE, line, LINE);
        if (n < 0)
            return done > 0 ? done : n;
        offset += (uint64_t)n;
        done += n;
    }
    return done;
}

/* ---- the device ---- */

enum {
    PATH_CTL = 1,
    PATH_TRACE,
    PATH_RAW
};

static int64_t
ctl_read(struct chan *c, struct io *to, uint64_t offset)
{
    char text[16 + MAX_CPUS * 21];
    int n = snprint(text, sizeof text, "%s", trace_enabled ? "on" : "off");

    (void)c;
    for (unsigned i = 0; i < ncpu; i++)
        n += snprint(text + n, sizeof text - (size_t)n, " %lu", trace_count(i));
    return io_put_text(to, offset, text, (size_t)n);
}

static int64_t
ctl_write(struct chan *c, struct io *from, uint64_t offset)
{
    int64_t n = (int64_t)from->left;
    char word[16];
    int64_t err = io_get_text(from, word, sizeof word);

    (void)c, (void)offset;
    if (err == -E_TOOBIG)
        return -E_BADCTL;
    if (err < 0)
        return err;
    if (strcmp(word, "start") == 0)
        err = trace_start();
    else if (strcmp(word, "stop") == 0)
        trace_pause();
    else
        err = -E_BADCTL;
    return err < 0 ? err : n;
}

static int64_t
text_read(struct chan *c, struct io *to, uint64_t offset)
{
    return trace_copy_text((struct trace_copy *)c->aux, to, offset);
}

static int64_t
raw_read(struct chan *c, struct io *to, uint64_t offset)
{
    const struct trace_copy *copy = (struct trace_copy *)c->aux;
    const size_t size = sizeof(struct trace_record);
    int64_t done = 0;

    while (to->left > 0) {
        const struct trace_record *r = event_at(copy, offset / size);
        int64_t n =
                r ? io_put_text(to, offset % size, (const char *)r, size) : 0;

        if (n <= 0)
            return done > 0 ? done : n;
        offset += (uint64_t)n;
        done += n;
    }
    return done;
}

static const struct devfile files[] = {
    { "ctl", PATH_CTL, 0600, 0, ctl_read, ctl_write },
    { "trace", PATH_TRACE, 0400, 0, text_read, NULL },
    { "raw", PATH_RAW, 0400, 0, raw_read, NULL },
};

static int
trace_walk(struct chan *from, struct chan *to, const char *const names[],
        unsigned n, struct qid qids[])
{
    int done = dev_walk(from, to, names, n, qids);

    to->aux = 0; /* the copy is its opener's alone */
    return done;
}

static int
trace_open(struct chan *c, unsigned mode)
{
    int err = dev_open(c, mode);

    if (err < 0 || (c->qid.path != PATH_TRACE && c->qid.path != PATH_RAW))
        return err;
    c->aux = (uint64_t)trace_copy_new(0);
    return c->aux ? err : -E_NOMEM;
}

static void
trace_close(struct chan *c)
{
    kfree((void *)c->aux);
}

const struct dev trace_dev = {
    .letter = 't',
    .name = "trace",
    .files = files,
    .nfile = ARRAY_LEN(files),
    .walk = trace_walk,
    .open = trace_open,
    .close = trace_close,
};
