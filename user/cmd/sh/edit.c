/*
 * edit.c - a line typed at the console, which is in raw mode meanwhile:
 * each key comes at once and nothing but this file echoes it.
 *
 *      ^B ^F arrows   one character       ^A ^E Home End   start, end of line
 *      ^H DEL         erase before        ^D Delete        erase under; end
 *      ^K ^U ^W       erase to the end, to the start, the word before
 *      ^P ^N arrows   earlier lines       ^L               write line again
 *      Tab            complete            ^C               give up the line
 *
 * The screen is told with printable characters and \b alone, so any terminal
 * will do, and the cursor is always at text[at].
 */
#include "cmd/sh/sh.h"

enum key {
    CTRL_A = 1,
    CTRL_B,
    CTRL_C,
    CTRL_D,
    CTRL_E,
    CTRL_F,
    CTRL_H = 8,
    TAB,
    NEWLINE,
    CTRL_K,
    CTRL_L,
    RETURN,
    CTRL_N,
    CTRL_P = 16,
    CTRL_U = 21,
    CTRL_W = 23,
    ESCAPE = 27,
    DELETE = 127
};

static struct {
    const char *prompt;
    char *text;
    size_t n, at, room;
    int back;  /* lines back in history; 0: the one being typed */
    char *own; /* that one, while others are shown */
} ed;

static struct bio screen;

/* ---- what the screen shows ---- */

static void
show(const char *s, size_t n)
{
    bio_write(&screen, s, n);
}

static void
show_times(char c, size_t n)
{
    while (n-- > 0)
        bio_putc(&screen, c);
}

/* Move the cursor to text[at]. */
static void
move_to(size_t at)
{
    if (at < ed.at)
        show_times('\b', ed.at - at);
    else
        show(ed.text + ed.at, at - ed.at);
    ed.at = at;
}

/* Put n characters in at the cursor, as many as there is room for. */
static void
insert(const char *s, size_t n)
{
    size_t rest = ed.n - ed.at;

    if (n > ed.room - ed.n)
        n = ed.room - ed.n;
    memmove(ed.text + ed.at + n, ed.text + ed.at, rest);
    memcpy(ed.text + ed.at, s, n);
    ed.n += n;
    show(ed.text + ed.at, n + rest);
    show_times('\b', rest);
    ed.at += n;
}

/* Take out what is between `from` and the cursor or behind it, to `to`. */
static void
erase(size_t from, size_t to)
{
    size_t rest = ed.n - to;

    move_to(from);
    memmove(ed.text + from, ed.text + to, rest);
    ed.n -= to - from;
    show(ed.text + from, rest);
    show_times(' ', to - from);
    show_times('\b', rest + to - from);
}

/* Prompt and line again, on a new line. */
static void
show_again(void)
{
    size_t at = ed.at;

    show("\n", 1);
    show(ed.prompt, strlen(ed.prompt));
    ed.at = 0;
    move_to(ed.n);
    move_to(at);
}

/* ---- what keys do ---- */

static void
erase_word(void)
{
    size_t from = ed.at;

    while (from > 0 && ed.text[from - 1] == ' ')
        from--;
    while (from > 0 && ed.text[from - 1] != ' ')
        from--;
    erase(from, ed.at);
}

/* Show the line `step` further back, or nearer. */
static void
show_earlier(int step)
{
    const char *line =
            ed.back + step > 0 ? history_line(ed.back + step) : ed.own;

    if (ed.back + step < 0 || line == NULL)
        return;
    if (ed.back == 0) {
        ed.text[ed.n] = '\0';
        free(ed.own);
        ed.own = strdup(ed.text);
    }
    ed.back += step;
    erase(0, ed.n);
    insert(line, strlen(line));
}

/* Tab: what is certain is typed; if nothing is, all that fits is shown. */
static void
complete_word(void)
{
    char more[MAX_PATH];
    int fitting = complete(ed.text, ed.at, more, sizeof(more));

    if (more[0] != '\0')
        insert(more, strlen(more));
    else if (fitting > 1) {
        show("\n", 1);
        bio_flush(&screen);
        complete_show(ed.text, ed.at);
        show_again();
    }
}

/* The next byte typed, or -E_... or -1. */
static int
next_key(void)
{
    uint8_t c;
    int64_t n;

    bio_flush(&screen);
    n = interrupted ? -E_INTR : read(0, &c, 1);
    return n == 1 ? c : n == 0 ? -1 : (int)n;
}

/* The keys that send several bytes: the one byte that means the same. */
static int
escape_key(void)
{
    int c = next_key();
    int code = 0;

    if (c != '[' && c != 'O')
        return 0;
    for (c = next_key(); isdigit(c); c = next_key())
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
    case 3: return ed.at < ed.n ? CTRL_D : 0;
    default: return 0;
    }
}

/* A key that changes the line or moves in it. */
static void
edit_key(int key)
{
    char c = (char)key;

    switch (key) {
    case CTRL_A: move_to(0); break;
    case CTRL_E: move_to(ed.n); break;
    case CTRL_B: move_to(ed.at - (ed.at > 0)); break;
    case CTRL_F: move_to(ed.at + (ed.at < ed.n)); break;
    case CTRL_H:
    case DELETE: erase(ed.at - (ed.at > 0), ed.at); break;
    case CTRL_D: erase(ed.at, ed.at + (ed.at < ed.n)); break;
    case CTRL_K: erase(ed.at, ed.n); break;
    case CTRL_U: erase(0, ed.at); break;
    case CTRL_W: erase_word(); break;
    case CTRL_P: show_earlier(1); break;
    case CTRL_N: show_earlier(-1); break;
    case CTRL_L: show_again(); break;
    case TAB: complete_word(); break;
    default:
        if (key >= ' ')
            insert(&c, 1);
    }
}

/* Keys up to the end of the line: 0, -1 or -E_INTR. */
static int
edit_keys(void)
{
    for (;;) {
        int key = next_key();

        if (key == ESCAPE)
            key = escape_key();
        if (key == CTRL_C)
            return -E_INTR;
        if (key < 0 || (key == CTRL_D && ed.n == 0))
            return key < 0 ? key : -1;
        if (key == NEWLINE || key == RETURN)
            return 0;
        edit_key(key);
    }
}

/* Raw mode on or off; false: this console has none. */
static bool
raw_mode(const char *word)
{
    static int consctl = -1;

    if (consctl < 0)
        consctl = open("#c/consctl", OWRITE | OCEXEC);
    return consctl >= 0 && write(consctl, word, strlen(word)) > 0;
}

int64_t
edit_line(const char *prompt, char *buf, size_t len)
{
    int result;

    if (!raw_mode("rawon")) {
        print("%s", prompt);
        return read_line(buf, len);
    }
    bio_init(&screen, 1);
    ed.prompt = prompt;
    ed.text = buf;
    ed.n = ed.at = 0;
    ed.back = 0;
    ed.room = len - 1;
    show(prompt, strlen(prompt));
    result = edit_keys();
    move_to(ed.n);
    bio_flush(&screen);
    raw_mode("rawoff"); /* first: whoever sees the new line may type ^C */
    print(result == -E_INTR ? "^C\n" : "\n");
    buf[ed.n] = '\0';
    return result < 0 ? result : (int64_t)ed.n;
}
