/*
 * ramfs.c - a file server whose files are in its memory.
 *
 * The tree is lib9p's; here are the bytes of files.  A file's bytes lie in
 * one piece, with room in front so that a message's header can be written
 * there and an Rread sent without copying (srv.h: read).  A piece grows to
 * twice its size, and the tree's limit pays for all of it.
 */
#include "lib/9p/tree.h"

static const char usage[] =
        "usage: ramfs [-i] [-s name] [-m dir] [-k kib] [-u user] [-g file]\n"
        "Serve an empty tree of files in memory, mounted on /tmp.\n"
        "  -m dir   mounted there\n"
        "  -s name  posted as /srv/name, and mounted only with -m\n"
        "  -i       one client, on descriptors 0 and 1\n"
        "  -k kib   at most this much memory (default 16384)\n"
        "  -u user  who owns the root (default none, with all rights)\n"
        "  -g file  who is in which group (default /etc/users): man users\n";

enum {
    HEAD = 16,     /* room in front of the bytes */
    SMALLEST = 64, /* first size of a piece */
    MAX_MSIZE = 1 << 17
};

struct bytes { /* a file's aux; NULL: no byte yet */
    uint64_t room;
    uint8_t head[HEAD];
    uint8_t data[];
};

/* What a piece of this room costs; 0 costs nothing. */
static uint64_t
cost(uint64_t room)
{
    return room > 0 ? sizeof(struct bytes) + room : 0;
}

/* Make f's piece `room` bytes.  0; no memory, full: an error. */
static int
set_room(struct file *f, uint64_t room)
{
    struct bytes *b = f->aux;
    uint64_t before = b != NULL ? cost(b->room) : 0;
    int err =
            cost(room) > before ? tree_charge(f->tree, cost(room) - before) : 0;

    if (err < 0)
        return err;
    if (cost(room) < before)
        tree_refund(f->tree, before - cost(room));
    if (room == 0) {
        free(b);
        f->aux = NULL;
        return 0;
    }
    b = realloc(b, cost(room));
    if (b == NULL) {
        tree_refund(f->tree, cost(room) - before);
        return -E_NOMEM;
    }
    b->room = room;
    f->aux = b;
    return 0;
}

/* Room for at least n bytes: twice as much as before if that may be had. */
static int
need_room(struct file *f, uint64_t n)
{
    struct bytes *b = f->aux;
    uint64_t room = b != NULL ? b->room : 0, more = 2 * room;

    if (n <= room)
        return 0;
    if (more < SMALLEST)
        more = SMALLEST;
    if (n < more && set_room(f, more) == 0)
        return 0;
    return set_room(f, n);
}

/* Make f length bytes long; new bytes are 0. */
static int
ram_resize(struct file *f, uint64_t length)
{
    struct bytes *b;
    int err = length > 0 ? need_room(f, length) : set_room(f, 0);

    if (err < 0)
        return err;
    b = f->aux;
    if (length > f->length)
        memset(b->data + f->length, 0, length - f->length);
    f->length = length;
    return 0;
}

/* Show the client the bytes where they are. */
static int
ram_read(struct req *r, struct file *f)
{
    struct bytes *b = f->aux;
    uint64_t left = r->t.offset < f->length ? f->length - r->t.offset : 0;

    if (left == 0)
        return 0;
    r->r.count = r->t.count < left ? r->t.count : (uint32_t)left;
    r->r.data = b->data + r->t.offset;
    return 0;
}

/* Put the client's bytes in their place; a gap before them is 0. */
static int
ram_write(struct req *r, struct file *f)
{
    uint64_t end = r->t.offset + r->t.count;
    struct bytes *b;
    int err;

    if (r->t.count == 0)
        return 0;
    if (end > f->length) {
        err = ram_resize(f, end);
        if (err < 0)
            return err;
    }
    b = f->aux;
    memcpy(b->data + r->t.offset, r->t.data, r->t.count);
    r->r.count = r->t.count;
    return 0;
}

/* The file is no more. */
static void
ram_gone(struct file *f)
{
    set_room(f, 0);
}

static const struct tree_ops ram_ops = {
    .read = ram_read,
    .write = ram_write,
    .resize = ram_resize,
    .gone = ram_gone,
    .may_create = true,
};

/* Serve the tree to one client on `in` and `out`. */
static int
serve_tree(struct tree *t, int in, int out)
{
    struct server s = {
        .ops = &tree_srv_ops,
        .msize = MAX_MSIZE + IOHDRSZ,
        .aux = t,
    };

    return serve(&s, in, out);
}

int
main(int argc, char **argv)
{
    const char *name = NULL, *dir = NULL, *user = "none";
    uint64_t kib = 16384;
    bool inherited = false;
    struct tree t;
    int fd = -1;

    ARGBEGIN
    {
    case 'g': users_file = EARG(); break;
    case 'i': inherited = true; break;
    case 'k': kib = EARGN(); break;
    case 'm': dir = EARG(); break;
    case 's': name = EARG(); break;
    case 'u': user = EARG(); break;
    default: ARGBAD();
    }
    ARGEND
    if (argc != 0 || kib > UINT64_MAX / 1024)
        usage_die(usage);
    if (tree_begin(&t, &ram_ops, kib * 1024) < 0)
        fatal("no memory for the root");
    strlcpy(t.root->uid, user, sizeof(t.root->uid));
    strlcpy(t.root->gid, user, sizeof(t.root->gid));
    if (!inherited) {
        fd = srv_background(name, name == NULL && dir == NULL ? "/tmp" : dir);
        if (fd < 0)
            fatal("%r");
    }
    serve_tree(&t, inherited ? 0 : fd, inherited ? 1 : fd);
    tree_end(&t);
    return 0;
}
