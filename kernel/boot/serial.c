/*
 * serial.c - COM1, a 16550 at 115200 bits a second, 8 data bits.
 *
 * Sending polls: it must work in a panic and before there are interrupts.
 * Register names and bits: National PC16550D data sheet, section 8.
 */
#include "boot/console.h"
#include "boot/x86_64/x86.h"

enum {
    COM1 = 0x3f8,
    DATA = COM1 + 0, /* and divisor, low byte, while LINE_DLAB is set */
    INTR = COM1 + 1, /* and divisor, high byte */
    FIFO = COM1 + 2,
    LINE = COM1 + 3,
    MODEM = COM1 + 4,
    STATUS = COM1 + 5,
    SCRATCH = COM1 + 7,

    INTR_RECEIVED = 1 << 0,
    FIFO_ENABLE_AND_CLEAR = 0x07,
    LINE_8BIT = 0x03,
    LINE_DLAB = 1 << 7,
    MODEM_DTR_RTS_OUT2 = 0x0b, /* OUT2 lets its interrupt out on a PC */
    STATUS_RECEIVED = 1 << 0,
    STATUS_SENT = 1 << 5,

    FIFO_SIZE = 16,
    SEND_PATIENCE = 100000, /* reads of STATUS; a stuck line loses output */
};

static bool present;

/*
 * Set up the port if there is one: the scratch register of a port that exists
 * keeps what it gets.  115200 bits a second (divisor 1, written while
 * LINE_DLAB is set), 8 data bits, no parity, 1 stop bit; FIFOs on and emptied,
 * no interrupts yet, modem lines up.  Without a port `present` stays false,
 * and the other functions do nothing.
 *
 * Lab 1.5
 */
void
serial_init(void)
{
    outb(SCRATCH, 0x5a);
    present = inb(SCRATCH) == 0x5a;
    if (!present)
        return;
    outb(INTR, 0);
    outb(LINE, LINE_DLAB);
    outb(DATA, 1); /* divisor 1: 115200 */
    outb(INTR, 0);
    outb(LINE, LINE_8BIT);
    outb(FIFO, FIFO_ENABLE_AND_CLEAR);
    outb(MODEM, MODEM_DTR_RTS_OUT2);
}

/*
 * Wait until all that was sent has left (STATUS_SENT: the send FIFO is empty),
 * but look no more than SEND_PATIENCE times: a stuck line must not stop the
 * kernel.
 *
 * Lab 1.5
 */
static void
wait_sent(void)
{
    for (int i = 0; i < SEND_PATIENCE; i++)
        if (inb(STATUS) & STATUS_SENT)
            return;
}

/*
 * Send len bytes.  A terminal wants CR before LF.  After one wait the FIFO
 * takes FIFO_SIZE bytes, and never more (a CR counts too).
 *
 * Lab 1.5
 */
void
serial_write(const char *s, size_t len)
{
    unsigned room = 0;

    if (!present)
        return;
    for (size_t i = 0; i < len; i++) {
        if (room < 2) {
            wait_sent();
            room = FIFO_SIZE;
        }
        if (s[i] == '\n') {
            outb(DATA, '\r');
            room--;
        }
        outb(DATA, s[i]);
        room--;
    }
}

/*
 * The next byte received, 0 to 255, or -1 if there is none (or no port).  Does
 * not wait.
 *
 * Lab 1.5
 */
int
serial_poll(void)
{
    if (!present || !(inb(STATUS) & STATUS_RECEIVED))
        return -1;
    return inb(DATA);
}

void
serial_enable_interrupt(void)
{
    if (present)
        outb(INTR, INTR_RECEIVED);
}
