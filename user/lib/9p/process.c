/*
 * process.c - workers as Lux9's processes, and the notes that hurry them.
 *
 * A note ends the system call that a worker blocks in; but it may arrive just
 * before that call begins.  So it is repeated by an alarm, until the request
 * is over (work_calm).
 */
#include "lib/9p/srv.h"

enum {
    NAG_NS = 20 * 1000 * 1000 /* between two interruptions of one request */
};

/*
 * "flush" and "alarm" go on where they struck, and are repeated.  So does the
 * note that a client has gone: the write that it interrupts says it, too.  The
 * rest does what it does to every process.
 */
static void
hurry(struct ureg *ureg, char *note)
{
    (void)ureg;
    if (strcmp(note, "sys: write on closed pipe") == 0)
        noted(NCONT);
    if (strcmp(note, "flush") != 0 && strcmp(note, "alarm") != 0)
        noted(NDFLT);
    alarm(NAG_NS);
    noted(NCONT);
}

/* This process, which reads the connection, must outlive its client, since the
 * workers are to be ended; and the alarms of work_read. */
void
work_begin(void)
{
    notify(hurry);
}

/* Start a process that calls run(c); it shares all memory but the stack, and
 * the descriptors.  0, or -E_... */
int
work_start(void (*run)(struct conn *), struct conn *c)
{
    int pid = rfork(RFPROC | RFMEM | RFNOWAIT);

    if (pid != 0)
        return pid < 0 ? pid : 0;
    notify(hurry);
    run(c);
    _exits(NULL);
}

/* The request that was flushed is over: no more alarms. */
void
work_calm(void)
{
    alarm(0);
}

/* As read, whatever notes come; but if nothing has arrived after about limit
 * nanoseconds (0: any), -E_TIMEOUT. */
int64_t
work_read(int fd, void *buf, size_t n, uint64_t limit)
{
    uint64_t end = limit > 0 ? nsec() + limit : UINT64_MAX;
    int64_t got;

    do {
        if (limit > 0)
            alarm(limit);
        got = read(fd, buf, n);
    } while (got == -E_INTR && nsec() < end);
    if (limit > 0) { /* as in work_run: a late alarm comes before the second */
        work_calm();
        work_calm();
    }
    return got == -E_INTR ? -E_TIMEOUT : got;
}
