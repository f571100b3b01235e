/*
 * print.c - formatted output of programs: the kernel's engine
 * (boot/format.c) with letters for doubles and errors.
 */
#include "lib/lux.h"
#include "lib/float.h"
#include "boot/format.h"

static void
put_bytes(struct sink *s, const char *text, int n)
{
    for (int i = 0; i < n; i++)
        sink_put(s, text[i]);
}

/* The zeros that the flag 0 asks for go behind the sign and 0x. */
static void
put_float(struct sink *s, const struct spec *spec, char letter, double value)
{
    struct float_text t;
    int blanks, zeros = 0;

    float_text(&t, value, letter, spec);
    blanks = spec->width - t.len - t.zeros;
    if (spec->zero && !spec->left && t.finite) {
        zeros = blanks;
        blanks = 0;
    }
    if (!spec->left)
        sink_fill(s, ' ', blanks);
    put_bytes(s, t.text, t.start);
    sink_fill(s, '0', zeros);
    put_bytes(s, t.text + t.start, t.exponent - t.start);
    sink_fill(s, '0', t.zeros);
    put_bytes(s, t.text + t.exponent, t.len - t.exponent);
    if (spec->left)
        sink_fill(s, ' ', blanks);
}

/* %e %f %g %a and %r, which the kernel lacks; see boot/format.h. */
bool
format_verb(struct sink *s, const struct spec *spec, char letter, va_list *args)
{
    switch (letter) {
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': put_float(s, spec, letter, va_arg(*args, double)); return true;
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

/* ---- text of any length, in pieces ---- */

struct output {
    struct sink sink;
    write_fn *write;
    void *to;
    int64_t err; /* of the first write that failed; nothing follows it */
};

static void
output_flush(struct sink *s)
{
    struct output *o = CONTAINER_OF(s, struct output, sink);

    if (o->err >= 0)
        o->err = o->write(o->to, s->buf, s->used);
    s->used = 0;
}

int
print_by(write_fn *put, void *to, const char *fmt, va_list args)
{
    char buf[PRINT_MAX];
    struct output o = {
        .sink = { .buf = buf, .room = sizeof(buf), .flush = output_flush },
        .write = put,
        .to = to
    };
    va_list copy;

    va_copy(copy, args);
    format(&o.sink, fmt, &copy);
    va_end(copy);
    if (o.sink.used > 0)
        output_flush(&o.sink);
    return o.err < 0 ? (int)o.err : (int)o.sink.total;
}
