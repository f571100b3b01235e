/*
 * console.c - one stream out, one stream in, whatever devices there are.
 *
 * Output goes to every device and into the panic log, a ring that GDB (and
 * the monitor's `log`) can read when all screens have scrolled.  Nothing here
 * locks: print.c does, and a panic must get through without.
 */
#include "boot/console.h"

char console_log[CONSOLE_LOG_SIZE];
uint64_t console_log_end;

static void
log_write(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        console_log[console_log_end++ % CONSOLE_LOG_SIZE] = s[i];
}

void
console_write(const char *s, size_t len)
{
    log_write(s, len);
    serial_write(s, len);
    screen_write(s, len);
}

int
console_poll(void)
{
    int c = serial_poll();

    if (c < 0)
        c = keyboard_poll();
    return c;
}

void
console_enable_interrupts(void)
{
    serial_enable_interrupt();
    keyboard_enable_interrupt();
}

size_t
console_log_read(uint64_t from, char *buf, size_t len)
{
    uint64_t end = console_log_end, start = 0, n;

    if (end > CONSOLE_LOG_SIZE)
        start = end - CONSOLE_LOG_SIZE;
    n = from < end - start ? end - start - from : 0;
    if (n > len)
        n = len;
    for (uint64_t i = 0; i < n; i++)
        buf[i] = console_log[(start + from + i) % CONSOLE_LOG_SIZE];
    return n;
}
