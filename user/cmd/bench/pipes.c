/*
 * pipes.c - rows of the speed table about pipes.
 */
#include "cmd/bench/bench.h"

enum {
    BIG = 64 << 10
};

static int fds[2], server;
static char buf[BIG];

static void
setup_pipe(void)
{
    if (pipe(fds) < 0)
        fatal("%r");
}

static void
finish_pipe(void)
{
    close(fds[0]);
    close(fds[1]);
}

/* A child that sends each byte back. */
static void
start_echo(void)
{
    char c;

    setup_pipe();
    server = rfork(RFPROC | RFFDG);
    if (server < 0)
        fatal("%r");
    while (server == 0)
        if (pread(fds[1], &c, 1, FD_OFFSET) != 1 ||
                pwrite(fds[1], &c, 1, FD_OFFSET) != 1)
            _exits("the pipe broke");
}

static void
stop_echo(void)
{
    postnote(NOTE_PROC, (uint32_t)server, "kill");
    wait_for(server, NULL);
    finish_pipe();
}

/* A byte there and back. */
static void
run_round_trip(unsigned n)
{
    char c = 'x';

    for (; n > 0; n--)
        if (pwrite(fds[0], &c, 1, FD_OFFSET) != 1 ||
                pread(fds[0], &c, 1, FD_OFFSET) != 1)
            fatal("%r");
}

/* As much as a pipe holds in, and out again. */
static void
run_big(unsigned n)
{
    for (; n > 0; n--)
        if (pwrite(fds[0], buf, BIG, FD_OFFSET) != BIG ||
                pread(fds[1], buf, BIG, FD_OFFSET) != BIG)
            fatal("%r");
}

const struct row pipe_rows[] = {
    { "pipe_1_roundtrip", 256, start_echo, run_round_trip, stop_echo },
    { "pipe_64k", 16, setup_pipe, run_big, finish_pipe },
    { 0 },
};
