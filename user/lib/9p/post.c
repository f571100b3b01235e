/*
 * post.c - a server in the background, found through /srv or mounted; and
 * what time it is there.
 */
#include "lib/9p/srv.h"

/* Seconds since 1970.  The clock is asked once; from then on time is counted
 * as nsec does. */
uint32_t
srv_now(void)
{
    static uint64_t booted; /* 0: not asked yet */
    uint64_t up = nsec() / 1000000000u;

    if (booted == 0) {
        char *text = read_file("#c/time", NULL);

        booted = text != NULL ? strtoull(text, NULL, 10) - up : 1;
        free(text);
    }
    return (uint32_t)(booted + up);
}

/* Put fd on the board, where others find it: srv(3).  0, or -E_... */
int
srv_post(const char *name, int fd)
{
    char path[MAX_PATH], number[16];
    int board, err;

    if (!path_join(path, sizeof(path), "/srv", name))
        return -E_NAMELEN;
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

/* The process that was started by hand: mounts, and is done.  It keeps no
 * serving end, or would wait for ever for a server that dies at once. */
NORETURN static void
foreground(int fds[2], const char *dir)
{
    close(fds[1]);
    if (dir != NULL && mount(fds[0], -1, dir, MREPL | MCREATE, "") < 0)
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
        foreground(fds, dir);
    close(fds[0]);
    return fds[1];
}
