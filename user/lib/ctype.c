/*
 * ctype.c - what kind of character: ASCII, for any int, without tables.
 */
#include "lib/lux.h"

/* Is c in first..last? */
static bool
between(int c, int first, int last)
{
    return c >= first && c <= last;
}

int
isdigit(int c)
{
    return between(c, '0', '9');
}

int
isupper(int c)
{
    return between(c, 'A', 'Z');
}

int
islower(int c)
{
    return between(c, 'a', 'z');
}

int
isalpha(int c)
{
    return isupper(c) || islower(c);
}

int
isalnum(int c)
{
    return isalpha(c) || isdigit(c);
}

int
isxdigit(int c)
{
    return isdigit(c) || between(c, 'a', 'f') || between(c, 'A', 'F');
}

int
isspace(int c)
{
    return c == ' ' || between(c, '\t', '\r');
}

int
isprint(int c)
{
    return between(c, ' ', '~');
}

int
ispunct(int c)
{
    return isprint(c) && c != ' ' && !isalnum(c);
}

int
iscntrl(int c)
{
    return between(c, 0, 0x1f) || c == 0x7f;
}

int
toupper(int c)
{
    return islower(c) ? c - 'a' + 'A' : c;
}

int
tolower(int c)
{
    return isupper(c) ? c - 'A' + 'a' : c;
}
