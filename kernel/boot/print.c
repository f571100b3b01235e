/*
 * print.c - the kernel's formatted output: format.c with two letters more.
 *
 * snprint keeps what fits into a buffer; print collects characters in blocks
 * for the console.  Both work in a double fault.
 */
#include "boot/boot.h"
#include "boot/format.h"

/* keeps the characters of one print together on the console */
static struct spinlock print_lock = SPINLOCK_INIT(RANK_CONSOLE, "console");

static void
console_flush(struct sink *s)
{
    console_write(s->buf, s->used);
    s->used = 0;
}

/* %y: symbol+0x12, or the bare number where no symbol is. */
static void
put_symbol(struct sink *s, const struct spec *spec, uint64_t addr)
{
    const struct symbol *sym = symbol_find(addr);
    char text[96];

    if (sym == NULL)
        snprint(text, sizeof(text), "0x%lx", addr);
    else
        snprint(text, sizeof(text), "%.64s+0x%lx", sym->name, addr - sym->addr);
    put_string(s, spec, text);
}

/* %y and %e, which user programs lack; see format.h. */
bool
format_verb(struct sink *s, const struct spec *spec, char letter, va_list *args)
{
    switch (letter) {
    case 'y': put_symbol(s, spec, va_arg(*args, uint64_t)); return true;
    case 'e': put_string(s, spec, err_string(va_arg(*args, int))); return true;
    default: return false;
    }
}

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
    return s.total;
}

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

/*
 * A CPU that panics prints without the lock: its holder may be the very code
 * that panicked, or a CPU that has been halted.
 */
void
print(const char *fmt, ...)
{
    char block[128];
    struct sink s = {
        .buf = block, .room = sizeof(block), .flush = console_flush
    };
    bool locked = !this_cpu()->in_panic;
    va_list args;

    if (locked)
        spin_lock(&print_lock);
    va_start(args, fmt);
    format(&s, fmt, &args);
    va_end(args);
    console_flush(&s);
    if (locked)
        spin_unlock(&print_lock);
}

void
print_bytes(const char *s, size_t n)
{
    spin_lock(&print_lock);
    console_write(s, n);
    spin_unlock(&print_lock);
}
