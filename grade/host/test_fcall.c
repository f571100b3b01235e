/*
 * test_fcall.c - the 9P codec: bytes that the manual gives, round trips both
 * ways, and every way to be wrong.
 *
 * sources: kernel/9p/fcall.c kernel/9p/fcall_unpack.c
 * sources: kernel/9p/fcall_print.c kernel/boot/format.c
 * sources: grade/host/fcall_gen.c
 */
#include <stdlib.h>
#include <string.h>
#include "host.h"
#include "fcall_gen.h"
#include "boot/format.h"
#include <lux/utf8.h>

bool
format_verb(struct sink *s, const struct spec *spec, char letter, va_list *args)
{
    return s == NULL || spec == NULL || letter == '\0' || args == NULL;
}

/* Unpack a copy of exactly n bytes, so that ASan sees one byte too many. */
static int
unpack_copy(const uint8_t *buf, size_t n, struct fcall *f, uint8_t **copy)
{
    *copy = malloc(n);
    memcpy(*copy, buf, n);
    return fcall_unpack(*copy, n, f);
}

/* An error, or the very message that these bytes are. */
static void
check_bytes(const uint8_t *buf, size_t n)
{
    uint8_t *copy, *again = malloc(n);
    struct fcall f;
    int err = unpack_copy(buf, n, &f, &copy);

    if (err == 0) {
        CHECK_EQ(fcall_size(&f), n);
        CHECK_EQ(fcall_pack(&f, again, n), n);
        CHECK(memcmp(again, buf, n) == 0);
    } else {
        CHECK(err == -E_BADMSG || err == -E_NAME);
    }
    free(again);
    free(copy);
}

static bool
is_message(unsigned type)
{
    return type >= Tversion && type < Tmax && type != Terror;
}

TEST(round_trip)
{
    uint8_t buf[MAX_MESSAGE];
    struct fcall f;

    for (unsigned i = 0; i < 20000; i++) {
        uint8_t type = Tversion + i % (Tmax - Tversion);

        if (!is_message(type))
            continue;
        fcall_random(&f, type, &seed);
        int64_t n = fcall_pack(&f, buf, sizeof(buf));

        CHECK(n >= FCALL_HEAD);
        CHECK_EQ(n, fcall_size(&f));
        check_bytes(buf, n);
        CHECK_EQ(fcall_frame(buf, n, n), n);
        CHECK_EQ(fcall_pack(&f, buf, n - 1), -E_TOOBIG);
    }
}

/* What comes out is what went in, member by member. */
TEST(members)
{
    uint8_t buf[MAX_MESSAGE];
    struct fcall in, out;

    for (unsigned i = 0; i < 2000; i++) {
        fcall_random(&in, Tattach, &seed);
        CHECK(fcall_unpack(buf, fcall_pack(&in, buf, sizeof(buf)), &out) == 0);
        CHECK_EQ(out.tag, in.tag);
        CHECK_EQ(out.fid, in.fid);
        CHECK_EQ(out.afid, in.afid);
        CHECK(strcmp(out.uname, in.uname) == 0);
        CHECK(strcmp(out.aname, in.aname) == 0);
        fcall_random(&in, Twalk, &seed);
        CHECK(fcall_unpack(buf, fcall_pack(&in, buf, sizeof(buf)), &out) == 0);
        CHECK_EQ(out.newfid, in.newfid);
        CHECK_EQ(out.nwname, in.nwname);
        for (unsigned k = 0; k < in.nwname; k++)
            CHECK(strcmp(out.wname[k], in.wname[k]) == 0);
        fcall_random(&in, Rwalk, &seed);
        CHECK(fcall_unpack(buf, fcall_pack(&in, buf, sizeof(buf)), &out) == 0);
        CHECK_EQ(out.nwqid, in.nwqid);
        for (unsigned k = 0; k < in.nwqid; k++)
            CHECK(in.wqid[k].path == out.wqid[k].path &&
                    in.wqid[k].vers == out.wqid[k].vers &&
                    in.wqid[k].type == out.wqid[k].type);
        fcall_random(&in, Twrite, &seed);
        CHECK(fcall_unpack(buf, fcall_pack(&in, buf, sizeof(buf)), &out) == 0);
        CHECK_EQ(out.offset, in.offset);
        CHECK_EQ(out.count, in.count);
        CHECK(memcmp(out.data, in.data, in.count) == 0);
    }
}

/* Section 5 of the manual, by hand: both sides cannot be wrong alike. */
TEST(known_bytes)
{
    static const struct {
        const char *bytes;
        size_t n;
        struct fcall f;
    } known[] = {
#define K(s, ...)                                                              \
    {                                                                          \
        s, sizeof(s) - 1,                                                      \
        {                                                                      \
            __VA_ARGS__                                                        \
        }                                                                      \
    }
        K("\x13\0\0\0\x64\xff\xff\0\x20\0\0\x06\0"
          "9P2000",
                .type = Tversion, .tag = NOTAG, .msize = 8192,
                .version = VERSION_9P),
        K("\x12\0\0\0\x66\x01\0\xff\xff\xff\xff\x03\0lux\0\0", .type = Tauth,
                .tag = 1, .afid = NOFID, .uname = "lux", .aname = ""),
        K("\x14\0\0\0\x67\x01\0\x08\x02\0\0\0\x03\0\0\0\0\0\0\0", .type = Rauth,
                .tag = 1, .qid = { 3, 2, QTAUTH }),
        K("\x17\0\0\0\x68\x02\0\x07\0\0\0\xff\xff\xff\xff\x01\0u\x03\0a/b",
                .type = Tattach, .tag = 2, .fid = 7, .afid = NOFID,
                .uname = "u", .aname = "a/b"),
        K("\x0b\0\0\0\x6b\x05\0\x02\0no", .type = Rerror, .tag = 5,
                .ename = "no"),
        K("\x09\0\0\0\x6c\x05\0\x04\x03", .type = Tflush, .tag = 5,
                .oldtag = 0x304),
        K("\x07\0\0\0\x6d\x05\0", .type = Rflush, .tag = 5),
        K("\x18\0\0\0\x6e\x05\0\x01\0\0\0\x02\0\0\0\x02\0\x02\0..\x01\0x",
                .type = Twalk, .tag = 5, .fid = 1, .newfid = 2, .nwname = 2,
                .wname = { "..", "x" }),
        K("\x16\0\0\0\x6f\x05\0\x01\0\x80\x01\0\0\0\x02\0\0\0\0\0\0\x11",
                .type = Rwalk, .tag = 5, .nwqid = 1,
                .wqid = { { 0x1100000000000002, 1, QTDIR } }),
        K("\x0c\0\0\0\x70\x05\0\x01\0\0\0\x41", .type = Topen, .tag = 5,
                .fid = 1, .mode = OWRITE | ORCLOSE),
        K("\x18\0\0\0\x71\x05\0\0\x01\0\0\0\x02\0\0\0\0\0\0\0\x09\0\0\0",
                .type = Ropen, .tag = 5, .qid = { 2, 1, 0 }, .iounit = 9),
        K("\x13\0\0\0\x72\x05\0\x01\0\0\0\x01\0n\xa4\x01\0\0\x01",
                .type = Tcreate, .tag = 5, .fid = 1, .name = "n", .perm = 0644,
                .mode = OWRITE),
        K("\x17\0\0\0\x74\x05\0\x01\0\0\0\x02\0\0\0\0\0\0\0\0\x10\0\0",
                .type = Tread, .tag = 5, .fid = 1, .offset = 2, .count = 4096),
        K("\x0e\0\0\0\x75\x05\0\x03\0\0\0abc", .type = Rread, .tag = 5,
                .count = 3, .data = (const uint8_t *)"abc"),
        K("\x18\0\0\0\x76\x05\0\x01\0\0\0\x02\0\0\0\0\0\0\0\x01\0\0\0z",
                .type = Twrite, .tag = 5, .fid = 1, .offset = 2, .count = 1,
                .data = (const uint8_t *)"z"),
        K("\x0b\0\0\0\x77\x05\0\x01\0\0\0", .type = Rwrite, .tag = 5,
                .count = 1),
        K("\x0b\0\0\0\x78\x05\0\x09\0\0\0", .type = Tclunk, .tag = 5, .fid = 9),
        K("\x07\0\0\0\x79\x05\0", .type = Rclunk, .tag = 5),
        K("\x0b\0\0\0\x7a\x05\0\x09\0\0\0", .type = Tremove, .tag = 5,
                .fid = 9),
        K("\x0b\0\0\0\x7c\x05\0\x09\0\0\0", .type = Tstat, .tag = 5, .fid = 9),
        K("\x07\0\0\0\x7f\x05\0", .type = Rwstat, .tag = 5),
    };
    uint8_t buf[64];

    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        CHECK_EQ(fcall_pack(&known[i].f, buf, sizeof(buf)), known[i].n);
        CHECK(memcmp(buf, known[i].bytes, known[i].n) == 0);
        check_bytes(buf, known[i].n);
    }
}

/* stat(5): size type dev qid mode atime mtime length name uid gid muid */
TEST(known_stat)
{
    static const char bytes[] =
            "\x3c\0\0\0\x7d\x05\0\x33\0\x31\0"
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
    uint8_t stat[64], buf[64];
    struct fcall f = { .type = Rstat, .tag = 5, .stat = stat };

    f.nstat = dir_pack(&d, stat, sizeof(stat));
    CHECK_EQ(f.nstat, DIR_FIXED + 2);
    CHECK_EQ(fcall_pack(&f, buf, sizeof(buf)), sizeof(bytes) - 1);
    CHECK(memcmp(buf, bytes, sizeof(bytes) - 1) == 0);
    check_bytes(buf, sizeof(bytes) - 1);
}

/* Every shorter piece of a message, with its old size and with a true one. */
TEST(truncated)
{
    uint8_t buf[MAX_MESSAGE], *copy;
    struct fcall f;

    for (unsigned type = Tversion; type < Tmax; type++) {
        if (!is_message(type))
            continue;
        fcall_random(&f, type, &seed);
        size_t n = fcall_pack(&f, buf, sizeof(buf));

        for (size_t k = 0; k < n; k++) {
            CHECK_EQ(unpack_copy(buf, k, &f, &copy), -E_BADMSG);
            free(copy);
        }
        for (size_t k = FCALL_HEAD; k < n; k++) {
            buf[0] = k;
            buf[1] = k >> 8;
            CHECK(unpack_copy(buf, k, &f, &copy) < 0);
            CHECK_EQ(f.type, type);
            free(copy);
        }
    }
}

TEST(bytes_left_over)
{
    uint8_t buf[MAX_MESSAGE + 1], *copy;
    struct fcall f;

    for (unsigned i = 0; i < 50 * (Tmax - Tversion); i++) {
        uint8_t type = Tversion + i % (Tmax - Tversion);

        if (!is_message(type))
            continue;
        fcall_random(&f, type, &seed);
        size_t n = fcall_pack(&f, buf, MAX_MESSAGE) + 1;

        buf[0] = n;
        buf[1] = n >> 8;
        buf[n - 1] = next(&seed);
        CHECK_EQ(unpack_copy(buf, n, &f, &copy), -E_BADMSG);
        free(copy);
    }
}

/* Every byte of every message, with every value. */
TEST(corrupted)
{
    uint8_t buf[MAX_MESSAGE];
    struct fcall f;

    for (unsigned type = Tversion; type < Tmax; type++) {
        if (!is_message(type))
            continue;
        fcall_random(&f, type, &seed);
        size_t n = fcall_pack(&f, buf, sizeof(buf));

        for (size_t k = 0; k < n && k < 200; k++) {
            uint8_t old = buf[k];

            for (unsigned v = 0; v < 256; v++) {
                buf[k] = v;
                check_bytes(buf, n);
            }
            buf[k] = old;
        }
    }
}

TEST(unknown_types)
{
    uint8_t buf[FCALL_HEAD] = { FCALL_HEAD, 0, 0, 0, 0, 1, 2 };
    struct fcall f;

    for (unsigned type = 0; type < 256; type++) {
        buf[4] = type;
        if (is_message(type))
            continue;
        CHECK_EQ(fcall_unpack(buf, sizeof(buf), &f), -E_BADMSG);
        CHECK_EQ(f.type, type);
        CHECK_EQ(f.tag, 0x201);
        CHECK_EQ(fcall_size(&f), 0);
        CHECK_EQ(fcall_pack(&f, buf, sizeof(buf)), -E_BADMSG);
        CHECK(fcall_verb(type) == NULL);
    }
}

TEST(frames)
{
    uint8_t buf[4] = { 7, 0, 0, 0 };

    for (unsigned have = 0; have < 4; have++)
        CHECK_EQ(fcall_frame(buf, have, 8192), 0);
    CHECK_EQ(fcall_frame(buf, 4, 8192), 7);
    buf[0] = 6;
    CHECK_EQ(fcall_frame(buf, 4, 8192), -E_BADMSG);
    buf[1] = 0x20;
    buf[0] = 0;
    CHECK_EQ(fcall_frame(buf, 4, 8192), 8192);
    buf[0] = 1;
    CHECK_EQ(fcall_frame(buf, 4, 8192), -E_BADMSG);
    buf[3] = 0x80;
    CHECK_EQ(fcall_frame(buf, 4, UINT32_MAX), 0x80002001);
}

TEST(too_many_names)
{
    struct fcall f = { .type = Twalk, .nwname = MAXWELEM + 1 };
    uint8_t buf[256] = { 19 + 17 * 3 - 2, 0, 0, 0, Twalk };

    CHECK_EQ(fcall_size(&f), 0);
    f = (struct fcall){ .type = Rwalk, .nwqid = MAXWELEM + 1 };
    CHECK_EQ(fcall_size(&f), 0);
    buf[15] = 17;
    for (unsigned i = 0; i < 17; i++)
        memcpy(buf + 17 + 3 * i, "\1\0x", 3);
    CHECK_EQ(fcall_unpack(buf, buf[0], &f), -E_BADMSG);
    buf[15] = 16;
    buf[0] -= 3;
    CHECK_EQ(fcall_unpack(buf, buf[0], &f), 0);
    CHECK(strcmp(f.wname[15], "x") == 0);
}

/* A length that only fits if the sum wraps. */
TEST(lengths_that_wrap)
{
    uint8_t buf[32] = { 23, 0, 0, 0, Twrite, 1, 0 };
    struct fcall f;

    for (unsigned i = 0; i < 4; i++) {
        memset(buf + 19, 0xff, 4);
        buf[19] -= i;
        CHECK_EQ(fcall_unpack(buf, 23, &f), -E_BADMSG);
    }
    f = (struct fcall){ .type = Twrite, .count = UINT32_MAX, .data = buf };
    CHECK_EQ(fcall_size(&f), 0);
    f.count = INT32_MAX;
    CHECK_EQ(fcall_size(&f), 0);
}

TEST(data_left_to_the_caller)
{
    struct fcall f = { .type = Rread, .tag = 9, .count = 3 };
    uint8_t buf[14] = { [11] = 'a', 'b', 'c' };

    CHECK_EQ(fcall_pack(&f, buf, sizeof(buf)), 14);
    CHECK_EQ(fcall_unpack(buf, 14, &f), 0);
    CHECK(memcmp(f.data, "abc", 3) == 0);
    CHECK(f.data == buf + FCALL_DATA);
}

/* An independent look at the same question: decode, then encode. */
static bool
utf8_reference(const uint8_t *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t c = s[i];
        unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
        uint8_t again[4];

        if (c == 0 || (c >= 0x80 && c < 0xc0) || c >= 0xf8 || i + more >= n)
            return false;
        c &= more ? 0x3f >> more : 0x7f;
        for (unsigned k = 1; k <= more; k++)
            c = c << 6 | (s[i + k] & 0x3f);
        if (c >= 0x110000 || (c >> 11) == 0x1b)
            return false;
        if (c < 0x80)
            again[0] = c;
        for (unsigned k = more; k > 0; k--)
            again[k] = 0x80 | (c >> 6 * (more - k) & 0x3f);
        if (c >= 0x80)
            again[0] = (c < 0x800            ? 0xc0
                               : c < 0x10000 ? 0xe0
                                             : 0xf0) |
                       c >> 6 * more;
        if (memcmp(again, s + i, more + 1) != 0)
            return false;
        i += more + 1;
    }
    return true;
}

TEST(utf8)
{
    uint8_t buf[32];
    struct fcall f;

    for (unsigned i = 0; i < 2000000; i++) {
        unsigned n = next(&seed) % 5;
        uint64_t bits = next(&seed);
        uint8_t msg[16] = { 9 + n, 0, 0, 0, Rerror, 0, 0, n, 0 };

        for (unsigned k = 0; k < n; k++, bits >>= 8)
            msg[9 + k] = bits & 0x300 ? bits | 0x80 : bits;
        memcpy(buf, msg, sizeof(msg));
        CHECK_EQ(fcall_unpack(buf, 9 + n, &f) == 0, utf8_reference(msg + 9, n));
    }
}

/* The last character of any bytes: whole if there is one, else one byte. */
TEST(utf8_backwards)
{
    static const struct {
        const char *text;
        unsigned last;
    } some[] = { { "", 0 }, { "a", 1 }, { "a\xc3\xa4", 2 },
        { "\xe2\x82\xac", 3 }, { "x\xf0\x9f\x98\x80", 4 }, { "\x82\xac", 1 },
        { "\xe2\x82", 1 }, { "\xc3", 1 }, { "\xc0\x80", 1 },
        { "\xed\xa0\x80", 1 }, { "\xf5\x80\x80\x80", 1 }, { "\xc3\xa4\x80", 1 },
        { "\xf0\x9f\x98\x80\x80", 1 } };

    for (unsigned i = 0; i < ARRAY_LEN(some); i++)
        CHECK_EQ(utf8_last((const uint8_t *)some[i].text, strlen(some[i].text)),
                some[i].last);
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t bits = next(&seed);
        uint8_t s[8];
        unsigned n = 0, last;

        for (unsigned k = 0; k < sizeof(s); k++, bits >>= 8)
            s[k] = bits & 0x300 ? bits | 0x80 : bits;
        last = utf8_last(s, sizeof(s));
        for (unsigned k = 1; k <= 4; k++)
            if (s[sizeof(s) - k] != 0 && utf8_bytes(s + sizeof(s) - k, k) == k)
                n = k;
        CHECK_EQ(last, n > 0 ? n : 1);
    }
}

TEST(names)
{
    CHECK(name_ok("a"));
    CHECK(name_ok(".."));
    CHECK(name_ok("é b"));
    CHECK(!name_ok(""));
    CHECK(!name_ok("/"));
    CHECK(!name_ok("a/b"));
    CHECK(!name_ok("\xff"));
}

TEST(names_have_no_control_characters)
{
    static const char *const bad[] = { "\n", "a\tb", "\x01", "\x1f", "a\x7f",
        "\xc2\x80", "a\xc2\x9f" };

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!name_ok(bad[i]));
    CHECK(name_ok("a b~"));
    CHECK(name_ok("\u00a0"));
    CHECK(name_ok("\u0480")); /* 0x80 in a character of another beginning */
}

TEST(name_errors_are_told_apart)
{
    uint8_t buf[] = "\x14\0\0\0\x6e\x05\0\x01\0\0\0\x02\0\0\0\x01\0\x01\0x";
    uint8_t slash[sizeof(buf)], nul[sizeof(buf)];
    struct fcall f;

    memcpy(slash, buf, sizeof(buf));
    memcpy(nul, buf, sizeof(buf));
    slash[19] = '/';
    nul[19] = '\0';
    CHECK_EQ(fcall_unpack(slash, 20, &f), -E_NAME);
    CHECK_EQ(f.tag, 5);
    CHECK_EQ(f.type, Twalk);
    CHECK_EQ(fcall_unpack(nul, 20, &f), -E_NAME);
    CHECK_EQ(fcall_unpack(buf, 20, &f), 0);
    f.wname[0] = "";
    CHECK_EQ(fcall_size(&f), 0);
    f.wname[0] = NULL;
    CHECK_EQ(fcall_size(&f), 0);
}

TEST(long_strings)
{
    char *s = malloc(70000);
    uint8_t *buf = malloc(70000);
    struct fcall f = { .type = Rerror, .ename = s };

    memset(s, 'x', 70000);
    s[65536] = '\0';
    CHECK_EQ(fcall_size(&f), 0);
    s[65535] = '\0';
    CHECK_EQ(fcall_pack(&f, buf, 70000), 65535 + 9);
    CHECK_EQ(fcall_unpack(buf, 65535 + 9, &f), 0);
    CHECK_EQ(strlen(f.ename), 65535);
    struct dir d = { .name = s, .uid = "", .gid = "", .muid = "" };
    CHECK_EQ(dir_size(&d), 0);
    s[65535 - DIR_FIXED] = '\0';
    CHECK_EQ(dir_pack(&d, buf, 70000), 65535);
    free(buf);
    free(s);
}

static void
check_dir(const uint8_t *buf, size_t n)
{
    uint8_t *copy = malloc(n), *again = malloc(n);
    char *strs = malloc(n);
    struct dir d;

    memcpy(copy, buf, n);
    int64_t got = dir_unpack(copy, n, &d, strs);

    CHECK_EQ(dir_check(copy, n), got);
    if (got >= 0) {
        CHECK(got <= (int64_t)n);
        CHECK_EQ(dir_size(&d), got);
        CHECK_EQ(dir_pack(&d, again, n), got);
        CHECK(memcmp(again, buf, got) == 0);
    }
    free(strs);
    free(again);
    free(copy);
}

TEST(dir_round_trip)
{
    uint8_t buf[1024];
    struct dir d;

    for (unsigned i = 0; i < 1000; i++) {
        dir_random(&d, &seed);
        int64_t n = dir_pack(&d, buf, sizeof(buf));

        CHECK(n >= DIR_FIXED);
        CHECK_EQ(dir_check(buf, n), n);
        CHECK_EQ(dir_check(buf, sizeof(buf)), n); /* more may follow */
        CHECK_EQ(dir_pack(&d, buf, n - 1), -E_TOOBIG);
        check_dir(buf, n);
        for (int64_t k = 0; k < n; k++)
            CHECK_EQ(dir_check(buf, k), -E_BADMSG);
    }
}

TEST(dir_corrupted)
{
    uint8_t buf[1024];
    struct dir d;

    for (unsigned i = 0; i < 20; i++) {
        dir_random(&d, &seed);
        int64_t n = dir_pack(&d, buf, sizeof(buf));

        for (int64_t k = 0; k < n; k++) {
            uint8_t old = buf[k];

            for (unsigned v = 0; v < 256; v++) {
                buf[k] = v;
                check_dir(buf, n);
            }
            buf[k] = old;
        }
    }
}

/* Rstat's own length and the entry's must agree. */
TEST(two_sizes)
{
    uint8_t stat[64], buf[80];
    struct dir d = { .name = "n", .uid = "", .gid = "", .muid = "" };
    struct fcall f = { .type = Rstat, .stat = stat };
    unsigned n = dir_pack(&d, stat, sizeof(stat));

    for (int change = -2; change <= 2; change++) {
        f.nstat = n;
        CHECK_EQ(fcall_pack(&f, buf, sizeof(buf)), n + 9);
        buf[7] += change;
        buf[0] += change;
        CHECK_EQ(fcall_unpack(buf, n + 9 + change, &f) == 0, change == 0);
        f.nstat = n + change;
        f.stat = stat;
        CHECK_EQ(fcall_size(&f) != 0, change == 0);
    }
}

TEST(null_dir)
{
    struct dir d;
    uint8_t buf[64];

    dir_null(&d);
    CHECK_EQ(dir_pack(&d, buf, sizeof(buf)), DIR_FIXED);
    for (unsigned i = 2; i < DIR_FIXED - 8; i++)
        CHECK_EQ(buf[i], 0xff);
}

static void
check_text(const struct fcall *f, const char *want)
{
    char got[256];

    CHECK_EQ(fcall_text(f, got, sizeof(got)), strlen(want));
    if (strcmp(got, want) != 0)
        printf("got  %s\nwant %s\n", got, want);
    CHECK(strcmp(got, want) == 0);
}

TEST(text)
{
    struct fcall walk = { .type = Twalk,
        .tag = 3,
        .fid = 1,
        .newfid = 2,
        .nwname = 2,
        .wname = { "usr", "g\x1b[2J" } };
    struct fcall attach = {
        .type = Tattach, .fid = 4, .afid = NOFID, .uname = "lux", .aname = ""
    };

    check_text(&walk, "Twalk tag 3 fid 1 newfid 2 nwname 2 'usr' 'g.[2J'");
    check_text(&attach, "Tattach tag 0 fid 4 afid -1 uname 'lux' aname ''");
    check_text(
            &(struct fcall){ .type = Rread, .count = 2, .data = (void *)"a" },
            "Rread tag 0 count 2 'a.'");
    check_text(&(struct fcall){ .type = Ropen, .qid = { 0x1f, 2, QTDIR } },
            "Ropen tag 0 qid 1f.2d iounit 0");
    check_text(&(struct fcall){ .type = Tcreate, .name = "f", .perm = 0644 },
            "Tcreate tag 0 fid 0 name 'f' perm 644 mode 0");
    check_text(&(struct fcall){ .type = Rerror, .ename = NULL },
            "Rerror tag 0 ename ''");
    check_text(&(struct fcall){ .type = 99, .tag = 7 }, "type 99 tag 7");
    CHECK(strcmp(fcall_verb(Tversion), "version") == 0);
    CHECK(strcmp(fcall_verb(Rwstat), "wstat") == 0);
    CHECK(strcmp(fcall_verb(Rerror), "error") == 0);
}

/* Any message, any room: never a byte too many, always a NUL. */
TEST(text_room)
{
    char *out;
    struct fcall f;

    for (unsigned i = 0; i < 20000; i++) {
        size_t room = next(&seed) % 200;

        fcall_random(&f, Tversion + i % (Tmax - Tversion), &seed);
        out = malloc(room);
        size_t n = fcall_text(&f, out, room);

        if (room > 0)
            CHECK_EQ(strlen(out), n < room ? n : room - 1);
        free(out);
    }
}
