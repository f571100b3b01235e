/*
 * framebuffer.c - characters drawn as pixels on a linear framebuffer, the
 * only screen a UEFI machine has.
 *
 * Pixels are only written: reading them back is slow on real hardware.  The
 * cursor is the cell's last two lines in white.
 */
#include "boot/screen.h"

enum {
    GLYPH_WIDTH = 8,
    CURSOR_LINES = 2
};

static uint8_t *memory; /* NULL: above what early page tables reach */
static uint32_t pitch, pixel_bytes;
static uint32_t on_colour;

/* 8 pixels of one line of a glyph, bit 7 first */
static void
draw_line(uint8_t *to, uint8_t bits)
{
    for (unsigned x = 0; x < GLYPH_WIDTH; x++, to += pixel_bytes) {
        uint32_t colour = bits & 0x80 >> x ? on_colour : 0;

        if (pixel_bytes == 4)
            *(uint32_t *)to = colour;
        else
            memcpy(to, &colour, pixel_bytes);
    }
}

static uint8_t *
cell_memory(unsigned row, unsigned col)
{
    return memory + (size_t)row * GLYPH_HEIGHT * pitch +
           (size_t)col * GLYPH_WIDTH * pixel_bytes;
}

static void
fb_draw(unsigned row, unsigned col, uint8_t glyph)
{
    uint8_t *to = cell_memory(row, col);

    if (memory == NULL)
        return;
    for (unsigned y = 0; y < GLYPH_HEIGHT; y++, to += pitch)
        draw_line(to, font[glyph][y]);
}

static void
fb_cursor(unsigned row, unsigned col, uint8_t glyph, bool show)
{
    uint8_t *to = cell_memory(row, col);

    if (memory == NULL)
        return;
    for (unsigned y = GLYPH_HEIGHT - CURSOR_LINES; y < GLYPH_HEIGHT; y++)
        draw_line(to + y * pitch, show ? 0xff : font[glyph][y]);
}

/* Light grey, wherever the three colours lie in a pixel. */
static uint32_t
light_grey(const struct framebuffer *fb)
{
    return 0xaau << fb->red_shift | 0xaau << fb->green_shift |
           0xaau << fb->blue_shift;
}

static bool
fb_init(const struct framebuffer *fb, void *mem, unsigned *rows, unsigned *cols)
{
    if (fb->text || (fb->bpp != 24 && fb->bpp != 32) || fb->red_shift > 24 ||
            fb->green_shift > 24 || fb->blue_shift > 24 ||
            fb->pitch / (fb->bpp / 8) < fb->width)
        return false;
    *rows = fb->height / GLYPH_HEIGHT;
    *cols = fb->width / GLYPH_WIDTH;
    *rows = *rows < MAX_ROWS ? *rows : MAX_ROWS;
    *cols = *cols < MAX_COLS ? *cols : MAX_COLS;
    if (*rows == 0 || *cols == 0)
        return false;
    memory = mem;
    pitch = fb->pitch;
    pixel_bytes = fb->bpp / 8;
    on_colour = light_grey(fb);
    if (memory != NULL)
        memset(memory, 0, (size_t)pitch * fb->height);
    return true;
}

static void
fb_moved(void *mem)
{
    memory = mem;
}

const struct screen_kind framebuffer_screen = {
    .init = fb_init,
    .draw = fb_draw,
    .cursor = fb_cursor,
    .moved = fb_moved,
};
