/*
 * screen.h - between screen.c and the two kinds of screen it can draw on;
 * for this folder only.
 */
#pragma once

#include "boot/boot.h"

enum {
    MAX_ROWS = 128,
    MAX_COLS = 256,
    GLYPHS = 256,
    GLYPH_HEIGHT = 16
};

/* A kind of screen: character cells that can be set, and a cursor. */
struct screen_kind {
    /* Start on the screen the loader left; false: not this kind. */
    bool (*init)(const struct framebuffer *fb, void *memory, unsigned *rows,
            unsigned *cols);
    void (*draw)(unsigned row, unsigned col, uint8_t glyph);
    void (*cursor)(unsigned row, unsigned col, uint8_t glyph, bool show);
    void (*moved)(void *memory); /* its memory is mapped there from now on */
};

extern const struct screen_kind vga_screen;         /* vga.c */
extern const struct screen_kind framebuffer_screen; /* framebuffer.c */

/* font.c, made by tools/font.py: code page 437, as VGA's own font has it. */
extern const uint8_t font[GLYPHS][GLYPH_HEIGHT]; /* bit 7: leftmost pixel */
struct font_code {
    uint16_t unicode;
    uint8_t glyph;
};
extern const struct font_code font_codes[]; /* not ASCII; by rising unicode */
extern const unsigned nfont_code;
