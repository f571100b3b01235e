/*
 * calls.c - what can be asked of a server of 9P2000.L, a function each.
 */
#include "servers/hostfs/hostfs.h"

enum {
    GET_BASIC = 0x7ff, /* all that stat(2) of Linux tells */
    NUMBERS = 12       /* bytes of a user's number as text */
};

uint32_t
l_new_fid(void)
{
    static uint32_t last = ROOT_FID;

    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

/* Make a number mean what `from` and one more name (NULL: none) lead to. */
int
l_walk(uint32_t from, uint32_t to, const char *name, struct qid *qid)
{
    struct msg m;
    int err;

    msg_begin(&m, Twalk);
    put(&m, 4, from);
    put(&m, 4, to);
    put(&m, 2, name != NULL);
    if (name != NULL)
        put_str(&m, name);
    err = link_rpc(&m);
    if (err < 0)
        return err;
    if (get(&m, 2) != (name != NULL))
        return -E_NOEXIST;
    if (name != NULL)
        *qid = get_qid(&m);
    return m.bad ? -E_BADMSG : 0;
}

/* The server may forget the number. */
void
l_clunk(uint32_t fid)
{
    struct msg m;

    msg_begin(&m, Tclunk);
    put(&m, 4, fid);
    link_rpc(&m);
}

/* Walk from the root along path, to a number of its own.  0, or -E_... */
int
l_walk_path(const char *path, uint32_t to, struct qid *qid)
{
    char copy[HOST_PATH], *next = copy, *name;
    int err = l_walk(ROOT_FID, to, NULL, qid);

    strlcpy(copy, path + 1, sizeof(copy));
    while (err == 0 && *next != '\0') {
        name = next;
        next = strchr(name, '/');
        if (next != NULL)
            *next++ = '\0';
        else
            next = name + strlen(name);
        err = l_walk(to, to, name, qid);
        if (err < 0)
            l_clunk(to);
    }
    return err;
}

/* Describe the file `fid` of this name; room for two numbers as names. */
int
l_stat(uint32_t fid, const char *name, struct dir *d, char *strs)
{
    uint32_t mode, uid, gid;
    struct msg m;
    int err;

    msg_begin(&m, Tgetattr);
    put(&m, 4, fid);
    put(&m, 8, GET_BASIC);
    err = link_rpc(&m);
    if (err < 0)
        return err;
    get(&m, 8);
    *d = (struct dir){ .qid = get_qid(&m), .name = name };
    mode = (uint32_t)get(&m, 4);
    uid = (uint32_t)get(&m, 4);
    gid = (uint32_t)get(&m, 4);
    get_bytes(&m, 8 + 8);
    d->length = get(&m, 8);
    get_bytes(&m, 8 + 8);
    d->atime = (uint32_t)get(&m, 8);
    get(&m, 8);
    d->mtime = (uint32_t)get(&m, 8);
    d->mode = mode & 0777;
    if (d->qid.type & QTDIR) {
        d->mode |= DMDIR;
        d->length = 0;
    }
    snprint(strs, NUMBERS, "%u", uid);
    snprint(strs + NUMBERS, NUMBERS, "%u", gid);
    d->uid = d->muid = strs;
    d->gid = strs + NUMBERS;
    return m.bad ? -E_BADMSG : 0;
}

/* Open the file `fid`, with Linux's flags. */
int
l_open(uint32_t fid, uint32_t flags, struct qid *qid)
{
    struct msg m;
    int err;

    msg_begin(&m, Tlopen);
    put(&m, 4, fid);
    put(&m, 4, flags);
    err = link_rpc(&m);
    if (err == 0)
        *qid = get_qid(&m);
    return err;
}

/* Make ROOT_FID the root of the server's tree `aname`, as its user 0. */
int
l_attach(const char *aname)
{
    struct msg m;

    msg_begin(&m, Tattach);
    put(&m, 4, ROOT_FID);
    put(&m, 4, NOFID);
    put_str(&m, "root");
    put_str(&m, aname);
    put(&m, 4, 0);
    return link_rpc(&m);
}

/* Write at most what one message carries.  The bytes written, or -E_... */
int64_t
l_write(uint32_t fid, const uint8_t *data, uint32_t count, uint64_t offset)
{
    uint32_t done;
    struct msg m;
    int err;

    if (count > LINK_MSIZE - IOHDRSZ)
        count = LINK_MSIZE - IOHDRSZ;
    msg_begin(&m, Twrite);
    put(&m, 4, fid);
    put(&m, 8, offset);
    put(&m, 4, count);
    put_bytes(&m, data, count);
    err = link_rpc(&m);
    if (err < 0)
        return err;
    done = (uint32_t)get(&m, 4);
    return done <= count && !m.bad ? (int64_t)done : -E_BADMSG;
}
