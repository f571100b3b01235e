/*
 * rfork.c - what rfork's flags share and what they keep apart, and what wait
 * tells the parent.
 */
#include "check.h"

enum {
    MS = 1000000,
    KNOWN = RFPROC | RFMEM | RFNOWAIT | RFNOTEG | RFREND
};

static int data_word = 5;
static int bss_word;
static uint32_t ready, go; /* semaphores */

static int
own_row(struct procinfo *row)
{
    static struct procinfo rows[16];
    int n = procs(rows, 16);

    for (int i = 0; i < n && i < 16; i++) {
        *row = rows[i];
        if (row->pid == (uint32_t)getpid())
            return i;
    }
    return -1;
}

/* Every flag that means nothing yet is refused, alone and among others. */
TEST(unknown_flags)
{
    int before = procs(NULL, 0);

    for (int bit = 0; bit < 32; bit++) {
        unsigned flag = 1u << bit;

        if (flag & KNOWN)
            continue;
        CHECK_EQ(rfork(flag), -E_BADARG);
        CHECK_EQ(rfork(flag | RFPROC), -E_BADARG);
        CHECK_EQ(rfork(flag | KNOWN), -E_BADARG);
    }
    CHECK_EQ(rfork(RFMEM), -E_BADARG);
    CHECK_EQ(rfork(RFNOWAIT), -E_BADARG);
    CHECK_EQ(rfork(RFMEM | RFREND | RFNOTEG), -E_BADARG);
    CHECK_EQ(procs(NULL, 0), before);
    CHECK_EQ(wait(NULL), -E_NOCHILD);
}

/* rfork without a flag does nothing and says so. */
TEST(no_flags)
{
    CHECK_EQ(rfork(0), 0);
    CHECK_EQ(check_more_procs(), 0);
}

static void
write_everywhere(void)
{
    data_word = 6;
    bss_word = 7;
}

/* A plain child writes to its own memory only, and so does its parent. */
TEST(private_memory)
{
    struct waitmsg w;
    int pid;

    check_child(write_everywhere, &w);
    CHECK_EQ(data_word, 5);
    CHECK_EQ(bss_word, 0);
    pid = fork();
    if (pid == 0) {
        sleep(5 * MS);
        CHECK_EQ(data_word, 5);
        exits("");
    }
    data_word = 8;
    CHECK_EQ(wait(NULL), pid);
}

/* RFMEM: data, bss and heap are one; each sees what the other writes. */
TEST(shared_memory)
{
    int *heap = malloc(sizeof(*heap));
    int pid;

    *heap = 1;
    pid = rfork(RFPROC | RFMEM);
    if (pid == 0) {
        write_everywhere();
        *heap = 2;
        semrelease(&ready, 1);
        semacquire(&go, 1);
        CHECK_EQ(*heap, 3);
        exits("");
    }
    semacquire(&ready, 1);
    CHECK_EQ(data_word, 6);
    CHECK_EQ(bss_word, 7);
    CHECK_EQ(*heap, 2);
    *heap = 3;
    semrelease(&go, 1);
    CHECK_EQ(wait(NULL), pid);
}

/* RFMEM: the stack stays private, both ways. */
TEST(stack_private)
{
    volatile int local = 1;
    int pid = rfork(RFPROC | RFMEM);

    if (pid == 0) {
        CHECK_EQ(local, 1);
        local = 2;
        semrelease(&ready, 1);
        semacquire(&go, 1);
        CHECK_EQ(local, 2);
        exits("");
    }
    semacquire(&ready, 1);
    CHECK_EQ(local, 1);
    local = 3;
    semrelease(&go, 1);
    CHECK_EQ(wait(NULL), pid);
}

/* RFMEM: the heap grows for all processes that share it, whichever asked. */
TEST(heap_grows_for_all)
{
    uint64_t start = (uint64_t)brk(0);
    int pid = rfork(RFPROC | RFMEM);

    if (pid == 0) {
        int64_t end = brk(start + 8 * PAGE_SIZE);

        CHECK_EQ(end, start + 8 * PAGE_SIZE);
        *(volatile int *)(start + 7 * PAGE_SIZE) = 77;
        semrelease(&ready, 1);
        semacquire(&go, 1);
        CHECK_EQ(brk(0), start + 20 * PAGE_SIZE);
        CHECK_EQ(*(volatile int *)(start + 19 * PAGE_SIZE), 88);
        exits("");
    }
    semacquire(&ready, 1);
    CHECK_EQ(brk(0), start + 8 * PAGE_SIZE);
    CHECK_EQ(*(volatile int *)(start + 7 * PAGE_SIZE), 77);
    CHECK_EQ(brk(start + 20 * PAGE_SIZE), start + 20 * PAGE_SIZE);
    *(volatile int *)(start + 19 * PAGE_SIZE) = 88;
    CHECK_LT(brk(start + 8 * PAGE_SIZE), 0);
    CHECK_EQ(brk(0), start + 20 * PAGE_SIZE);
    semrelease(&go, 1);
    CHECK_EQ(wait(NULL), pid);
}

/* A mapping that reaches from below into the heap's place is shared, and then
 * loses its first page. */
static void
cut_heap_from_below(void)
{
    uint64_t heap = (uint64_t)brk(0), below = heap - PAGE_SIZE;
    int pid;

    MUST(mem_map(below, 2 * PAGE_SIZE, MEM_READ | MEM_WRITE) == (int64_t)below);
    *(volatile int *)heap = 5;
    pid = rfork(RFPROC | RFMEM);
    if (pid == 0)
        _exits("");
    CHECK_EQ(wait(NULL), pid);
    CHECK_EQ(mem_unmap(below, PAGE_SIZE), 0);
    CHECK_EQ(brk(0), heap + PAGE_SIZE);
    CHECK_EQ(brk(heap + 2 * PAGE_SIZE), heap + 2 * PAGE_SIZE);
    CHECK_EQ(*(volatile int *)heap, 5);
    *(volatile int *)(heap + PAGE_SIZE) = 6;
}

/* RFMEM: a heap whose shared memory begins below it grows and goes like any. */
TEST(heap_cut_from_below)
{
    check_gives_back(cut_heap_from_below);
}

/* A plain fork from among those who share memory copies it. */
TEST(fork_out_of_sharing)
{
    int pid = rfork(RFPROC | RFMEM), loner;

    if (pid == 0) {
        semacquire(&go, 1);
        exits("");
    }
    bss_word = 1;
    loner = fork();
    if (loner == 0) {
        sleep(5 * MS);
        CHECK_EQ(bss_word, 1); /* not 2, which was written later */
        bss_word = 9;
        data_word = 9;
        exits("");
    }
    bss_word = 2;
    CHECK_EQ(wait_for(loner, NULL), loner);
    CHECK_EQ(bss_word, 2);
    CHECK_EQ(data_word, 5);
    semrelease(&go, 1);
    CHECK_EQ(wait(NULL), pid);
}

static void
share_and_end(void)
{
    static char *big;

    big = malloc(100 << 10);
    memset(big, 1, 100 << 10);
    for (int i = 0; i < 10; i++)
        if (rfork(RFPROC | RFMEM) == 0) {
            brk((uint64_t)brk(0) + PAGE_SIZE);
            *(volatile char *)(brk(0) - 1) = 1;
            _exits("");
        }
    for (int i = 0; i < 10; i++)
        CHECK_GT(wait(NULL), 0);
}

/* Shared memory goes with the last process that has it. */
TEST(sharing_given_back)
{
    check_gives_back(share_and_end);
}

static void
exec_away(void)
{
    for (int i = 0; i < 5; i++) {
        int pid = rfork(RFPROC | RFMEM);

        if (pid == 0) {
            exec("bin/true", (char *[]){ "true", NULL });
            _exits("no exec");
        }
        MUST(wait(NULL) == pid);
        CHECK_EQ(data_word, 5);
    }
}

/* exec takes a sharing process out of the common memory, which stays. */
TEST(exec_out_of_sharing)
{
    check_gives_back(exec_away);
}

static void
many_nowait(void)
{
    for (int i = 0; i < 20; i++)
        if (rfork(RFPROC | RFNOWAIT) == 0)
            _exits("unheard");
    CHECK_EQ(wait(NULL), -E_NOCHILD);
    while (check_more_procs() > 1)
        sleep(MS / 10);
    CHECK_EQ(wait(NULL), -E_NOCHILD);
}

/* RFNOWAIT: the parent hears nothing, and nothing is kept for it. */
TEST(nowait)
{
    check_gives_back(many_nowait);
}

/* A child's row in ps names its parent, an RFNOWAIT child's none. */
TEST(parent_in_row)
{
    struct procinfo row;
    int parent = getpid();

    if (rfork(RFPROC) == 0) {
        CHECK_GE(own_row(&row), 0);
        CHECK_EQ(row.ppid, parent);
        exits("");
    }
    CHECK_GT(wait(NULL), 0);
    if (rfork(RFPROC | RFNOWAIT | RFMEM) == 0) {
        CHECK_GE(own_row(&row), 0);
        CHECK_EQ(row.ppid, 0);
        semrelease(&ready, 1);
        exits("");
    }
    semacquire(&ready, 1);
}

/* RFNOTEG: a group of one's own, for a child or for oneself. */
TEST(note_group)
{
    struct procinfo row;
    uint32_t ours;

    CHECK_GE(own_row(&row), 0);
    ours = row.notegrp;
    if (rfork(RFPROC) == 0) {
        CHECK_GE(own_row(&row), 0);
        CHECK_EQ(row.notegrp, ours);
        CHECK_EQ(rfork(RFNOTEG), 0);
        CHECK_GE(own_row(&row), 0);
        CHECK_EQ(row.notegrp, getpid());
        exits("");
    }
    CHECK_GT(wait(NULL), 0);
    if (rfork(RFPROC | RFNOTEG) == 0) {
        CHECK_GE(own_row(&row), 0);
        CHECK_NE(row.notegrp, ours);
        exits("");
    }
    CHECK_GT(wait(NULL), 0);
}

/* RFREND: a process that left the group meets none of it under the same tag. */
TEST(rendezvous_group)
{
    int inside = rfork(RFPROC), outside;

    if (inside == 0) {
        CHECK_EQ(rendezvous(7, 1), 2);
        exits("");
    }
    outside = rfork(RFPROC | RFREND);
    if (outside == 0) {
        rendezvous(7, 66);
        exits("met");
    }
    if (rfork(RFPROC) == 0) {
        CHECK_EQ(rfork(RFREND), 0);
        if (rfork(RFPROC) == 0) { /* two that left together meet */
            CHECK_EQ(rendezvous(7, 10), 20);
            exits("");
        }
        CHECK_EQ(rendezvous(7, 20), 10);
        CHECK_GT(wait(NULL), 0);
        exits("");
    }
    sleep(5 * MS);
    CHECK_EQ(rendezvous(7, 2), 1);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)outside, "kill"), 0);
    for (int i = 0; i < 3; i++)
        CHECK_GT(wait(NULL), 0);
}

/* ---- wait ---- */

/* The message has pid and exit string; the longest string is cut. */
TEST(wait_message)
{
    char text[300];
    struct waitmsg w;
    int pid;

    memset(text, 'e', sizeof(text));
    text[299] = '\0';
    memset(&w, 0xff, sizeof(w));
    pid = fork();
    if (pid == 0)
        _exits(text);
    CHECK_EQ(wait(&w), pid);
    CHECK_EQ(w.pid, pid);
    CHECK_EQ(strlen(w.msg), MAX_ERR - 1);
    CHECK_EQ(w.msg[MAX_ERR - 2], 'e');
    CHECK_EQ(w.pad, 0);
}

/* The message has the times: what was slept, and what was worked. */
TEST(wait_times)
{
    struct waitmsg w;
    int pid = fork();

    if (pid == 0) {
        uint64_t from = nsec();

        while (nsec() < from + 20 * MS)
            ;
        sleep(30 * MS);
        _exits("");
    }
    CHECK_EQ(wait(&w), pid);
    CHECK(w.real_ns >= 50 * MS && w.real_ns < 60 * MS);
    CHECK_GE(w.user_ns + w.sys_ns, 19 * MS);
    CHECK_LT(w.user_ns + w.sys_ns, 25 * MS);
}

static void
work(uint64_t ns)
{
    uint64_t from = nsec();

    while (nsec() < from + ns)
        ;
}

/* CPU time has that of grandchildren whose end the child could hear of. */
TEST(wait_times_of_all)
{
    struct waitmsg w;
    int pid = fork();

    if (pid == 0) {
        for (int i = 0; i < 3; i++) {
            if (rfork(RFPROC | (i == 2 ? RFNOWAIT : 0)) == 0) {
                work(60 * MS);
                _exits("");
            }
            sleep(80 * MS);
        }
        CHECK_GT(wait(NULL), 0); /* the other one's end is not reported */
        _exits("");
    }
    CHECK_EQ(wait(&w), pid);
    CHECK_GE(w.user_ns + w.sys_ns, 118 * MS);
    CHECK_LT(w.user_ns + w.sys_ns, 170 * MS);
    CHECK(w.real_ns >= 240 * MS && w.real_ns < 300 * MS);
}

/* Messages come in the order in which the children died. */
TEST(wait_order)
{
    int pids[6];

    for (int i = 0; i < 6; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            sleep((uint64_t)((i * 5) % 6 + 1) * 3 * MS);
            _exits("");
        }
    }
    sleep(30 * MS);
    for (int i = 0; i < 6; i++)
        CHECK_EQ(wait(NULL), pids[(i * 5) % 6]);
    CHECK_EQ(wait(NULL), -E_NOCHILD);
}

static void
leave_messages(void)
{
    for (int i = 0; i < 50; i++)
        if (fork() == 0)
            _exits("nobody asks");
    while (check_more_procs() > 1)
        sleep(MS / 10);
}

/* Messages that were not waited for go with the parent. */
TEST(unread_messages_given_back)
{
    check_gives_back(leave_messages);
}

/* A child does not wait for its parent's children. */
TEST(wait_for_own_only)
{
    int first = fork(), second;

    if (first == 0)
        _exits("");
    second = fork();
    if (second == 0) {
        CHECK_EQ(wait(NULL), -E_NOCHILD);
        exits("");
    }
    CHECK_GT(wait(NULL), 0);
    CHECK_GT(wait(NULL), 0);
}

/* The child has the parent's registers, SSE's too, but for the result. */
TEST(registers_copied)
{
    uint64_t value = 0x123456789abcdef0, xmm, rbx, r15, result;

    __asm__ volatile("movq %4, %%xmm9\n"
                     "mov %4, %%rbx\n"
                     "mov %4, %%r15\n"
                     "syscall\n"
                     "movq %%xmm9, %1\n"
                     "mov %%rbx, %2\n"
                     "mov %%r15, %3\n"
                     : "=a"(result), "=&r"(xmm), "=&r"(rbx), "=&r"(r15)
                     : "r"(value), "0"((uint64_t)SYS_rfork), "D"(RFPROC)
                     : "rbx", "r15", "rcx", "r11", "xmm9", "memory");
    CHECK_EQ(xmm, value);
    CHECK_EQ(rbx, value);
    CHECK_EQ(r15, value);
    if (result == 0)
        exits(check_failures ? "a check failed" : "");
    CHECK_EQ(wait(NULL), result);
}

/* fork tells the parent the number that getpid tells the child. */
TEST(pids_agree)
{
    int parent = getpid();

    for (int i = 0; i < 5; i++) {
        int pid = rfork(RFPROC | RFMEM);

        if (pid == 0) {
            bss_word = getpid();
            _exits("");
        }
        CHECK_EQ(wait(NULL), pid);
        CHECK_EQ(bss_word, pid);
        CHECK_EQ(getpid(), parent);
    }
}
