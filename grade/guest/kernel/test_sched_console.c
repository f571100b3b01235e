/*
 * test_sched_console.c - raw mode belongs to the user who has the console.
 */
#include "sched/process.h"

static const char *user_now;

static const char *
some_user(const struct proc *p)
{
    (void)p;
    return user_now;
}

/* The console changes hands: to the same group, as `user`. */
static void
give_to(const char *user)
{
    user_now = user;
    CHECK_EQ(console_take(proc_current()->notegrp), 0);
}

/* Between the right to ask for raw mode and the request, the console may come
 * to another user, for whom the request is not. */
KTEST(raw_mode_of_an_earlier_user)
{
    const char *(*user)(const struct proc *p) = proc_hooks.user;
    uint32_t turn, number;

    proc_hooks.user = some_user;
    give_to("glenda");
    CHECK_EQ(console_right(&turn), 0);
    give_to("glenda"); /* a job of the same user */
    number = consin_raw_on(turn);
    CHECK_NE(number, 0);
    give_to("none");
    CHECK_EQ(consin_raw_on(turn), 0);
    consin_raw_off(number); /* counts no more, and takes nothing away */
    CHECK_EQ(console_right(&turn), 0);
    number = consin_raw_on(turn);
    CHECK_NE(number, 0);
    consin_raw_off(number);
    proc_hooks.user = user;
}
