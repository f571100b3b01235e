/*
 * notefork.c - notes to a note group whose members fork at that moment: each
 * process gets each of them exactly once, however young it is.
 */
#include "check.h"

enum {
    MS = 1000000,
    CHILDREN = 6 /* of one round */
};

static volatile unsigned seen; /* notes handled; a child's copy goes on */
static char texts[16][MAX_ERR];

static void
remember(struct ureg *u, char *note)
{
    (void)u;
    strlcpy(texts[seen % ARRAY_LEN(texts)], note, MAX_ERR);
    seen++;
    noted(NCONT);
}

/* ---- forks in a handler, while notes wait: no luck is needed ---- */

static volatile int forked = -1; /* in the handler: a pid; in its child: 0 */
static bool leave_first;         /* the handler leaves its group before */
static unsigned with;            /* flags of its rfork */

/* At "begin" wait until the tester has posted more, and fork. */
static void
fork_in_handler(struct ureg *u, char *note)
{
    if (strcmp(note, "begin") != 0)
        remember(u, note);
    sleep(10 * MS);
    if (leave_first)
        CHECK_EQ(rfork(RFNOTEG), 0);
    forked = rfork(RFPROC | with);
    noted(NCONT);
}

/* What came, "first then ", and what came to the child behind a '|'. */
static NORETURN void
tell(void)
{
    struct waitmsg w = { 0 };
    char all[MAX_ERR] = "";
    size_t n = 0;

    notify(fork_in_handler);
    while (forked < 0)
        sleep(MS);
    nop();
    if (forked > 0)
        CHECK_EQ(wait_for(forked, &w), forked);
    for (unsigned i = 0; i < seen; i++)
        n += (size_t)snprint(all + n, sizeof all - n, "%s ", texts[i]);
    if (forked > 0)
        snprint(all + n, sizeof all - n, "| %s", w.msg);
    _exits(all);
}

/* While a process of another group is in its handler send it a, to it alone
 * or to its group, then b to its group: it and its child tell `want`. */
static void
check_told(enum note_target to, const char *a, const char *b, const char *want)
{
    struct waitmsg w;
    int pid = rfork(RFPROC | RFNOTEG);

    MUST(pid >= 0);
    if (pid == 0)
        tell();
    sleep(2 * MS);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "begin"), 0);
    sleep(2 * MS);
    CHECK_EQ(postnote(to, (uint32_t)pid, a), 0);
    CHECK_EQ(postnote(NOTE_GROUP, (uint32_t)pid, b), 0);
    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_STR(w.msg, want);
}

/*
 * What waits for the parent as a member of its group waits for the child, too,
 * in its order; what came to the parent alone does not.
 * cpus: 1 2
 */
TEST(waiting_notes)
{
    check_told(NOTE_GROUP, "a", "b", "a b | a b ");
    check_told(NOTE_PROC, "a", "b", "a b | b ");
    check_told(NOTE_GROUP, "interrupt", "b", "interrupt b | interrupt b ");
    check_told(NOTE_PROC, "interrupt", "b", "interrupt b | b ");
    check_told(NOTE_PROC, "a", "interrupt", "interrupt a | interrupt ");
}

/* A child in a group of its own has no note of its parent's. */
TEST(group_left)
{
    with = RFNOTEG;
    check_told(NOTE_GROUP, "a", "interrupt", "interrupt a | ");
    with = 0;
    leave_first = true;
    check_told(NOTE_GROUP, "a", "interrupt", "interrupt a | ");
}

static void
fork_much(void)
{
    for (int i = 0; i < 4; i++)
        check_told(NOTE_GROUP, "a", "b", "a b | a b ");
}

/* Inherited notes are freed with what inherits them. */
TEST(gives_back)
{
    check_gives_back(fork_much);
}

/* ---- forks and notes at any moment ---- */

/* Until there was a note, for some seconds at most; then say how many. */
static NORETURN void
await_one(void)
{
    static const char *const numbers[] = { "none", "", "two" };
    uint64_t end = nsec() + PATIENCE;

    while (seen == 0 && nsec() < end)
        yield();
    nop();
    nop();
    _exits(seen < 3 ? numbers[seen] : "many");
}

/* Meet the poster; then have children until the note comes.  All must have seen
 * it once. */
static NORETURN void
fork_until_noted(void)
{
    struct waitmsg w;
    int n = 0;

    notify(remember);
    rendezvous((uint64_t)getpid(), 0);
    while (n < CHILDREN && seen == 0) {
        int pid = rfork(RFPROC);

        if (pid == 0)
            await_one();
        n += pid > 0;
    }
    while (n > 0) {
        if (wait(&w) < 0)
            continue;
        n--;
        if (w.msg[0] != '\0')
            check_record("a child has seen %s", w.msg);
    }
    await_one();
}

/*
 * A note to a group that forks reaches each member once, also those that are
 * born while it is posted, and none twice.
 * cpus: 1 2 4
 * shifts: 5 parallel
 * seeds: 2
 * limit: 30
 */
TEST(any_moment)
{
    for (int round = 0; round < 60; round++) {
        CHECK_ROUND(round);
        const char *note = round % 2 ? "interrupt" : "all";
        struct waitmsg w;
        int pid = rfork(RFPROC | RFNOTEG);

        MUST(pid >= 0);
        if (pid == 0)
            fork_until_noted();
        rendezvous((uint64_t)pid, 0); /* it has its handler */
        sleep(check_random() % (8 * MS));
        CHECK_EQ(postnote(NOTE_GROUP, (uint32_t)pid, note), 0);
        CHECK_EQ(wait_for(pid, &w), pid);
        CHECK_STR(w.msg, "");
    }
}
