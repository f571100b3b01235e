/*
 * msg.c - messages of 9P2000.L, written field by field, and read so.
 *
 * Whoever asks for more than there is gets zeros, and the message is marked
 * bad; so it is if what is put does not fit.
 */
#include "servers/hostfs/hostfs.h"

void
msg_begin(struct msg *m, uint8_t type)
{
    m->at = 4; /* the size comes last */
    m->bad = false;
    put(m, 1, type);
    put(m, 2, NOTAG); /* until it is sent */
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

int
l_error(uint32_t number)
{
    static const int ours[] = {
        [1] = E_PERM,
        [2] = E_NOEXIST,
        [4] = E_INTR,
        [5] = E_IO,
        [12] = E_NOMEM,
        [13] = E_PERM,
        [17] = E_EXIST,
        [20] = E_NOTDIR,
        [21] = E_ISDIR,
        [22] = E_BADARG,
        [30] = E_PERM,
        [36] = E_NAMELEN,
        [28] = E_FULL,
        [39] = E_NOTEMPTY,
    };

    if (number < ARRAY_LEN(ours) && ours[number] != 0)
        return -ours[number];
    werrstr("the host's error %u", number);
    return -E_REMOTE;
}
