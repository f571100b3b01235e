/*
 * readdir.c - directories of the server, as entries of ours.
 *
 * There a directory is read without the facts about its files; so each file
 * is asked for its own.
 */
#include "servers/hostfs/hostfs.h"

/* The entry of the file called name in n's directory, packed to out.  Its
 * bytes; 0: there is none any more; -E_... */
static int64_t
pack_entry(struct node *n, const char *name, uint8_t *out, size_t room)
{
    char dir[HOST_PATH], path[HOST_PATH], strs[STAT_MAX];
    uint32_t fid = l_new_fid();
    struct qid qid;
    struct dir d;
    int64_t err;

    node_path(n, dir);
    if (path_of(path, dir, name) < 0 || l_walk_path(path, fid, &qid) < 0)
        return 0;
    err = l_stat(fid, name, &d, strs);
    l_clunk(fid);
    return err < 0 ? 0 : dir_pack(&d, out, room);
}

/* Entries out of the server's answer m, as many as fit.  true: there may be
 * more room. */
static bool
pack_entries(struct node *n, struct msg *m, struct req *r)
{
    char name[HOST_NAME];

    while (m->at < m->end) {
        int64_t len = 0;
        uint64_t next;

        get_qid(m);
        next = get(m, 8);
        get(m, 1);
        if (!get_string(m, name, sizeof(name))) {
            if (m->bad)
                return false;
            name[0] = '\0'; /* longer than any path of ours */
        }
        if (name_ok(name) && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            len = pack_entry(
                    n, name, req_room(r) + r->r.count, r->t.count - r->r.count);
        if (len < 0)
            return false;
        r->r.count += (uint32_t)len;
        n->next = next;
    }
    return true;
}

int
host_read_dir(struct req *r, struct node *n)
{
    struct msg m;
    int err;

    if (r->t.offset == 0)
        n->next = 0;
    r->r.data = req_room(r);
    do {
        msg_begin(&m, Treaddir);
        put(&m, 4, n->fid);
        put(&m, 8, n->next);
        put(&m, 4, 1024);
        err = link_rpc(&m);
        if (err < 0)
            return err;
        if (get(&m, 4) != m.end - m.at)
            return -E_BADMSG;
        if (m.at == m.end)
            return 0;
    } while (pack_entries(n, &m, r));
    return r->r.count > 0 ? 0 : -E_SHORTSTAT;
}
