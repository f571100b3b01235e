/*
 * files.c - rows of the speed table about files of a 9P server: ramfs, in a
 * process of its own, with the library that every server has.
 */
#include "cmd/bench/bench.h"

enum {
    BIG = 64 << 10
};

static const char place[] = "/tmp", file[] = "/tmp/bench";
static char buf[BIG];
static int fd;

/* A ramfs, and a file of 64 KiB in it. */
static void
start_ramfs(void)
{
    static char *argv[] = { "ramfs", "-m", (char *)place, NULL };
    struct waitmsg w;
    int pid = rfork(RFPROC);

    if (pid == 0) {
        exec("#B/bin/ramfs", argv);
        _exits("no ramfs");
    }
    if (wait_for(pid, &w) != pid || w.msg[0] != '\0')
        fatal("ramfs: %s", w.msg);
    memset(buf, 'x', BIG);
    fd = create(file, ORDWR, 0600);
    if (fd < 0 || write(fd, buf, BIG) != BIG)
        fatal("%s: %r", file);
}

/* Without a client the server ends. */
static void
stop_ramfs(void)
{
    close(fd);
    unmount(NULL, place);
}

static void
read_often(unsigned n, size_t bytes)
{
    for (; n > 0; n--)
        if (pread(fd, buf, bytes, 0) != (int64_t)bytes)
            fatal("%s: %r", file);
}

static void
run_4k(unsigned n)
{
    read_often(n, 4096);
}

static void
run_64k(unsigned n)
{
    read_often(n, BIG);
}

static void
run_open(unsigned n)
{
    for (; n > 0; n--) {
        int f = open(file, OREAD);

        if (f < 0)
            fatal("%s: %r", file);
        close(f);
    }
}

const struct row file_rows[] = {
    { "9p_read_4k", 64, start_ramfs, run_4k, stop_ramfs },
    { "9p_read_64k", 16, start_ramfs, run_64k, stop_ramfs },
    { "9p_open_close", 64, start_ramfs, run_open, stop_ramfs },
    { 0 },
};
