/*
 * vga.c - the screen as a BIOS leaves it: 80 by 25 character cells at
 * 0xb8000, two bytes each: code, colour.
 *
 * IBM VGA documentation; the cursor's place is in CRTC registers 14 and 15.
 */
#include "boot/screen.h"
#include "boot/x86_64/x86.h"

enum {
    CRTC_INDEX = 0x3d4,
    CRTC_DATA = 0x3d5,
    CRTC_CURSOR_START = 10,
    CRTC_CURSOR_END = 11,
    CRTC_CURSOR_HIGH = 14,
    CRTC_CURSOR_LOW = 15,
    COLOUR = 0x07, /* light grey on black */
};

static volatile uint16_t *memory;
static unsigned line; /* cells in a row */

static void
crtc_write(uint8_t index, uint8_t value)
{
    outb(CRTC_INDEX, index);
    outb(CRTC_DATA, value);
}

static void
vga_draw(unsigned row, unsigned col, uint8_t glyph)
{
    memory[row * line + col] = COLOUR << 8 | glyph;
}

static void
vga_cursor(unsigned row, unsigned col, uint8_t glyph, bool show)
{
    unsigned at = row * line + col;

    (void)glyph;
    if (!show)
        return; /* it is not in the cell: moving it is enough */
    crtc_write(CRTC_CURSOR_HIGH, at >> 8);
    crtc_write(CRTC_CURSOR_LOW, at);
}

static bool
vga_init(
        const struct framebuffer *fb, void *mem, unsigned *rows, unsigned *cols)
{
    if (!fb->text || mem == NULL || fb->height == 0 || fb->pitch < 2 ||
            fb->height > MAX_ROWS || fb->width > MAX_COLS)
        return false;
    memory = mem;
    line = fb->pitch / 2;
    *rows = fb->height;
    *cols = fb->width;
    for (unsigned i = 0; i < fb->height * line; i++)
        memory[i] = COLOUR << 8 | ' ';
    crtc_write(CRTC_CURSOR_START, 14); /* an underline, and not hidden */
    crtc_write(CRTC_CURSOR_END, 15);
    return true;
}

static void
vga_moved(void *mem)
{
    memory = mem;
}

const struct screen_kind vga_screen = {
    .init = vga_init,
    .draw = vga_draw,
    .cursor = vga_cursor,
    .moved = vga_moved,
};
