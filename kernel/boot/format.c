/*
 * format.c - formatted output: see format.h.  Calls nothing but format_verb,
 * so that it links on both sides of the system call.
 */
#include "boot/format.h"

void
sink_put(struct sink *s, char c)
{
    if (s->used == s->room && s->flush != NULL)
        s->flush(s);
    if (s->used < s->room)
        s->buf[s->used++] = c;
    s->total++;
}

void
sink_fill(struct sink *s, char c, int n)
{
    while (n-- > 0)
        sink_put(s, c);
}

/*
 * len bytes of text, with blanks up to spec->width: before it, or after it if
 * spec->left.  A text longer than the width is not cut.
 *
 * Lab 1.6
 */
void
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

/*
 * A string as %s shows it: up to its NUL, but not more than spec->precision
 * bytes if one is given (>= 0); bytes behind that are not even looked at, the
 * NUL may be missing.  NULL shows as "(null)".
 *
 * Lab 1.6
 */
void
put_string(struct sink *s, const struct spec *spec, const char *text)
{
    size_t max = spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision;
    size_t len = 0;

    if (text == NULL)
        text = "(null)";
    while (len < max && text[len] != '\0')
        len++;
    put_text(s, spec, text, len);
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
 * A number: blanks, prefix (sign or 0x, at most two characters), zeros, digits,
 * blanks.  As C has it (C11 7.21.6.1):
 *
 * - The precision is the least number of digits, 1 if none is given (-1); the
 *   number 0 with precision 0 has no digits at all.
 * - The flag 0 (spec->zero) makes zeros of the blanks before the number, unless
 *   there is a precision or the flag - (spec->left).
 * - spec->alt in octal makes the first digit a zero, if it is none already.
 * - The width counts everything.
 *
 * value is 64 bits wide in any base from 8 to 16; upper: digits A to F.
 *
 * Lab 1.6
 */
static void
put_number(struct sink *s, const struct spec *spec, uint64_t value,
        unsigned base, bool upper, const char *prefix)
{
    char buf[24]; /* 64 bits in octal have 22 digits */
    char *start = digits(buf + sizeof(buf), value, base, upper);
    int ndigit = (int)(buf + sizeof(buf) - start);
    int nprefix = prefix[0] == '\0' ? 0 : prefix[1] == '\0' ? 1 : 2;
    int least = spec->precision < 0 ? 1 : spec->precision;
    int zeros, blanks;

    if (spec->alt && base == 8 && least <= ndigit)
        least = ndigit + 1; /* octal's prefix is a digit among others */
    zeros = ndigit < least ? least - ndigit : 0;
    blanks = spec->width - nprefix - zeros - ndigit;
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

/*
 * A decimal number with its sign: "-", or for those that have none "+" if
 * spec->plus, else " " if spec->space.  INT64_MIN has a magnitude too.
 *
 * Lab 1.6
 */
static void
put_signed(struct sink *s, const struct spec *spec, int64_t value)
{
    const char *sign = spec->plus ? "+" : spec->space ? " " : "";
    uint64_t magnitude = (uint64_t)value;

    if (value < 0) {
        sign = "-";
        magnitude = 0 - magnitude;
    }
    put_number(s, spec, magnitude, 10, false, sign);
}

static void
put_unsigned(
        struct sink *s, const struct spec *spec, uint64_t value, char letter)
{
    unsigned base = letter == 'u' ? 10 : letter == 'o' ? 8 : 16;
    const char *prefix = "";

    if (spec->alt && value != 0 && letter == 'x')
        prefix = "0x";
    else if (spec->alt && value != 0 && letter == 'X')
        prefix = "0X";
    put_number(s, spec, value, base, letter == 'X', prefix);
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

enum {
    MAX_COUNT = 1 << 16
}; /* largest width or precision */

/* A width or precision: digits or `*`.  fmt moves behind it. */
static int
parse_count(const char **fmt, va_list *args)
{
    int n = 0;

    if (**fmt == '*') {
        (*fmt)++;
        n = va_arg(*args, int);
        return n > MAX_COUNT ? MAX_COUNT : n < -MAX_COUNT ? -MAX_COUNT : n;
    }
    for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
        if (n < MAX_COUNT)
            n = n * 10 + (**fmt - '0');
    return n < MAX_COUNT ? n : MAX_COUNT;
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
        else if (*fmt == 'l' || *fmt == 'z' || *fmt == 'j' || *fmt == 't')
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
convert(struct sink *s, const struct spec *spec, char letter, va_list *args)
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
        c = (char)va_arg(*args, int);
        put_text(s, spec, &c, 1);
        break;
    case 's': put_string(s, spec, va_arg(*args, const char *)); break;
    case 'p':
        put_number(s, spec, va_arg(*args, uint64_t), 16, false, "0x");
        break;
    case '%': sink_put(s, '%'); break;
    default:
        if (format_verb(s, spec, letter, args))
            break;
        sink_put(s, '%');
        sink_put(s, letter);
    }
}

void
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
