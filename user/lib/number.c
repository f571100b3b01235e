/*
 * number.c - numbers from text: the strtol family and durations.
 */
#include "lib/lux.h"

struct scanned {
    unsigned long long magnitude;
    bool negative, overflow;
};

/* The value of a digit in bases up to 36; 99 if it is none. */
static int
digit_value(int c)
{
    if (isdigit(c))
        return c - '0';
    return isalpha(c) ? tolower(c) - 'a' + 10 : 99;
}

/* Step over 0x or 0 as base asks and choose the base that 0 leaves open. */
static const char *
skip_prefix(const char *s, int *base)
{
    bool hex = s[0] == '0' && tolower(s[1]) == 'x' && isxdigit(s[2]);

    if (*base == 0)
        *base = hex ? 16 : s[0] == '0' ? 8 : 10;
    return hex && *base == 16 ? s + 2 : s;
}

/* White space, sign, prefix, digits.  *end: what follows, or all of s. */
static struct scanned
scan(const char *s, char **end, int base)
{
    struct scanned r = { 0 };
    const char *p = s, *digits;

    while (isspace(*p))
        p++;
    r.negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    digits = p = skip_prefix(p, &base);
    for (int d; (d = digit_value(*p)) < base; p++) {
        unsigned long long by = (unsigned long long)base;

        r.overflow |= __builtin_mul_overflow(r.magnitude, by, &r.magnitude);
        r.overflow |= __builtin_add_overflow(
                r.magnitude, (unsigned long long)d, &r.magnitude);
    }
    if (end != NULL)
        *end = (char *)(p == digits ? s : p);
    return r;
}

/* A minus sign negates, as C wants; too large: UINT64_MAX. */
unsigned long long
strtoull(const char *s, char **end, int base)
{
    struct scanned r = scan(s, end, base);

    if (r.overflow) {
        werrstr("number out of range");
        return UINT64_MAX;
    }
    return r.negative ? -r.magnitude : r.magnitude;
}

/* Out of range: the nearest limit. */
long long
strtoll(const char *s, char **end, int base)
{
    struct scanned r = scan(s, end, base);
    unsigned long long most = (unsigned long long)INT64_MAX + r.negative;

    if (r.overflow || r.magnitude > most) {
        werrstr("number out of range");
        return r.negative ? INT64_MIN : INT64_MAX;
    }
    return (long long)(r.negative ? -r.magnitude : r.magnitude);
}

unsigned long
strtoul(const char *s, char **end, int base)
{
    return strtoull(s, end, base);
}

long
strtol(const char *s, char **end, int base)
{
    return strtoll(s, end, base);
}

long
atol(const char *s)
{
    return strtol(s, NULL, 10);
}

int
atoi(const char *s)
{
    return (int)atol(s);
}

/* Nanoseconds in the unit that s is, 0 if it is none. */
static uint64_t
unit_ns(const char *s)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {
        { "", 1000000000 },
        { "s", 1000000000 },
        { "ms", 1000000 },
        { "us", 1000 },
        { "ns", 1 },
        { "m", 60000000000 },
    };

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strcmp(s, units[i].name) == 0)
            return units[i].ns;
    return 0;
}

/* Whole and part are kept exact; what passes int64 is -E_BADARG. */
int64_t
parse_duration(const char *s)
{
    char *p;
    uint64_t whole, part = 0, scale = 1, ns, unit;

    if (!isdigit(*s))
        return error_set(-E_BADARG);
    whole = strtoull(s, &p, 10);
    if (*p == '.')
        for (p++; isdigit(*p); p++) {
            if (scale < 1000000000) {
                part = part * 10 + (uint64_t)(*p - '0');
                scale *= 10;
            }
        }
    unit = unit_ns(p);
    if (unit == 0 || __builtin_mul_overflow(whole, unit, &ns) ||
            __builtin_mul_overflow(part, unit, &part) ||
            ns > INT64_MAX - part / scale)
        return error_set(-E_BADARG);
    return (int64_t)(ns + part / scale);
}

int
abs(int n)
{
    return n < 0 ? -n : n;
}

long
labs(long n)
{
    return n < 0 ? -n : n;
}
