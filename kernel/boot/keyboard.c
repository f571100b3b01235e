/*
 * keyboard.c - a PS/2 keyboard behind the i8042 controller, US layout.
 *
 * The controller translates to scan code set 1: a key's number when it goes
 * down, the number + 0x80 when it comes up, 0xe0 before the keys that later
 * keyboards added.  Keys that have no character become the sequences that a
 * terminal on the serial line would send, so that programs see one kind.
 *
 * IBM PS/2 Technical Reference, Keyboard; Intel 8042 data sheet.
 */
#include "boot/console.h"
#include "boot/x86_64/x86.h"

enum {
    DATA = 0x60,
    STATUS = 0x64, /* and commands, when written */
    STATUS_OUTPUT = 1 << 0,
    STATUS_INPUT_BUSY = 1 << 1,
    STATUS_MOUSE = 1 << 5,
    STATUS_NONE = 0xff, /* no controller on the bus */

    CMD_READ_CONFIG = 0x20,
    CMD_WRITE_CONFIG = 0x60,
    CMD_ENABLE_KEYBOARD = 0xae,
    CONFIG_INTERRUPT = 1 << 0,
    CONFIG_MOUSE_INTERRUPT = 1 << 1,
    CONFIG_KEYBOARD_OFF = 1 << 4,
    CONFIG_TRANSLATE = 1 << 6,
    KEYBOARD_SCAN = 0xf4, /* to the keyboard: send keys */

    KEY_UP = 0x80,
    KEY_EXTENDED = 0xe0,
    KEY_CTRL = 0x1d,
    KEY_LEFT_SHIFT = 0x2a,
    KEY_RIGHT_SHIFT = 0x36,
    KEY_CAPS = 0x3a,
    PATIENCE = 10000, /* reads of STATUS */
};

/* characters by scan code: alone, and with shift; 0: none */
static const char plain[] =
        "\0\033"
        "1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./"
        "\0*\0 \0\0\0\0\0\0\0\0\0\0\0\0\0"
        "789-456+1230.";
static const char shifted[] =
        "\0\033"
        "!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?"
        "\0*\0 \0\0\0\0\0\0\0\0\0\0\0\0\0"
        "789-456+1230.";

static const struct {
    uint8_t code;
    const char *text;
} extended_keys[] = {
    { 0x48, "\033[A" },
    { 0x50, "\033[B" },
    { 0x4d, "\033[C" },
    { 0x4b, "\033[D" },
    { 0x47, "\033[H" },
    { 0x4f, "\033[F" },
    { 0x53, "\033[3~" },
    { 0x49, "\033[5~" },
    { 0x51, "\033[6~" },
    { 0x1c, "\n" },
    { 0x35, "/" },
};

static bool present;
static uint8_t shifts, ctrls; /* a bit for the left key, one for the right */
static bool caps, caps_held, extended;
static const char *pending = ""; /* rest of a sequence to hand out */

static bool
wait_writable(void)
{
    for (int i = 0; i < PATIENCE; i++)
        if (!(inb(STATUS) & STATUS_INPUT_BUSY))
            return true;
    return false;
}

static void
drain(void)
{
    for (int i = 0; i < PATIENCE && inb(STATUS) & STATUS_OUTPUT; i++)
        inb(DATA);
}

/* The controller's configuration byte, changed. */
static void
configure(uint8_t set, uint8_t clear)
{
    uint8_t config;

    drain();
    if (!wait_writable())
        return;
    outb(STATUS, CMD_READ_CONFIG);
    for (int i = 0; i < PATIENCE && !(inb(STATUS) & STATUS_OUTPUT); i++)
        ;
    config = (inb(DATA) | set) & ~clear;
    if (wait_writable())
        outb(STATUS, CMD_WRITE_CONFIG);
    if (wait_writable())
        outb(DATA, config);
}

void
keyboard_init(void)
{
    present = inb(STATUS) != STATUS_NONE;
    if (!present)
        return;
    configure(CONFIG_TRANSLATE,
            CONFIG_INTERRUPT | CONFIG_MOUSE_INTERRUPT | CONFIG_KEYBOARD_OFF);
    if (wait_writable())
        outb(STATUS, CMD_ENABLE_KEYBOARD);
    if (wait_writable())
        outb(DATA, KEYBOARD_SCAN); /* its answer, 0xfa, means no key */
}

void
keyboard_enable_interrupt(void)
{
    if (present)
        configure(CONFIG_INTERRUPT, 0);
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What the key types, given what else is held. */
static int
key_char(uint8_t code)
{
    char c;

    if (code >= sizeof(plain) - 1)
        return -1;
    c = shifts ? shifted[code] : plain[code];
    if (caps && is_letter(c))
        c ^= 'a' ^ 'A';
    if (ctrls && c >= '@')
        c &= 0x1f;
    return c != 0 ? c : -1;
}

static void
start_sequence(uint8_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(extended_keys); i++)
        if (extended_keys[i].code == code)
            pending = extended_keys[i].text;
}

/* Note in *held that one of two keys is down, or up: bit 0 or 1. */
static void
hold(uint8_t *held, unsigned which, bool down)
{
    uint8_t bit = (uint8_t)(1 << which);

    *held = down ? *held | bit : *held & ~bit;
}

/* A keyboard repeats the code of a held key, which is one press all the same.
 */
static void
press_caps(bool down)
{
    if (down && !caps_held)
        caps = !caps;
    caps_held = down;
}

/* Take note of one scan code; the character it means, or -1. */
int
keyboard_key(uint8_t scan)
{
    uint8_t code = scan & ~KEY_UP;
    bool down = !(scan & KEY_UP), was_extended = extended;

    extended = scan == KEY_EXTENDED;
    if (extended)
        return -1;
    switch (code) {
    case KEY_LEFT_SHIFT:
    case KEY_RIGHT_SHIFT:
        if (!was_extended) /* 0xe0 0x2a is no shift, but comes with arrows */
            hold(&shifts, code == KEY_RIGHT_SHIFT, down);
        return -1;
    case KEY_CTRL: hold(&ctrls, was_extended, down); return -1;
    case KEY_CAPS: press_caps(down); return -1;
    }
    if (!down)
        return -1;
    if (!was_extended)
        return key_char(code);
    start_sequence(code);
    return *pending != '\0' ? *pending++ : -1;
}

int
keyboard_poll(void)
{
    uint8_t status;
    int c = -1;

    if (*pending != '\0')
        return *pending++;
    while (present && c < 0 && (status = inb(STATUS)) & STATUS_OUTPUT) {
        uint8_t scan = inb(DATA);

        if (status == STATUS_NONE)
            break;
        if (!(status & STATUS_MOUSE))
            c = keyboard_key(scan);
    }
    return c;
}
