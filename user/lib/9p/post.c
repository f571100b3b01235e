/*
 * post.c - a server in the background, found through /srv or mounted.
 */
#include "lib/9p/srv.h"

/* Put fd on the board, where others find it: srv(3).  0, or -E_... */
int
srv_post(const char *name, int fd)
{
    char path[MAX_PATH], number[16];
    int board, err;

    if (!path_join(path, sizeof(path), "/srv", name))
        return -E_TOOBIG;
    board = create(path, OWRITE | OEXCL, 0600);
    if (board < 0)
        return board;
    snprint(number, sizeof(number), "%d", fd);
    err = (int)write(board, number, strlen(number));
    close(board);
    if (err < 0)
        remove(path);
    return err < 0 ? err : 0;
}

/* The process that was started by hand: mounts, and is done. */
NORETURN static void
foreground(int fd, const char *dir)
{
    if (dir != NULL && mount(fd, -1, dir, MREPL | MCREATE, "") < 0)
        fatal("mount on %s: %r", dir);
    exits(NULL);
}

/* See srv.h.  The child has the serving end only, so that it is told when
 * nobody is left who could ask. */
int
srv_background(const char *name, const char *dir)
{
    int fds[2], err = pipe(fds);

    if (err < 0)
        return err;
    err = name != NULL ? srv_post(name, fds[0]) : 0;
    if (err < 0)
        return err;
    err = rfork(RFPROC | RFNOWAIT | RFFDG | RFNOTEG);
    if (err < 0)
        return err;
    if (err > 0)
        foreground(fds[0], dir);
    close(fds[0]);
    return fds[1];
}
