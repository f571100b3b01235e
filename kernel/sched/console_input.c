/*
 * console_input.c - lines typed at the console.
 *
 * The interrupt handler edits: it echoes, takes back characters, and moves a
 * finished line to where cons_read finds it.  So typing ahead works, and the
 * interrupt key acts at once whatever the programs do.
 *
 *      backspace, ^H   take back a character      ^U   take back the line
 *      ^W              take back the word         ^C   note "interrupt" to
 *                                                      the foreground group
 *      ^D              end of input, or hand over what was typed so far
 *
 * A line that was longer than there is room for is dropped when it ends, and the
 * screen says so: what is read is what was typed.
 *
 * A character is one of UTF-8, with one column on the screen; a byte that is
 * part of none counts as one.
 *
 * In raw mode (consin_raw_on) nothing is edited, echoed or acted upon: every
 * character is there for reading as soon as it is typed, a carriage return as
 * itself.
 *
 * Serial terminals send DEL (0x7f) for the backspace key, so 0x7f takes back
 * too, and ^C is the interrupt key.
 */
#include "sched/process.h"
#include <lux/utf8.h>

enum {
    LINE = 4096,
    READY = 4 * LINE,
    SHORT = 256 /* bytes that a read takes on its own stack */
};
enum {
    CTRL_C = 3,
    CTRL_D = 4,
    CTRL_H = 8,
    CTRL_U = 0x15,
    CTRL_W = 0x17,
    DEL = 0x7f
};

static struct {
    struct waitq readers; /* its lock guards all of this */
    uint8_t line[LINE];   /* being typed */
    unsigned len;
    bool refused; /* there was no room for the last character's first byte */
    bool cut;     /* nor for others: this is not the line that was typed */
    char ready[READY]; /* ring of finished input, ^D as an end mark */
    unsigned head, tail;
    unsigned raw;       /* how many ask for raw mode, */
    uint32_t raw_since; /* for the user that has the console since that turn */
} in;

/* A request ends with its user's time at the console. */
static bool
raw_mode(void)
{
    return in.raw > 0 && in.raw_since == console_since();
}

static void
echo(const char *s)
{
    console_write(s, strlen(s));
}

/* A character; nothing if there is none.  An empty line is a new one. */
static void
take_back(void)
{
    if (in.len > 0) {
        in.len -= utf8_last(in.line, in.len);
        echo("\b \b");
    }
    if (in.len == 0)
        in.cut = false;
}

/* The word at the end of the line, and blanks behind it. */
static void
take_back_word(void)
{
    while (in.len > 0 && in.line[in.len - 1] == ' ')
        take_back();
    while (in.len > 0 && in.line[in.len - 1] != ' ')
        take_back();
}

static unsigned
ready_room(void)
{
    return READY - (in.head - in.tail);
}

/* After these, what comes in raw mode is another line. */
static bool
ends_line(char c)
{
    return c == '\n' || c == '\r' || c == CTRL_C;
}

/* Room for the byte is there. */
static void
put_ready(char c)
{
    in.ready[in.head++ % READY] = c;
}

/*
 * Of the line so far nothing is to be read, nor of its beginning, if that came
 * in raw mode and waits.
 */
static void
drop_line(const char *why)
{
    echo(why);
    in.len = 0;
    while (ready_room() < READY) {
        char last = in.ready[(in.head - 1) % READY];

        if (ends_line(last) || last == CTRL_D)
            break;
        in.head--;
    }
}

/* Make the line so far readable, whole or not at all. */
static void
finish_line(void)
{
    if (in.cut)
        drop_line("\a[the line is too long: dropped]\n");
    else if (ready_room() < in.len)
        drop_line("\a[too many lines wait to be read: dropped]\n");
    for (unsigned i = 0; i < in.len; i++)
        put_ready((char)in.line[i]);
    wakeup_locked(&in.readers);
    in.len = 0;
    in.cut = false;
}

/*
 * In raw mode each character is readable at once.  Where there is no room, the
 * rest of the line is lost, and the program reads ^C, for which the last byte
 * of room is kept: what it has of the line is not what was typed.
 */
static void
raw_char(char c)
{
    if (in.cut) {
        in.cut = !ends_line(c);
    } else if (ready_room() > 1) {
        put_ready(c);
    } else {
        if (ready_room() == 1)
            put_ready(CTRL_C);
        in.cut = !ends_line(c);
        echo("\a");
    }
    wakeup_locked(&in.readers);
}

/* A byte of a character, of which all or nothing is kept. */
static void
add_char(char c)
{
    uint8_t byte = (uint8_t)c;

    if (in.refused && utf8_follows(byte))
        return;
    /* keep room for the end of the line */
    in.refused = in.len + (utf8_size(byte) ? utf8_size(byte) : 1) > LINE - 2;
    if (in.refused) {
        in.cut = true;
        echo("\a");
        return;
    }
    in.line[in.len++] = byte;
    console_write(&c, 1);
}

static void
end_line(char c)
{
    in.line[in.len++] = (uint8_t)c;
    if (c == '\n')
        echo("\n");
    finish_line();
}

static void
typed(char c)
{
    if (c == '\r')
        c = '\n';
    switch (c) {
    case '\n': end_line(c); break;
    case CTRL_D: end_line(c); break;
    case CTRL_H:
    case DEL: take_back(); break;
    case CTRL_W: take_back_word(); break;
    case CTRL_U:
        while (in.len > 0)
            take_back();
        break;
    default:
        if (c == '\t' || (unsigned char)c >= ' ')
            add_char(c);
    }
}

/* ^C also takes back the lines that nobody has read. */
static void
drop_input(void)
{
    echo("^C\n");
    in.len = 0;
    in.cut = false;
    in.tail = in.head;
}

/* Interrupt handler of the serial port and the keyboard. */
static void
input_interrupt(struct trapframe *tf)
{
    int c;

    (void)tf;
    apic_eoi();
    while ((c = console_poll()) >= 0) {
        bool interrupt;

        spin_lock(&in.readers.lock);
        interrupt = c == CTRL_C && !raw_mode();
        if (interrupt)
            drop_input();
        else if (raw_mode())
            raw_char((char)c);
        else
            typed((char)c);
        spin_unlock(&in.readers.lock);
        if (interrupt)
            note_post_group(console_group(), "interrupt", NULL);
    }
}

static bool
input_ready(void *arg)
{
    (void)arg;
    return in.head != in.tail;
}

/*
 * Take up to a line or an end mark; the bytes to hand out.  -1: another
 * reader, woken by the same line, has taken all there was; or the console was
 * given away, and the line may be for others.
 */
static int
take_line(char *buf, size_t len, uint32_t turn)
{
    int n = 0;
    char c = 0;

    spin_lock(&in.readers.lock);
    if (in.head == in.tail || console_turn() != turn)
        n = -1;
    while (n >= 0 && (size_t)n < len && in.head != in.tail && c != '\n') {
        c = in.ready[in.tail++ % READY];
        if (c == CTRL_D && !raw_mode())
            break;
        buf[n++] = c;
    }
    spin_unlock(&in.readers.lock);
    return n;
}

int
consin_take(char *buf, size_t len)
{
    uint32_t turn;
    int n, err;

    if (len == 0)
        return 0;
    do {
        err = console_right(&turn);
        if (!err)
            err = sleep(&in.readers, input_ready, NULL, 0);
        if (err)
            return err;
        n = take_line(buf, len, turn);
    } while (n < 0);
    return n;
}

int64_t
consin_read(vaddr_t buf, size_t len)
{
    char few[SHORT], *line = few;
    size_t room = len < LINE ? len : LINE;
    int n, err;

    if (room > SHORT) /* before anything is taken */
        line = kmalloc(room);
    if (!line)
        return -E_NOMEM;
    n = consin_take(line, room);
    err = n > 0 ? copy_out(buf, line, (size_t)n) : 0;
    if (line != few)
        kfree(line);
    return err ? err : n;
}

uint32_t
consin_raw_on(uint32_t turn)
{
    uint32_t since;

    spin_lock(&in.readers.lock);
    since = console_since();
    if ((int32_t)(turn - since) < 0) {
        spin_unlock(&in.readers.lock);
        return 0;
    }
    if (in.raw_since != since)
        in.raw = 0;
    if (in.raw == 0 && in.len > 0) {
        bool cut = in.cut;

        finish_line();
        in.cut = cut; /* the rest is still to come, and is no line either */
    }
    in.raw++;
    in.raw_since = since;
    spin_unlock(&in.readers.lock);
    return since;
}

void
consin_raw_off(uint32_t number)
{
    spin_lock(&in.readers.lock);
    if (number == in.raw_since)
        in.raw--;
    spin_unlock(&in.readers.lock);
}

void
consin_init(void)
{
    waitq_init(&in.readers, "console");
    trap_register(TRAP_IRQ0 + 4, input_interrupt);
    trap_register(TRAP_IRQ0 + 1, input_interrupt);
    apic_route_isa(4, TRAP_IRQ0 + 4);
    apic_route_isa(1, TRAP_IRQ0 + 1);
    console_enable_interrupts();
}
