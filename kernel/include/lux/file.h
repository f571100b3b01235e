/*
 * file.h - files as everyone names them: qids, directory entries, modes.
 *
 * The numbers are those of 9P2000 (stat(5), open(5)) and of Plan 9's calls
 * (open(2), bind(2)).  A directory entry travels packed, the same from every
 * file server and every device, so that programs need to know one layout.
 */
#pragma once

#include <lux/types.h>

/* A server's own name for a file: path for ever, vers changes with content */
struct qid {
    uint64_t path;
    uint32_t vers;
    uint8_t type; /* QT...: the high byte of the mode */
};

enum {
    QTDIR = 0x80,
    QTAPPEND = 0x40,
    QTEXCL = 0x20,
    QTMOUNT = 0x10,
    QTAUTH = 0x08,
    QTTMP = 0x04,
    QTFILE = 0x00,
};

/* struct dir's mode: these bits and 0777 */
#define DMDIR    0x80000000u
#define DMAPPEND 0x40000000u
#define DMEXCL   0x20000000u
#define DMMOUNT  0x10000000u
#define DMAUTH   0x08000000u
#define DMTMP    0x04000000u

enum open_mode {
    OREAD = 0,
    OWRITE = 1,
    ORDWR = 2,
    OEXEC = 3, /* as OREAD, but checked as execution */
    OTRUNC = 16,
    OCEXEC = 32,
    ORCLOSE = 64,
    OEXCL = 0x1000, /* create only; never crosses 9P */
};

/* access: what must be permitted */
enum {
    AEXIST = 0,
    AEXEC = 1,
    AWRITE = 2,
    AREAD = 4,
};

/* bind and mount */
enum bind_flags {
    MREPL = 0,
    MBEFORE = 1,
    MAFTER = 2,
    MCREATE = 4,
    MCACHE = 16, /* accepted, not used */
};

struct dir {
    uint16_t type; /* the device's letter; servers leave it 0 */
    uint32_t dev;  /* which instance of the device; servers leave it 0 */
    struct qid qid;
    uint32_t mode;
    uint32_t atime, mtime; /* seconds since 1970 */
    uint64_t length;       /* bytes; 0 for directories */
    const char *name;      /* last element; "/" for a server's root */
    const char *uid, *gid, *muid;
};

enum {
    DIR_FIXED = 49 /* bytes of a packed entry whose strings are empty */
};

/* Every field says "don't touch", as wstat(5) has it. */
void dir_null(struct dir *d);

/* Bytes of d packed, its size field included; 0: a string is not allowed. */
size_t dir_size(const struct dir *d);

/* The same bytes to buf: their number, -E_BADMSG, -E_TOOBIG (room). */
int64_t dir_pack(const struct dir *d, uint8_t *buf, size_t room);

/*
 * The entry that begins at buf, of which n bytes are there; more may follow.
 * Its strings go to strs, which has room for n bytes, and stay valid as long
 * as that does.  Returns the entry's bytes, or -E_BADMSG (d is then
 * undefined).
 */
int64_t dir_unpack(const uint8_t *buf, size_t n, struct dir *d, char *strs);

/* The same without a result: is there a good entry at buf? */
int64_t dir_check(const uint8_t *buf, size_t n);

/* May `name` be a file's?  Not empty, valid UTF-8, no '/', and no control
 * characters (intro(5)). */
bool name_ok(const char *name);
