/*
 * union.c - reading a union: the entries of all the directories joined at one
 * place, one directory after the other.
 *
 * The channel itself is open on the first of them; each further one is opened
 * when the one before has ended.  Names that occur twice are listed twice; the
 * first is the one that a walk finds.
 */
#include "9p/private.h"

/* Open part number c->join_at, and pass over those that cannot be.  False:
 * there is none left. */
static bool
open_part(struct chan *c)
{
    for (; c->join_at < c->join->n; c->join_at++) {
        struct chan *d;

        if (chan_clone(c->join->part[c->join_at].to, &d) < 0)
            continue;
        if (chan_open(d, OREAD) == 0) {
            c->join_dir = d;
            return true;
        }
        chan_close(d);
    }
    return false;
}

static void
close_part(struct chan *c)
{
    chan_close(c->join_dir);
    c->join_dir = NULL;
    c->join_at++;
}

/* At most what fits of the directory that is being read; 0: its end. */
static int64_t
read_part(struct chan *c, struct io *to)
{
    struct chan *d = c->join_at == 0 ? c : c->join_dir;
    int64_t n = chan_read(d, to, d->join_offset);

    if (n > 0)
        d->join_offset += (uint64_t)n;
    return n;
}

/*
 * Read on in the union: from the directory that is being read (read_part), and
 * at its end (close_part) from the next that can be opened (open_part; the
 * first is c itself, open already).  `start`: from the beginning; else from
 * where the last one ended.  Bytes of one directory, 0 at the end of all,
 * -E_...  The caller holds c->lock.
 *
 * Lab 4.5
 */
int64_t
union_read(struct chan *c, struct io *to, bool start)
{
    if (start) {
        chan_close(c->join_dir);
        c->join_dir = NULL;
        c->join_at = 0;
        c->join_offset = 0;
    }
    while (c->join_at == 0 || c->join_dir || open_part(c)) {
        int64_t n = read_part(c, to);

        if (n != 0)
            return n;
        close_part(c);
    }
    return 0;
}
