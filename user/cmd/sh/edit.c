/*
 * edit.c - a line typed at the console, which is in raw mode meanwhile:
 * each key comes at once and nothing but this file echoes it.
 *
 *      ^B ^F arrows   one character       ^A ^E Home End   start, end of line
 *      Ctrl-arrows    one word
 *      ^H DEL         erase before        ^D Delete        erase under; end
 *      ^K ^U ^W       erase to the end, to the start, the word before
 *      ^P ^N arrows   earlier lines       ^L               write line again
 *      Tab            complete            ^C               give up the line
 *
 * The screen is told with printable characters and \b alone, so any terminal
 * will do, and the cursor is always at text[at].
 *
 * A character is one of UTF-8, with one column on the screen; a byte that is
 * part of none counts as one.  The cursor is always between two characters.
 */
#include "cmd/sh/sh.h"
#include <lux/utf8.h>

static struct {
    const char *prompt;
    char *text;
    size_t n, at, room;
    bool cut;  /* there was no room for something: Enter runs nothing */
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

/* Bytes of the character before, and of the one behind text[at]; 0: none. */
static size_t
before(size_t at)
{
    return utf8_last((const uint8_t *)ed.text, at);
}

static size_t
behind(size_t at)
{
    size_t len = at < ed.n ? utf8_bytes((uint8_t *)ed.text + at, ed.n - at) : 0;

    return len > 0 ? len : at < ed.n;
}

/* How many columns text[from..to-1] has. */
static size_t
columns(size_t from, size_t to)
{
    size_t n = 0;

    for (; from < to; from += behind(from))
        n++;
    return n;
}

/* Move the cursor to text[at]. */
static void
move_to(size_t at)
{
    if (at < ed.at)
        show_times('\b', columns(at, ed.at));
    else
        show(ed.text + ed.at, at - ed.at);
    ed.at = at;
}

/* Of the first n bytes of s, which has more, those of whole characters. */
static size_t
whole(const char *s, size_t n)
{
    while (n > 0 && utf8_follows((uint8_t)s[n]))
        n--;
    return n;
}

/* Put n bytes in at the cursor, as many characters as there is room for. */
static void
insert(const char *s, size_t n)
{
    size_t rest = ed.n - ed.at;

    if (n > ed.room - ed.n) {
        n = whole(s, ed.room - ed.n);
        ed.cut = true;
        show("\a", 1);
    }
    memmove(ed.text + ed.at + n, ed.text + ed.at, rest);
    memcpy(ed.text + ed.at, s, n);
    ed.n += n;
    show(ed.text + ed.at, n + rest);
    ed.at += n;
    show_times('\b', columns(ed.at, ed.n));
}

/* Take out what is between `from` and the cursor or behind it, to `to`. */
static void
erase(size_t from, size_t to)
{
    size_t rest = ed.n - to, gone = columns(from, to);

    move_to(from);
    memmove(ed.text + from, ed.text + to, rest);
    ed.n -= to - from;
    if (ed.n == 0)
        ed.cut = false;
    show(ed.text + from, rest);
    show_times(' ', gone);
    show_times('\b', columns(from, ed.n) + gone);
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

/* The start of the word before the cursor, and the end of the one behind. */
static size_t
word_left(void)
{
    size_t from = ed.at;

    while (from > 0 && ed.text[from - 1] == ' ')
        from--;
    while (from > 0 && ed.text[from - 1] != ' ')
        from--;
    return from;
}

static size_t
word_right(void)
{
    size_t to = ed.at;

    while (to < ed.n && ed.text[to] == ' ')
        to++;
    while (to < ed.n && ed.text[to] != ' ')
        to++;
    return to;
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

/* A key that changes the line or moves in it. */
static void
edit_key(int key)
{
    switch (key) {
    case CTRL_A: move_to(0); break;
    case CTRL_E: move_to(ed.n); break;
    case CTRL_B: move_to(ed.at - before(ed.at)); break;
    case CTRL_F: move_to(ed.at + behind(ed.at)); break;
    case CTRL_H:
    case BACKSPACE: erase(ed.at - before(ed.at), ed.at); break;
    case CTRL_D:
    case KEY_DELETE: erase(ed.at, ed.at + behind(ed.at)); break;
    case CTRL_K: erase(ed.at, ed.n); break;
    case CTRL_U: erase(0, ed.at); break;
    case CTRL_W: erase(word_left(), ed.at); break;
    case KEY_WORD_LEFT: move_to(word_left()); break;
    case KEY_WORD_RIGHT: move_to(word_right()); break;
    case CTRL_P: show_earlier(1); break;
    case CTRL_N: show_earlier(-1); break;
    case CTRL_L: show_again(); break;
    case TAB: complete_word(); break;
    default: break;
    }
}

/* Keys up to the end of the line: 0, -1 or -E_INTR. */
static int
edit_keys(void)
{
    for (;;) {
        char text[MAX_KEY];
        size_t n;
        int key;

        bio_flush(&screen);
        key = key_next(text, &n);
        if (key == CTRL_C)
            return -E_INTR;
        if (key < 0 || (key == CTRL_D && ed.n == 0))
            return key < 0 ? key : -1;
        if (key == NEWLINE || key == RETURN)
            return 0;
        if (key == KEY_TEXT)
            insert(text, n);
        else
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
    ed.cut = false;
    show(prompt, strlen(prompt));
    result = edit_keys();
    move_to(ed.n);
    bio_flush(&screen);
    raw_mode("rawoff"); /* first: whoever sees the new line may type ^C */
    print(result == -E_INTR ? "^C\n" : "\n");
    if (ed.cut && result == 0) {
        print("sh: the line is too long (%lu bytes at most): nothing is run\n",
                ed.room);
        ed.n = 0;
    }
    buf[ed.n] = '\0';
    return result < 0 ? result : (int64_t)ed.n;
}
