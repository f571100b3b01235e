/*
 * meet.c - rendezvous and semaphores: no process waits for ever, nothing is
 * counted twice, on any number of CPUs.
 */
#include "check.h"

enum {
    MS = 1000000
};

static uint32_t sem, other, ready; /* neighbours on one page, on purpose */
static uint32_t taken, stop;
static uint64_t sums[2];

static void
child_ends(void)
{
    exits(check_failures ? "a check failed" : "");
}

/* ---- rendezvous ---- */

/* Two meet under a tag and swap values; any value, any tag. */
TEST(swap)
{
    static const uint64_t values[] = { 0, 1, 1ul << 31, 1ul << 63, 0xdead,
        0x00007fffffffffff };

    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        int pid = fork();

        if (pid == 0) {
            CHECK_EQ(rendezvous(values[i], ~values[i]), values[i]);
            child_ends();
        }
        CHECK_EQ(rendezvous(values[i], values[i]), ~values[i]);
        CHECK_EQ(wait(NULL), pid);
    }
}

/*
 * Many processes wait under many tags, and each meets the right one.
 * cpus: 1 4
 */
TEST(many_tags)
{
    enum {
        N = 60
    };

    for (uint64_t tag = 0; tag < N; tag++) {
        if (fork() == 0) {
            CHECK_EQ(rendezvous(tag << 4, tag), tag + 1000);
            child_ends();
        }
    }
    for (uint64_t i = 0; i < N; i++) {
        uint64_t tag = i * 7 % N;

        CHECK_EQ(rendezvous(tag << 4, tag + 1000), tag);
    }
    for (int i = 0; i < N; i++)
        CHECK_GT(wait(NULL), 0);
}

/* Meet any process until told to stop; count what was given and got. */
static void
meet_until_stopped(uint64_t mine)
{
    uint64_t theirs;

    while ((theirs = rendezvous(1, mine)) != 0) {
        __atomic_add_fetch(&sums[0], mine, __ATOMIC_RELAXED);
        __atomic_add_fetch(&sums[1], theirs, __ATOMIC_RELAXED);
        mine += 100;
    }
    _exits("");
}

/*
 * Seven meet under one tag, in any order: what is given is what is got.
 * cpus: 1 2 4 8
 * shifts: 5 parallel
 */
TEST(crowd_meets)
{
    enum {
        WHO = 7
    };

    for (uint64_t who = 1; who <= WHO; who++)
        if (rfork(RFPROC | RFMEM) == 0)
            meet_until_stopped(who);
    CHECK_SOON(__atomic_load_n(&sums[0], __ATOMIC_RELAXED) > 100);
    for (int i = 0; i < WHO; i++)
        rendezvous(1, 0);
    for (int i = 0; i < WHO; i++)
        CHECK_GT(wait(NULL), 0);
    CHECK_EQ(sums[0], sums[1]);
}

static void
partner(int rounds)
{
    for (int i = 0; i < rounds; i++)
        CHECK_EQ(rendezvous(3, 4), 5);
    child_ends();
}

/*
 * Children that die while their parent waits for another wake it for
 * nothing: it goes on waiting, and meets.
 * cpus: 1 2 4
 * shifts: 5 parallel
 */
TEST(woken_for_nothing)
{
    enum {
        ROUNDS = 60
    };
    int pid = fork(), got = 0;

    if (pid == 0)
        partner(ROUNDS);
    for (int i = 0; i < ROUNDS; i++) {
        for (int n = 0; n < 2; n++)
            if (fork() == 0)
                _exits("");
        CHECK_EQ(rendezvous(3, 5), 4);
    }
    while (wait(NULL) > 0)
        got++;
    CHECK_EQ(got, 1 + 2 * ROUNDS);
}

/*
 * A process that was killed in rendezvous is not met.
 * cpus: 1 2
 */
TEST(dead_partner)
{
    int first = fork(), second;

    if (first == 0) {
        rendezvous(9, 1);
        _exits("met");
    }
    sleep(2 * MS);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)first, "kill"), 0);
    CHECK_EQ(wait(NULL), first);
    second = fork();
    if (second == 0) {
        CHECK_EQ(rendezvous(9, 2), 3);
        child_ends();
    }
    CHECK_EQ(rendezvous(9, 3), 2);
    CHECK_EQ(wait(NULL), second);
}

/* ---- two meetings in one call ---- */

enum {
    CLIENTS = 4,
    QUESTIONS = 100, /* of each */
    ASK = 50,        /* + the client's number */
    ANSWER = 60
};

static void
ask(uint64_t who)
{
    for (uint64_t i = 1; i <= QUESTIONS; i++)
        CHECK_EQ(rendezvous_next(ASK + who, who << 32 | i, ANSWER + who),
                who << 32 | (i + 1));
    child_ends();
}

/*
 * A server takes turns with four clients, and gives each answer with the call
 * that waits for the next one's question.
 * cpus: 1 2 4 8
 * shifts: 5 parallel
 */
TEST(next_serves_each)
{
    uint64_t question;

    for (uint64_t who = 0; who < CLIENTS; who++)
        if (fork() == 0)
            ask(who);
    question = rendezvous(ASK, 0);
    for (uint64_t i = 1; i < CLIENTS * QUESTIONS; i++)
        question = rendezvous_next(
                ANSWER + (question >> 32), question + 1, ASK + i % CLIENTS);
    CHECK_EQ(rendezvous(ANSWER + (question >> 32), question + 1), 0);
    for (int i = 0; i < CLIENTS; i++) {
        struct waitmsg w;

        MUST(wait(&w) > 0);
        CHECK_STR(w.msg, "");
    }
}

/* The two meetings may be under one tag. */
TEST(next_under_one_tag)
{
    int pid = fork();

    if (pid == 0) {
        CHECK_EQ(rendezvous(5, 1), 7);
        CHECK_EQ(rendezvous(5, 2), 0);
        child_ends();
    }
    CHECK_EQ(rendezvous_next(5, 7, 5), 2);
    CHECK_EQ(wait(NULL), pid);
}

static void
go_on(struct ureg *u, char *note)
{
    (void)u, (void)note;
    noted(NCONT);
}

/* A note before the first meeting: nothing was given, no other is met. */
TEST(next_interrupted_before)
{
    int pid;

    notify(go_on);
    alarm(MS);
    CHECK_EQ(rendezvous_next(5, 7, 6), RENDEZ_INTR);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(rendezvous(5, 1), 8);
        child_ends();
    }
    CHECK_EQ(rendezvous(5, 8), 1);
    CHECK_EQ(wait(NULL), pid);
}

/* A note after it: the value has been given, and the second is left to do. */
TEST(next_interrupted_between)
{
    int pid;

    notify(go_on);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(rendezvous(5, 1), 7);
        semacquire(&sem, 1);
        child_ends();
    }
    alarm(MS);
    CHECK_EQ(rendezvous_next(5, 7, 6), RENDEZ_GIVEN);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
    CHECK_EQ(wait(NULL), pid);
}

/*
 * Notes at any moment: no question is lost and none is put twice, since the
 * result says what was done.
 * cpus: 1 2 4
 * seeds: 3
 */
TEST(next_notes_at_any_moment)
{
    enum {
        ROUNDS = 300
    };
    uint64_t got, sum = 0;
    int pid;

    notify(go_on);
    pid = fork();
    if (pid == 0) {
        for (uint64_t i = 1; i <= ROUNDS; i++) {
            alarm(check_random() % 60 * 1000);
            do
                got = rendezvous_next(5, i, 6);
            while (got == RENDEZ_INTR);
            while (got == RENDEZ_GIVEN || got == RENDEZ_INTR)
                got = rendezvous(6, 0);
            CHECK_EQ(got, 2 * i);
        }
        alarm(0);
        child_ends();
    }
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        got = rendezvous(5, 0);
        sum += got;
        CHECK_EQ(rendezvous(6, 2 * got), 0);
    }
    CHECK_EQ(sum, ROUNDS * (ROUNDS + 1) / 2);
    CHECK_EQ(wait(NULL), pid);
}

/* ---- semaphores, one at a time ---- */

/* Counts go up and down as told, and blocking is a choice. */
TEST(counts)
{
    CHECK_EQ(semacquire(&sem, 0), 0);
    CHECK_EQ(semrelease(&sem, 3), 3);
    CHECK_EQ(semrelease(&sem, 2), 5);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(semacquire(&sem, i % 2), 1);
    CHECK_EQ(semacquire(&sem, 0), 0);
    CHECK_EQ(sem, 0);
    sem = 1; /* an ordinary word: a program may set it */
    CHECK_EQ(tsemacquire(&sem, 0), 1);
    CHECK_EQ(tsemacquire(&sem, 0), 0);
    CHECK_EQ(other, 0);
}

/* A wait with a limit ends when it is over, not before, and takes nothing. */
TEST(time_is_up)
{
    uint64_t from = nsec(), passed;

    CHECK_EQ(tsemacquire(&sem, 7 * MS), 0);
    passed = nsec() - from;
    CHECK_GE(passed, 7 * MS);
    CHECK_LT(passed, 9 * MS);
    CHECK_EQ(sem, 0);
    CHECK_EQ(semrelease(&sem, 1), 1);
    CHECK_EQ(semacquire(&sem, 0), 1);
}

static void
take_one(uint32_t *s)
{
    if (semacquire(s, 1) == 1)
        __atomic_add_fetch(&taken, 1, __ATOMIC_RELAXED);
    _exits("");
}

/*
 * A release wakes as many as it says, and only those that wait for that word.
 * cpus: 1 2
 */
TEST(wakes_as_many)
{
    for (int i = 0; i < 6; i++)
        if (rfork(RFPROC | RFMEM) == 0)
            take_one(i < 4 ? &sem : &other);
    sleep(20 * MS);
    CHECK_EQ(semrelease(&sem, 3), 3);
    for (int i = 0; i < 3; i++)
        CHECK_GT(wait(NULL), 0);
    sleep(5 * MS);
    CHECK_EQ(taken, 3);
    CHECK_EQ(sem, 0);
    semrelease(&other, 2);
    semrelease(&sem, 1);
    for (int i = 0; i < 3; i++)
        CHECK_GT(wait(NULL), 0);
    CHECK_EQ(taken, 6);
}

/* After a fork the same address is another semaphore. */
TEST(private_after_fork)
{
    int pid = fork();

    if (pid == 0) {
        CHECK_EQ(semrelease(&sem, 5), 5);
        child_ends();
    }
    CHECK_EQ(tsemacquire(&sem, 10 * MS), 0);
    CHECK_EQ(wait(NULL), pid);
    CHECK_EQ(sem, 0);
    sem = 2;
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(semacquire(&sem, 1), 1);
        CHECK_EQ(semacquire(&sem, 1), 1);
        CHECK_EQ(semacquire(&sem, 0), 0);
        child_ends();
    }
    CHECK_EQ(wait(NULL), pid);
    CHECK_EQ(sem, 2);
}

/* Memory that was mapped, and then shared, has semaphores too. */
TEST(in_mapped_memory)
{
    uint32_t *word = (uint32_t *)mem_map(0, PAGE_SIZE, MEM_READ | MEM_WRITE);
    int pid;

    pid = rfork(RFPROC | RFMEM);
    if (pid == 0) {
        CHECK_EQ(semacquire(word + 1023, 1), 1);
        CHECK_EQ(semrelease(word, 1), 1);
        child_ends();
    }
    sleep(MS);
    CHECK_EQ(semrelease(word + 1023, 1), 1);
    CHECK_EQ(semacquire(word, 1), 1);
    CHECK_EQ(wait(NULL), pid);
}

/* A semaphore whose page goes away while others wait harms none of them. */
TEST(page_goes_away)
{
    uint32_t *word = (uint32_t *)mem_map(0, PAGE_SIZE, MEM_READ | MEM_WRITE);
    int pid = rfork(RFPROC | RFMEM);

    if (pid == 0)
        take_one(word);
    sleep(2 * MS);
    CHECK_EQ(mem_unmap((uint64_t)word, PAGE_SIZE), 0);
    CHECK_EQ(semrelease(word, 1), -E_BADADDR);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
    CHECK_EQ(wait(NULL), pid);
    CHECK_EQ(taken, 0);
}

/*
 * A process that is killed while it waits takes no token with it.
 * cpus: 1 2
 */
TEST(dead_waiter)
{
    int dead = rfork(RFPROC | RFMEM), next;

    if (dead == 0)
        take_one(&sem);
    sleep(2 * MS);
    next = rfork(RFPROC | RFMEM);
    if (next == 0)
        take_one(&sem);
    sleep(2 * MS);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)dead, "kill"), 0);
    CHECK_EQ(wait(NULL), dead);
    CHECK_EQ(semrelease(&sem, 1), 1);
    CHECK_EQ(wait(NULL), next);
    CHECK_EQ(taken, 1);
}

/* ---- semaphores under stress ---- */

static void
consume(void)
{
    for (;;) {
        if (semacquire(&sem, 1) != 1)
            break;
        if (__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
            break;
        __atomic_add_fetch(&taken, 1, __ATOMIC_RELAXED);
    }
    _exits("");
}

static void
produce(int n)
{
    for (int i = 0; i < n; i++)
        semrelease(&sem, 1 + i % 3);
    semrelease(&ready, 1);
    _exits("");
}

/*
 * What producers release, consumers take: no wakeup is lost, none doubled.
 * cpus: 1 2 4 8
 * shifts: 5 parallel
 */
TEST(producers_consumers)
{
    enum {
        P = 4,
        C = 6,
        N = 150
    };

    for (int i = 0; i < C; i++)
        if (rfork(RFPROC | RFMEM) == 0)
            consume();
    for (int i = 0; i < P; i++)
        if (rfork(RFPROC | RFMEM) == 0)
            produce(N);
    for (int i = 0; i < P; i++)
        CHECK_EQ(semacquire(&ready, 1), 1);
    CHECK_SOON(__atomic_load_n(&taken, __ATOMIC_RELAXED) >= P * N * 2);
    CHECK_EQ(taken, P * N * 2);
    CHECK_EQ(sem, 0);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    semrelease(&sem, C);
    for (int i = 0; i < P + C; i++)
        CHECK_GT(wait(NULL), 0);
}

static uint32_t inside, crossed;

static void
exclude(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        CHECK_ROUND(i);
        CHECK_EQ(semacquire(&sem, 1), 1);
        if (__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) != 1)
            __atomic_add_fetch(&crossed, 1, __ATOMIC_RELAXED);
        if (i % 16 == 0)
            yield();
        __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
        semrelease(&sem, 1);
    }
    child_ends();
}

/*
 * A semaphore of 1 lets one in at a time.
 * cpus: 1 2 4
 * shifts: 5 parallel
 */
TEST(mutual_exclusion)
{
    sem = 1;
    for (int i = 0; i < 5; i++)
        if (rfork(RFPROC | RFMEM) == 0)
            exclude(100);
    for (int i = 0; i < 5; i++)
        CHECK_GT(wait(NULL), 0);
    CHECK_EQ(crossed, 0);
    CHECK_EQ(sem, 1);
}

static void
take_in_time(uint64_t seed)
{
    for (int i = 0; i < 80; i++) {
        uint64_t ns = random_next(&seed) % (MS / 5);
        int got = tsemacquire(&sem, ns);

        CHECK(got == 0 || got == 1);
        __atomic_add_fetch(&taken, (uint32_t)got, __ATOMIC_RELAXED);
    }
    child_ends();
}

/*
 * Time-outs that race with releases: each token is taken or still there.
 * cpus: 1 2 4
 * seeds: 2
 * shifts: 5 parallel
 */
TEST(timeouts_race)
{
    uint32_t released = 0;

    for (int i = 0; i < 4; i++)
        if (rfork(RFPROC | RFMEM) == 0)
            take_in_time(check_seed + (uint64_t)i);
    for (int i = 0; i < 100; i++) {
        CHECK_ROUND(i);
        sleep(check_random() % (MS / 5));
        CHECK_GT(semrelease(&sem, 1), 0);
        released++;
    }
    for (int i = 0; i < 4; i++)
        CHECK_GT(wait(NULL), 0);
    CHECK_EQ(taken + sem, released);
}

/* ---- many waiters ---- */

static struct {
    uint32_t word[1024]; /* one page */
} __attribute__((aligned(4096))) crowd;

static uint32_t ping, pong;

static void
answer_pings(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        semacquire(&ping, 1);
        semrelease(&pong, 1);
    }
    child_ends();
}

/* Ticks of `rounds` questions and answers. */
static uint64_t
ticks_of_pings(int rounds)
{
    uint64_t from;

    if (rfork(RFPROC | RFMEM) == 0)
        answer_pings(rounds + 10);
    for (int i = 0; i < 10; i++) {
        semrelease(&ping, 1);
        semacquire(&pong, 1);
    }
    from = rdtsc();
    for (int i = 0; i < rounds; i++) {
        semrelease(&ping, 1);
        semacquire(&pong, 1);
    }
    from = rdtsc() - from;
    CHECK_GT(wait(NULL), 0);
    return from;
}

/*
 * Thousands that wait for other words of one page cost a semaphore no more
 * than a few percent, and all of them wake.
 * mem: 512M
 * shifts: 0
 * limit: 30
 */
TEST(semaphores_in_a_crowd)
{
    enum {
        CROWD = 2048
    };
    uint64_t alone, crowded;
    int n = 0;

    ticks_of_pings(100);
    alone = ticks_of_pings(100);
    for (int i = 0; i < CROWD; i++)
        if (rfork(RFPROC | RFMEM) == 0) {
            semacquire(&crowd.word[i % 1024], 1);
            child_ends();
        }
    sleep(10 * MS);
    crowded = ticks_of_pings(100);
    check_record("info a round: %lu ticks alone, %lu in a crowd", alone / 100,
            crowded / 100);
    CHECK_LT(crowded, alone + alone / 10);
    for (int i = 0; i < 1024; i++)
        CHECK_EQ(semrelease(&crowd.word[i], 2), 2);
    while (n < CROWD && wait(NULL) > 0)
        n++;
    CHECK_EQ(n, CROWD);
}

/*
 * One release wakes all of a crowd that waits for one word, first come first
 * served when there is less.
 * cpus: 1 4
 * mem: 256M
 */
TEST(one_release_wakes_a_crowd)
{
    enum {
        CROWD = 200,
        FIRST = 5 /* whose order is known */
    };
    static uint32_t order[CROWD], next;
    int n = 0;

    for (uint32_t i = 0; i < CROWD; i++) {
        int pid = rfork(RFPROC | RFMEM);

        if (pid == 0) {
            semacquire(&crowd.word[7], 1);
            order[__atomic_fetch_add(&next, 1, __ATOMIC_SEQ_CST)] = i;
            child_ends();
        }
        /* a newcomer may take what another was woken for, so all sleep first */
        CHECK_SOON(check_sleeps(pid, NULL));
    }
    for (uint32_t i = 0; i < FIRST; i++) {
        semrelease(&crowd.word[7], 1);
        CHECK_GT(wait(NULL), 0);
        CHECK_EQ(order[i], i);
    }
    semrelease(&crowd.word[7], CROWD - FIRST);
    while (n < CROWD - FIRST && wait(NULL) > 0)
        n++;
    CHECK_EQ(n, CROWD - FIRST);
    CHECK_EQ(crowd.word[7], 0);
}
