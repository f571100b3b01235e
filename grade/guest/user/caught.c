/*
 * caught.c - programs that do wrong, to see that the harness notices each.
 * A line "fails:" names what it must say; without that the test fails.
 * limit: 4
 */
#include "check.h"

/* fails: 1 + 1 == 3: got 2 (0x2), want 3 (0x3) */
TEST(caught_check)
{
    CHECK_EQ(1 + 1, 3);
}

/* fails: round 3: i < MS: got 3 (0x3), want < 3 (0x3) */
TEST(caught_comparison_in_a_round)
{
    enum {
        MS = 3
    };

    for (int i = 0; i < 4; i++) {
        CHECK_ROUND(i);
        CHECK_LT(i, MS);
    }
}

/* fails: exec("none", NULL) >= 0: got -3 (-E_BADADDR */
TEST(caught_comparison_of_an_error)
{
    for (int i = 0; i < 3; i++) {
        CHECK_ROUND(i);
    }
    CHECK_GE(exec("none", NULL), 0);
}

static void
wrong(void)
{
    CHECK_STR("a", "b");
}

/* fails: want "b" */
TEST(caught_check_in_child)
{
    struct waitmsg w;

    check_child(wrong, &w);
    check_failures = 0;
}

/* fails: over its limit of 4 s of guest time */
TEST(caught_spin)
{
    for (volatile int forever = 1; forever;)
        ;
}

/* fails: over its limit of 4 s of guest time */
TEST(caught_block)
{
    uint32_t never = 0;

    semacquire(&never, 1);
}

/* fails: the kernel ended the run with status 1 */
TEST(caught_crash)
{
    volatile int *volatile nowhere = (volatile int *)8;

    *nowhere = 1;
}

/*
 * fails: endless output
 * limit: 120
 */
TEST(caught_endless_output)
{
    for (;;)
        print("and again, ");
}

/* The frame of a pass, on the console and inside a record, is none. */
/* fails: expected the record */
TEST(caught_forged_pass)
{
    static const char frame[] = "\x1eLUX9 user 23\ncaught_forged_pass pass\n";

    print("%s", frame);
    record(frame, sizeof(frame) - 1);
    exits("");
}

static uint64_t kept;

static void
leak(void)
{
    kept = check_free_memory();
    mem_map(0, 1 << 20, MEM_READ | MEM_WRITE);
}

/* The opposite: what a process took is back when it has ended. */
TEST(given_back)
{
    check_gives_back(leak);
}

static void
grow(void)
{
    int64_t at = mem_map(0, 16 << 12, MEM_READ | MEM_WRITE);

    MUST(at > 0);
    for (int i = 0; i < 16; i++)
        *(char *)(at + (i << 12)) = 1;
}

/* fails: check_free_memory() == before */
TEST(caught_eaten_memory)
{
    uint64_t before = check_free_memory();

    grow();
    CHECK_EQ(check_free_memory(), before);
}

/* fails: no test is named 'caught_nothing' */
TEST(caught_wrong_name)
{
    char *argv[] = { "test/caught", "caught_nothing", NULL };

    exec(argv[0], argv);
}
