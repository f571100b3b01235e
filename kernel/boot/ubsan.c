/*
 * ubsan.c - what the compiler calls in a SAN=ubsan kernel when the program
 * does something C leaves undefined.
 *
 * Each handler gets a constant record (where, which types) and the values;
 * names and layouts are the compilers' interface (LLVM compiler-rt,
 * ubsan_handlers.h).  A report is a panic, so that a test cannot overlook it;
 * with `ubsan=go` on the command line it is a message.
 */
#include "boot/boot.h"

struct location {
    const char *file;
    uint32_t line, column;
};

struct type { /* kind 0: integer; info: bit 0 signed, above it log2(bits) */
    uint16_t kind, info;
    char name[];
};

struct on_type { /* overflow, and all that blames a place and a type */
    struct location at;
    const struct type *type;
};

struct on_two_types { /* shift (left, right), bounds (array, index) */
    struct location at;
    const struct type *first, *second;
};

struct on_access {
    struct location at;
    const struct type *type;
    uint8_t log_alignment, kind;
};

static void
report(const struct location *at, const char *fmt, ...)
{
    char text[160], how[8];
    va_list args;

    va_start(args, fmt);
    vsnprint(text, sizeof(text), fmt, args);
    va_end(args);
    if (cmdline_get("ubsan", how, sizeof(how)) < 0 || strcmp(how, "go") != 0)
        panic("undefined behaviour at %s:%u: %s", at->file, at->line, text);
    print("undefined behaviour at %s:%u:%u: %s\n", at->file, at->line,
            at->column, text);
    backtrace((uint64_t)__builtin_return_address(0),
            *(uint64_t *)__builtin_frame_address(0));
}

/*
 * A value as the compiler passes it: in the word itself, or, wider than that,
 * behind a pointer (its low half is enough here).  Sign-extended if signed.
 */
static int64_t
value_of(const struct type *type, uint64_t value)
{
    unsigned bits = 1u << (type->info >> 1);

    if (type->kind != 0)
        return value;
    if (bits > 64)
        return *(const int64_t *)value;
    if (bits == 64 || !(type->info & 1))
        return value;
    return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

#define HANDLER(name) __ubsan_handle_##name
#define OVERFLOW(which, sign)                                                  \
    void HANDLER(which)(const struct on_type *d, uint64_t a, uint64_t b);      \
    void HANDLER(which)(const struct on_type *d, uint64_t a, uint64_t b)       \
    {                                                                          \
        report(&d->at, "%ld %s %ld does not fit %s", value_of(d->type, a),     \
                sign, value_of(d->type, b), d->type->name);                    \
    }

OVERFLOW(add_overflow, "+")
OVERFLOW(sub_overflow, "-")
OVERFLOW(mul_overflow, "*")
OVERFLOW(divrem_overflow, "/")

void HANDLER(negate_overflow)(const struct on_type *d, uint64_t a);
void
HANDLER(negate_overflow)(const struct on_type *d, uint64_t a)
{
    report(&d->at, "-(%ld) does not fit %s", value_of(d->type, a),
            d->type->name);
}

void HANDLER(shift_out_of_bounds)(
        const struct on_two_types *d, uint64_t a, uint64_t b);
void
HANDLER(shift_out_of_bounds)(
        const struct on_two_types *d, uint64_t a, uint64_t b)
{
    report(&d->at, "shift of %s %ld by %ld", d->first->name,
            value_of(d->first, a), value_of(d->second, b));
}

void HANDLER(out_of_bounds)(const struct on_two_types *d, uint64_t i);
void
HANDLER(out_of_bounds)(const struct on_two_types *d, uint64_t i)
{
    report(&d->at, "index %ld is outside of %s", value_of(d->second, i),
            d->first->name);
}

/* What was meant to be done with the object (compiler-rt, TypeCheckKind). */
static const char *
access_name(unsigned kind)
{
    static const char *const names[] = { "load of", "store to", "reference to",
        "member access in", "member call on", "constructor call on",
        "downcast of", "downcast of" };

    return kind < ARRAY_LEN(names) ? names[kind] : "access to";
}

void HANDLER(type_mismatch_v1)(const struct on_access *d, uint64_t addr);
void
HANDLER(type_mismatch_v1)(const struct on_access *d, uint64_t addr)
{
    uint64_t alignment = 1ul << d->log_alignment;

    if (addr == 0)
        report(&d->at, "%s %s at NULL", access_name(d->kind), d->type->name);
    else if (addr & (alignment - 1))
        report(&d->at, "%s %s at 0x%lx, not aligned to %lu",
                access_name(d->kind), d->type->name, addr, alignment);
    else
        report(&d->at, "%s %s at 0x%lx, which has no room for it",
                access_name(d->kind), d->type->name, addr);
}

void HANDLER(pointer_overflow)(
        const struct location *at, uint64_t base, uint64_t result);
void
HANDLER(pointer_overflow)(
        const struct location *at, uint64_t base, uint64_t result)
{
    report(at, "pointer 0x%lx became 0x%lx", base, result);
}

void HANDLER(load_invalid_value)(const struct on_type *d, uint64_t v);
void
HANDLER(load_invalid_value)(const struct on_type *d, uint64_t v)
{
    report(&d->at, "%lu is no value of %s", v, d->type->name);
}

void HANDLER(vla_bound_not_positive)(const struct on_type *d, uint64_t n);
void
HANDLER(vla_bound_not_positive)(const struct on_type *d, uint64_t n)
{
    report(&d->at, "array of %ld elements", value_of(d->type, n));
}

void HANDLER(nonnull_arg)(const struct location *at);
void
HANDLER(nonnull_arg)(const struct location *at)
{
    report(at, "NULL given for a parameter that must not be");
}

void HANDLER(invalid_builtin)(const struct location *at);
void
HANDLER(invalid_builtin)(const struct location *at)
{
    report(at, "count of zero bits of 0");
}

void HANDLER(builtin_unreachable)(const struct location *at);
void
HANDLER(builtin_unreachable)(const struct location *at)
{
    report(at, "reached what was declared unreachable");
    panic("no way to go on");
}
