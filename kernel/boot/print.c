/*
 * print.c - formatted output: one engine behind print and snprint.
 *
 * The engine hands characters to a struct sink, which either keeps what fits
 * into a buffer or collects them in blocks for the console.  No allocation,
 * no recursion, no floating point: it works in a double fault.
 */
#include "boot/boot.h"

struct sink {
    char *buf;
    size_t room;  /* bytes in buf */
    size_t used;  /* bytes now in buf */
    size_t total; /* characters put so far */
    bool console; /* a full buffer goes to the console and is used again */
};

enum int_size {
    SIZE_CHAR,
    SIZE_SHORT,
    SIZE_INT,
    SIZE_LONG
};

struct spec { /* one conversion: %[flags][width][.precision][size]letter */
    bool left, zero, plus, space, alt;
    int width;
    int precision; /* -1: none given */
    enum int_size size;
};

/* keeps the characters of one print together on the console */
static struct spinlock print_lock = SPINLOCK_INIT(RANK_CONSOLE, "console");

static void
sink_flush(struct sink *s)
{
    console_write(s->buf, s->used);
    s->used = 0;
}

static void
sink_put(struct sink *s, char c)
{
    if (s->used == s->room && s->console)
        sink_flush(s);
    if (s->used < s->room)
        s->buf[s->used++] = c;
    s->total++;
}

static void
sink_fill(struct sink *s, char c, int n)
{
    while (n-- > 0)
        sink_put(s, c);
}

/* The text between blanks, as the width wants it. */
static void
put_text(struct sink *s, const struct spec *spec, const char *text, size_t len)
{
    int blanks = spec->width - (int)len;

    if (!spec->left)
        sink_fill(s, ' ', blanks);
    for (size_t i = 0; i < len; i++)
        sink_put(s, text[i]);
    if (spec->left)
        sink_fill(s, ' ', blanks);
}

static void
put_string(struct sink *s, const struct spec *spec, const char *text)
{
    size_t max = spec->precision < 0 ? MAX_IO : (size_t)spec->precision;

    if (text == NULL)
        text = "(null)";
    put_text(s, spec, text, strnlen(text, max));
}

/* Digits of value to the end of buf; returns where they start. */
static char *
digits(char *end, uint64_t value, unsigned base, bool upper)
{
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    for (; value != 0; value /= base)
        *--end = set[value % base];
    return end;
}

/*
 * A number: blanks, prefix (sign or 0x), zeros, digits, blanks.  The
 * precision is the least number of digits; 0 with precision 0 prints none.
 */
static void
put_number(struct sink *s, const struct spec *spec, uint64_t value,
        unsigned base, bool upper, const char *prefix)
{
    char buf[24]; /* 64 bits in octal have 22 digits */
    char *start = digits(buf + sizeof(buf), value, base, upper);
    int ndigit = buf + sizeof(buf) - start;
    int nprefix = strlen(prefix);
    int least = spec->precision < 0 ? 1 : spec->precision;
    int zeros = ndigit < least ? least - ndigit : 0;
    int blanks = spec->width - nprefix - zeros - ndigit;

    if (spec->zero && !spec->left && spec->precision < 0 && blanks > 0) {
        zeros += blanks;
        blanks = 0;
    }
    if (!spec->left)
        sink_fill(s, ' ', blanks);
    for (int i = 0; i < nprefix; i++)
        sink_put(s, prefix[i]);
    sink_fill(s, '0', zeros);
    while (start < buf + sizeof(buf))
        sink_put(s, *start++);
    if (spec->left)
        sink_fill(s, ' ', blanks);
}

static void
put_signed(struct sink *s, const struct spec *spec, int64_t value)
{
    const char *sign = value < 0     ? "-"
                       : spec->plus  ? "+"
                       : spec->space ? " "
                                     : "";

    put_number(s, spec, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10,
            false, sign);
}

static void
put_unsigned(struct sink *s, struct spec *spec, uint64_t value, char letter)
{
    const char *prefix = "";

    if (spec->alt && letter == 'o' && spec->precision < 1 && value != 0)
        prefix = "0";
    else if (spec->alt && value != 0 && letter == 'x')
        prefix = "0x";
    else if (spec->alt && value != 0 && letter == 'X')
        prefix = "0X";
    put_number(s, spec, value,
            letter == 'u'   ? 10
            : letter == 'o' ? 8
                            : 16,
            letter == 'X', prefix);
}

/* %y: symbol+0x12, or the bare number where no symbol is. */
static void
put_symbol(struct sink *s, const struct spec *spec, uint64_t addr)
{
    const struct symbol *sym = symbol_find(addr);
    char text[96];

    if (sym == NULL)
        snprint(text, sizeof(text), "0x%lx", addr);
    else
        snprint(text, sizeof(text), "%.64s+0x%lx", sym->name, addr - sym->addr);
    put_string(s, spec, text);
}

/* What va_arg holds for the size: narrow types come widened to int. */
static int64_t
arg_signed(va_list *args, enum int_size size)
{
    switch (size) {
    case SIZE_CHAR: return (signed char)va_arg(*args, int);
    case SIZE_SHORT: return (short)va_arg(*args, int);
    case SIZE_INT: return va_arg(*args, int);
    default: return va_arg(*args, int64_t);
    }
}

static uint64_t
arg_unsigned(va_list *args, enum int_size size)
{
    switch (size) {
    case SIZE_CHAR: return (unsigned char)va_arg(*args, unsigned);
    case SIZE_SHORT: return (unsigned short)va_arg(*args, unsigned);
    case SIZE_INT: return va_arg(*args, unsigned);
    default: return va_arg(*args, uint64_t);
    }
}

/* A width or precision: digits or `*`.  fmt moves behind it. */
static int
parse_count(const char **fmt, va_list *args)
{
    int n = 0;

    if (**fmt == '*') {
        (*fmt)++;
        return va_arg(*args, int);
    }
    for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
        if (n < 100000)
            n = n * 10 + (**fmt - '0');
    return n;
}

static const char *
parse_flags(const char *fmt, struct spec *spec)
{
    for (;; fmt++) {
        switch (*fmt) {
        case '-': spec->left = true; break;
        case '0': spec->zero = true; break;
        case '+': spec->plus = true; break;
        case ' ': spec->space = true; break;
        case '#': spec->alt = true; break;
        default: return fmt;
        }
    }
}

static const char *
parse_size(const char *fmt, struct spec *spec)
{
    for (;; fmt++) {
        if (*fmt == 'h')
            spec->size = spec->size == SIZE_SHORT ? SIZE_CHAR : SIZE_SHORT;
        else if (*fmt == 'l' || *fmt == 'z')
            spec->size = SIZE_LONG;
        else
            return fmt;
    }
}

/* fmt points behind the %; returns the address of the conversion's letter. */
static const char *
parse_spec(const char *fmt, struct spec *spec, va_list *args)
{
    *spec = (struct spec){ .precision = -1, .size = SIZE_INT };
    fmt = parse_flags(fmt, spec);
    spec->width = parse_count(&fmt, args);
    if (spec->width < 0) { /* C: a negative `*` means the flag `-` */
        spec->left = true;
        spec->width = -spec->width;
    }
    if (*fmt == '.') {
        fmt++;
        spec->precision = parse_count(&fmt, args);
    }
    return parse_size(fmt, spec);
}

static void
convert(struct sink *s, struct spec *spec, char letter, va_list *args)
{
    char c;

    switch (letter) {
    case 'd':
    case 'i': put_signed(s, spec, arg_signed(args, spec->size)); break;
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        put_unsigned(s, spec, arg_unsigned(args, spec->size), letter);
        break;
    case 'c':
        c = va_arg(*args, int);
        put_text(s, spec, &c, 1);
        break;
    case 's': put_string(s, spec, va_arg(*args, const char *)); break;
    case 'p':
        put_number(s, spec, va_arg(*args, uint64_t), 16, false, "0x");
        break;
    case 'y': put_symbol(s, spec, va_arg(*args, uint64_t)); break;
    case 'e': put_string(s, spec, err_string(va_arg(*args, int))); break;
    case '%': sink_put(s, '%'); break;
    default: /* unknown: show it, so that the mistake is seen */
        sink_put(s, '%');
        sink_put(s, letter);
    }
}

static void
format(struct sink *s, const char *fmt, va_list *args)
{
    struct spec spec;

    for (; *fmt != '\0'; fmt++) {
        if (*fmt != '%') {
            sink_put(s, *fmt);
            continue;
        }
        fmt = parse_spec(fmt + 1, &spec, args);
        if (*fmt == '\0')
            return;
        convert(s, &spec, *fmt, args);
    }
}

int
vsnprint(char *buf, size_t len, const char *fmt, va_list args)
{
    struct sink s = { .buf = buf, .room = len > 0 ? len - 1 : 0 };
    va_list copy; /* a va_list parameter's address has another type */

    va_copy(copy, args);
    format(&s, fmt, &copy);
    va_end(copy);
    if (len > 0)
        buf[s.used] = '\0';
    return s.total;
}

int
snprint(char *buf, size_t len, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprint(buf, len, fmt, args);
    va_end(args);
    return n;
}

/*
 * A CPU that panics prints without the lock: its holder may be the very code
 * that panicked, or a CPU that has been halted.
 */
void
print(const char *fmt, ...)
{
    char block[128];
    struct sink s = { .buf = block, .room = sizeof(block), .console = true };
    bool locked = !this_cpu()->in_panic;
    va_list args;

    if (locked)
        spin_lock(&print_lock);
    va_start(args, fmt);
    format(&s, fmt, &args);
    va_end(args);
    sink_flush(&s);
    if (locked)
        spin_unlock(&print_lock);
}

void
print_bytes(const char *s, size_t n)
{
    spin_lock(&print_lock);
    console_write(s, n);
    spin_unlock(&print_lock);
}
