/*
 * keys.c - what is typed at the console in raw mode: bytes put together to
 * keys that send several, and to characters of UTF-8.
 */
#include "cmd/sh/sh.h"
#include <lux/utf8.h>

/* A byte that was read too early, or the error found in its place; 0: none.
 * A line that ends leaves it to the next. */
static int unread;

/* The next byte typed, or -E_... or -1. */
static int
next_byte(void)
{
    int key = unread;
    uint8_t c;
    int64_t n;

    unread = 0;
    if (key != 0)
        return key;
    n = interrupted ? -E_INTR : read(0, &c, 1);
    return n == 1 ? c : n == 0 ? -1 : (int)n;
}

/* The keys that send several bytes: the one that means the same. */
static int
escape_key(void)
{
    int c = next_byte();
    int code = 0;

    if (c != '[' && c != 'O')
        return KEY_NONE;
    for (c = next_byte(); isdigit(c); c = next_byte())
        code = code * 10 + c - '0';
    switch (c == '~' ? code : c) {
    case 'A': return CTRL_P;
    case 'B': return CTRL_N;
    case 'C': return CTRL_F;
    case 'D': return CTRL_B;
    case 'H':
    case 1: return CTRL_A;
    case 'F':
    case 4: return CTRL_E;
    case 3: return KEY_DELETE;
    default: return KEY_NONE;
    }
}

/* A character that begins with this byte, or as much of it as comes. */
static size_t
character(int first, char text[MAX_KEY])
{
    size_t n = 0;

    text[n++] = (char)first;
    while (n < utf8_size((uint8_t)first)) {
        int c = next_byte();

        if (c < 0 || !utf8_follows((uint8_t)c)) {
            unread = c;
            break;
        }
        text[n++] = (char)c;
    }
    return n;
}

int
key_next(char text[MAX_KEY], size_t *n)
{
    int c = next_byte();

    *n = 0;
    if (c == ESCAPE)
        return escape_key();
    if (c < ' ' || c == BACKSPACE)
        return c;
    *n = character(c, text);
    return KEY_TEXT;
}
