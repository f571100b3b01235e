/*
 * p9_fids.c - lib9p's fids and its walk, without a connection: the tests
 * are the client, the wire and the server's callbacks.
 */
#include "check.h"
#include "lib/9p/srv.h"

enum {
    FILE_PATH = 99 /* qid.path of a file; directories count from 0 */
};

static unsigned clones, walks, releases, removes;

static int
on_clone(struct fid *from, struct fid *to)
{
    clones++;
    CHECK(to->aux == from->aux);
    to->aux = (void *)((uintptr_t)from->aux + 1000);
    return 0;
}

/* "down" is one deeper, "file" a file, all else is not there. */
static int
on_walk(struct fid *f, const char *name)
{
    walks++;
    if (strcmp(name, "file") == 0)
        f->qid = (struct qid){ .path = FILE_PATH };
    else if (strcmp(name, "down") == 0)
        f->qid.path++;
    else if (strcmp(name, "..") == 0)
        f->qid.path -= f->qid.path > 0;
    else
        return -E_NOEXIST;
    return 0;
}

static void
on_release(struct fid *f)
{
    (void)f;
    releases++;
}

static int
on_remove(struct fid *f)
{
    (void)f;
    CHECK_EQ(releases, 0);
    removes++;
    return 0;
}

static const struct srv_ops ops = { .clone = on_clone,
    .walk = on_walk,
    .release = on_release,
    .remove = on_remove };
static struct conn conn = { .server = { .ops = &ops, .fids = 50 } };

/* A directory, listed; the caller's reference is given back. */
static struct fid *
listed(uint32_t number)
{
    struct fid *f = fid_new(&conn);

    MUST(f != NULL);
    f->qid.type = QTDIR;
    CHECK_EQ(fid_list(f, number), 0);
    fid_put(f);
    return f;
}

static void
check_error(int err, const char *text)
{
    CHECK_EQ(err, -E_REMOTE);
    CHECK_STR(errstr(), text);
}

/* Found by its number; each finder has a reference. */
TEST(found_by_number)
{
    struct fid *f = listed(7), *g = listed(0xfffffffe), *got = NULL;

    CHECK_EQ(f->ref, 1);
    CHECK_EQ(fid_get(&conn, 7, &got), 0);
    CHECK(got == f);
    CHECK_EQ(f->ref, 2);
    fid_put(f);
    CHECK_EQ(f->ref, 1);
    CHECK_EQ(fid_get(&conn, 0xfffffffe, &got), 0);
    CHECK(got == g);
    fid_put(g);
    got = NULL;
    check_error(fid_get(&conn, 8, &got), "unknown fid");
    check_error(fid_get(&conn, NOFID, &got), "unknown fid");
    CHECK(got == NULL);
    CHECK_EQ(releases, 0);
}

/* A number is one fid's, and NOFID is not a fid's. */
TEST(number_in_use)
{
    struct fid *f, *g = fid_new(&conn), *got;

    f = listed(7);
    check_error(fid_list(g, 7), "fid in use");
    check_error(fid_list(g, NOFID), "bad fid");
    CHECK(!g->listed);
    CHECK_EQ(g->ref, 1);
    CHECK_EQ(fid_get(&conn, 7, &got), 0);
    CHECK(got == f);
    fid_put(got);
    CHECK_EQ(fid_list(g, 8), 0);
    CHECK_EQ(g->ref, 2);
    fid_put(g);
    CHECK_EQ(conn.nfid, 2);
}

/* Its number is free at once; the fid itself goes with its last user. */
TEST(clunked_in_use)
{
    struct fid *f = listed(7), *used, *g;

    CHECK_EQ(fid_get(&conn, 7, &used), 0);
    fid_unlist(f);
    check_error(fid_get(&conn, 7, &g), "unknown fid");
    CHECK_EQ(releases, 0);
    CHECK_EQ(f->ref, 1);
    g = listed(7);
    fid_unlist(f);
    CHECK_EQ(f->ref, 1);
    CHECK_EQ(g->ref, 1);
    fid_put(f);
    CHECK_EQ(releases, 1);
    CHECK_EQ(conn.nfid, 1);
    CHECK_EQ(fid_get(&conn, 7, &used), 0);
    CHECK(used == g);
}

/* Removed when it was opened for that, once, and before it is let go. */
TEST(removed_on_close)
{
    struct fid *f = listed(1), *g = listed(2);

    f->mode = ORDWR | ORCLOSE;
    g->mode = NOT_OPEN;
    fid_unlist(f);
    CHECK_EQ(removes, 1);
    CHECK_EQ(releases, 1);
    fid_unlist(g);
    CHECK_EQ(removes, 1);
    CHECK_EQ(releases, 2);
    CHECK_EQ(conn.nfid, 0);
}

/* While one request changes a fid, no other gets it. */
TEST(busy)
{
    struct fid *f = listed(7), *used, *other = NULL;

    CHECK_EQ(fid_get(&conn, 7, &used), 0);
    CHECK(fid_claim(used));
    check_error(fid_get(&conn, 7, &other), "fid is busy");
    CHECK_EQ(f->ref, 2);
    fid_unclaim(used);
    CHECK_EQ(fid_get(&conn, 7, &other), 0);
    CHECK(other == f);
}

/* ---- walk ---- */

static struct req req;

/* Twalk from `fid` to `newfid` along words, as the library calls it. */
static int
walk(uint32_t fid, uint32_t newfid, const char *words)
{
    static char copy[128];
    char *names[MAXWELEM];
    int err, n;

    memset(&req, 0, sizeof(req));
    strlcpy(copy, words, sizeof(copy));
    req.conn = &conn;
    req.t = (struct fcall){ .type = Twalk, .fid = fid, .newfid = newfid };
    n = tokenize(copy, names, MAXWELEM);
    req.t.nwname = (uint16_t)n;
    for (int i = 0; i < n; i++)
        req.t.wname[i] = names[i];
    MUST(fid_get(&conn, fid, &req.fid) == 0);
    err = do_walk(&req);
    if (req.claimed)
        fid_unclaim(req.fid);
    fid_put(req.fid);
    return err;
}

/* What the number stands for; -1: nothing. */
static int64_t
path_of(uint32_t number)
{
    struct fid *f;
    int64_t path;

    if (fid_get(&conn, number, &f) < 0)
        return -1;
    path = (int64_t)f->qid.path;
    fid_put(f);
    return path;
}

/* All names there: newfid is the last, fid as it was. */
TEST(walk_all)
{
    listed(1);
    CHECK_EQ(walk(1, 2, "down down .. down file"), 0);
    CHECK_EQ(req.r.nwqid, 5);
    CHECK_EQ(req.r.wqid[0].path, 1);
    CHECK_EQ(req.r.wqid[2].path, 1);
    CHECK_EQ(req.r.wqid[4].path, FILE_PATH);
    CHECK_EQ(path_of(1), 0);
    CHECK_EQ(path_of(2), FILE_PATH);
    CHECK_EQ(conn.nfid, 2);
    CHECK_EQ(releases, 0);
    CHECK_EQ(walk(1, 3, ""), 0);
    CHECK_EQ(req.r.nwqid, 0);
    CHECK_EQ(path_of(3), 0);
}

/* Some there: an answer, and no fid. */
TEST(walk_some)
{
    listed(1);
    CHECK_EQ(walk(1, 2, "down nothing down"), 0);
    CHECK_EQ(req.r.nwqid, 1);
    CHECK_EQ(path_of(2), -1);
    CHECK_EQ(path_of(1), 0);
    CHECK_EQ(walks, 2);
    CHECK_EQ(walk(1, 2, "nothing"), -E_NOEXIST);
    CHECK_EQ(req.r.nwqid, 0);
    CHECK_EQ(walk(1, 2, "file down"), 0);
    CHECK_EQ(req.r.nwqid, 1);
    CHECK_EQ(path_of(2), -1);
    CHECK_EQ(walk(1, 2, "."), -E_NAME);
    CHECK_EQ(conn.nfid, 1);
    CHECK_EQ(clones, 4);
    CHECK_EQ(releases, 4);
}

/* newfid is fid: it moves, but only if it gets there. */
TEST(walk_in_place)
{
    listed(1);
    CHECK_EQ(walk(1, 1, "down down"), 0);
    CHECK_EQ(path_of(1), 2);
    CHECK_EQ(conn.nfid, 1);
    CHECK_EQ(releases, 1);
    CHECK_EQ(walk(1, 1, "down nothing"), 0);
    CHECK_EQ(req.r.nwqid, 1);
    CHECK_EQ(path_of(1), 2);
    CHECK_EQ(walk(1, 1, "nothing"), -E_NOEXIST);
    CHECK_EQ(path_of(1), 2);
}

/* Not from an open fid, not to one that is there, not under another's feet. */
TEST(walk_refused)
{
    struct fid *f = listed(1), *used;

    listed(2);
    check_error(walk(1, 2, "down"), "fid in use");
    check_error(walk(1, 2, "nothing"), "fid in use");
    CHECK_EQ(path_of(2), 0);
    CHECK_EQ(fid_get(&conn, 1, &used), 0);
    check_error(walk(1, 1, "down"), "fid is busy");
    CHECK_EQ(walk(1, 3, "down"), 0);
    fid_put(used);
    f->mode = OREAD;
    CHECK_EQ(walk(1, 4, "down"), -E_ISOPEN);
    CHECK_EQ(path_of(1), 0);
    CHECK_EQ(path_of(4), -1);
    CHECK_EQ(walks, 1);
    CHECK_EQ(conn.nfid, 3);
}
