/*
 * test_9p_fds.c - file descriptors: the lowest free number, whatever number a
 * program says, and references that end when they should.
 */
#include "9p/private.h"

/* A channel that counts its closes; no device hears of anything else. */
static unsigned closes;

static void
count_close(struct chan *c)
{
    (void)c;
    CHECK_EQ(this_cpu()->lock_depth, 0); /* a close may sleep */
    closes++;
}

static const struct dev counting = {
    .letter = '?', .name = "counting", .close = count_close
};

static struct chan *
open_counting(unsigned mode)
{
    struct chan *c = chan_new();

    c->dev = &counting;
    chan_set_open(c, mode);
    return c;
}

static void
close_all(void)
{
    for (int fd; (fd = fd_next(0)) >= 0;)
        CHECK_EQ(fd_close(fd), 0);
}

/* Numbers are given from 0 up, and a free one before a new one. */
KTEST(fd_lowest)
{
    for (int i = 0; i < 40; i++)
        CHECK_EQ(fd_new(open_counting(OREAD)), i);
    CHECK_EQ(fd_close(17), 0);
    CHECK_EQ(fd_close(3), 0);
    CHECK_EQ(fd_close(30), 0);
    CHECK_EQ(fd_new(open_counting(OREAD)), 3);
    CHECK_EQ(fd_new(open_counting(OREAD)), 17);
    CHECK_EQ(fd_new(open_counting(OREAD)), 30);
    CHECK_EQ(fd_new(open_counting(OREAD)), 40);
    close_all();
    CHECK_EQ(closes, 44);
    CHECK_EQ(fd_new(open_counting(OREAD)), 0);
}

/* Any number that a program may say. */
KTEST(fd_bad_numbers)
{
    static const int bad[] = { -1, 1, 15, 16, 17, 1000, MAX_FDS - 1, MAX_FDS,
        INT32_MAX, INT32_MIN };
    struct chan *c = NULL;

    CHECK_EQ(fd_new(open_counting(ORDWR)), 0);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        CHECK_EQ(fd_chan(bad[i], &c, FD_ANY), -E_BADFD);
        CHECK_EQ(fd_close(bad[i]), -E_BADFD);
    }
    CHECK(c == NULL);
    CHECK_EQ(fd_chan(0, &c, FD_ANY), 0);
    chan_close(c);
    CHECK_EQ(fd_close(0), 0);
    CHECK_EQ(fd_close(0), -E_BADFD);
    CHECK_EQ(closes, 1);
}

/* What it was opened for, and nothing else. */
KTEST(fd_access)
{
    struct chan *r = open_counting(OREAD), *w = open_counting(OWRITE), *c;

    CHECK_EQ(fd_new(r), 0);
    CHECK_EQ(fd_new(w), 1);
    CHECK_EQ(fd_new(open_counting(ORDWR)), 2);
    CHECK_EQ(fd_chan(0, &c, OWRITE), -E_BADUSE);
    CHECK_EQ(fd_chan(0, &c, ORDWR), -E_BADUSE);
    CHECK_EQ(fd_chan(1, &c, OREAD), -E_BADUSE);
    CHECK_EQ(r->ref, 1);
    CHECK_EQ(w->ref, 1);
    for (int fd = 0; fd < 3; fd++) {
        CHECK_EQ(fd_chan(fd, &c, FD_ANY), 0);
        chan_close(c);
    }
    CHECK_EQ(fd_chan(2, &c, OREAD), 0);
    CHECK_EQ(c->ref, 2);
    chan_close(c);
    CHECK_EQ(fd_chan(2, &c, OWRITE), 0);
    chan_close(c);
    CHECK_EQ(closes, 0);
}

/* A holder goes on using it, though the number is closed. */
KTEST(fd_outlives_close)
{
    struct chan *c;

    CHECK_EQ(fd_new(open_counting(OREAD)), 0);
    CHECK_EQ(fd_chan(0, &c, OREAD), 0);
    CHECK_EQ(fd_close(0), 0);
    CHECK_EQ(closes, 0);
    CHECK_EQ(fd_chan(0, &c, OREAD), -E_BADFD);
    CHECK_EQ(c->ref, 1);
    chan_close(c);
    CHECK_EQ(closes, 1);
}

/* At a number of the program's own choice: dup(2). */
KTEST(fd_put_replaces)
{
    struct chan *a = open_counting(OREAD), *c;

    CHECK_EQ(fd_new(open_counting(OREAD)), 0);
    CHECK_EQ(fd_put(a, 100), 100);
    CHECK_EQ(closes, 0);
    CHECK_EQ(fd_new(open_counting(OREAD)), 1);
    CHECK_EQ(fd_put(open_counting(OREAD), 100), 100);
    CHECK_EQ(closes, 1);
    CHECK_EQ(fd_put(open_counting(OREAD), 0), 0);
    CHECK_EQ(closes, 2);
    c = open_counting(OREAD);
    CHECK_EQ(fd_put(c, -1), -E_BADFD);
    CHECK_EQ(fd_put(c, MAX_FDS), -E_MAXFD);
    CHECK_EQ(fd_put(c, INT32_MAX), -E_MAXFD);
    CHECK_EQ(c->ref, 1);
    chan_close(c);
    CHECK_EQ(closes, 3);
}

/* A copy has the same files, and from then on its own numbers. */
KTEST(fd_copy)
{
    struct fd_table *mine = my_files()->fds, *copy;
    struct chan *a = open_counting(OREAD);

    CHECK_EQ(fd_new(a), 0);
    CHECK_EQ(fd_new(open_counting(OREAD)), 1);
    CHECK_EQ(fd_new(open_counting(OREAD)), 2);
    CHECK_EQ(fd_close(1), 0);
    copy = fds_copy(mine);
    CHECK(copy != NULL);
    if (!copy)
        return;
    CHECK_EQ(a->ref, 2);
    CHECK_EQ(fd_close(0), 0);
    CHECK_EQ(a->ref, 1);
    my_files()->fds = copy;
    CHECK_EQ(fd_new(open_counting(OREAD)), 1);
    CHECK_EQ(fd_new(open_counting(OREAD)), 3);
    my_files()->fds = mine;
    CHECK_EQ(closes, 1);
    fds_unref(copy);
    CHECK_EQ(closes, 4);
    CHECK_EQ(fd_next(0), 2);
}

/* As many as a process may have, and no more. */
KTEST(fd_limit)
{
    struct chan *c = open_counting(OREAD);

    for (int i = 0; i < MAX_FDS; i++)
        if (fd_new(open_counting(OREAD)) != i) {
            CHECK_EQ(i, MAX_FDS);
            return;
        }
    CHECK_EQ(fd_new(c), -E_MAXFD);
    CHECK_EQ(c->ref, 1);
    CHECK_EQ(fd_close(MAX_FDS - 1), 0);
    CHECK_EQ(fd_new(c), MAX_FDS - 1);
    close_all();
    CHECK_EQ(closes, MAX_FDS + 1);
}
