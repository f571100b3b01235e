/*
 * crowd.c - many processes, and the end of processes at any moment: all that
 * they had comes back.
 */
#include "check.h"

static uint32_t ready, go; /* semaphores, on pages that RFMEM shares */

/* ---- many ---- */

static void
make_crowd(int n)
{
    int made = 0;

    for (; made < n; made++) {
        int pid = rfork(RFPROC | RFMEM);

        if (pid < 0)
            break;
        if (pid == 0) {
            semrelease(&ready, 1);
            semacquire(&go, 1);
            _exits(NULL);
        }
    }
    CHECK_EQ(made, n);
    for (int i = 0; i < made; i++)
        CHECK_EQ(semacquire(&ready, 1), 1);
    CHECK_GE(procs(NULL, 0), made + 1);
    semrelease(&go, (uint32_t)made);
    for (int i = 0; i < made; i++)
        CHECK_GT(wait(NULL), 0);
    CHECK_EQ(wait(NULL), -E_NOCHILD);
    CHECK_EQ(ready, 0);
    CHECK_EQ(go, 0);
}

static void
thousand(void)
{
    make_crowd(1000);
}

/*
 * A thousand processes live at once, and leave nothing behind.
 * cpus: 1 4
 * limit: 30
 */
TEST(thousand_processes)
{
    check_gives_back(thousand);
}

/* Every child makes children until there is no room for more. */
static void
bomb(void)
{
    sleep(5000000); /* let the watcher have its pages first: see below */
    for (;;) {
        int pid = fork();

        if (pid < 0)
            break; /* no memory or no process: hold on to what there is */
    }
    sleep(UINT64_MAX);
}

/* Kill a note group again and again: a child may be forked meanwhile. */
static void
kill_group(int group)
{
    while (postnote(NOTE_GROUP, (uint32_t)group, "kill") == 0)
        sleep(1000000);
}

static void
fork_bomb(void)
{
    int pid = rfork(RFPROC | RFNOTEG);

    MUST(pid >= 0);
    if (pid == 0)
        bomb();
    kill_group(0x7fffffff); /* no such group; but now the pages that the fork
                               made copy-on-write are its own, and no lack of
                               memory can hit the process that is to kill */
    sleep(300000000);
    CHECK_GT(procs(NULL, 0), 50);
    kill_group(pid);
    CHECK_EQ(wait(NULL), pid);
    while (check_more_procs() > 2)
        sleep(1000000);
}

/*
 * A fork bomb fills the machine; a process outside can still kill it, and
 * then all is as before.
 * mem: 64M
 * limit: 60
 */
TEST(fork_bomb_killed)
{
    check_gives_back(fork_bomb);
}

/*
 * The same on two CPUs, each of which may keep some pages for later.
 * mem: 64M
 * cpus: 2
 * limit: 60
 */
TEST(fork_bomb_on_two_cpus)
{
    struct waitmsg w;
    uint64_t before;

    check_child(fork_bomb, &w);
    before = check_free_memory();
    check_child(fork_bomb, &w);
    CHECK_GE(check_free_memory() + 64, before);
}

/* Process numbers come back only when others have been used. */
TEST(pids_not_reused_at_once)
{
    int last = 0;

    for (int i = 0; i < 50; i++) {
        int pid = fork();

        if (pid == 0)
            _exits(NULL);
        CHECK_NE(pid, last);
        last = pid;
        CHECK_EQ(wait(NULL), pid);
    }
}

/* ---- killed while they wait ---- */

static void
block_in_wait(void)
{
    if (fork() == 0)
        sleep(UINT64_MAX);
    wait(NULL);
}

static void
block_in_sleep(void)
{
    sleep(UINT64_MAX);
}

static void
block_in_rendezvous(void)
{
    rfork(RFREND);
    rendezvous(1, 2);
}

static void
block_in_semacquire(void)
{
    static uint32_t never;

    semacquire(&never, 1);
}

static void
block_in_tsemacquire(void)
{
    static uint32_t never;

    tsemacquire(&never, UINT64_MAX);
}

static void
block_in_cons_read(void)
{
    char c;

    cons_read(&c, 1);
}

static void
block_in_edf_next(void)
{
    if (edf_enter(5000000000, 5000000000, 1000000) == 0)
        for (;;)
            edf_next();
}

static void
spin_in_user_mode(void)
{
    for (volatile int forever = 1; forever;)
        ;
}

static void
fault_for_ever(void)
{
    for (;;) {
        int64_t at = mem_map(0, 64 * PAGE_SIZE, MEM_READ | MEM_WRITE);

        for (uint64_t i = 0; i < 64; i++)
            *(volatile char *)(at + (int64_t)(i * PAGE_SIZE)) = 1;
        mem_unmap((uint64_t)at, 64 * PAGE_SIZE);
    }
}

static void
fork_for_ever(void)
{
    for (;;) {
        if (fork() == 0)
            _exits(NULL);
        wait(NULL);
    }
}

static void
exec_for_ever(void)
{
    for (;;) {
        if (fork() == 0) {
            exec("bin/true", (char *[]){ "true", NULL });
            _exits(errstr());
        }
        wait(NULL);
    }
}

static void
copy_for_ever(void)
{
    static struct procinfo rows[16];

    for (;;)
        procs(rows, ARRAY_LEN(rows));
}

static void
handle_for_ever_note(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    sleep(UINT64_MAX);
    noted(NCONT);
}

/* Blocks inside a note handler. */
static void
block_in_handler(void)
{
    notify(handle_for_ever_note);
    postnote(NOTE_PROC, (uint32_t)getpid(), "come in");
    nop();
}

static const struct {
    const char *name;
    void (*block)(void);
} ways[] = {
    { "wait", block_in_wait },
    { "sleep", block_in_sleep },
    { "rendezvous", block_in_rendezvous },
    { "semacquire", block_in_semacquire },
    { "tsemacquire", block_in_tsemacquire },
    { "cons_read", block_in_cons_read },
    { "edf_next", block_in_edf_next },
    { "user mode", spin_in_user_mode },
    { "faults", fault_for_ever },
    { "fork", fork_for_ever },
    { "exec", exec_for_ever },
    { "copies", copy_for_ever },
    { "handler", block_in_handler },
};

static unsigned way;
static uint64_t delay;

/* Start a child that blocks, kill it after `delay` ns, wait for it. */
static void
kill_one(void)
{
    struct waitmsg w;
    int pid = rfork(RFPROC | RFNOTEG);

    MUST(pid >= 0);
    if (pid == 0) {
        ways[way].block();
        exits("did not block");
    }
    sleep(delay);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
    CHECK_EQ(wait_for(pid, &w), pid);
    if (strcmp(w.msg, "kill") != 0 && strcmp(w.msg, "killed") != 0)
        check_record("in %s: \"%s\"", ways[way].name, w.msg);
    postnote(NOTE_GROUP, (uint32_t)pid, "kill"); /* its children */
    while (check_more_procs() > 0)
        sleep(100000);
}

/*
 * A process in any blocking call dies at once and leaves nothing: the kernel's
 * heap may keep a few frames more, or fewer, but not half a one for each.
 */
TEST(killed_in_every_call)
{
    enum {
        ROUNDS = 8
    };

    for (way = 0; way < ARRAY_LEN(ways); way++) {
        uint64_t before;

        delay = 3000000;
        check_record("info killed in %s", ways[way].name);
        kill_one();
        before = check_free_memory();
        for (int i = 0; i < ROUNDS; i++)
            kill_one();
        if (check_free_memory() + ROUNDS / 2 <= before)
            check_record("killed in %s: %lu frames, now %lu", ways[way].name,
                    before, check_free_memory());
    }
}

/*
 * The same at many moments, microseconds apart, on several CPUs.
 * cpus: 1 2 4
 * seeds: 2
 * limit: 60
 */
TEST(killed_at_any_moment)
{
    uint64_t before = 0;

    for (int i = 0; i < 120; i++) {
        way = (unsigned)(check_random() % ARRAY_LEN(ways));
        delay = check_random() % 2000000;
        kill_one();
        if (i == 60)
            before = check_free_memory();
    }
    /* each CPU may keep some freed pages and stacks for itself */
    CHECK_GE(check_free_memory() + 64, before);
}

/* ---- orphans and families ---- */

/* Children of the dead go on, and their end disturbs no other process. */
TEST(orphans)
{
    struct waitmsg w;
    int pid = rfork(RFPROC | RFMEM);

    if (pid == 0) {
        if (rfork(RFPROC | RFMEM) == 0) {
            semacquire(&go, 1);
            semrelease(&ready, 1);
        }
        _exits("parent");
    }
    CHECK_EQ(wait(&w), pid);
    CHECK_STR(w.msg, "parent");
    semrelease(&go, 1);
    semacquire(&ready, 1);
    while (check_more_procs() > 0)
        sleep(100000);
}

/* RFNOWAIT: no message for this child, and no memory kept for one. */
static void
nowait_children(void)
{
    for (int i = 0; i < 30; i++)
        if (rfork(RFPROC | RFNOWAIT) == 0)
            _exits(NULL);
    CHECK_EQ(wait(NULL), -E_NOCHILD);
    while (check_more_procs() > 1)
        sleep(100000);
}

TEST(nowait)
{
    check_gives_back(nowait_children);
}

static void
dead_children(void)
{
    for (int i = 0; i < 200; i++)
        if (fork() == 0)
            _exits("nobody will ask");
    while (check_more_procs() > 1)
        sleep(100000);
}

/* What dead children had to say goes with their parent. */
TEST(unasked_messages)
{
    check_gives_back(dead_children);
}
