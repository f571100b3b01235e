/*
 * screen.c - a terminal of character cells: what is where, and scrolling.
 *
 * The cells are kept here, because reading a screen's memory is slow and a
 * framebuffer has no characters to read.  Scrolling redraws only the cells
 * that become different.  Everything past width[row] in a row is blank.
 */
#include "boot/console.h"
#include "boot/screen.h"

enum {
    BLANK = ' ',
    TAB = 8,
    UNKNOWN = '?'
};

static const struct screen_kind *const kinds[] = {
    &framebuffer_screen,
    &vga_screen,
};

static const struct screen_kind *screen; /* NULL: none, or not yet */
static unsigned rows, cols;
static unsigned row, col; /* of the next character; col may be cols */
static uint8_t cells[MAX_ROWS][MAX_COLS];
static uint16_t width[MAX_ROWS];

static enum {
    TEXT,
    ESCAPE,  /* after ESC */
    SEQUENCE /* after ESC [: up to its final letter */
} state;
static uint32_t utf8_code;
static unsigned utf8_left; /* bytes of the character that are still to come */

static void
set_cell(unsigned r, unsigned c, uint8_t glyph)
{
    if (cells[r][c] == glyph)
        return;
    cells[r][c] = glyph;
    screen->draw(r, c, glyph);
}

/* One row becomes a copy of another, or blank if `from` is past the end. */
static void
set_row(unsigned to, unsigned from)
{
    unsigned want = from < rows ? width[from] : 0;
    unsigned n = want > width[to] ? want : width[to];

    for (unsigned c = 0; c < n; c++)
        set_cell(to, c, c < want ? cells[from][c] : BLANK);
    width[to] = want;
}

static void
new_line(void)
{
    col = 0;
    if (++row < rows)
        return;
    for (unsigned r = 0; r < rows; r++)
        set_row(r, r + 1);
    row = rows - 1;
}

static void
put_glyph(uint8_t glyph)
{
    if (col == cols)
        new_line();
    set_cell(row, col++, glyph);
    if (width[row] < col)
        width[row] = col;
}

static uint8_t
glyph_of(uint32_t code)
{
    if (code < 0x80)
        return code;
    for (unsigned i = 0; i < nfont_code; i++)
        if (font_codes[i].unicode == code)
            return font_codes[i].glyph;
    return UNKNOWN;
}

/* Put UTF-8 together; a byte that does not fit is shown as unknown. */
static void
put_byte(uint8_t b)
{
    if (utf8_left > 0 && (b & 0xc0) == 0x80) {
        utf8_code = utf8_code << 6 | (b & 0x3f);
        if (--utf8_left == 0)
            put_glyph(glyph_of(utf8_code));
        return;
    }
    utf8_left = b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : b >= 0xc0 ? 1 : 0;
    utf8_code = b & (0x3f >> utf8_left);
    if (utf8_left == 0)
        put_glyph(b < 0x80 ? b : UNKNOWN);
}

static void
put_control(char c)
{
    switch (c) {
    case '\n': new_line(); break;
    case '\r': col = 0; break;
    case '\b':
        if (col > 0)
            col--;
        break;
    case '\t':
        do
            put_glyph(BLANK);
        while (col % TAB != 0 && col < cols);
        break;
    case '\033': state = ESCAPE; break;
    }
}

static void
put(char c)
{
    if (state == ESCAPE)
        state = c == '[' ? SEQUENCE : TEXT;
    else if (state == SEQUENCE)
        state = c >= '@' ? TEXT : SEQUENCE;
    else if ((uint8_t)c < ' ')
        put_control(c);
    else
        put_byte(c);
}

static void
show_cursor(bool show)
{
    unsigned c = col < cols ? col : cols - 1;

    screen->cursor(row, c, cells[row][c], show);
}

void
screen_write(const char *s, size_t len)
{
    if (screen == NULL)
        return;
    show_cursor(false);
    for (size_t i = 0; i < len; i++)
        put(s[i]);
    show_cursor(true);
}

paddr_t
screen_memory(size_t *len)
{
    const struct framebuffer *fb = &bootinfo.fb;

    *len = (size_t)fb->pitch * fb->height;
    return screen == NULL ? 0 : fb->pa;
}

/* What was written while nobody could see it is drawn now. */
void
screen_moved(void *memory)
{
    if (screen == NULL)
        return;
    screen->moved(memory);
    for (unsigned r = 0; r < rows; r++)
        for (unsigned c = 0; c < cols; c++)
            screen->draw(r, c, cells[r][c]);
    show_cursor(true);
}

void
screen_init(void)
{
    struct framebuffer *fb = &bootinfo.fb;
    bool reachable = fb->pa + (uint64_t)fb->pitch * fb->height < 4ul << 30;

    if (fb->pa == 0) /* PVH does not say; a PC starts in VGA text mode */
        *fb = (struct framebuffer){
            .pa = 0xb8000, .width = 80, .height = 25, .pitch = 160, .text = true
        };
    memset(cells, BLANK, sizeof(cells));
    for (unsigned i = 0; i < ARRAY_LEN(kinds) && screen == NULL; i++)
        if (kinds[i]->init(
                    fb, reachable ? pa_to_kva(fb->pa) : NULL, &rows, &cols))
            screen = kinds[i];
}
