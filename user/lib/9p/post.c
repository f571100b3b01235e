/*
 * post.c - a server in the background, found through /srv.
 */
#include "lib/9p/srv.h"

/* Put fd on the board: srv(3). */
static int
post_fd(const char *name, int fd)
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
    return err < 0 ? err : 0;
}

/* See srv.h.  The child has the serving end only, so that it is told when
 * nobody is left who could ask. */
int
srv_post(const char *name)
{
    int fds[2], err = pipe(fds);

    if (err < 0)
        return err;
    err = post_fd(name, fds[0]);
    if (err < 0)
        return err;
    err = rfork(RFPROC | RFNOWAIT | RFFDG | RFNOTEG);
    if (err < 0)
        return err;
    if (err > 0)
        exits(NULL);
    close(fds[0]);
    return fds[1];
}
