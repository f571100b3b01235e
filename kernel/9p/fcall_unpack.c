/*
 * fcall_unpack.c - 9P messages and directory entries from bytes that nobody
 * has looked at yet.
 *
 * Each length is compared with the bytes that are left before anything
 * behind it is read, and what remains at the end is an error, too.  There is
 * no allocation, so no number from outside can ask for one.
 */
#include "9p/layout.h"

static void
store(void *member, unsigned width, uint64_t v)
{
    switch (width) {
    case U8: *(uint8_t *)member = (uint8_t)v; break;
    case U16: *(uint16_t *)member = (uint16_t)v; break;
    case U32: *(uint32_t *)member = (uint32_t)v; break;
    default: *(uint64_t *)member = v;
    }
}

struct input { /* what has not been read yet */
    const uint8_t *at, *end;
    char *strs;     /* where strings go; NULL: stay where they are... */
    bool keep_none; /* ...or are only looked at */
};

/*
 * The next n bytes, which the input is then behind; NULL: fewer are left, and
 * nothing was taken.  n may be any number.
 *
 * Lab 4.2
 */
static const uint8_t *
take(struct input *in, size_t n)
{
    const uint8_t *at = in->at;

    if ((size_t)(in->end - at) < n)
        return NULL;
    in->at += n;
    return at;
}

static int
get_count(struct input *in, unsigned width, uint64_t *v)
{
    const uint8_t *p = take(in, width);

    if (p == NULL)
        return -E_BADMSG;
    *v = get_number(p, width);
    return 0;
}

/*
 * A string s[2] as a C string, whose address goes to *out.  It has no room for
 * a NUL where it lies: move it down over its own length; or, if in->strs is
 * set, copy it there, and let in->strs stand behind the NUL.  If
 * in->keep_none nothing is moved, and *out not touched.  0; -E_BADMSG: it is
 * not all there; -E_NAME: text_ok forbids it as this kind.
 *
 * Lab 4.2
 */
static int
get_text(struct input *in, enum kind kind, const char **out)
{
    const uint8_t *s;
    char *to = in->strs ? in->strs : (char *)in->at;
    uint64_t n;

    if (get_count(in, 2, &n) < 0 || (s = take(in, n)) == NULL)
        return -E_BADMSG;
    if (!text_ok(kind, s, n))
        return -E_NAME;
    if (in->keep_none)
        return 0;
    __builtin_memmove(to, s, n);
    to[n] = '\0';
    *out = to;
    if (in->strs)
        in->strs += n + 1;
    return 0;
}

static int
get_qid(struct input *in, struct qid *q)
{
    const uint8_t *p = take(in, QID_BYTES);

    if (p == NULL)
        return -E_BADMSG;
    q->type = p[0];
    q->vers = get_number(p + 1, 4);
    q->path = get_number(p + 5, 8);
    return 0;
}

/*
 * The names of a Twalk: nwname[2] and so many NAMEs, into f->wname, which has
 * room for MAXWELEM.  0, -E_BADMSG (too many, or not all there), -E_NAME.
 *
 * Lab 4.2
 */
static int
get_names(struct input *in, struct fcall *f)
{
    uint64_t n;
    int err = get_count(in, 2, &n);

    if (err || n > MAXWELEM)
        return -E_BADMSG;
    f->nwname = n;
    for (unsigned i = 0; i < n && !err; i++)
        err = get_text(in, NAME, &f->wname[i]);
    return err;
}

static int
get_qids(struct input *in, struct fcall *f)
{
    uint64_t n;
    int err = get_count(in, 2, &n);

    if (err || n > MAXWELEM)
        return -E_BADMSG;
    f->nwqid = n;
    for (unsigned i = 0; i < n && !err; i++)
        err = get_qid(in, &f->wqid[i]);
    return err;
}

static int
get_data(struct input *in, struct fcall *f)
{
    uint64_t n;

    if (get_count(in, 4, &n) < 0 || (f->data = take(in, n)) == NULL)
        return -E_BADMSG;
    f->count = n;
    return 0;
}

/* A directory entry, whose own size must be the one in front of it. */
static int
get_stat(struct input *in, struct fcall *f)
{
    uint64_t n;
    int64_t got;

    if (get_count(in, 2, &n) < 0 || (f->stat = take(in, n)) == NULL)
        return -E_BADMSG;
    f->nstat = n;
    got = dir_check(f->stat, n);
    if (got < 0)
        return got;
    return got == (int64_t)n ? 0 : -E_BADMSG;
}

static int
get_field(struct input *in, const struct field *field, void *obj)
{
    void *member = (char *)obj + field->at;
    uint64_t v;
    int err;

    switch (field->kind) {
    case ID: return get_qid(in, member);
    case TEXT:
    case NAME:
    case ENTRY: return get_text(in, field->kind, member);
    case NAMES: return get_names(in, obj);
    case IDS: return get_qids(in, obj);
    case DATA: return get_data(in, obj);
    case STAT: return get_stat(in, obj);
    default:
        err = get_count(in, field->kind, &v);
        if (!err)
            store(member, field->kind, v);
        return err;
    }
}

/*
 * All fields of a table's row into obj, each by get_field: 0, or the first
 * error.  If bytes are left over then, that is no such message: -E_BADMSG.
 *
 * Lab 4.2
 */
static int
get_fields(struct input *in, const struct field *row, void *obj)
{
    for (; row->kind != END; row++) {
        int err = get_field(in, row, obj);

        if (err)
            return err;
    }
    return in->at == in->end ? 0 : -E_BADMSG;
}

/*
 * How long is the message that begins at buf, of which `have` bytes are there?
 * 0 if they are too few to tell; -E_BADMSG if the size in them is below
 * FCALL_HEAD or above msize.
 *
 * Lab 4.2
 */
int64_t
fcall_frame(const uint8_t *buf, size_t have, uint32_t msize)
{
    uint64_t n;

    if (have < 4)
        return 0;
    n = get_number(buf, 4);
    return n < FCALL_HEAD || n > msize ? -E_BADMSG : (int64_t)n;
}

/*
 * The message that fills the n bytes at buf, into f.  type and tag are set
 * first, so that an answer can be sent whatever follows: 0 and NOTAG if n is
 * below FCALL_HEAD.  -E_BADMSG: too short, an unknown type, or the size in
 * front is not n; else what get_fields says about the rest.
 *
 * Lab 4.2
 */
int
fcall_unpack(uint8_t *buf, size_t n, struct fcall *f)
{
    struct input in = { .at = buf + FCALL_HEAD, .end = buf + n };
    const struct field *row;

    f->type = n < FCALL_HEAD ? 0 : buf[4];
    f->tag = n < FCALL_HEAD ? NOTAG : get_number(buf + 5, 2);
    row = fcall_layout(f->type);
    if (row == NULL || get_number(buf, 4) != n)
        return -E_BADMSG;
    return get_fields(&in, row, f);
}

/* One entry at buf; its strings as `in` says. */
static int64_t
get_dir(const uint8_t *buf, size_t n, struct dir *d, struct input in)
{
    uint64_t size;
    int err;

    in.at = buf;
    in.end = buf + n;
    if (get_count(&in, 2, &size) < 0 || size > n - 2)
        return -E_BADMSG;
    in.end = buf + 2 + size;
    err = get_fields(&in, dir_layout, d);
    return err ? err : (int64_t)(2 + size);
}

int64_t
dir_unpack(const uint8_t *buf, size_t n, struct dir *d, char *strs)
{
    return get_dir(buf, n, d, (struct input){ .strs = strs });
}

int64_t
dir_check(const uint8_t *buf, size_t n)
{
    struct dir ignored;

    return get_dir(buf, n, &ignored, (struct input){ .keep_none = true });
}
