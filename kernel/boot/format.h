/*
 * format.h - the engine behind every print, in the kernel and (the same
 * source) in the user library.
 *
 * It turns a format and its arguments into characters for a struct sink.  No
 * allocation, no recursion, no floating point: it works in a double fault.
 */
#pragma once

#include <lux/types.h>

struct sink { /* where the characters go */
    char *buf;
    size_t room;                   /* bytes in buf */
    size_t used;                   /* bytes now in buf */
    size_t total;                  /* characters put so far */
    void (*flush)(struct sink *s); /* empties a full buf; NULL: cut there */
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

/*
 * %d %i %u %x %X %o %c %s %p %% with flags "-0+ #", width, precision, `*`
 * and the sizes hh h l ll z.  Other letters go to format_verb, and a letter
 * that it does not know is shown as it stands, so that the mistake is seen.
 */
void format(struct sink *s, const char *fmt, va_list *args);

/*
 * The letters that only the kernel, or only user programs have; each side
 * defines it.  true: `letter` was one, and its argument is taken and put.
 */
bool format_verb(
        struct sink *s, const struct spec *spec, char letter, va_list *args);

void sink_put(struct sink *s, char c);
void sink_fill(struct sink *s, char c, int n);

/* text, filled with blanks to the width; NULL shows as "(null)". */
void put_text(
        struct sink *s, const struct spec *spec, const char *text, size_t len);
void put_string(struct sink *s, const struct spec *spec, const char *text);
