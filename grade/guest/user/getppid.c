/*
 * getppid.c - a challenge of lab 3: system call 63, the caller's parent.
 * challenge: C2
 */
#include "check.h"

enum {
    GETPPID = 63,
    MS = 1000000
};

static int64_t
getppid_call(void)
{
    int64_t result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"((uint64_t)GETPPID)
                     : "rcx", "r11", "memory");
    return result;
}

/* The first process has no parent; each other knows its own. */
TEST(parent_known)
{
    int64_t self = getpid();
    int pid;

    CHECK_EQ(getppid_call(), 0);
    for (int i = 0; i < 3; i++) {
        pid = rfork(RFPROC);
        if (pid == 0) {
            CHECK_EQ(getppid_call(), self);
            exits("");
        }
        CHECK_EQ(wait(NULL), pid);
    }
}

/* A process has no parent if its parent has ended, or does not wait for it. */
TEST(orphan_has_none)
{
    int pid = rfork(RFPROC);

    if (pid == 0) {
        if (rfork(RFPROC | RFNOTEG) == 0) {
            sleep(20 * MS);
            CHECK_EQ(getppid_call(), 0);
            exits("");
        }
        exits("");
    }
    CHECK_EQ(wait(NULL), pid);
    pid = rfork(RFPROC | RFNOWAIT);
    if (pid == 0) {
        CHECK_EQ(getppid_call(), 0);
        exits("");
    }
    sleep(50 * MS);
}
