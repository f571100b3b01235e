/*
 * init.c - the first process: makes the name space, greets, and keeps a shell
 * running for as long as the machine does.  Orphans are nobody's children
 * (kernel/sched/exit.c), so it waits for its shell alone.  With `args=words`
 * on the kernel's command line it runs that one program instead.
 */
#include "lib/lux.h"

static const char usage[] =
        "usage: init [program argument ...]\n"
        "Start a shell, again whenever it ends; or run the\n"
        "program once, and end as it ends.\n";

enum {
    SOON = 100000000 /* ns: when to try again what failed */
};

/* What cannot be printed is recorded. */
static void
must(int err, const char *what)
{
    char text[MAX_ERR];

    if (err >= 0)
        return;
    snprint(text, sizeof(text), "init: %s: %r", what);
    record(text, strlen(text));
    exits(text);
}

static void
greet(void)
{
    char *motd = read_file("/etc/motd", NULL);

    if (motd != NULL)
        print("%s", motd);
    free(motd);
}

/*
 * A child with the flags, in a note group of its own: its pid, or 0 in the
 * child.  What stands in the way, as when memory or processes are short, passes:
 * the first process may not end for it.
 */
static int
make_child(unsigned long flags)
{
    bool told = false;
    int pid;

    while ((pid = rfork(RFPROC | RFFDG | RFNOTEG | flags)) < 0) {
        if (!told)
            print("init: no process, trying again: %r\n");
        told = true;
        sleep(SOON);
    }
    return pid;
}

/* Be another program, as soon as there is memory for it. */
NORETURN static void
run(char *argv[])
{
    int err;

    while ((err = exec_search(argv[0], argv)) == -E_NOMEM)
        sleep(SOON);
    fatal("cannot run %s: %r", argv[0]);
}

/* How the child ended; neither notes nor a shortage end the waiting. */
static void
wait_child(int pid, struct waitmsg *w)
{
    int got;

    w->msg[0] = '\0';
    while ((got = wait_for(pid, w)) < 0 && got != -E_NOCHILD)
        sleep(SOON);
}

/* Files in memory at /tmp, if there is a server for it. */
static void
start_tmp(void)
{
    static char *argv[] = { "ramfs", "-m", "/tmp", NULL };
    struct waitmsg w;
    int pid;

    if (access("/bin/ramfs", AEXEC) < 0)
        return;
    pid = make_child(0);
    if (pid == 0)
        run(argv);
    wait_child(pid, &w); /* it leaves a child behind that serves */
}

/* If the machine has the file, run the program, which goes on beside us. */
static void
start_if(const char *file, char *argv[])
{
    if (access(file, AEXIST) < 0)
        return;
    if (make_child(RFNOWAIT) == 0)
        run(argv);
}

/* A second serial port leads to somebody who wants to see our files, a third
 * one to files for us: see `make qemu SERVE= SHARE=`. */
static void
start_ports(void)
{
    static char *serve[] = { "exportfs", "-f", "/dev/eia1", "/", NULL };
    static char *share[] = { "hostfs", "-m", "/n/host", "/dev/eia2", NULL };

    start_if("/dev/eia1", serve);
    if (access("/dev/eia2", AEXIST) == 0)
        close(create("/n/host", OREAD, DMDIR | 0755));
    start_if("/dev/eia2", share);
}

/* A program in a note group of its own, which has the console. */
static int
start(char *argv[])
{
    int pid = make_child(0);

    if (pid != 0)
        return pid;
    cons_group(0);
    run(argv);
}

/* An interrupt that is typed while no shell runs is for nobody. */
static void
ignore_notes(struct ureg *ureg, char *note)
{
    (void)ureg;
    noted(strcmp(note, "interrupt") == 0 ? NCONT : NDFLT);
}

NORETURN static void
run_once(char *argv[])
{
    struct waitmsg w;

    wait_child(start(argv), &w);
    exits(w.msg);
}

NORETURN static void
keep_shell(void)
{
    static char *argv[] = { "sh", NULL };
    struct waitmsg w;

    for (;;) {
        wait_child(start(argv), &w);
        if (w.msg[0] != '\0')
            print("init: the shell ended: %s\n", w.msg);
        sleep(SOON); /* a shell that cannot start must not spin */
    }
}

int
main(int argc, char **argv)
{
    ARGBEGIN
    {
    default: ARGBAD();
    }
    ARGEND
    notify(ignore_notes);
    must(boot_name_space(), "name space");
    must(open_console(), "console");
    start_tmp();
    if (argc > 0)
        run_once(argv);
    greet();
    start_ports();
    keep_shell();
}
