/*
 * own_names.c - a program whose functions have names of the library's: they
 * are its own, and the library still has those that it needs.
 */
#include "check.h"

int bind(const char *new, const char *old, unsigned flags);

/* Not the system call, whose stub is beside those that check.h uses. */
int
bind(const char *new, const char *old, unsigned flags)
{
    return (int)(strlen(new) + strlen(old) + flags);
}

/* Nor this the function of args.c, whose others check.h needs. */
long
word_number(const char *s)
{
    return -(long)strlen(s);
}

TEST(own_functions)
{
    CHECK_EQ(bind("one", "four", 5), 12);
    CHECK_EQ(word_number("7"), -1);
}
