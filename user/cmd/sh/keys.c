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

/*
 * The keys that send several bytes: the one that means the same.  Their form
 * is ESC [ numbers end; the second number says what is held, 5 is Ctrl
 * (ECMA-48 5.4, xterm's control sequences).  A byte that cannot be part of one
 * is a key of its own.
 */
static int
escape_key(void)
{
    int c = next_byte();
    unsigned code = 0, first = 0;

    if (c != '[' && c != 'O') {
        unread = c;
        return KEY_NONE;
    }
    for (c = next_byte(); c >= ' ' && c < '@'; c = next_byte()) {
        if (c == ';')
            first = code;
        code = isdigit(c) && code < 1000 ? code * 10 + (unsigned)c - '0' : 0;
    }
    if (c < ' ') {
        unread = c;
        return KEY_NONE;
    }
    if (first != 0 && code == 5 && (c == 'C' || c == 'D'))
        return c == 'C' ? KEY_WORD_RIGHT : KEY_WORD_LEFT;
    switch (c == '~' ? (int)code : c) {
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
