/*
 * link.c - the connection to the server of 9P2000.L: one request at a time.
 *
 * A message is written field by field, and read so; whoever asks for more
 * than there is gets zeros, and the message is marked bad.
 */
#include "servers/hostfs/hostfs.h"

enum {
    TAG = 1
};

static int server = -1;

void
msg_begin(struct msg *m, uint8_t type)
{
    m->at = 4; /* the size comes last */
    m->bad = false;
    put(m, 1, type);
    put(m, 2, type == Tversion ? NOTAG : TAG);
}

/* A number of so many bytes, least significant first. */
void
put(struct msg *m, unsigned bytes, uint64_t n)
{
    uint8_t raw[8];

    for (unsigned i = 0; i < bytes; i++)
        raw[i] = (uint8_t)(n >> 8 * i);
    put_bytes(m, raw, bytes);
}

void
put_bytes(struct msg *m, const void *data, size_t n)
{
    if (n > sizeof(m->buf) - m->at) {
        m->bad = true;
        return;
    }
    memcpy(m->buf + m->at, data, n);
    m->at += n;
}

void
put_str(struct msg *m, const char *s)
{
    put(m, 2, strlen(s));
    put_bytes(m, s, strlen(s));
}

/* The next n bytes, or NULL: there are not so many. */
const uint8_t *
get_bytes(struct msg *m, size_t n)
{
    const uint8_t *p = m->buf + m->at;

    if (m->bad || n > m->end - m->at) {
        m->bad = true;
        return NULL;
    }
    m->at += n;
    return p;
}

uint64_t
get(struct msg *m, unsigned bytes)
{
    const uint8_t *p = get_bytes(m, bytes);
    uint64_t n = 0;

    for (unsigned i = 0; p != NULL && i < bytes; i++)
        n |= (uint64_t)p[i] << 8 * i;
    return n;
}

/* The next string, if it fits in buf with a NUL behind it and none in it. */
bool
get_string(struct msg *m, char *buf, size_t len)
{
    size_t n = get(m, 2);
    const uint8_t *p = get_bytes(m, n);

    if (p == NULL || n >= len || memchr(p, '\0', n) != NULL)
        return false;
    memcpy(buf, p, n);
    buf[n] = '\0';
    return true;
}

/* A qid; of its kinds we know directories. */
struct qid
get_qid(struct msg *m)
{
    struct qid q;

    q.type = get(m, 1) & QTDIR;
    q.vers = (uint32_t)get(m, 4);
    q.path = get(m, 8);
    return q;
}

/* Linux's error number as ours. */
static int
error_of(uint32_t number)
{
    static const int ours[] = {
        [1] = E_PERM,
        [2] = E_NOEXIST,
        [5] = E_IO,
        [12] = E_NOMEM,
        [13] = E_PERM,
        [17] = E_EXIST,
        [20] = E_NOTDIR,
        [21] = E_ISDIR,
        [22] = E_BADARG,
        [30] = E_PERM,
        [36] = E_NAMELEN,
        [39] = E_NOTEMPTY,
    };

    if (number < ARRAY_LEN(ours) && ours[number] != 0)
        return -ours[number];
    if (number == 28)
        return srv_error("file system full");
    werrstr("the host's error %u", number);
    return -E_REMOTE;
}

/* Read the whole answer into m.  0, or -E_... */
static int
read_answer(struct msg *m)
{
    m->at = 0;
    m->end = 4;
    m->bad = false;
    if (readn(server, m->buf, 4) != 4)
        return -E_HUNGUP;
    m->end = get(m, 4);
    if (m->end < FCALL_HEAD || m->end > sizeof(m->buf))
        return -E_BADMSG;
    if (readn(server, m->buf + 4, m->end - 4) != (int64_t)m->end - 4)
        return -E_HUNGUP;
    return 0;
}

int
link_rpc(struct msg *m)
{
    uint8_t type = m->buf[4], answer;
    uint32_t size = (uint32_t)m->at;
    uint64_t tag;
    int err;

    if (m->bad)
        return -E_NAMELEN;
    m->at = 0;
    put(m, 4, size);
    if (write(server, m->buf, size) != size)
        return -E_HUNGUP;
    err = read_answer(m);
    if (err < 0)
        return err;
    answer = (uint8_t)get(m, 1);
    tag = get(m, 2);
    if (tag != (type == Tversion ? NOTAG : TAG))
        return -E_BADMSG;
    if (answer == Rlerror)
        return error_of((uint32_t)get(m, 4));
    return answer == type + 1 ? 0 : -E_BADMSG;
}

int
link_start(int fd)
{
    char version[16];
    struct msg m;
    int err;

    server = fd;
    msg_begin(&m, Tversion);
    put(&m, 4, LINK_MSIZE);
    put_str(&m, "9P2000.L");
    err = link_rpc(&m);
    if (err < 0)
        return err;
    if (get(&m, 4) != LINK_MSIZE || !get_string(&m, version, sizeof(version)) ||
            strcmp(version, "9P2000.L") != 0)
        return -E_VERSION;
    return 0;
}
