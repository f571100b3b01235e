/*
 * float.h - doubles as text, for print.c.
 */
#pragma once

#include <lux/types.h>

struct spec;

enum {
    FLOAT_PRECISION = 1080, /* all digits there can be after the point */
    FLOAT_MAX = 1400 /* bytes of the longest text: 309 digits and those */
};

struct float_text {
    char text[FLOAT_MAX]; /* no NUL */
    int len;
    int start;    /* where the digits begin: behind the sign and 0x */
    int exponent; /* where `e` or `p` is, or len */
    int zeros;    /* that go there: digits beyond FLOAT_PRECISION */
    bool finite;  /* it has digits: not inf, nan */
};

/*
 * value as letter 'e', 'f', 'g' or 'a' of print shows it (capitals: in
 * capitals), with sign, precision and `#` from spec, its width left out.
 * Rounded to nearest, ties to even, from the exact binary value.
 */
void float_text(struct float_text *t, double value, char letter,
        const struct spec *spec);
