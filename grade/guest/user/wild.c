/*
 * wild.c - exec of program files that lie.  The harness puts them into the
 * boot archive as wild/000, wild/001, ...; whatever they are, exec refuses
 * them or the process dies, and the kernel has all memory back.
 */
#include "check.h"

static char name[16];
static int child;

/* The alarm of the parent: this one runs, but does not end. */
static void
too_long(struct ureg *, char *)
{
    postnote(NOTE_PROC, (uint32_t)child, "kill");
    noted(NCONT);
}

/* What becomes of a process that execs this file; false: there is none. */
static bool
exec_once(int number, struct waitmsg *w)
{
    char *argv[] = { name, NULL };

    snprint(name, sizeof(name), "wild/%03d", number);
    child = rfork(RFPROC);
    MUST(child >= 0);
    if (child == 0) {
        exec(name, argv);
        exits(errstr());
    }
    alarm(50000000);
    while (wait_for(child, w) == -E_INTR)
        ;
    alarm(0);
    return strcmp(w->msg, err_string(-E_NOEXIST)) != 0;
}

static int
exec_all(unsigned *refused)
{
    struct waitmsg w;
    int n = 0;

    for (*refused = 0; exec_once(n, &w); n++)
        if (strcmp(w.msg, err_string(-E_BADEXEC)) == 0)
            ++*refused;
    return n;
}

/*
 * Every lying program is refused or dies, and nothing is lost.
 * files: hostile_elf
 * seeds: 4
 * limit: 60
 */
TEST(exec_lying_programs)
{
    unsigned refused, again;
    uint64_t before;
    int n;

    notify(too_long);
    n = exec_all(&refused);
    CHECK_GT(n, 200);
    CHECK(refused > (unsigned)n / 3); /* most lies are seen */
    before = check_free_memory();
    CHECK_EQ(exec_all(&again), n);
    CHECK_EQ(again, refused);
    CHECK_EQ(check_free_memory(), before);
    check_record("info %d files, %u refused", n, refused);
}
