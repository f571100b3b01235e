/*
 * init.c - the first process: greets, and keeps a shell running for as long
 * as the machine does.  Orphans are nobody's children (kernel/sched/exit.c),
 * so it waits for its shell alone.
 */
#include "lib/lux.h"

/* etc/motd, as a string: there are no files to read it from yet */
__asm__(".pushsection .rodata\n"
        "motd: .incbin \"user/etc/motd\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char motd[];

enum {
    SOON = 100000000 /* ns: when to try again what failed */
};

static const char usage[] = "usage: init\n"
                            "Start a shell, again whenever it ends.\n";

/*
 * A shell in a note group of its own, which has the console: its pid.  What
 * stands in the way, as when memory or processes are short, passes: the first
 * process may not end for it.
 */
static int
start_shell(void)
{
    static char *argv[] = { "sh", NULL };
    bool told = false;
    int pid, err;

    while ((pid = rfork(RFPROC | RFNOTEG)) < 0) {
        if (!told)
            print("init: no process, trying again: %r\n");
        told = true;
        sleep(SOON);
    }
    if (pid != 0)
        return pid;
    cons_group(0);
    while ((err = exec_search(argv[0], argv)) == -E_NOMEM)
        sleep(SOON);
    fatal("cannot run %s: %r", argv[0]);
}

/* How the shell ended; neither notes nor a shortage end the waiting. */
static void
wait_shell(int pid, struct waitmsg *w)
{
    int got;

    w->msg[0] = '\0';
    while ((got = wait_for(pid, w)) < 0 && got != -E_NOCHILD)
        sleep(SOON);
}

/* An interrupt that is typed while no shell runs is for nobody. */
static void
ignore_notes(struct ureg *ureg, char *note)
{
    (void)ureg;
    noted(strcmp(note, "interrupt") == 0 ? NCONT : NDFLT);
}

int
main(int argc, char **argv)
{
    struct waitmsg w;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    notify(ignore_notes);
    print("%s", motd);
    for (;;) {
        wait_shell(start_shell(), &w);
        if (w.msg[0] != '\0')
            print("init: the shell ended: %s\n", w.msg);
        sleep(SOON); /* a shell that cannot start must not spin */
    }
}
