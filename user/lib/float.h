/*
 * float.h - doubles as text, for print.c.
 */
#pragma once

#include <lux/types.h>

struct spec;

enum {
    FLOAT_PRECISION = 1080, /* all digits there can be after the point; any
                               more are 0 and left to the caller */
    FLOAT_MAX = 1400 /* bytes of the longest text: 309 digits and those */
};

/*
 * value as letter 'e', 'f', 'g' or 'a' of print shows it (capitals: in
 * capitals), with sign, precision and `#` from spec, its width left out.
 * Rounded to nearest, ties to even, from the exact binary value.  Returns the
 * length; no NUL.
 */
int float_text(char *text, double value, char letter, const struct spec *spec);
