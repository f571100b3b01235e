/*
 * test_9p_codec.c - 9P messages to bytes and back, against bytes written by
 * hand from section 5 of Plan 9's manual.
 */
#include "mmu/mmu.h"
#include <lux/err.h>
#include <lux/fcall.h>

/* A message and its bytes, each checked against the other. */
struct known {
    const char *bytes;
    size_t n;
    struct fcall f;
};

#define K(text, ...)                                                           \
    {                                                                          \
        text, sizeof(text) - 1,                                                \
        {                                                                      \
            __VA_ARGS__                                                        \
        }                                                                      \
    }

static const struct known known[] = {
    K("\x13\0\0\0\x64\xff\xff\0\x20\0\0\x06\0"
      "9P2000",
            .type = Tversion, .tag = NOTAG, .msize = 8192,
            .version = VERSION_9P),
    K("\x17\0\0\0\x68\x02\0\x07\0\0\0\xff\xff\xff\xff\x01\0u\x03\0a/b",
            .type = Tattach, .tag = 2, .fid = 7, .afid = NOFID, .uname = "u",
            .aname = "a/b"),
    K("\x14\0\0\0\x69\x02\0\x80\x02\0\0\0\x03\0\0\0\0\0\0\0", .type = Rattach,
            .tag = 2, .qid = { 3, 2, QTDIR }),
    K("\x0b\0\0\0\x6b\x05\0\x02\0no", .type = Rerror, .tag = 5, .ename = "no"),
    K("\x09\0\0\0\x6c\x05\0\x04\x03", .type = Tflush, .tag = 5,
            .oldtag = 0x304),
    K("\x07\0\0\0\x6d\x05\0", .type = Rflush, .tag = 5),
    K("\x18\0\0\0\x6e\x05\0\x01\0\0\0\x02\0\0\0\x02\0\x02\0..\x01\0x",
            .type = Twalk, .tag = 5, .fid = 1, .newfid = 2, .nwname = 2,
            .wname = { "..", "x" }),
    K("\x23\0\0\0\x6f\x05\0\x02\0\x80\x01\0\0\0\x02\0\0\0\0\0\0\x11"
      "\0\x04\x03\x02\x01\x09\0\0\0\0\0\0\0",
            .type = Rwalk, .tag = 5, .nwqid = 2,
            .wqid = { { 0x1100000000000002, 1, QTDIR }, { 9, 0x1020304, 0 } }),
    K("\x0c\0\0\0\x70\x05\0\x01\0\0\0\x41", .type = Topen, .tag = 5, .fid = 1,
            .mode = OWRITE | ORCLOSE),
    K("\x18\0\0\0\x71\x05\0\0\x01\0\0\0\x02\0\0\0\0\0\0\0\x09\0\0\0",
            .type = Ropen, .tag = 5, .qid = { 2, 1, 0 }, .iounit = 9),
    K("\x13\0\0\0\x72\x05\0\x01\0\0\0\x01\0n\xa4\x01\0\0\x01", .type = Tcreate,
            .tag = 5, .fid = 1, .name = "n", .perm = 0644, .mode = OWRITE),
    K("\x17\0\0\0\x74\x05\0\x01\0\0\0\x02\0\0\0\0\0\x01\0\0\x10\0\0",
            .type = Tread, .tag = 5, .fid = 1, .offset = 0x1000000000002,
            .count = 4096),
    K("\x0e\0\0\0\x75\x05\0\x03\0\0\0abc", .type = Rread, .tag = 5, .count = 3,
            .data = (const uint8_t *)"abc"),
    K("\x18\0\0\0\x76\x05\0\x01\0\0\0\x02\0\0\0\0\0\0\0\x01\0\0\0z",
            .type = Twrite, .tag = 5, .fid = 1, .offset = 2, .count = 1,
            .data = (const uint8_t *)"z"),
};

enum {
    KNOWN = ARRAY_LEN(known),
    ROOM = 512
};

/* ---- pack ---- */

/* As many bytes at buf as k's are k's; else it says which is the first that
 * is not. */
static void
check_bytes(const uint8_t *buf, const struct known *k)
{
    char text[64];

    for (unsigned i = 0; i < k->n; i++) {
        if (buf[i] == (uint8_t)k->bytes[i])
            continue;
        snprint(text, sizeof text, "%c%s, byte %u: got 0x%02x, want 0x%02x",
                fcall_is_t(k->f.type) ? 'T' : 'R', fcall_verb(k->f.type), i,
                buf[i], (uint8_t)k->bytes[i]);
        ktest_check(false, __FILE__, __LINE__, text);
        return;
    }
}

/* Each message as the manual has it. */
KTEST(pack_known_bytes)
{
    uint8_t buf[ROOM];

    for (unsigned i = 0; i < KNOWN; i++) {
        CHECK_EQ(fcall_size(&known[i].f), known[i].n);
        CHECK_EQ(fcall_pack(&known[i].f, buf, sizeof buf), known[i].n);
        check_bytes(buf, &known[i]);
    }
}

/* One byte too few is too few, and not one byte is touched. */
KTEST(pack_too_big)
{
    uint8_t buf[ROOM];

    for (unsigned i = 0; i < KNOWN; i++) {
        memset(buf, 0x5a, sizeof buf);
        CHECK_EQ(fcall_pack(&known[i].f, buf, known[i].n - 1), -E_TOOBIG);
        for (unsigned k = 0; k < known[i].n; k++)
            CHECK(buf[k] == 0x5a);
        CHECK_EQ(fcall_pack(&known[i].f, buf, known[i].n), known[i].n);
        CHECK_EQ(buf[known[i].n], 0x5a);
    }
}

/* What no message can have. */
KTEST(pack_refuses)
{
    uint8_t buf[ROOM];
    struct fcall f = { .type = Terror };

    CHECK_EQ(fcall_pack(&f, buf, sizeof buf), -E_BADMSG);
    f.type = 99;
    CHECK_EQ(fcall_pack(&f, buf, sizeof buf), -E_BADMSG);
    f = (struct fcall){ .type = Tcreate, .name = NULL };
    CHECK_EQ(fcall_pack(&f, buf, sizeof buf), -E_BADMSG);
    f.name = "a/b";
    CHECK_EQ(fcall_pack(&f, buf, sizeof buf), -E_BADMSG);
    f.name = "";
    CHECK_EQ(fcall_pack(&f, buf, sizeof buf), -E_BADMSG);
    f = (struct fcall){ .type = Twalk, .nwname = MAXWELEM + 1 };
    for (unsigned i = 0; i < MAXWELEM; i++)
        f.wname[i] = "n";
    CHECK_EQ(fcall_pack(&f, buf, sizeof buf), -E_BADMSG);
    f.nwname = MAXWELEM;
    CHECK_EQ(fcall_pack(&f, buf, sizeof buf), 7 + 4 + 4 + 2 + 3 * MAXWELEM);
    f = (struct fcall){ .type = Tread, .count = UINT32_MAX };
    CHECK_EQ(fcall_pack(&f, buf, sizeof buf), 23);
    f.type = Twrite;
    CHECK_EQ(fcall_size(&f), 0);
}

/* The data's place is left for a caller that puts them there without a copy. */
KTEST(pack_leaves_data)
{
    struct fcall f = { .type = Rread, .tag = 1, .count = 5 };
    uint8_t buf[ROOM];

    memset(buf, 0x33, sizeof buf);
    CHECK_EQ(fcall_pack(&f, buf, sizeof buf), FCALL_DATA + 5);
    CHECK_EQ(buf[7], 5);
    CHECK_EQ(buf[8], 0);
    for (unsigned i = 0; i <= 5; i++)
        CHECK_EQ(buf[FCALL_DATA + i], 0x33);
    f = (struct fcall){ .type = Twrite, .tag = 1, .count = 1000 };
    CHECK_EQ(fcall_pack(&f, buf, 1022), -E_TOOBIG);
}

/* stat(5): size type dev qid mode atime mtime length name uid gid muid */
KTEST(pack_entry)
{
    static const char bytes[] =
            "\x31\0"
            "\x01\x02\x03\x04\x05\x06\x80\x07\0\0\0\x08\0\0\0\0\0\0\0"
            "\xed\x01\0\x80\x0a\0\0\0\x0b\0\0\0\x0c\0\0\0\0\0\0\0"
            "\x01\0/\0\0\x01\0g\0\0";
    struct dir d = { .type = 0x201,
        .dev = 0x6050403,
        .qid = { 8, 7, QTDIR },
        .mode = DMDIR | 0755,
        .atime = 10,
        .mtime = 11,
        .length = 12,
        .name = "/",
        .uid = "",
        .gid = "g",
        .muid = "" };
    uint8_t buf[ROOM];

    CHECK_EQ(dir_size(&d), 51);
    CHECK_EQ(dir_pack(&d, buf, 50), -E_TOOBIG);
    CHECK_EQ(dir_pack(&d, buf, sizeof buf), 51);
    CHECK(memcmp(buf, bytes, 51) == 0);
}

/* ---- unpack ---- */

/* Unpack a copy of n bytes with nothing but 0xff behind it. */
static int
unpack(const char *bytes, size_t n, uint8_t buf[ROOM], struct fcall *f)
{
    memset(buf, 0xff, ROOM);
    memcpy(buf, bytes, n);
    memset(f, 0x5a, sizeof *f);
    return fcall_unpack(buf, n, f);
}

static bool
same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

KTEST(unpack_known_bytes)
{
    uint8_t buf[ROOM];
    struct fcall f;

    for (unsigned i = 0; i < KNOWN; i++) {
        CHECK_EQ(unpack(known[i].bytes, known[i].n, buf, &f), 0);
        CHECK_EQ(f.type, known[i].f.type);
        CHECK_EQ(f.tag, known[i].f.tag);
    }
    CHECK_EQ(unpack(known[0].bytes, known[0].n, buf, &f), 0);
    CHECK_EQ(f.msize, 8192);
    CHECK(same_text(f.version, "9P2000"));
    CHECK_EQ(unpack(known[1].bytes, known[1].n, buf, &f), 0);
    CHECK_EQ(f.fid, 7);
    CHECK_EQ(f.afid, NOFID);
    CHECK(same_text(f.uname, "u") && same_text(f.aname, "a/b"));
    CHECK_EQ(unpack(known[7].bytes, known[7].n, buf, &f), 0);
    CHECK_EQ(f.nwqid, 2);
    CHECK_EQ(f.wqid[0].path, 0x1100000000000002);
    CHECK_EQ(f.wqid[1].vers, 0x1020304);
    CHECK_EQ(unpack(known[12].bytes, known[12].n, buf, &f), 0);
    CHECK_EQ(f.count, 3);
    CHECK(f.data == buf + FCALL_DATA && memcmp(f.data, "abc", 3) == 0);
}

/* Strings end with a NUL, though there is no room for one on the wire. */
KTEST(unpack_strings)
{
    static const char walk[] = "\x1d\0\0\0\x6e\x05\0\x01\0\0\0\x02\0\0\0\x03\0"
                               "\x02\0..\x01\0x\x03\0abc";
    uint8_t buf[ROOM];
    struct fcall f;

    CHECK_EQ(unpack(walk, sizeof walk - 1, buf, &f), 0);
    CHECK_EQ(f.nwname, 3);
    CHECK(same_text(f.wname[0], ".."));
    CHECK(same_text(f.wname[1], "x"));
    CHECK(same_text(f.wname[2], "abc"));
    CHECK_EQ(f.fid, 1);
    CHECK_EQ(f.newfid, 2);
    CHECK_EQ(buf[sizeof walk - 1], 0xff);
}

/* Every message, cut short at every byte, with a size that says so. */
KTEST(unpack_truncated)
{
    uint8_t buf[ROOM];
    struct fcall f;

    for (unsigned i = 0; i < KNOWN; i++)
        for (size_t n = FCALL_HEAD; n < known[i].n; n++) {
            memset(buf, 0xff, sizeof buf);
            memcpy(buf, known[i].bytes, n);
            CHECK_EQ(fcall_unpack(buf, n, &f), -E_BADMSG);
            memcpy(buf, known[i].bytes, n);
            buf[0] = (uint8_t)n;
            CHECK_EQ(fcall_unpack(buf, n, &f), -E_BADMSG);
            CHECK_EQ(f.type, known[i].f.type);
            CHECK_EQ(f.tag, known[i].f.tag);
        }
}

/* A byte more than the fields need, or than the size in front says. */
KTEST(unpack_left_over)
{
    uint8_t buf[ROOM];
    struct fcall f;

    for (unsigned i = 0; i < KNOWN; i++) {
        memset(buf, 0, sizeof buf);
        memcpy(buf, known[i].bytes, known[i].n);
        buf[0]++;
        CHECK_EQ(fcall_unpack(buf, known[i].n + 1, &f), -E_BADMSG);
        memcpy(buf, known[i].bytes, known[i].n);
        buf[0]--;
        CHECK_EQ(fcall_unpack(buf, known[i].n, &f), -E_BADMSG);
    }
}

/* Lengths from an enemy: the largest of each kind, and counts that the
 * structure has no room for. */
KTEST(unpack_lengths_lie)
{
    static const char error[] = "\x0b\0\0\0\x6b\x05\0\xff\xff??";
    static const char data[] = "\x0e\0\0\0\x75\x05\0\xff\xff\xff\xff???";
    static const char walk[] = "\x12\0\0\0\x6f\x05\0\xff\xff";
    uint8_t buf[ROOM], names[ROOM] = { [4] = Twalk, [15] = 17 };
    struct fcall f;

    CHECK_EQ(unpack(error, 11, buf, &f), -E_BADMSG);
    CHECK_EQ(unpack(data, 14, buf, &f), -E_BADMSG);
    CHECK_EQ(unpack(walk, 18, buf, &f), -E_BADMSG);
    for (unsigned i = 0; i < 17; i++)
        memcpy(names + 17 + 3 * i, "\x01\0n", 3);
    names[0] = 17 + 3 * 17;
    CHECK_EQ(unpack((char *)names, names[0], buf, &f), -E_BADMSG);
    names[15] = 16;
    names[0] = 17 + 3 * 16;
    CHECK_EQ(unpack((char *)names, names[0], buf, &f), 0);
}

/* On the last page of all addresses the sum of a place and a length wraps. */
KTEST(unpack_at_the_last_address)
{
    static const char error[] = "\x0b\0\0\0\x6b\x05\0\xff\xff??";
    vaddr_t page = -(vaddr_t)PAGE_SIZE;
    uint8_t *last = (uint8_t *)-(uintptr_t)ROOM;
    struct fcall f;

    CHECK_EQ(pt_map(kernel_root, page, page_alloc(), PTE_WRITE | PTE_NX), 0);
    CHECK_EQ(unpack(error, 11, last, &f), -E_BADMSG);
}

/* A name with a slash, an empty one, one with a NUL, one that is no UTF-8. */
KTEST(unpack_names)
{
    static const char slash[] = "\x14\0\0\0\x6e\x05\0\x01\0\0\0\x02\0\0\0"
                                "\x01\0\x01\0/";
    static const char empty[] = "\x13\0\0\0\x6e\x05\0\x01\0\0\0\x02\0\0\0"
                                "\x01\0\0\0";
    static const char nul[] = "\x0b\0\0\0\x6b\x05\0\x02\0a\0";
    static const char utf8[] = "\x0b\0\0\0\x6b\x05\0\x02\0\xc3(";
    uint8_t buf[ROOM];
    struct fcall f;

    CHECK_EQ(unpack(slash, 20, buf, &f), -E_NAME);
    CHECK_EQ(f.tag, 5);
    CHECK_EQ(unpack(empty, 19, buf, &f), -E_NAME);
    CHECK_EQ(unpack(nul, 11, buf, &f), -E_NAME);
    CHECK_EQ(unpack(utf8, 11, buf, &f), -E_NAME);
}

/* Before all: how long does it say it is? */
KTEST(frame_sizes)
{
    uint8_t buf[8] = { 7 };

    for (unsigned have = 0; have < 4; have++)
        CHECK_EQ(fcall_frame(buf, have, 8192), 0);
    CHECK_EQ(fcall_frame(buf, 4, 8192), 7);
    buf[0] = 6;
    CHECK_EQ(fcall_frame(buf, 8, 8192), -E_BADMSG);
    buf[0] = 0;
    CHECK_EQ(fcall_frame(buf, 4, 8192), -E_BADMSG);
    buf[1] = 0x20;
    CHECK_EQ(fcall_frame(buf, 4, 8192), 8192);
    CHECK_EQ(fcall_frame(buf, 4, 8191), -E_BADMSG);
    memset(buf, 0xff, 4);
    CHECK_EQ(fcall_frame(buf, 4, 8192), -E_BADMSG);
}

/* Too short for a head: there is not even a tag to answer. */
KTEST(unpack_no_head)
{
    uint8_t buf[FCALL_HEAD] = { 6, 0, 0, 0, Rclunk, 7 };
    struct fcall f;

    CHECK_EQ(fcall_unpack(buf, 6, &f), -E_BADMSG);
    CHECK_EQ(f.type, 0);
    CHECK_EQ(f.tag, NOTAG);
    buf[0] = 7;
    CHECK_EQ(fcall_unpack(buf, 7, &f), 0);
    CHECK_EQ(f.tag, 7);
    buf[4] = Terror;
    CHECK_EQ(fcall_unpack(buf, 7, &f), -E_BADMSG);
    CHECK_EQ(f.tag, 7);
}
