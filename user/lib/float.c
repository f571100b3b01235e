/*
 * float.c - a double as decimal text, exactly.
 *
 * A double is m * 2^e.  For e >= 0 that is an integer; for e < 0 it is
 * m * 5^-e / 10^-e, so the digits of the integer m * 5^-e with the point
 * moved left are the number, all of it (767 digits at most).  One big
 * integer in base 10^9 yields them; rounding then sees the true value, and
 * ties are ties.
 */
#include "lib/lux.h"
#include "lib/float.h"
#include "boot/format.h"

enum {
    LIMBS = 90, /* base 10^9: 810 digits */
    LIMB_DIGITS = 9,
    MAX_DIGITS = LIMBS * LIMB_DIGITS,
    MANTISSA_BITS = 52,
};

struct decimal { /* 0.d0 d1 d2... * 10^point; d0 is not 0 unless n is 0 */
    char digit[MAX_DIGITS + 1]; /* values 0..9 */
    int n;
    int point;
};

struct big { /* limb[0] is the least significant */
    uint32_t limb[LIMBS];
    int n;
};

/* b *= by; the carry out must fit one limb, so by < 10^9. */
static void
big_times(struct big *b, uint32_t by)
{
    uint64_t carry = 0;

    for (int i = 0; i < b->n; i++) {
        carry += (uint64_t)b->limb[i] * by;
        b->limb[i] = (uint32_t)(carry % 1000000000);
        carry /= 1000000000;
    }
    if (carry != 0)
        b->limb[b->n++] = (uint32_t)carry;
}

/* b * base^count, `step` powers at a time: base^step is less than 10^9, so
 * that what big_times carries out fits one limb. */
static void
big_times_power(struct big *b, uint32_t base, int count, int step)
{
    uint32_t power = 1;

    for (int i = 0; i < step; i++)
        power *= base;
    for (; count >= step; count -= step)
        big_times(b, power);
    while (count-- > 0)
        big_times(b, base);
}

/* Digits of b without leading zeros, most significant first. */
static void
big_digits(const struct big *b, struct decimal *d)
{
    d->n = 0;
    for (int i = b->n - 1; i >= 0; i--) {
        uint32_t place = 100000000;

        for (int k = 0; k < LIMB_DIGITS; k++, place /= 10) {
            char c = (char)(b->limb[i] / place % 10);

            if (d->n > 0 || c != 0)
                d->digit[d->n++] = c;
        }
    }
}

/* All digits of a finite value >= 0. */
static void
exact_digits(double value, struct decimal *d)
{
    struct big b = { .n = 0 };
    uint64_t bits, mantissa;
    int e;

    memcpy(&bits, &value, sizeof(bits));
    mantissa = bits & ((1ul << MANTISSA_BITS) - 1);
    e = (int)(bits >> MANTISSA_BITS & 0x7ff);
    if (e != 0)
        mantissa |= 1ul << MANTISSA_BITS; /* the hidden bit */
    else
        e = 1; /* subnormal numbers have the smallest exponent */
    e -= 1023 + MANTISSA_BITS;
    for (; mantissa != 0; mantissa /= 1000000000)
        b.limb[b.n++] = (uint32_t)(mantissa % 1000000000);
    if (e >= 0)
        big_times_power(&b, 2, e, 29);
    else
        big_times_power(&b, 5, -e, 12);
    big_digits(&b, d);
    d->point = e >= 0 || d->n == 0 ? d->n : d->n + e;
}

/* Up: more than half a unit of the last kept digit, or half and it is odd. */
static bool
rounds_up(const struct decimal *d, int keep)
{
    if (d->digit[keep] != 5)
        return d->digit[keep] > 5;
    for (int i = keep + 1; i < d->n; i++)
        if (d->digit[i] != 0)
            return true;
    return keep > 0 && d->digit[keep - 1] % 2 != 0;
}

/* Keep the first `keep` digits (may be negative: none), rounded. */
static void
round_digits(struct decimal *d, int keep)
{
    bool up;

    if (keep >= d->n)
        return;
    up = keep >= 0 && rounds_up(d, keep);
    d->n = keep > 0 ? keep : 0;
    if (!up)
        return;
    for (int i = keep - 1; i >= 0; i--) {
        if (d->digit[i] < 9) {
            d->digit[i]++;
            return;
        }
        d->digit[i] = 0;
    }
    d->digit[0] = 1; /* 999.. became 1000.. (keep 0: 0.6 became 1) */
    d->n = keep > 0 ? keep : 1;
    d->point++;
}

/* The i-th digit as a character; zeros on both sides of those we have. */
static char
digit_at(const struct decimal *d, int i)
{
    return (char)('0' + (i >= 0 && i < d->n ? d->digit[i] : 0));
}

/* 123.456, with `precision` digits after the point. */
static char *
text_fixed(char *p, const struct decimal *d, int precision, bool point)
{
    int whole = d->n > 0 && d->point > 0 ? d->point : 0;

    if (whole == 0)
        *p++ = '0';
    for (int i = 0; i < whole; i++)
        *p++ = digit_at(d, i);
    if (precision > 0 || point)
        *p++ = '.';
    for (int i = 0; i < precision; i++)
        *p++ = digit_at(d, d->point + i);
    return p;
}

/* 1.23e+45, with `precision` digits after the point. */
static char *
text_scientific(char *p, const struct decimal *d, int precision, bool point)
{
    int e = d->n > 0 ? d->point - 1 : 0;
    int size = e < 0 ? -e : e;

    *p++ = digit_at(d, 0);
    if (precision > 0 || point)
        *p++ = '.';
    for (int i = 1; i <= precision; i++)
        *p++ = digit_at(d, i);
    *p++ = 'e';
    *p++ = e < 0 ? '-' : '+';
    if (size >= 100)
        *p++ = (char)('0' + size / 100);
    *p++ = (char)('0' + size / 10 % 10);
    *p++ = (char)('0' + size % 10);
    return p;
}

/* %g: the shorter of both, with `precision` digits and no zeros at the end
 * unless `all`. */
static char *
text_general(char *p, struct decimal *d, int precision, bool all)
{
    int e;

    if (precision == 0)
        precision = 1;
    round_digits(d, precision);
    e = d->n > 0 ? d->point - 1 : 0;
    if (!all) {
        while (d->n > 0 && d->digit[d->n - 1] == 0)
            d->n--;
        if (e < -4 || e >= precision)
            return text_scientific(p, d, d->n > 1 ? d->n - 1 : 0, false);
        return text_fixed(p, d, d->n > e + 1 ? d->n - e - 1 : 0, false);
    }
    if (e < -4 || e >= precision)
        return text_scientific(p, d, precision - 1, true);
    return text_fixed(p, d, precision - 1 - e, true);
}

/* Choose digits and shape for a value that is a number. */
static char *
text_finite(char *p, double value, char letter, const struct spec *spec)
{
    int precision = spec->precision < 0 ? 6 : spec->precision;
    struct decimal d;

    if (precision > FLOAT_PRECISION)
        precision = FLOAT_PRECISION;
    exact_digits(value, &d);
    if (letter == 'g')
        return text_general(p, &d, precision, spec->alt);
    if (letter == 'e') {
        round_digits(&d, precision + 1);
        return text_scientific(p, &d, precision, spec->alt);
    }
    round_digits(&d, d.point + precision);
    return text_fixed(p, &d, precision, spec->alt);
}

/* 0x1.8p+3 is 1.5 * 2^3, in digits of base 16; subnormal numbers start with 0. */
static char *
text_hexadecimal(char *p, double value, const struct spec *spec)
{
    enum {
        DIGITS = MANTISSA_BITS / 4
    };
    int precision = spec->precision, e;
    uint64_t bits, unit, rest;

    memcpy(&bits, &value, sizeof(bits));
    e = (int)(bits >> MANTISSA_BITS);
    bits &= (1ul << MANTISSA_BITS) - 1;
    if (e != 0)
        bits |= 1ul << MANTISSA_BITS;
    e = bits == 0 ? 0 : e != 0 ? e - 1023 : -1022;
    if (precision < 0) /* as many as it takes */
        for (precision = DIGITS; precision > 0; precision--)
            if (bits >> 4 * (DIGITS - precision) & 15)
                break;
    if (precision > FLOAT_PRECISION)
        precision = FLOAT_PRECISION;
    if (precision < DIGITS) {
        unit = 1ul << 4 * (DIGITS - precision);
        rest = bits % unit;
        bits -= rest;
        if (rest > unit / 2 || (rest == unit / 2 && bits & unit))
            bits += unit; /* the first digit becomes 2 at most */
    }
    *p++ = '0';
    *p++ = 'x';
    *p++ = (char)('0' + (bits >> MANTISSA_BITS));
    if (precision > 0 || spec->alt)
        *p++ = '.';
    for (int i = 1; i <= precision; i++)
        *p++ = i > DIGITS ? '0'
                          : "0123456789abcdef"[bits >> 4 * (DIGITS - i) & 15];
    *p++ = 'p';
    *p++ = e < 0 ? '-' : '+';
    e = e < 0 ? -e : e;
    for (int place = 1000; place > 0; place /= 10)
        if (e >= place || place == 1)
            *p++ = (char)('0' + e / place % 10);
    return p;
}

/* The sign apart, so that -0 keeps it; then inf, nan or digits. */
static char *
text_signed(struct float_text *t, double value, char letter,
        const struct spec *spec)
{
    char *p = t->text;

    if (__builtin_signbit(value)) {
        *p++ = '-';
        value = -value;
    } else if (spec->plus || spec->space) {
        *p++ = spec->plus ? '+' : ' ';
    }
    t->start = (int)(p - t->text);
    t->finite = value <= 1.7976931348623157e308;
    if (!t->finite) {
        memcpy(p, value != value ? "nan" : "inf", 3);
        return p + 3;
    }
    if (letter != 'a')
        return text_finite(p, value, letter, spec);
    t->start += 2;
    return text_hexadecimal(p, value, spec);
}

void
float_text(struct float_text *t, double value, char letter,
        const struct spec *spec)
{
    char lower = (char)tolower(letter);
    const char *e;

    t->len = (int)(text_signed(t, value, lower, spec) - t->text);
    e = t->finite ? memchr(t->text, lower == 'a' ? 'p' : 'e', (size_t)t->len)
                  : NULL;
    t->exponent = e != NULL ? (int)(e - t->text) : t->len;
    t->zeros = 0;
    if (t->finite && spec->precision > FLOAT_PRECISION &&
            (lower != 'g' || spec->alt))
        t->zeros = spec->precision - FLOAT_PRECISION;
    if (letter != lower)
        for (int i = 0; i < t->len; i++)
            t->text[i] = (char)toupper(t->text[i]);
}
