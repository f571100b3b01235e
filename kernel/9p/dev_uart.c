/*
 * dev_uart.c - #u, serial ports as files: bytes as they are, both ways.
 *
 *      eia1     the port at 0x2f8, interrupt 3 (COM2)
 *      eia2     the port at 0x3e8, interrupt 5: not COM3's own, 4, which is
 *               the console's and cannot be shared on an ISA bus
 *
 * What arrives waits in a ring until somebody reads.  When the ring is full
 * the port's interrupt is switched off, its FIFO fills, and the other end has
 * to wait: nothing is lost.  Sending polls.  A port that is not there is no
 * file.  Register names: National PC16550D data sheet, section 8.
 */
#include "9p/9p.h"
#include "boot/x86_64/x86.h"

enum {
    DATA = 0, /* and divisor, low byte, while LINE_DLAB is set */
    INTR = 1, /* and divisor, high byte */
    FIFO = 2,
    LINE = 3,
    MODEM = 4,
    STATUS = 5,
    SCRATCH = 7,

    INTR_RECEIVED = 1 << 0,
    FIFO_CLEAR_TRIGGER_14 =
            0xc7, /* interrupt at 14 bytes, or a short silence */
    LINE_8BIT = 0x03,
    LINE_DLAB = 1 << 7,
    MODEM_DTR_RTS_OUT2 = 0x0b,
    STATUS_RECEIVED = 1 << 0,
    STATUS_SENT = 1 << 5,

    FIFO_SIZE = 16,
    RING = 8192,
    PATIENCE = 1000,   /* looks at STATUS before sleeping */
    PAUSE_NS = 1000000 /* then between two looks */
};

static struct uart {
    const char *name;
    uint16_t port;
    uint8_t irq;
    bool present;
    bool stopped;         /* [readers.lock] its interrupt is off */
    struct waitq readers; /* its lock guards the ring */
    struct qlock sending; /* one write at a time */
    uint8_t ring[RING];   /* [readers.lock] */
    uint32_t head, tail;  /* [readers.lock] bytes put in, taken out */
} uarts[] = {
    { .name = "eia1", .port = 0x2f8, .irq = 3 },
    { .name = "eia2", .port = 0x3e8, .irq = 5 },
};

/* Move what has arrived to the ring; the caller holds readers.lock. */
static void
receive(struct uart *u)
{
    while (u->head - u->tail < RING && inb(u->port + STATUS) & STATUS_RECEIVED)
        u->ring[u->head++ % RING] = inb(u->port + DATA);
    u->stopped = u->head - u->tail == RING;
    outb(u->port + INTR, u->stopped ? 0 : INTR_RECEIVED);
}

static void
uart_interrupt(struct trapframe *tf)
{
    (void)tf;
    apic_eoi();
    for (unsigned i = 0; i < ARRAY_LEN(uarts); i++) {
        struct uart *u = &uarts[i];

        if (!u->present)
            continue;
        spin_lock(&u->readers.lock);
        receive(u);
        wakeup_locked(&u->readers);
        spin_unlock(&u->readers.lock);
    }
}

/* A port that exists keeps what its scratch register gets. */
static void
uart_start(struct uart *u)
{
    outb(u->port + SCRATCH, 0x5a);
    u->present = inb(u->port + SCRATCH) == 0x5a;
    if (!u->present)
        return;
    waitq_init(&u->readers, u->name);
    qlock_init(&u->sending, u->name);
    outb(u->port + INTR, 0);
    outb(u->port + LINE, LINE_DLAB);
    outb(u->port + DATA, 1); /* 115200 bits a second */
    outb(u->port + INTR, 0);
    outb(u->port + LINE, LINE_8BIT);
    outb(u->port + FIFO, FIFO_CLEAR_TRIGGER_14);
    outb(u->port + MODEM, MODEM_DTR_RTS_OUT2);
    trap_register(TRAP_IRQ0 + u->irq, uart_interrupt);
    apic_route_isa(u->irq, TRAP_IRQ0 + u->irq);
    outb(u->port + INTR, INTR_RECEIVED);
}

static void
uart_init(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(uarts); i++)
        uart_start(&uarts[i]);
}

/* The port that c is; NULL: the directory. */
static struct uart *
uart_of(const struct chan *c)
{
    return c->qid.path > 0 ? &uarts[c->qid.path - 1] : NULL;
}

/* Entry of the file `path`: 0 the directory, n the port n - 1. */
static int
uart_entry(unsigned path, struct devent *e)
{
    strlcpy(e->name, path > 0 ? uarts[path - 1].name : "uart", sizeof e->name);
    e->qid.path = path;
    e->qid.type = path > 0 ? QTFILE : QTDIR;
    e->perm = path > 0 ? 0660 : DMDIR | 0555;
    return 1;
}

/* See struct dev: only ports that are there have an entry. */
static int
uart_gen(struct chan *c, const char *name, int i, struct devent *e)
{
    if (i == DEV_PARENT)
        return uart_entry(0, e);
    if (i == DEV_SELF)
        return uart_entry((unsigned)c->qid.path, e);
    for (unsigned n = 0; n < ARRAY_LEN(uarts); n++) {
        if (!uarts[n].present)
            continue;
        if (name ? strcmp(name, uarts[n].name) == 0 : i-- == 0)
            return uart_entry(n + 1, e);
    }
    return 0;
}

static bool
ring_ready(void *arg)
{
    const struct uart *u = arg;

    return u->head != u->tail;
}

/* Take at most n bytes out of the ring, and let more come in. */
static size_t
ring_take(struct uart *u, uint8_t *buf, size_t n)
{
    size_t got = 0;

    spin_lock(&u->readers.lock);
    while (got < n && u->head != u->tail)
        buf[got++] = u->ring[u->tail++ % RING];
    if (u->stopped)
        receive(u);
    spin_unlock(&u->readers.lock);
    return got;
}

/* What has arrived, at least one byte. */
static int64_t
uart_read(struct chan *c, struct io *to, uint64_t offset)
{
    struct uart *u = uart_of(c);
    uint8_t buf[256];
    size_t n = to->left < sizeof buf ? to->left : sizeof buf, got = 0;
    int err;

    if (!u)
        return dev_read_dir(c, to, offset);
    while (n > 0 && got == 0) {
        err = sleep(&u->readers, ring_ready, u, 0);
        if (err)
            return err;
        got = ring_take(u, buf, n);
    }
    err = io_put(to, buf, got);
    return err ? err : (int64_t)got;
}

static bool
never(void *arg)
{
    (void)arg;
    return false;
}

/* Wait until the port's FIFO is empty.  0, -E_INTR. */
static int
wait_sent(struct uart *u)
{
    for (;;) {
        int err;

        for (unsigned i = 0; i < PATIENCE; i++)
            if (inb(u->port + STATUS) & STATUS_SENT)
                return 0;
        err = sleep(&u->readers, never, NULL, rdtsc() + ns_to_tsc(PAUSE_NS));
        if (err == -E_INTR)
            return err;
    }
}

/* Send it all, a FIFO at a time.  The bytes sent; an error: none. */
static int64_t
send(struct uart *u, struct io *from)
{
    uint8_t buf[FIFO_SIZE];
    int64_t sent = 0;

    while (from->left > 0) {
        size_t n = from->left < FIFO_SIZE ? from->left : FIFO_SIZE;
        int err = wait_sent(u);

        if (err == 0)
            err = io_get(from, buf, n);
        if (err)
            return sent > 0 ? sent : err;
        for (size_t i = 0; i < n; i++)
            outb(u->port + DATA, buf[i]);
        sent += (int64_t)n;
    }
    return sent;
}

static int64_t
uart_write(struct chan *c, struct io *from, uint64_t offset)
{
    struct uart *u = uart_of(c);
    int64_t n = qlock_noted(&u->sending);

    (void)offset;
    if (n < 0)
        return n;
    n = send(u, from);
    qunlock(&u->sending);
    return n;
}

const struct dev uart_dev = {
    .letter = 'u',
    .name = "uart",
    .init = uart_init,
    .gen = uart_gen,
    .read = uart_read,
    .write = uart_write,
};
