/*
 * tree.c - which of the server's trees is ours.
 */
#include "servers/hostfs/hostfs.h"

/* The first line of text that begins with '/', alone; false: none does. */
static bool
first_path(char *text)
{
    char *line = text;

    while (*line != '\0' && *line != '/') {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    line[strcspn(line, " \n")] = '\0';
    memmove(text, line, strlen(line) + 1);
    return text[0] != '\0';
}

/* What is at the beginning of the open file `fid`, as text. */
static int
l_read_text(uint32_t fid, char *text, size_t len)
{
    const uint8_t *data;
    struct msg m;
    size_t n;
    int err;

    msg_begin(&m, Tread);
    put(&m, 4, fid);
    put(&m, 8, 0);
    put(&m, 4, len - 1);
    err = link_rpc(&m);
    if (err < 0)
        return err;
    n = get(&m, 4);
    data = get_bytes(&m, n);
    if (data == NULL || n >= len)
        return -E_BADMSG;
    memcpy(text, data, n);
    text[n] = '\0';
    return 0;
}

/* The first of the trees that diod offers: its own file `exports`, in the
 * tree `ctl`, lists them, one a line. */
static int
first_tree(char *tree, size_t len)
{
    uint32_t fid = l_new_fid();
    struct qid qid;
    int err = l_attach("ctl");

    if (err == 0)
        err = l_walk(ROOT_FID, fid, "exports", &qid);
    if (err == 0)
        err = l_open(fid, OREAD, &qid);
    if (err == 0)
        err = l_read_text(fid, tree, len);
    if (err < 0)
        return err;
    l_clunk(fid);
    l_clunk(ROOT_FID);
    return first_path(tree) ? 0 : -E_NOEXIST;
}

int
host_attach_tree(const char *aname)
{
    char tree[1024];
    int err;

    if (aname[0] != '\0')
        return l_attach(aname);
    err = first_tree(tree, sizeof(tree));
    return err == 0 ? l_attach(tree) : err;
}
