/*
 * fcall.h - the messages of 9P2000, for kernel, programs and host alike.
 *
 * A message is size[4] type[1] tag[2] and its fields, little-endian; Plan
 * 9's manual, section 5, says what each means.  This file has the structure
 * that stands for one, and the calls between it and the bytes.  None of them
 * allocates, and none believes a length before the bytes are there.
 */
#pragma once

#include <lux/file.h>

enum fcall_type {
    Tversion = 100,
    Rversion,
    Tauth,
    Rauth,
    Tattach,
    Rattach,
    Terror, /* illegal */
    Rerror,
    Tflush,
    Rflush,
    Twalk,
    Rwalk,
    Topen,
    Ropen,
    Tcreate,
    Rcreate,
    Tread,
    Rread,
    Twrite,
    Rwrite,
    Tclunk,
    Rclunk,
    Tremove,
    Rremove,
    Tstat,
    Rstat,
    Twstat,
    Rwstat,
    Tmax,
};

#define NOTAG 0xffffu     /* Tversion's */
#define NOFID 0xffffffffu /* Tattach without authentication */

#define VERSION_9P "9P2000"

enum {
    MAXWELEM = 16,   /* names in one Twalk */
    FCALL_HEAD = 7,  /* size type tag: the smallest message */
    FCALL_DATA = 11, /* where Rread's data begin */
    IOHDRSZ = 24,    /* more than what surrounds the data of any message */
};

/*
 * One message.  Which members count depends on the type; they have the
 * manual's names.  Strings, data and stat are borrowed: from the buffer after
 * fcall_unpack, from the caller for fcall_pack.
 */
struct fcall {
    uint8_t type;
    uint8_t mode;              /* Topen Tcreate */
    uint16_t tag;              /* all */
    uint16_t oldtag;           /* Tflush */
    uint16_t nwname;           /* Twalk */
    uint16_t nwqid;            /* Rwalk */
    uint16_t nstat;            /* Rstat Twstat */
    uint32_t fid;              /* all T but Tversion, Tauth, Tflush */
    uint32_t afid;             /* Tauth Tattach */
    uint32_t newfid;           /* Twalk */
    uint32_t msize;            /* Tversion Rversion */
    uint32_t perm;             /* Tcreate */
    uint32_t iounit;           /* Ropen Rcreate */
    uint32_t count;            /* Tread Rread Twrite Rwrite */
    uint64_t offset;           /* Tread Twrite */
    struct qid qid;            /* Rauth Rattach Ropen Rcreate */
    const char *version;       /* Tversion Rversion */
    const char *ename;         /* Rerror */
    const char *name;          /* Tcreate */
    const char *uname, *aname; /* Tauth Tattach */
    const uint8_t *data;       /* Rread Twrite */
    const uint8_t *stat;       /* Rstat Twstat: a packed struct dir */
    union {
        const char *wname[MAXWELEM]; /* Twalk */
        struct qid wqid[MAXWELEM];   /* Rwalk */
    };
};

/* "walk" for Twalk and Rwalk; NULL for a number that is no message's. */
const char *fcall_verb(uint8_t type);

/* Is it a message that clients send? */
static inline bool
fcall_is_t(uint8_t type)
{
    return type % 2 == 0;
}

/*
 * Bytes of the message.  0: it cannot be packed: unknown type, a string that
 * is NULL or not allowed (a name: name_ok), too many names or qids, a bad
 * directory entry, or longer than 2^31.
 */
size_t fcall_size(const struct fcall *f);

/*
 * Write the message to buf: its bytes, -E_BADMSG as above, -E_TOOBIG if room
 * is too small.  If data is NULL and count is not, their place is left as it
 * is, for the caller to fill.
 */
int64_t fcall_pack(const struct fcall *f, uint8_t *buf, size_t room);

/*
 * How long is the message that begins at buf, of which `have` bytes are
 * there?  0: too few bytes to tell.  -E_BADMSG: smaller than FCALL_HEAD or
 * larger than msize, so that nothing behind it can be trusted either.
 */
int64_t fcall_frame(const uint8_t *buf, size_t have, uint32_t msize);

/*
 * Read the message that fills buf's n bytes exactly.  Its strings become C
 * strings in their place, so buf changes and must live as long as f is used;
 * data and stat point into it.
 *
 * 0, or -E_BADMSG: not a message (lengths that do not fit, bytes left over,
 * an unknown type); -E_NAME: one, but a string is no UTF-8, holds a NUL, or
 * as a file name is empty or holds a '/' or a control character.  With either error f->type and
 * f->tag are set if n >= FCALL_HEAD (else 0 and NOTAG), for an answer.
 */
int fcall_unpack(uint8_t *buf, size_t n, struct fcall *f);

/*
 * The message as one line of text without newline, "Twalk tag 3 fid 1 newfid
 * 2 nwname 2 usr glenda"; data and long strings are cut short, and what is no
 * printable ASCII shows as '.'.  Ends with a NUL if room > 0.  Returns the
 * bytes it wanted, without the NUL.
 */
size_t fcall_text(const struct fcall *f, char *out, size_t room);
