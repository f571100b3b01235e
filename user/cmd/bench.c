/*
 * bench.c - the rows of the speed table: what one operation costs.
 *
 * The clock is the TSC; under `qemu -icount shift=0` it counts instructions
 * and repeats exactly.  A row is the middle one of BATCHES batches, each a
 * mean over the row's operations.  Page-table switches and kernel entries
 * come from sysstat, less what reading it adds.
 * One CPU only: with more, counters of others would mix in.
 */
#include "cmd/bench/bench.h"

static const char usage[] =
        "usage: bench [row ...]\n"
        "Measure what operations cost, in instructions under\n"
        "`qemu -icount shift=0`, in TSC ticks elsewhere.\n";

enum {
    BATCHES = 15
};

struct cost { /* of one operation */
    double ticks, cr3, entries;
};

/* ---- what is measured ---- */

static void
run_nop(unsigned n)
{
    while (n-- > 0)
        nop();
}

/* One page a step; the mapping is made before the clock starts. */
static char *pages, *next_page;
enum {
    FAULT_PAGES = 64
};

static void
setup_fault(void)
{
    int64_t at = mem_map(
            0, (BATCHES + 2) * FAULT_PAGES * PAGE_SIZE, MEM_READ | MEM_WRITE);

    if (at < 0)
        fatal("%r");
    pages = next_page = (char *)at;
}

static void
run_fault(unsigned n)
{
    for (; n > 0; n--, next_page += PAGE_SIZE)
        *(volatile char *)next_page = 1;
}

/* Give the touched pages back. */
static void
finish_fault(void)
{
    mem_unmap((uint64_t)pages, (BATCHES + 2) * FAULT_PAGES * PAGE_SIZE);
}

/* Wait for the child and see that it did what it was made for. */
static void
wait_success(void)
{
    struct waitmsg w;

    if (wait(&w) < 0 || w.msg[0] != '\0')
        fatal("the child: %s", w.msg);
}

/* Children that do nothing. */
static void
run_fork(unsigned n)
{
    for (; n > 0; n--) {
        if (fork() == 0)
            _exits(NULL);
        wait_success();
    }
}

/* Children that become another program, which does nothing. */
static void
run_exec(unsigned n)
{
    static char *argv[] = { "true", NULL };

    for (; n > 0; n--) {
        if (fork() == 0) {
            exec("bin/true", argv);
            _exits(errstr());
        }
        wait_success();
    }
}

/* ---- round trips: a request and its answer, two address spaces ---- */

static int server;

/* The round trip's other side, not needed any more. */
static void
stop_server(void)
{
    postnote(NOTE_PROC, (uint32_t)server, "kill");
    wait_for(server, NULL);
}

enum {
    ASK = 0x61736b,
    ANSWER = 0x616e73
};

/* A server that answers each ASK with an ANSWER. */
static void
start_rendezvous(void)
{
    uint64_t n;

    if (rfork(RFREND) < 0 || (server = fork()) < 0)
        fatal("%r");
    if (server != 0)
        return;
    for (n = rendezvous(ASK, 0);; n = rendezvous_next(ANSWER, n + 1, ASK))
        ;
}

/* n requests, each answer checked. */
static void
run_rendezvous(unsigned n)
{
    for (; n > 0; n--)
        if (rendezvous_next(ASK, n, ANSWER) != n + 1)
            fatal("wrong answer");
}

static uint32_t ask, answer; /* semaphores, on pages that RFMEM shares */

/* A server that answers each `ask` with an `answer`. */
static void
start_semaphore(void)
{
    int pid = rfork(RFPROC | RFMEM);

    if (pid < 0)
        fatal("%r");
    while (pid == 0) { /* not `server`: that the two of them share */
        semacquire(&ask, 1);
        semrelease(&answer, 1);
    }
    server = pid;
}

/* n requests. */
static void
run_semaphore(unsigned n)
{
    for (; n > 0; n--) {
        semrelease(&ask, 1);
        semacquire(&answer, 1);
    }
}

/* ---- measuring ---- */

/* For qsort: rising. */
static int
by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Middle value of the batches' times, in ticks. */
static uint64_t
time_batches(const struct row *r)
{
    uint64_t t[BATCHES];

    r->run(r->n); /* once to warm up */
    for (int i = 0; i < BATCHES; i++) {
        uint64_t begin = rdtsc();

        r->run(r->n);
        t[i] = rdtsc() - begin;
    }
    qsort(t, BATCHES, sizeof(t[0]), by_value);
    return t[BATCHES / 2];
}

/* Counter differences over one batch, with what sysstat itself adds. */
static struct cpustat
count_batch(const struct row *r, bool idle)
{
    struct cpustat before, after;

    sysstat(&before, 1);
    if (!idle)
        r->run(r->n);
    sysstat(&after, 1);
    return (struct cpustat){
        .syscalls = after.syscalls - before.syscalls,
        .traps = after.traps - before.traps,
        .cr3_loads = after.cr3_loads - before.cr3_loads,
    };
}

/* Set up, time, count, tear down. */
static struct cost
measure(const struct row *r)
{
    struct cpustat none, some;
    struct cost c;

    if (r->setup != NULL)
        r->setup();
    c.ticks = (double)time_batches(r) / r->n;
    none = count_batch(r, true);
    some = count_batch(r, false);
    c.cr3 = (double)(some.cr3_loads - none.cr3_loads) / r->n;
    c.entries =
            (double)(some.syscalls + some.traps - none.syscalls - none.traps) /
            r->n;
    if (r->finish != NULL)
        r->finish();
    return c;
}

/* One row: printed for people, recorded for tools/bench.py. */
static void
show(const char *name, const struct cost *c, const char *remark)
{
    char text[96];
    int n = snprint(text, sizeof(text), "bench %s %.0f %g %g", name, c->ticks,
            c->cr3, c->entries);

    record(text, (size_t)n);
    print("%-16s %10.0f %6.2f %8.2f %s\n", name, c->ticks, c->cr3, c->entries,
            remark);
}

static const struct row rows[] = {
    { "syscall_null", 256, NULL, run_nop, NULL },
    { "fault_zero", FAULT_PAGES, setup_fault, run_fault, finish_fault },
    { "fork_exit_wait", 16, NULL, run_fork, NULL },
    { "fork_exec_wait", 16, NULL, run_exec, NULL },
    { 0 },
};

static const struct row round_trips[] = {
    { "rendezvous", 256, start_rendezvous, run_rendezvous, stop_server },
    { "semaphore", 256, start_semaphore, run_semaphore, stop_server },
};

/* The cheaper of the ways to ask another process and get an answer. */
static void
show_round_trip(void)
{
    struct cost best = measure(&round_trips[0]);
    struct cost other = measure(&round_trips[1]);
    bool second = other.ticks < best.ticks;

    show("ipc_roundtrip", second ? &other : &best, round_trips[second].name);
}

/* Was this row asked for?  Without arguments all are. */
static bool
wanted(const char *name, int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc == 0;
}

/* The rows of one table that were asked for. */
static void
show_rows(const struct row *r, int argc, char **argv)
{
    for (; r && r->name; r++)
        if (wanted(r->name, argc, argv)) {
            struct cost c = measure(r);

            show(r->name, &c, "");
        }
}

int
main(int argc, char **argv)
{

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    print("%-16s %10s %6s %8s\n", "operation", "ticks", "cr3", "entries");
    if (wanted("ipc_roundtrip", argc, argv))
        show_round_trip();
    show_rows(rows, argc, argv);
    show_rows(pipe_rows, argc, argv);
    show_rows(file_rows, argc, argv);
    return 0;
}
