/*
 * fcall.c - 9P messages and directory entries: what is in them, and packing.
 *
 * The tables below are the only place that knows what is in a message.
 * Size, pack, unpack and the trace printer walk them.  Kernel, user library
 * and host tests link this same code; it calls only memcpy and memmove.
 *
 * To pack is to find the size first, which checks everything, and then to
 * write, which cannot fail.
 */
#include "9p/layout.h"
#include <lux/utf8.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
        "layout.h: put_number and get_number must swap bytes");

#define F(kind, member)                                                        \
    {                                                                          \
#member, kind, offsetof(struct fcall, member)                          \
    }
#define D(kind, member)                                                        \
    {                                                                          \
#member, kind, offsetof(struct dir, member)                            \
    }

/* What follows size[4] type[1] tag[2] in each message, in wire order. */
static const struct field layout[Tmax - Tversion][5] = {
#define ROW(type) [type - Tversion]
    ROW(Tversion) = { F(U32, msize), F(TEXT, version) },
    ROW(Rversion) = { F(U32, msize), F(TEXT, version) },
    ROW(Tauth) = { F(U32, afid), F(TEXT, uname), F(TEXT, aname) },
    ROW(Rauth) = { F(ID, qid) },
    ROW(Tattach) = { F(U32, fid), F(U32, afid), F(TEXT, uname),
            F(TEXT, aname) },
    ROW(Rattach) = { F(ID, qid) },
    ROW(Rerror) = { F(TEXT, ename) },
    ROW(Tflush) = { F(U16, oldtag) },
    ROW(Rflush) = {},
    ROW(Twalk) = { F(U32, fid), F(U32, newfid), F(NAMES, nwname) },
    ROW(Rwalk) = { F(IDS, nwqid) },
    ROW(Topen) = { F(U32, fid), F(U8, mode) },
    ROW(Ropen) = { F(ID, qid), F(U32, iounit) },
    ROW(Tcreate) = { F(U32, fid), F(NAME, name), F(U32, perm), F(U8, mode) },
    ROW(Rcreate) = { F(ID, qid), F(U32, iounit) },
    ROW(Tread) = { F(U32, fid), F(U64, offset), F(U32, count) },
    ROW(Rread) = { F(DATA, count) },
    ROW(Twrite) = { F(U32, fid), F(U64, offset), F(DATA, count) },
    ROW(Rwrite) = { F(U32, count) },
    ROW(Tclunk) = { F(U32, fid) },
    ROW(Rclunk) = {},
    ROW(Tremove) = { F(U32, fid) },
    ROW(Rremove) = {},
    ROW(Tstat) = { F(U32, fid) },
    ROW(Rstat) = { F(STAT, nstat) },
    ROW(Twstat) = { F(U32, fid), F(STAT, nstat) },
    ROW(Rwstat) = {},
#undef ROW
};

/* A directory entry after its size[2]. */
const struct field dir_layout[12] = {
    D(U16, type),
    D(U32, dev),
    D(ID, qid),
    D(U32, mode),
    D(U32, atime),
    D(U32, mtime),
    D(U64, length),
    D(ENTRY, name),
    D(TEXT, uid),
    D(TEXT, gid),
    D(TEXT, muid),
};

const struct field *
fcall_layout(uint8_t type)
{
    if (type < Tversion || type >= Tmax || type == Terror)
        return NULL;
    return layout[type - Tversion];
}

/* The number in a structure's member of `width` bytes. */
static uint64_t
load(const void *member, unsigned width)
{
    switch (width) {
    case U8: return *(const uint8_t *)member;
    case U16: return *(const uint16_t *)member;
    case U32: return *(const uint32_t *)member;
    default: return *(const uint64_t *)member;
    }
}

/* ---- strings ---- */

/* n bytes of valid UTF-8 with no NUL? */
static bool
utf8_ok(const uint8_t *s, size_t n)
{
    unsigned step;

    for (size_t i = 0; i < n; i += step) {
        step = utf8_bytes(s + i, n - i);
        if (step == 0 || s[i] == '\0')
            return false;
    }
    return true;
}

static bool
has_slash(const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] == '/')
            return true;
    return false;
}

/* Does a control character, U+0001 to U+001F or U+007F to U+009F, begin here in
 * valid UTF-8? */
static bool
is_control(const uint8_t *s)
{
    if (s[0] < 0x7f)
        return s[0] < 0x20;
    return s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

/* An ENTRY may be the name that a foreign server gives: only what would lead a
 * reader astray is refused there. */
bool
text_ok(enum kind kind, const uint8_t *s, size_t n)
{
    if (!utf8_ok(s, n))
        return false;
    if (kind == TEXT || (kind == ENTRY && n == 0))
        return true;
    if (kind == ENTRY && n == 1 && s[0] == '/')
        return true;
    if (kind == ENTRY)
        return !has_slash(s, n);
    for (size_t i = 0; i < n; i++)
        if (s[i] == '/' || is_control(s + i))
            return false;
    return n > 0;
}

static size_t
length(const char *s)
{
    size_t n = 0;

    while (s[n] != '\0')
        n++;
    return n;
}

bool
name_ok(const char *name)
{
    return text_ok(NAME, (const uint8_t *)name, length(name));
}

/* ---- size ---- */

/* Bytes of a string with its length; 0: it cannot be packed. */
static size_t
text_size(enum kind kind, const char *s)
{
    size_t n = s == NULL ? SIZE_MAX : length(s);

    if (n > UINT16_MAX || !text_ok(kind, (const uint8_t *)s, n))
        return 0;
    return 2 + n;
}

/* The same for the names of a Twalk. */
static size_t
names_size(const struct fcall *f)
{
    size_t total = 2;

    if (f->nwname > MAXWELEM)
        return 0;
    for (unsigned i = 0; i < f->nwname; i++) {
        size_t n = text_size(NAME, f->wname[i]);

        if (n == 0)
            return 0;
        total += n;
    }
    return total;
}

static size_t
stat_size(const struct fcall *f)
{
    return dir_check(f->stat, f->nstat) == f->nstat ? 2u + f->nstat : 0;
}

/* Bytes of one field of obj; 0: it cannot be packed. */
static size_t
field_size(const struct field *field, const void *obj)
{
    const void *member = (const char *)obj + field->at;
    const struct fcall *f = obj; /* what the four last kinds are in */

    switch (field->kind) {
    case ID: return QID_BYTES;
    case TEXT:
    case NAME:
    case ENTRY: return text_size(field->kind, *(const char *const *)member);
    case NAMES: return names_size(f);
    case IDS: return f->nwqid <= MAXWELEM ? 2u + f->nwqid * QID_BYTES : 0;
    case DATA: return f->count < INT32_MAX - IOHDRSZ ? 4ul + f->count : 0;
    case STAT: return stat_size(f);
    default: return field->kind;
    }
}

/*
 * Bytes of all fields in a table's row, which ends with kind END, and `head`
 * more.  0 if one of them cannot be packed: field_size knows, for each.
 *
 * Lab 4.1
 */
static size_t
fields_size(const struct field *row, const void *obj, size_t head)
{
    for (; row->kind != END; row++) {
        size_t n = field_size(row, obj);

        if (n == 0)
            return 0;
        head += n;
    }
    return head;
}

/*
 * The whole message's size, from its layout: see lux/fcall.h.
 */
size_t
fcall_size(const struct fcall *f)
{
    const struct field *row = fcall_layout(f->type);

    return row != NULL ? fields_size(row, f, FCALL_HEAD) : 0;
}

size_t
dir_size(const struct dir *d)
{
    size_t n = fields_size(dir_layout, d, 2);

    return n <= UINT16_MAX ? n : 0;
}

/* ---- pack: all has been checked by then ---- */

static uint8_t *
put_bytes(uint8_t *p, const void *from, size_t n)
{
    __builtin_memcpy(p, from, n);
    return p + n;
}

static uint8_t *
put_text(uint8_t *p, const char *s)
{
    size_t n = length(s);

    return put_bytes(put_number(p, 2, n), s, n);
}

static uint8_t *
put_qid(uint8_t *p, const struct qid *q)
{
    p = put_number(p, 1, q->type);
    p = put_number(p, 4, q->vers);
    return put_number(p, 8, q->path);
}

/*
 * Write the many things of one field at p: NAMES (nwname[2], then each name),
 * IDS (nwqid[2], then each qid), DATA (count[4], then the bytes; if f->data is
 * NULL their place is passed over, nothing written), STAT (nstat[2], then the
 * bytes).  Returns the place behind them.
 *
 * Lab 4.1
 */
static uint8_t *
put_many(uint8_t *p, enum kind kind, const struct fcall *f)
{
    switch (kind) {
    case NAMES:
        p = put_number(p, 2, f->nwname);
        for (unsigned i = 0; i < f->nwname; i++)
            p = put_text(p, f->wname[i]);
        return p;
    case IDS:
        p = put_number(p, 2, f->nwqid);
        for (unsigned i = 0; i < f->nwqid; i++)
            p = put_qid(p, &f->wqid[i]);
        return p;
    case DATA:
        p = put_number(p, 4, f->count);
        return f->data ? put_bytes(p, f->data, f->count) : p + f->count;
    default: return put_bytes(put_number(p, 2, f->nstat), f->stat, f->nstat);
    }
}

/*
 * Write all fields of a table's row, whose values are in obj at field->at, in
 * their order from p on: numbers as wide as their kind says (load finds the
 * value), qids, strings, and what put_many writes.  Their size was checked
 * before, so that nothing can fail.  Returns the place behind the last.
 *
 * Lab 4.1
 */
static uint8_t *
put_fields(const struct field *row, const void *obj, uint8_t *p)
{
    for (; row->kind != END; row++) {
        const void *member = (const char *)obj + row->at;

        switch (row->kind) {
        case ID: p = put_qid(p, member); break;
        case TEXT:
        case NAME:
        case ENTRY: p = put_text(p, *(const char *const *)member); break;
        case NAMES:
        case IDS:
        case DATA:
        case STAT: p = put_many(p, row->kind, obj); break;
        default: p = put_number(p, row->kind, load(member, row->kind));
        }
    }
    return p;
}

/*
 * The message f at buf: size[4], of all of it; type[1] tag[2]; the fields of
 * its row.  Its bytes; -E_BADMSG if fcall_size says that it cannot be packed,
 * -E_TOOBIG if it is longer than room.  After an error buf is as it was.
 *
 * Lab 4.1
 */
int64_t
fcall_pack(const struct fcall *f, uint8_t *buf, size_t room)
{
    size_t n = fcall_size(f);

    if (n == 0)
        return -E_BADMSG;
    if (n > room)
        return -E_TOOBIG;
    put_number(buf, 4, n);
    buf[4] = f->type;
    put_number(buf + 5, 2, f->tag);
    put_fields(fcall_layout(f->type), f, buf + FCALL_HEAD);
    return n;
}

int64_t
dir_pack(const struct dir *d, uint8_t *buf, size_t room)
{
    size_t n = dir_size(d);

    if (n == 0)
        return -E_BADMSG;
    if (n > room)
        return -E_TOOBIG;
    put_fields(dir_layout, d, put_number(buf, 2, n - 2));
    return n;
}

void
dir_null(struct dir *d)
{
    *d = (struct dir){
        .type = UINT16_MAX,
        .dev = UINT32_MAX,
        .qid = { UINT64_MAX, UINT32_MAX, UINT8_MAX },
        .mode = UINT32_MAX,
        .atime = UINT32_MAX,
        .mtime = UINT32_MAX,
        .length = UINT64_MAX,
        .name = "",
        .uid = "",
        .gid = "",
        .muid = "",
    };
}
