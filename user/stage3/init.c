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

static const char usage[] = "usage: init\n"
                            "Start a shell, again whenever it ends.\n";

/* A shell in a note group of its own, which has the console. */
static int
start_shell(void)
{
    static char *argv[] = { "sh", NULL };
    int pid = rfork(RFPROC | RFNOTEG);

    if (pid != 0)
        return pid;
    cons_group(0);
    exec_search(argv[0], argv);
    fatal("cannot run %s: %r", argv[0]);
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
    int pid;

    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    notify(ignore_notes);
    print("%s", motd);
    for (;;) {
        pid = start_shell();
        if (pid < 0)
            fatal("no process for a shell: %r");
        wait_for(pid, &w);
        if (w.msg[0] != '\0')
            print("init: the shell ended: %s\n", w.msg);
        sleep(100000000); /* a shell that cannot start must not spin */
    }
}
