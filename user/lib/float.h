/*
 * float.h - doubles as text, for print.c.
 */
#pragma once

#include <lux/types.h>

struct spec;

enum {
    FLOAT_PRECISION = 60, /* digits after the point that are kept; more cut */
    FLOAT_MAX = 400       /* bytes of the longest text: 309 digits and those */
};

/*
 * value as letter 'e', 'f' or 'g' of print shows it, with sign, precision
 * and `#` from spec, its width left out.  Rounded to nearest, ties to even,
 * from the exact binary value.  Returns the length; no NUL.
 */
int float_text(char *text, double value, char letter, const struct spec *spec);
