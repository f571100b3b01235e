/*
 * debugport.c - framed records for whoever tests this kernel, and the way
 * out of QEMU.
 *
 * A record is one burst of bytes to port 0xe9 (QEMU: -debugcon), apart from
 * the console, so that no output of a program can be mistaken for a result.
 */
#include "boot/bootinfo.h"
#include "boot/x86_64/x86.h"

enum {
    DEBUG_PORT = 0xe9,
    EXIT_PORT = 0xf4
};

/* not in the order of locks: it is held for the burst and takes no other */
static uint32_t busy;

static bool wanted;  /* the command line has `records` */
static char key[18]; /* " " and what it has there behind `=`, if anything */

static void
send(const void *data, size_t len)
{
    __asm__ volatile("rep outsb"
                     : "+S"(data), "+c"(len)
                     : "d"(DEBUG_PORT)
                     : "memory");
}

/* A frame's head.  By hand: a record must not depend on what it may judge. */
static void
send_head(const char *type, size_t len)
{
    char digits[20];
    size_t at = sizeof(digits), n = len;

    do {
        digits[--at] = '0' + n % 10;
        n /= 10;
    } while (n != 0);
    send("\x1eLUX9 ", 6);
    send(type, strnlen(type, 32));
    send(" ", 1);
    send(digits + at, sizeof(digits) - at);
    send(key, strnlen(key, sizeof(key)));
    send("\n", 1);
}

void
debugport_init(void)
{
    int len = cmdline_get("records", key + 1, sizeof(key) - 1);

    wanted = len >= 0;
    key[0] = len > 0 ? ' ' : '\0';
}

void
record(const char *type, const void *data, size_t len)
{
    bool enabled = intr_enabled();

    if (!wanted)
        return;
    intr_off();
    while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE) != 0 &&
            !this_cpu()->in_panic)
        cpu_pause();
    send_head(type, len);
    send(data, len);
    send("\n", 1);
    __atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
    if (enabled)
        intr_on();
}

void
record_printf(const char *type, const char *fmt, ...)
{
    char text[512];
    va_list args;
    size_t n;

    va_start(args, fmt);
    n = vsnprint(text, sizeof(text), fmt, args);
    va_end(args);
    record(type, text, n < sizeof(text) ? n : sizeof(text) - 1);
}

void
test_exit(unsigned status)
{
    outl(EXIT_PORT, status);
    acpi_power_off();
    for (;;) {
        intr_off();
        __asm__ volatile("hlt");
    }
}
