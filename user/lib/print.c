/*
 * print.c - formatted output of programs: the kernel's engine
 * (boot/format.c) with three letters more.
 */
#include "lib/lux.h"
#include "lib/float.h"
#include "boot/format.h"

/* The text of value in its width; zeros go behind the sign. */
static void
put_float(struct sink *s, const struct spec *spec, char letter, double value)
{
    char text[FLOAT_MAX];
    struct spec plain = *spec; /* the precision is used up already */
    int len = float_text(text, value, letter, spec);
    int sign = text[0] == '-' || text[0] == '+' || text[0] == ' ';
    int zeros = spec->width - len;

    plain.precision = -1;
    if (spec->zero && !spec->left && zeros > 0 && isdigit(text[sign])) {
        if (sign)
            sink_put(s, text[0]);
        sink_fill(s, '0', zeros);
        for (int i = sign; i < len; i++)
            sink_put(s, text[i]);
        return;
    }
    put_text(s, &plain, text, (size_t)len);
}

/* %e %f %g and %r, which the kernel lacks; see boot/format.h. */
bool
format_verb(struct sink *s, const struct spec *spec, char letter, va_list *args)
{
    switch (letter) {
    case 'e':
    case 'f':
    case 'g': put_float(s, spec, letter, va_arg(*args, double)); return true;
    case 'r': put_string(s, spec, errstr()); return true;
    default: return false;
    }
}

/* Format into buf, cut to len - 1 and a NUL. */
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
    return (int)s.total;
}

/* vsnprint with its arguments in place. */
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
