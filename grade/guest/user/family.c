/*
 * family.c - processes in known states, for a look from outside: the
 * tests of GDB's commands stop it in settled(), where each child is as its
 * name says.
 * append: trace
 */
#include "check.h"

enum {
    SECOND = 1000000000,
    MS = 1000000
};

uint64_t landmark = 0x4c616e646d61726b; /* its address and value are known */
static volatile uint64_t ticks;

[[gnu::noinline]] static void
wait_deeper(void)
{
    static uint32_t never;

    semacquire(&never, 1);
    ticks++; /* so that the call is not a jump, here and in the caller */
}

[[gnu::noinline]] static void
do_semaphore(void)
{
    wait_deeper();
    ticks++;
}

static void
do_rendezvous(void)
{
    rendezvous(7, 1);
}

static void
do_sleep(void)
{
    sleep(1000ul * SECOND);
}

static void
do_spin(void)
{
    sched_group(300);
    for (;;)
        ticks++;
}

static void
do_deadline(void)
{
    MUST(edf_enter(500 * MS, 400 * MS, 200 * MS) == 0);
    for (;;)
        ticks++;
}

static int
start(const char *name, void (*fn)(void))
{
    int pid = rfork(RFPROC);

    if (pid == 0) {
        fn();
        exits("");
    }
    CHECK_GT(pid, 0);
    check_record("info %s is process %d", name, pid);
    return pid;
}

/* Where the tests stop; GDB knows it by name. */
static __attribute__((noinline)) void
settled(void)
{
    check_record("info landmark is at %p", &landmark);
    ticks++;
}

/* All children can be killed where they are. */
TEST(family)
{
    void (*const fns[])(void) = { do_semaphore, do_rendezvous, do_sleep,
        do_spin, do_deadline };
    static const char *const names[] = { "semaphore", "rendezvous", "sleep",
        "spin", "deadline" };
    int pids[5];
    struct waitmsg w;

    for (int i = 0; i < 5; i++) {
        if (fns[i] == do_deadline)
            sleep(100 * MS); /* the others reach their places first */
        pids[i] = start(names[i], fns[i]);
    }
    MUST(edf_enter(20 * MS, 10 * MS, 2 * MS) == 0);
    for (int i = 0; i < 5; i++)
        edf_next();
    settled();
    edf_leave();
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(postnote(NOTE_PROC, pids[i], "kill"), 0);
        CHECK_EQ(wait_for(pids[i], &w), pids[i]);
    }
}
