/*
 * fcall_gen.c - messages made at random, for the tests of the codec.
 */
#include <string.h>
#include "fcall_gen.h"

static char arena[64 * 1024]; /* the strings and data of one message */
static size_t arena_used;

static void *
arena_take(size_t n)
{
    void *p = arena + arena_used;

    arena_used += n;
    return p;
}

/* Up to `max` characters of one to four bytes; a name has neither '/' nor
 * control characters, which are the last of the letters. */
static const char *
random_text(uint64_t *seed, unsigned max, bool name)
{
    static const char *const letters[] = { "a", "Z", ".", "é", "\u07ff",
        "\u0800", "\uffff", "\U00010000", "\U0010ffff", " ", "\u00a0", "~",
        "\x7f", "\x01", "\xc2\x85", "/" };
    unsigned n = next(seed) % (max + 1);
    char *s;

    if (name && n == 0)
        n = 1;
    s = arena_take(4 * n + 1);
    s[0] = '\0';
    while (n-- > 0)
        strcat(s, letters[next(seed) % (name ? 12 : 16)]);
    return s;
}

static void
random_qid(struct qid *q, uint64_t *seed)
{
    *q = (struct qid){ next(seed), (uint32_t)next(seed), (uint8_t)next(seed) };
}

static void
random_dir(struct dir *d, uint64_t *seed)
{
    memset(d, 0, sizeof(*d));
    d->type = next(seed);
    d->dev = next(seed);
    random_qid(&d->qid, seed);
    d->mode = next(seed);
    d->atime = next(seed);
    d->mtime = next(seed);
    d->length = next(seed);
    d->name = next(seed) % 8 == 0   ? "/"
              : next(seed) % 8 == 0 ? ""
                                    : random_text(seed, 20, true);
    d->uid = random_text(seed, 10, false);
    d->gid = random_text(seed, 10, false);
    d->muid = random_text(seed, 10, false);
}

void
dir_random(struct dir *d, uint64_t *seed)
{
    arena_used = 0;
    random_dir(d, seed);
}

static void
random_stat(struct fcall *f, uint64_t *seed)
{
    uint8_t *buf = arena_take(1024);
    struct dir d;

    random_dir(&d, seed);
    f->nstat = dir_pack(&d, buf, 1024);
    f->stat = buf;
}

void
fcall_random(struct fcall *f, uint8_t type, uint64_t *seed)
{
    uint8_t *data;

    arena_used = 0;
    memset(f, 0, sizeof(*f));
    f->type = type;
    f->mode = next(seed);
    f->tag = next(seed);
    f->oldtag = next(seed);
    f->fid = next(seed);
    f->afid = next(seed);
    f->newfid = next(seed);
    f->msize = next(seed);
    f->perm = next(seed);
    f->iounit = next(seed);
    f->count = next(seed);
    f->offset = next(seed);
    random_qid(&f->qid, seed);
    f->version = random_text(seed, 12, false);
    f->ename = random_text(seed, 60, false);
    f->name = random_text(seed, 30, true);
    f->uname = random_text(seed, 20, false);
    f->aname = random_text(seed, 20, false);
    random_stat(f, seed);
    if (type == Rread || type == Twrite) {
        f->count = next(seed) % 300;
        data = arena_take(f->count);
        f->data = data;
        for (unsigned i = 0; i < f->count; i++)
            data[i] = next(seed);
    }
    f->nwname = f->nwqid = next(seed) % (MAXWELEM + 1);
    for (unsigned i = 0; i < f->nwname; i++)
        if (type == Twalk)
            f->wname[i] = random_text(seed, 12, true);
        else
            random_qid(&f->wqid[i], seed);
}
