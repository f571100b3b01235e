/*
 * greedy.c - programs that try to keep a CPU for themselves, and what others
 * get of it all the same.
 */
#include "check.h"

enum {
    MS = 1000000,
    SOON = 60 * MS, /* a few turns */
};

static uint32_t token, stop;
static uint64_t longest; /* ns without the CPU, seen by watch_clock */

static void
spin(void)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        ;
}

/* A child that shares our memory runs fn to its end. */
static int
start(void (*fn)(void))
{
    int pid = rfork(RFPROC | RFMEM);

    MUST(pid >= 0);
    if (pid == 0) {
        fn();
        _exits("");
    }
    return pid;
}

static void
watch_clock(void)
{
    uint64_t before = nsec();

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        uint64_t now = nsec();

        if (now - before > longest)
            longest = now - before;
        before = now;
    }
}

/* With the shortest cost that is accepted, promised ten times over. */
static void
take_deadlines(void)
{
    for (uint64_t cost = 1000; cost <= 2 * MS; cost += cost / 4)
        if (edf_enter(10 * cost, 10 * cost, cost) == 0)
            break;
    spin();
}

/*
 * Promises of 90 % in the shortest periods that there are leave the rest of
 * the CPU to others.
 */
TEST(shortest_periods)
{
    uint64_t from;

    for (int i = 0; i < 9; i++)
        start(take_deadlines);
    sleep(50 * MS);
    from = nsec();
    for (volatile int i = 0; i < 1000; i++)
        ;
    CHECK_LT(nsec() - from, 100ul * SOON);
    stop = 1;
    for (int i = 0; i < 9; i++)
        CHECK_GT(wait(NULL), 0);
}

static void
write_much(void)
{
    static char lines[20000];

    memset(lines, '\n', sizeof(lines));
    cons_write(lines, sizeof(lines));
}

/* A long write to the console is no longer than a turn for others. */
TEST(long_write)
{
    int pid = start(write_much);
    uint64_t from = nsec(), worst = 0;

    while (check_more_procs() > 0 && nsec() - from < 1000 * MS) {
        uint64_t before = nsec();

        sleep(MS);
        if (nsec() - before > worst)
            worst = nsec() - before;
    }
    CHECK_GT(nsec() - from, 2 * SOON); /* else it was not long */
    CHECK_LT(worst, SOON);
    CHECK_EQ(wait(NULL), pid);
}

/*
 * A tick of 2^64/1000 us and a little, ordered on the command line, is a long
 * one: no time is lost.
 * append: tick_us=18446744073709552
 */
TEST(endless_tick)
{
    uint64_t from = nsec();

    for (volatile int i = 0; i < 1000; i++)
        ;
    CHECK_LT(nsec() - from, SOON);
}

static void
spin_with_token(void)
{
    semacquire(&token, 1);
    spin();
}

/* A process with a long turn to come wakes another and lets it go first: that
 * one has a turn like others. */
TEST(handed_a_long_turn)
{
    start(spin_with_token);
    start(watch_clock);
    sleep(50 * MS);
    MUST(edf_enter(4000ul * MS, 4000ul * MS, 3000ul * MS) == 0);
    semrelease(&token, 1);
    sleep(500 * MS);
    CHECK_LT(longest, SOON);
    stop = 1;
    CHECK_GT(wait(NULL), 0);
    CHECK_GT(wait(NULL), 0);
}
