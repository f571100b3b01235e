/*
 * p9_hostile.c - calls about files with the worst arguments there are: each
 * gives an error, or does what it says; the kernel stays up.
 */
#include "check.h"

/* A system call by number, valid or not. */
static int64_t
raw_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
        uint64_t e)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    int64_t result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return result;
}

/* Where no program has memory, or none that the kernel may be sent to. */
static const uint64_t nowhere[] = { 0, 1, 0x1000, USER_BASE - 1,
    0x0000123456789000ul, USER_TOP, 0x00007ffffffffffful, 0x0000800000000000ul,
    0x8000000000000000ul, 0xffff800000000000ul, 0xffffffff80100000ul,
    0xfffffffffffff000ul, 0xffffffffffffffffull };

#define EACH_NOWHERE(p)                                                        \
    for (uint64_t i_ = 0, p;                                                   \
            i_ < ARRAY_LEN(nowhere) && ((p = nowhere[i_]), true); i_++)

/* A page with an unmapped one behind it; room bytes up to the edge. */
static char *
at_edge(size_t room)
{
    static char *page;

    if (page == NULL) {
        int64_t at = mem_map(0, 2 * PAGE_SIZE, MEM_READ | MEM_WRITE);

        MUST(at > 0);
        MUST(mem_unmap((uint64_t)at + PAGE_SIZE, PAGE_SIZE) == 0);
        page = (char *)at;
    }
    return page + PAGE_SIZE - room;
}

static const char constant[PAGE_SIZE] = "constant";

static void
begin(void)
{
    MUST(rfork(RFCNAMEG | RFCFDG | RFCENVG) == 0);
    MUST(boot_name_space() == 0);
    MUST(open("/dev/null", ORDWR) == 0);
    MUST(open("/dev/zero", ORDWR) == 1);
    MUST(open("/boot", OREAD) == 2);
    MUST(create("/env/f", ORDWR, 0666) == 3);
    MUST(write(3, "0123456789", 10) == 10);
}

/* Paths that are nowhere, or run into nowhere. */
TEST(bad_paths)
{
    begin();
    EACH_NOWHERE(p)
    {
        const char *path = (const char *)p;

        CHECK_EQ(open(path, OREAD), -E_BADADDR);
        CHECK_EQ(create(path, OREAD, 0666), -E_BADADDR);
        CHECK_EQ(remove(path), -E_BADADDR);
        CHECK_EQ(chdir(path), -E_BADADDR);
        CHECK_EQ(stat(path, (uint8_t *)at_edge(100), 100), -E_BADADDR);
        CHECK_EQ(wstat(path, (uint8_t *)at_edge(100), 100), -E_BADADDR);
        CHECK_EQ(bind(path, "/n", MREPL), -E_BADADDR);
        CHECK_EQ(bind("/dev", path, MREPL), -E_BADADDR);
        CHECK_EQ(unmount("/dev", path), -E_BADADDR);
        if (p != 0) {
            CHECK_EQ(unmount(path, "/n"), -E_BADADDR);
            CHECK_EQ(mount(0, -1, "/n", MREPL, path), -E_BADADDR);
        }
        CHECK_EQ(mount(0, -1, path, MREPL, ""), -E_BADADDR);
        CHECK_EQ(fversion(0, 0, (char *)p, 8), -E_BADADDR);
    }
    memcpy(at_edge(4), "/dev", 4); /* its NUL would be behind the edge */
    CHECK_EQ(open(at_edge(4), OREAD), -E_BADADDR);
    CHECK_EQ(bind(at_edge(4), at_edge(4), MREPL), -E_BADADDR);
}

/* Where results should go and cannot. */
TEST(bad_results)
{
    begin();
    EACH_NOWHERE(p)
    {
        uint8_t *to = (uint8_t *)p;

        CHECK_EQ(pread(1, to, 16, 0), -E_BADADDR);
        CHECK_EQ(pread(2, to, 200, 0), -E_BADADDR);
        CHECK_EQ(pread(3, to, 10, 0), -E_BADADDR);
        CHECK_EQ(stat("/dev", to, 200), -E_BADADDR);
        CHECK_EQ(fstat(0, to, 200), -E_BADADDR);
        CHECK_EQ(fd2path(0, (char *)p, 100), -E_BADADDR);
        CHECK_EQ(pipe((int *)p), -E_BADADDR);
        CHECK_EQ(rerror((char *)p, 10), -E_BADADDR);
    }
    CHECK_EQ(pread(1, (void *)constant, 16, 0), -E_BADADDR);
    CHECK_EQ(stat("/dev", (void *)constant, 200), -E_BADADDR);
    CHECK_EQ(pipe((int *)constant), -E_BADADDR);
    CHECK_EQ(pipe((int *)at_edge(4)), -E_BADADDR);
    CHECK_EQ(pread(3, at_edge(4), 10, 0), -E_BADADDR);
    CHECK_EQ(pread(3, at_edge(10), 10, 0), 10);
    CHECK_EQ(open("/dev/null", OREAD), 4); /* no end of a pipe was left */
}

/* Where data should come from and does not. */
TEST(bad_sources)
{
    begin();
    EACH_NOWHERE(p)
    {
        CHECK_EQ(pwrite(3, (void *)p, 10, 0), -E_BADADDR);
        CHECK_EQ(wstat("/env/f", (void *)p, 60), -E_BADADDR);
        CHECK_EQ(fwstat(3, (void *)p, 60), -E_BADADDR);
    }
    CHECK_EQ(pwrite(3, at_edge(4), 10, 0), -E_BADADDR);
    CHECK_EQ(pread(3, at_edge(10), 10, 0), 10);
    CHECK(memcmp(at_edge(10), "0123456789", 10) == 0);
}

/* Lengths that cannot be. */
TEST(huge_lengths)
{
    static const uint64_t huge[] = { MAX_IO + 1, INT32_MAX, 1ul << 32,
        INT64_MAX, 1ul << 63, UINT64_MAX };
    uint8_t *buf = (uint8_t *)at_edge(512);

    begin();
    for (size_t i = 0; i < ARRAY_LEN(huge); i++) {
        CHECK_EQ(pread(1, buf, huge[i], 0), -E_BADADDR);
        CHECK_EQ(pread(3, buf, huge[i], 0), 10);
        CHECK_EQ(pwrite(0, buf, huge[i], 0), -E_BADLEN);
        CHECK_GT(stat("/dev", buf, huge[i]), 0);
        CHECK_GT(fstat(2, buf, huge[i]), 0);
        CHECK_EQ(wstat("/env/f", buf, huge[i]), -E_BADSTAT);
        CHECK_EQ(fwstat(3, buf, huge[i]), -E_BADSTAT);
        CHECK_EQ(fd2path(2, (char *)buf, huge[i]), 5);
        CHECK_GE(rerror((char *)buf, huge[i]), 0);
    }
}

/* Room for less than the answer. */
TEST(small_room)
{
    uint8_t *buf = (uint8_t *)at_edge(512);
    int64_t full;

    begin();
    full = stat("/dev", buf, 512);
    CHECK_GT(full, DIR_FIXED);
    for (size_t n = 0; n <= (size_t)full; n++)
        CHECK_EQ(stat("/dev", (uint8_t *)at_edge(n), n),
                n < (size_t)full ? -E_SHORTSTAT : full);
    for (size_t n = 0; n < DIR_FIXED + 3; n++) {
        CHECK_EQ(pread(2, buf, n, 0), -E_SHORTSTAT);
    }
    for (size_t n = 1; n < 5; n++) {
        CHECK_EQ(fd2path(2, (char *)buf, n), 5);
        CHECK_EQ(strlen((char *)buf), n - 1);
    }
    CHECK_EQ(fd2path(2, (char *)buf, 0), 5);
    CHECK_EQ(rerror((char *)buf, 0), 0);
}

/* Entries that lie about their lengths. */
TEST(bad_entries)
{
    uint8_t good[128], bad[128];
    struct dir d;
    int64_t n;

    begin();
    dir_null(&d);
    n = dir_pack(&d, good, sizeof(good));
    MUST(n == DIR_FIXED);
    for (int64_t len = 0; len < n; len++)
        CHECK_EQ(fwstat(3, good, (size_t)len), -E_BADSTAT);
    CHECK_EQ(fwstat(3, good, (size_t)n + 1), -E_BADSTAT);
    for (int64_t i = 0; i < n; i++) {
        memcpy(bad, good, sizeof(bad));
        bad[i] ^= 0x55;
        fwstat(3, bad, (size_t)n); /* anything but the end of the kernel */
    }
    d.name = "../x";
    CHECK_LT(dir_pack(&d, bad, sizeof(bad)), 0);
}

/* The kernel's own addresses in words that are numbers. */
TEST(wild_numbers)
{
    begin();
    EACH_NOWHERE(p)
    {
        for (uint64_t call = SYS_open; call <= SYS_rerror; call++) {
            if (call == SYS_pipe || call == SYS_create)
                continue;
            raw_call(call, p, p, p, p, p);
            raw_call(call, (uint64_t)constant, p, p, p, p);
            raw_call(call, 1, p, p, p, p);
            raw_call(call, 1, (uint64_t)at_edge(64), p, p, p);
        }
    }
    CHECK_EQ(raw_call(SYS_rerror + 20, 1, 2, 3, 4, 5), -E_NOSYS);
}

static uint64_t
random_argument(void)
{
    static const char *const paths[] = { "/", "/dev/zero", "/env/g", "/n",
        "/boot/bin/../etc", ".", "..", "#e/x", "#d/3", "/fd/1", "/srv/s",
        "/mnt", "/proc/1/ns", "#", "" };
    uint64_t r = check_random();

    switch (r % 8) {
    case 0: return nowhere[(r >> 8) % ARRAY_LEN(nowhere)];
    case 1:
    case 2:
    case 3: return (uint64_t)paths[(r >> 8) % ARRAY_LEN(paths)];
    case 4: return (uint64_t)at_edge((r >> 8) % 600);
    case 5: return r >> 8;
    default: return (r >> 8) % 12;
    }
}

/* A call may wait for a server that does not exist: the alarm ends that. */
static void
fuzz(void)
{
    begin();
    alarm(200000000);
    for (int i = 0; i < 4000; i++) {
        uint64_t call = SYS_open + check_random() % (SYS_rerror + 1 - SYS_open);
        uint64_t fd = check_random() % 3 ? random_argument() : 3;

        raw_call(call, fd, random_argument(), random_argument(),
                random_argument(), random_argument());
    }
}

/* seeds: 3 */
TEST(random_arguments)
{
    struct waitmsg w;

    at_edge(0);
    for (int i = 0; i < 5; i++) {
        CHECK_ROUND(i);
        check_random();
        check_child(fuzz, &w);
        CHECK(w.msg[0] == '\0' || strcmp(w.msg, "alarm") == 0 ||
                strncmp(w.msg, "sys: ", 5) == 0);
    }
}
