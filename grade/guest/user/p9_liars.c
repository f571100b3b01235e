/*
 * p9_liars.c - servers that lie, stall or die: the connection is cut off
 * with an error that says what was wrong, every waiter gets it at once, later
 * calls too, and unmounting leaves nothing behind.
 */
#include "p9_server.h"

static uint8_t raw[MESSAGE];

/* The answer r as bytes in raw. */
static size_t
packed(const struct fcall *r)
{
    int64_t n = fcall_pack(r, raw, sizeof raw);

    CHECK_GT(n, 0);
    return n > 0 ? (size_t)n : 0;
}

static void
set_size(uint32_t n)
{
    memcpy(raw, &n, 4);
}

/* ---- the lies; each spoils the answer to one type of message ---- */

static size_t
unknown_tag(struct fcall *r)
{
    r->tag ^= 0x4000;
    return packed(r);
}

static size_t
no_tag(struct fcall *r)
{
    r->tag = NOTAG;
    return packed(r);
}

static size_t
wrong_type(struct fcall *r)
{
    size_t n;

    r->type = Rclunk;
    n = packed(r);
    return n;
}

static size_t
a_t_message(struct fcall *r)
{
    size_t n;

    r->type = Tclunk;
    n = packed(r);
    return n;
}

static size_t
unknown_type(struct fcall *r)
{
    size_t n = packed(r);

    raw[4] = 200;
    return n;
}

static size_t
one_byte_short(struct fcall *r)
{
    size_t n = packed(r) - 1;

    set_size((uint32_t)n);
    return n;
}

static size_t
one_byte_long(struct fcall *r)
{
    size_t n = packed(r) + 1;

    set_size((uint32_t)n);
    return n;
}

static size_t
size_zero(struct fcall *r)
{
    size_t n = packed(r);

    set_size(0);
    return n;
}

static size_t
size_six(struct fcall *r)
{
    size_t n = packed(r);

    set_size(6);
    return n;
}

static size_t
size_negative(struct fcall *r)
{
    size_t n = packed(r);

    set_size(0xfffffff0);
    return n;
}

static size_t
size_beyond_msize(struct fcall *r)
{
    size_t n = packed(r);

    set_size(65536 + IOHDRSZ + 1);
    return n;
}

static size_t
garbage(struct fcall *r)
{
    (void)r;
    for (int i = 0; i < 200; i++)
        raw[i] = (uint8_t)check_random();
    raw[3] |= 0x40; /* its size is none, whatever else it is */
    return 200;
}

static size_t
twice(struct fcall *r)
{
    size_t n = packed(r);

    memcpy(raw + n, raw, n);
    return 2 * n;
}

static size_t
error_not_utf8(struct fcall *r)
{
    size_t n;

    rerror_as(r, "caf");
    n = packed(r);
    raw[n - 1] = 0xe9;
    return n;
}

static size_t
too_many_qids(struct fcall *r)
{
    r->nwqid++;
    r->wqid[r->nwqid - 1] = qid_of(FILE_A);
    return packed(r);
}

static size_t
no_qids(struct fcall *r)
{
    r->nwqid = 0;
    return packed(r);
}

static size_t
qids_past_the_end(struct fcall *r)
{
    size_t n = packed(r);

    raw[7] = 16;
    return n;
}

static size_t
more_data(struct fcall *r)
{
    static uint8_t data[60000];

    r->data = data;
    r->count = sizeof data;
    return packed(r);
}

static size_t
count_past_the_end(struct fcall *r)
{
    size_t n = packed(r);

    raw[10] = 0xff;
    return n;
}

static size_t
more_written(struct fcall *r)
{
    r->count = 101;
    return packed(r);
}

static size_t
stat_inner_size(struct fcall *r)
{
    size_t n = packed(r);

    raw[9]++;
    return n;
}

static size_t
stat_outer_size(struct fcall *r)
{
    size_t n = packed(r);

    raw[7]--;
    return n;
}

static size_t
bad_entry(struct fcall *r)
{
    size_t n = packed(r);

    raw[11] += 3; /* the first entry's size */
    return n;
}

static size_t
slash_in_entry(struct fcall *r)
{
    size_t n = packed(r);

    raw[FCALL_DATA + 43] = '/'; /* its name was "a" */
    return n;
}

/* The one entry of the directory has this name. */
static size_t
only_entry(struct fcall *r, const char *name)
{
    static uint8_t entry[128];
    struct dir d = { .qid = qid_of(ROOT),
        .mode = DMDIR | 0755,
        .name = name,
        .uid = "lux",
        .gid = "lux",
        .muid = "lux" };

    r->count = (uint32_t)dir_pack(&d, entry, sizeof entry);
    r->data = entry;
    return packed(r);
}

static size_t
dot_entry(struct fcall *r)
{
    return only_entry(r, ".");
}

static size_t
dotdot_entry(struct fcall *r)
{
    return only_entry(r, "..");
}

static size_t
slash_entry(struct fcall *r)
{
    return only_entry(r, "/");
}

static const struct {
    const char *name;
    uint8_t type; /* of the message whose answer it is */
    size_t (*spoil)(struct fcall *r);
    const char *says; /* in the error that the caller gets */
} lies[] = {
#define EVERY(type)                                                            \
    { "tag", type, unknown_tag, "unknown tag" },                               \
            { "NOTAG", type, no_tag, "unknown tag" },                          \
            { "T", type, a_t_message, "wrong type" },                          \
            { "type", type, unknown_type, "wrong type" },                      \
            { "short", type, one_byte_short, "" },                             \
            { "long", type, one_byte_long, "malformed" },                      \
            { "size 0", type, size_zero, "size" },                             \
            { "size 6", type, size_six, "size" },                              \
            { "size -16", type, size_negative, "size" },                       \
            { "msize", type, size_beyond_msize, "size" },                      \
            { "garbage", type, garbage, "size" },                              \
    {                                                                          \
        "latin-1", type, error_not_utf8, "malformed"                           \
    }
    EVERY(Tattach),
    EVERY(Twalk),
    EVERY(Topen),
    EVERY(Tread),
    EVERY(Twrite),
    EVERY(Tstat),
    EVERY(Twstat),
    EVERY(Tcreate),
    EVERY(Tremove),
    { "type", Twalk, wrong_type, "wrong type" },
    { "type", Tread, wrong_type, "wrong type" },
    { "qids", Twalk, too_many_qids, "names" },
    { "no qids", Twalk, no_qids, "names" },
    { "qids", Twalk, qids_past_the_end, "malformed" },
    { "data", Tread, more_data, "more data" },
    { "count", Tread, count_past_the_end, "malformed" },
    { "count", Twrite, more_written, "more written" },
    { "inner", Tstat, stat_inner_size, "malformed" },
    { "outer", Tstat, stat_outer_size, "malformed" },
};

static unsigned lie;   /* number of the one being told */
static uint8_t lie_at; /* type of the message it answers */

static enum verdict
liar(struct server *s, struct fcall *t, struct fcall *r)
{
    if (t->type != lie_at)
        return SEND;
    lie_at = 0;
    send_bytes(s, raw, lies[lie].spoil(r));
    return DROP;
}

/* What makes a client send a message of this type: the call's result. */
static int64_t
provoke(struct server *s, uint8_t type)
{
    static uint8_t buf[100];
    struct dir d;
    int64_t got;
    int fd;

    switch (type) {
    case Tattach: return mount(s->client, -1, "/n", MREPL | MCREATE, "");
    case Twalk: return access("/n/dir", AEXIST);
    case Tcreate: return fd = create("/n/made", OWRITE, 0600), close(fd), fd;
    case Tstat: return stat("/n/a", buf, sizeof buf);
    case Twstat: dir_null(&d); return dirwstat("/n/a", &d);
    case Tremove: return remove("/n/a");
    default: break;
    }
    fd = open("/n/a", type == Twrite ? OWRITE : OREAD);
    if (type == Topen || fd < 0)
        return close(fd), fd;
    got = type == Tread ? read(fd, buf, sizeof buf) : write(fd, buf, 100);
    close(fd);
    return got;
}

/* A server at /n that is honest up to the attach. */
static struct server *
start_liar(bool mount_it)
{
    struct server *s = &the_server;

    memset((void *)s, 0, offsetof(struct server, held));
    memset(s->file, 0, 4096);
    s->nheld = 0;
    s->hook = liar;
    server_start(s);
    if (mount_it)
        MUST(mount(s->client, -1, "/n", MREPL | MCREATE, "") == 0);
    return s;
}

static void
check_cut(const char *says, int64_t got, const char *name, uint8_t type)
{
    char text[MAX_ERR] = "";

    rerror(text, sizeof text);
    if (got == -E_REMOTE && strstr(text, "mount rpc error") &&
            strstr(text, says))
        return;
    check_failures++;
    check_record(
            "%s of T%s: got %ld \"%s\"", name, fcall_verb(type), got, text);
}

static void
tell(unsigned i)
{
    struct server *s = start_liar(lies[i].type != Tattach);
    int64_t got;

    lie = i;
    lie_at = lies[i].type;
    got = provoke(s, lies[i].type);
    check_cut(lies[i].says, got, lies[i].name, lies[i].type);
    if (lies[i].type != Tattach) {
        got = access("/n/big", AEXIST); /* and so for ever */
        check_cut(lies[i].says, got, lies[i].name, lies[i].type);
        CHECK_EQ(unmount(NULL, "/n"), 0);
    }
    server_end(s);
}

/*
 * Every lie, to every message: a clear error, then and later.
 * limit: 60
 */
TEST(lies_are_found)
{
    MUST(rfork(RFNAMEG) == 0);
    for (unsigned i = 0; i < ARRAY_LEN(lies); i++)
        tell(i);
}

static void
all_lies(void)
{
    MUST(rfork(RFNAMEG) == 0);
    for (unsigned i = 0; i < ARRAY_LEN(lies); i++)
        tell(i);
}

/*
 * No memory is lost over them.
 * limit: 120
 */
TEST(lies_cost_nothing)
{
    check_gives_back(all_lies);
}

static enum verdict
two_answers(struct server *s, struct fcall *t, struct fcall *r)
{
    if (t->type != Tstat)
        return SEND;
    send_bytes(s, raw, twice(r));
    return DROP;
}

/* An answer that comes a second time is a lie, too. */
TEST(second_answer)
{
    struct server *s = mounted(two_answers);
    uint8_t buf[100];

    CHECK_GT(stat("/n/a", buf, sizeof buf), 0);
    check_cut("tag", access("/n/a", AEXIST), "second answer", Tstat);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

static size_t (*spoil_directory)(struct fcall *r);

static enum verdict
bad_directory(struct server *s, struct fcall *t, struct fcall *r)
{
    if (t->type != Tread)
        return SEND;
    send_bytes(s, raw, spoil_directory(r));
    return DROP;
}

/* A directory must hold whole entries with names that files can have. */
TEST(directories)
{
    size_t (*const spoil[])(struct fcall *) = { bad_entry, slash_in_entry,
        slash_entry, dot_entry, dotdot_entry };

    for (unsigned i = 0; i < ARRAY_LEN(spoil); i++) {
        struct server *s = mounted(bad_directory);
        struct dir *entries;
        int fd = open("/n", OREAD);

        spoil_directory = spoil[i];
        MUST(fd >= 0);
        check_cut("malformed directory", dirread(fd, &entries), "entry", Tread);
        close(fd);
        CHECK_EQ(unmount(NULL, "/n"), 0);
        server_end(s);
        memset((void *)s, 0, offsetof(struct server, held));
        memset(s->file, 0, 4096);
    }
}

static enum verdict
other_kind(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)s;
    if (t->type == Topen)
        r->qid.type ^= QTDIR;
    return SEND;
}

/* A directory that is a file when it is open is not opened; a file may turn
 * out to be a directory, as what /srv/x stands for may be one. */
TEST(kinds_of_files)
{
    struct server *s = mounted(other_kind);
    int fd;

    CHECK_EQ(open("/n/dir", OREAD), -E_NOTDIR);
    fd = open("/n/a", OREAD);
    CHECK_GE(fd, 0);
    close(fd);
    unmounted(s);
}

static uint8_t spoiled;
static size_t (*spoil_by)(struct fcall *r);

static enum verdict
spoiler(struct server *s, struct fcall *t, struct fcall *r)
{
    if (t->type != spoiled)
        return SEND;
    send_bytes(s, raw, spoil_by(r));
    return DROP;
}

/* ---- servers that die ---- */

static volatile uint8_t die_at;

static enum verdict
dying(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)s;
    (void)r;
    if (t->type != die_at)
        return SEND;
    send_bytes(s, "\x20\0\0", 3); /* in the middle of an answer */
    postnote(NOTE_PROC, (uint32_t)getpid(), "kill");
    nop();
    return DROP;
}

/* Killed while it works on any message: an error at once, and ever after. */
TEST(killed_in_each_operation)
{
    static const uint8_t types[] = { Tattach, Twalk, Topen, Tread, Twrite,
        Tstat, Twstat, Tcreate, Tremove };

    MUST(rfork(RFNAMEG) == 0);
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        struct server *s = start_liar(false);

        s->hook = dying;
        die_at = 0;
        if (types[i] != Tattach)
            MUST(mount(s->client, -1, "/n", MREPL | MCREATE, "") == 0);
        die_at = types[i];
        CHECK_EQ(provoke(s, types[i]), -E_HUNGUP);
        if (types[i] != Tattach) {
            CHECK_EQ(access("/n/a", AEXIST), -E_HUNGUP);
            CHECK_EQ(unmount(NULL, "/n"), 0);
        }
        server_end(s);
    }
}

/* Closing, too: the call has no error to tell, but it does not hang. */
TEST(killed_while_closing)
{
    struct server *s = mounted(dying);
    int fd = open("/n/a", OREAD);

    MUST(fd >= 0);
    die_at = Tclunk;
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(access("/n/a", AEXIST), -E_HUNGUP);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

static enum verdict
hold_all_reads(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)r;
    if (t->type != Tread)
        return SEND;
    s->nheld++;
    return DROP;
}

/*
 * Ten wait, the server dies: ten errors, and none hangs.
 * cpus: 1 4
 */
TEST(all_waiters_wake)
{
    struct server *s = mounted(hold_all_reads);
    struct waitmsg w;

    for (int i = 0; i < 10; i++)
        if (rfork(RFPROC | RFFDG) == 0) {
            uint8_t buf[10];
            int fd = open("/n/a", OREAD);

            _exits(read(fd, buf, 10) == -E_HUNGUP ? "hung up" : "?");
        }
    wait_seen(s, Tread, 10);
    postnote(NOTE_PROC, (uint32_t)s->pid, "kill");
    for (int i = 0; i < 11; i++) {
        int pid = wait(&w);

        if (pid != s->pid)
            CHECK_STR(w.msg, "hung up");
    }
    CHECK_EQ(access("/n/a", AEXIST), -E_HUNGUP);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    close(s->client);
}

/* A Tversion that is answered by nonsense, or by more than was asked. */
static enum verdict
big_msize(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)s;
    if (t->type == Tversion)
        r->msize = t->msize + 1;
    return SEND;
}

TEST(version_lies)
{
    struct server *s;
    int64_t got;

    MUST(rfork(RFNAMEG) == 0);
    s = start_liar(false);
    s->hook = big_msize;
    got = mount(s->client, -1, "/n", MREPL, "");
    check_cut("larger messages", got, "msize", Tversion);
    got = mount(s->client, -1, "/n", MREPL, "");
    check_cut("larger messages", got, "msize", Tversion);
    server_end(s);
}

/* The first answer of all is checked as the others are. */
TEST(lies_about_version)
{
    size_t (*const spoil[])(struct fcall *) = { unknown_tag, a_t_message,
        unknown_type, one_byte_short, one_byte_long, size_zero, size_six,
        size_negative, garbage, error_not_utf8 };

    MUST(rfork(RFNAMEG) == 0);
    for (unsigned i = 0; i < ARRAY_LEN(spoil); i++) {
        struct server *s = start_liar(false);

        s->hook = spoiler;
        spoiled = Tversion;
        spoil_by = spoil[i];
        check_cut("", mount(s->client, -1, "/n", MREPL, ""), "lie", Tversion);
        check_cut("", mount(s->client, -1, "/n", MREPL, ""), "lie", Tversion);
        server_end(s);
    }
}

/* close has no error to tell, but the connection is cut, and closed. */
TEST(lies_about_clunk)
{
    size_t (*const spoil[])(struct fcall *) = { unknown_tag, unknown_type,
        one_byte_long, size_negative, garbage };

    MUST(rfork(RFNAMEG) == 0);
    for (unsigned i = 0; i < ARRAY_LEN(spoil); i++) {
        struct server *s = start_liar(true);
        int fd = open("/n/a", OREAD);

        MUST(fd >= 0);
        s->hook = spoiler;
        spoiled = Tclunk;
        spoil_by = spoil[i];
        CHECK_EQ(close(fd), 0);
        check_cut("", access("/n/a", AEXIST), "lie", Tclunk);
        s->hook = NULL;
        CHECK_EQ(unmount(NULL, "/n"), 0);
        server_end(s);
    }
}

static enum verdict
noise(struct server *s, struct fcall *t, struct fcall *r)
{
    size_t n = packed(r);

    (void)t;
    if (check_random() % 4 > 0)
        return SEND;
    for (unsigned k = check_random() % 4 + 1; k > 0; k--)
        raw[check_random() % n] ^= (uint8_t)(1 << check_random() % 8);
    send_bytes(s, raw, n);
    return DROP;
}

static void
on_note(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    noted(NCONT);
}

/* A process that sends us a note every two milliseconds. */
static int
start_pest(void)
{
    int pid, victim = getpid();

    notify(on_note);
    pid = rfork(RFPROC | RFFDG);
    while (pid == 0) {
        postnote(NOTE_PROC, (uint32_t)victim, "tick");
        sleep(2000000);
    }
    return pid;
}

/*
 * Answers with bits that flip, for a while: an error or a result, and an end
 * to each call.  (A flipped size may leave the client waiting for more bytes:
 * notes end that.)
 * seeds: 3
 * limit: 60
 */
TEST(flipped_bits)
{
    static const uint8_t types[] = { Twalk, Topen, Tread, Twrite, Tstat, Twstat,
        Tcreate, Tremove };
    int pest;

    MUST(rfork(RFNAMEG) == 0);
    for (int i = 0; i < 60; i++) {
        CHECK_ROUND(i);
        struct server *s = start_liar(true);

        s->hook = noise;
        pest = start_pest();
        for (int k = 0; k < 16; k++)
            provoke(s, types[check_random() % ARRAY_LEN(types)]);
        CHECK_EQ(unmount(NULL, "/n"), 0);
        close(s->client);
        CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pest, "kill"), 0);
        while (wait_for(pest, NULL) == -E_INTR)
            ;
        while (wait_for(s->pid, NULL) == -E_INTR)
            ;
    }
}
