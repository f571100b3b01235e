/*
 * layout.h - the form of each message, as a table; for the three
 * fcall*.c only.
 *
 * A row lists a message's fields in wire order: how each is encoded, where
 * it stands in the structure, and its name for traces.
 */
#pragma once

#include <lux/fcall.h>
#include <lux/err.h>

enum kind { /* how a field looks on the wire */
    END,    /* no more fields */
    U8 = 1, /* a number is as long as its kind says */
    U16 = 2,
    U32 = 4,
    U64 = 8,
    ID,    /* qid: type[1] vers[4] path[8] */
    TEXT,  /* s[2] and so many bytes of UTF-8 */
    NAME,  /* the same, with name_ok */
    ENTRY, /* the name in a directory entry: also "/", or "" (wstat) */
    NAMES, /* nwname[2] and so many NAMEs */
    IDS,   /* nwqid[2] and so many qids */
    DATA,  /* count[4] and so many bytes */
    STAT,  /* nstat[2] and so many bytes: one directory entry */
};

struct field {
    char name[8]; /* in the row itself: no pointers, so no relocations */
    uint8_t kind;
    uint16_t at; /* offset in the structure */
};

enum {
    QID_BYTES = 13
};

/* the fields of message `type`; NULL: there is no such message */
const struct field *fcall_layout(uint8_t type);

/* a directory entry's, after its size[2] */
extern const struct field dir_layout[];

/* May these bytes stand in a field of this kind (TEXT, NAME or ENTRY)? */
bool text_ok(enum kind kind, const uint8_t *s, size_t n);

/*
 * Numbers are little-endian on the wire, as in this machine's memory: so the
 * first bytes of a number are the number.  Each case becomes one instruction.
 */
static inline uint64_t
get_number(const uint8_t *p, unsigned width)
{
    uint64_t v = 0;

    switch (width) {
    case U8: return p[0];
    case U16: __builtin_memcpy(&v, p, 2); break;
    case U32: __builtin_memcpy(&v, p, 4); break;
    default: __builtin_memcpy(&v, p, 8);
    }
    return v;
}

static inline uint8_t *
put_number(uint8_t *p, unsigned width, uint64_t v)
{
    switch (width) {
    case U8: p[0] = (uint8_t)v; break;
    case U16: __builtin_memcpy(p, &v, 2); break;
    case U32: __builtin_memcpy(p, &v, 4); break;
    default: __builtin_memcpy(p, &v, 8);
    }
    return p + width;
}
