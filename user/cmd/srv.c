/*
 * srv.c - put a connection to a file server on the board, /srv.
 *
 * The connection is a file that leads to the server, or a program that speaks
 * 9P on its descriptors 0 and 1 (ramfs -i, exportfs -i).
 */
#include "lib/9p/srv.h"

static const char usage[] =
        "usage: srv name file [dir]\n"
        "       srv -e name 'program words' [dir]\n"
        "Post the file, or a connection to the program, as /srv/name.\n"
        "With a directory, mount it there, too.\n";

/* Start the program that the words say, with fd as input and output. */
NORETURN static void
run(int fd, char *words)
{
    char *argv[MAX_ARGS];
    int argc = tokenize(words, argv, MAX_ARGS - 1);

    if (argc <= 0 || argc >= MAX_ARGS)
        fatal("no program: '%s'", words);
    argv[argc] = NULL;
    if (dup(fd, 0) < 0 || dup(fd, 1) < 0)
        fatal("%r");
    if (fd > 1)
        close(fd);
    exec_search(argv[0], argv);
    fatal("%s: %r", argv[0]);
}

/* A connection to the program.  Its descriptor. */
static int
start(char *words)
{
    int fds[2], pid;

    if (pipe(fds) < 0)
        fatal("pipe: %r");
    pid = rfork(RFPROC | RFNOWAIT | RFFDG | RFNOTEG);
    if (pid < 0)
        fatal("no process: %r");
    if (pid == 0) {
        close(fds[0]);
        run(fds[1], words);
    }
    close(fds[1]);
    return fds[0];
}

int
main(int argc, char **argv)
{
    bool program = false;
    int fd;

    ARGBEGIN
    {
    case 'e': program = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc < 2 || argc > 3)
        usage_die(usage);
    fd = program ? start(argv[1]) : open(argv[1], ORDWR);
    if (fd < 0)
        fatal("%s: %r", argv[1]);
    if (srv_post(argv[0], fd) < 0)
        fatal("/srv/%s: %r", argv[0]);
    if (argc == 3 && mount(fd, -1, argv[2], MREPL | MCREATE, "") < 0)
        fatal("mount on %s: %r", argv[2]);
    return 0;
}
