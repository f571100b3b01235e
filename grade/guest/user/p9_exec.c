/*
 * p9_exec.c - programs found by their paths: on file servers, as scripts, by
 * users that may run them; and what exec leaves open.
 */
#include "check.h"

static const char *const echo[] = { "/bin/echo", "/boot/bin/echo",
    "#B/bin/echo", "/bin/../boot/bin/echo", "/tmp/echo" };

/* A name space of this test's own, with files in memory at /tmp. */
static void
begin(void)
{
    static char *argv[] = { "ramfs", "-m", "/tmp", NULL };
    int pid;

    MUST(rfork(RFCNAMEG | RFCFDG | RFCENVG) == 0);
    MUST(boot_name_space() == 0);
    MUST(open("/dev/null", OREAD) == 0);
    MUST(open("/dev/null", OWRITE) == 1);
    MUST(open("/dev/null", OWRITE) == 2);
    pid = rfork(RFPROC | RFFDG);
    if (pid == 0) {
        exec("/bin/ramfs", argv);
        exits("no ramfs");
    }
    MUST(wait_for(pid, NULL) == pid);
    MUST(copy_file("/bin/echo", "/tmp/echo", false));
    MUST(copy_file("/bin/true", "/tmp/true", false));
}

/* What the program prints; its exit string goes to *w. */
static const char *
output(const char *path, char *const argv[], struct waitmsg *w)
{
    static char text[1024];
    int fds[2], pid;
    int64_t n;

    MUST(pipe(fds) == 0);
    pid = rfork(RFPROC | RFFDG);
    if (pid == 0) {
        close(fds[0]);
        dup(fds[1], 1);
        close(fds[1]);
        exec(path, argv);
        exits(errstr());
    }
    close(fds[1]);
    n = readn(fds[0], text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fds[0]);
    wait_for(pid, w);
    return text;
}

static const char *
run(const char *path, char *const argv[])
{
    struct waitmsg w;
    const char *text = output(path, argv, &w);

    CHECK_STR(w.msg, "");
    return text;
}

static void
make_script(const char *path, const char *text)
{
    int fd = create(path, OWRITE, 0755);

    MUST(fd >= 0);
    MUST(write(fd, text, strlen(text)) == (int64_t)strlen(text));
    close(fd);
}

/* A tree is taken away by the name of what was mounted, too. */
TEST(unmount_a_server)
{
    static char *argv[] = { "ramfs", "-s", "two", NULL };
    int fd, pid;

    begin();
    pid = rfork(RFPROC | RFFDG);
    if (pid == 0) {
        exec("/bin/ramfs", argv);
        exits("no ramfs");
    }
    MUST(wait_for(pid, NULL) == pid);
    fd = open("/srv/two", ORDWR);
    MUST(fd >= 0);
    MUST(mount(fd, -1, "/mnt", MREPL | MCREATE, "") == 0);
    MUST(mount(fd, -1, "/n", MAFTER, "") == 0);
    CHECK_EQ(write(fd, "x", 1), -E_BADUSE); /* messages run there now */
    CHECK_EQ(read(fd, argv, 1), -E_BADUSE);
    MUST(close(create("/mnt/x", OREAD, 0666)) == 0);
    CHECK_EQ(access("/n/x", AEXIST), 0);
    CHECK_EQ(unmount("/srv/two", "/tmp"), -E_UNION);
    CHECK_EQ(unmount("/srv/two", "/n"), 0);
    CHECK_EQ(access("/n/x", AEXIST), -E_NOEXIST);
    CHECK_EQ(unmount("/mnt", "/mnt"), 0);
    CHECK_EQ(access("/mnt/x", AEXIST), -E_NOEXIST);
    CHECK_EQ(remove("/srv/two"), 0);
}

/* A program is found by any path that leads to it. */
TEST(by_any_path)
{
    char *argv[] = { "echo", "one", "two", NULL };

    begin();
    for (size_t i = 0; i < ARRAY_LEN(echo); i++)
        CHECK_STR(run(echo[i], argv), "one two\n");
    MUST(chdir("/tmp") == 0);
    CHECK_STR(run("echo", argv), "one two\n");
    CHECK_STR(run("../bin/./echo", argv), "one two\n");
    MUST(bind("/bin/echo", "/bin/true", MREPL) == 0);
    CHECK_STR(run("/bin/true", argv), "one two\n");
}

/* A file that is not a program, or not for us, says so; the caller goes on. */
TEST(refused)
{
    char *argv[] = { "x", NULL };

    begin();
    CHECK_EQ(exec("/nowhere", argv), -E_NOEXIST);
    CHECK_EQ(exec("/bin", argv), -E_ISDIR);
    CHECK_EQ(exec("/etc/motd", argv), -E_PERM);
    CHECK_EQ(exec("/dev/null", argv), -E_PERM);
    make_script("/tmp/x", "not a program");
    CHECK_EQ(exec("/tmp/x", argv), -E_BADEXEC);
    make_script("/tmp/x", "");
    CHECK_EQ(exec("/tmp/x", argv), -E_BADEXEC);
    close(create("/tmp/y", OWRITE, 0666));
    CHECK_EQ(exec("/tmp/y", argv), -E_PERM);
    CHECK_EQ(open("/dev/null", OREAD), 3); /* nothing was left open */
}

/* A script is run by the program that its first line names. */
TEST(scripts)
{
    char *argv[] = { "s", "a", "b c", NULL }, *none[] = { NULL };

    begin();
    make_script("/tmp/s", "#!/bin/echo\n");
    CHECK_STR(run("/tmp/s", argv), "/tmp/s a b c\n");
    make_script("/tmp/s", "#! /bin/echo  word \nrest");
    CHECK_STR(run("/tmp/s", argv), "word /tmp/s a b c\n");
    MUST(chdir("/tmp") == 0);
    CHECK_STR(run("s", argv), "word s a b c\n");
    CHECK_STR(run("s", none), "word s\n");
    make_script("/tmp/s", "#!/bin/sh\necho $1-$2\n");
    CHECK_STR(run("/tmp/s", argv), "a-b c\n");
    make_script("/tmp/s", "#!/tmp/echo\n");
    CHECK_STR(run("/tmp/s", argv), "/tmp/s a b c\n");
}

/* First lines that make no sense. */
TEST(bad_scripts)
{
    static char *argv[MAX_ARGS + 1];
    char text[MAX_PATH + 10] = "#!/";

    begin();
    for (int i = 0; i < MAX_ARGS - 1; i++)
        argv[i] = "x";
    make_script("/tmp/s", "#!");
    CHECK_EQ(exec("/tmp/s", argv), -E_BADEXEC);
    make_script("/tmp/s", "#!\n/bin/echo\n");
    CHECK_EQ(exec("/tmp/s", argv), -E_BADEXEC);
    make_script("/tmp/s", "#!/bin/echo");
    CHECK_EQ(exec("/tmp/s", argv), -E_BADEXEC);
    make_script("/tmp/s", "#!/bin/echo one two\n");
    CHECK_EQ(exec("/tmp/s", argv), -E_BADEXEC);
    make_script("/tmp/s", "#!/nowhere\n");
    CHECK_EQ(exec("/tmp/s", argv), -E_NOEXIST);
    make_script("/tmp/t", "#!/bin/echo\n");
    make_script("/tmp/s", "#!/tmp/t\n");
    CHECK_EQ(exec("/tmp/s", argv), -E_BADEXEC); /* a script's script */
    memset(text + 3, 'x', MAX_PATH);
    make_script("/tmp/s", text);
    CHECK_EQ(exec("/tmp/s", argv), -E_BADEXEC);
    argv[MAX_ARGS - 1] = "x";
    make_script("/tmp/s", "#!/bin/echo\n");
    CHECK_EQ(exec("/tmp/s", argv), -E_TOOBIG);
    CHECK_EQ(open("/dev/null", OREAD), 3);
}

/* Wait until the process pid runs the program of this name. */
static void
await_program(int pid, const char *name)
{
    static struct procinfo rows[64];

    for (;;) {
        int n = procs(rows, ARRAY_LEN(rows));

        for (int i = 0; i < n; i++)
            if (rows[i].pid == (uint32_t)pid && !strcmp(rows[i].name, name))
                return;
        sleep(1000000);
    }
}

/* A program on a server runs on though its file and its server go. */
TEST(file_goes_while_it_runs)
{
    char *argv[] = { "sleep", "0.2", NULL };
    struct waitmsg w;
    int pid;

    begin();
    MUST(copy_file("/bin/sleep", "/tmp/sleep", false));
    pid = rfork(RFPROC);
    if (pid == 0) {
        exec("/tmp/sleep", argv);
        exits(errstr());
    }
    await_program(pid, "sleep");
    CHECK_EQ(remove("/tmp/sleep"), 0);
    CHECK_EQ(unmount(NULL, "/tmp"), 0);
    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_STR(w.msg, "");
}

/* A program that ends with "dirty" unless rbx, rbp and r12 to r15 are 0. */
static const uint8_t look_at_registers[] = { 0x49, 0x09, 0xdc, 0x49, 0x09,
    0xec,                               /* or r12, rbx; or r12, rbp */
    0x4d, 0x09, 0xec, 0x4d, 0x09, 0xf4, /* or r12, r13; or r12, r14 */
    0x4d, 0x09, 0xfc,                   /* or r12, r15 */
    0xbf, 0, 0, 0, 0, 0x74, 0x07,       /* mov edi, 0; jz +7 */
    0x48, 0x8d, 0x3d, 7, 0, 0, 0,       /* lea rdi, [rip + 7] */
    0xb8, SYS_exits, 0, 0, 0, 0x0f, 5,  /* mov eax, exits; syscall */
    'd', 'i', 'r', 't', 'y', 0 };

static void
write_program(const char *path, const uint8_t *code, uint64_t len)
{
    const uint64_t base = 0x400000, head = 120;
    struct {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version;
        uint64_t entry, phoff, shoff;
        uint32_t flags;
        uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
        uint32_t ptype, pflags;
        uint64_t offset, vaddr, paddr, filesz, memsz, align;
    } h = { .ident = { 0x7f, 'E', 'L', 'F', 2, 1, 1 },
        .type = 2,
        .machine = 62,
        .version = 1,
        .entry = base + head,
        .phoff = 64,
        .ehsize = 64,
        .phentsize = 56,
        .phnum = 1,
        .ptype = 1,
        .pflags = 5,
        .vaddr = base,
        .filesz = head + len,
        .memsz = head + len,
        .align = PAGE_SIZE };
    int fd = create(path, OWRITE, 0755);

    MUST(fd >= 0 && sizeof(h) == head);
    MUST(write(fd, &h, sizeof(h)) == sizeof(h));
    MUST(write(fd, code, len) == (int64_t)len);
    MUST(close(fd) == 0);
}

static void
exec_with_registers(void)
{
    static const char *const argv[] = { "registers", NULL };

    MUST(open("/tmp/true", OREAD | OCEXEC) >= 0);
    __asm__ volatile(
            "mov $-1, %%rbx; mov %%rbx, %%r12; mov %%rbx, %%r13\n"
            "mov %%rbx, %%r14; mov %%rbx, %%r15\n"
            "syscall"
            :
            : "a"((uint64_t)SYS_exec), "D"("/tmp/registers"), "S"(argv)
            : "rbx", "r12", "r13", "r14", "r15", "rcx", "r11", "memory");
    exits("exec failed");
}

/* All registers are 0 at first, though exec had to wait for the server of a
 * file that it closed. */
TEST(registers_after_a_wait)
{
    struct waitmsg w;

    begin();
    write_program(
            "/tmp/registers", look_at_registers, sizeof(look_at_registers));
    check_child(exec_with_registers, &w);
    CHECK_STR(w.msg, "");
}

/* OCEXEC closes at exec, and only then. */
TEST(close_on_exec)
{
    char *argv[] = { "ls", "/fd", NULL };

    begin();
    MUST(open("/dev/null", OREAD | OCEXEC) == 3);
    MUST(open("/dev/null", OREAD) == 4);
    CHECK_EQ(read(3, argv, 0), 0);
    const char *text = run("/bin/ls", argv);
    CHECK(strstr(text, "4ctl") != NULL);
    CHECK(strstr(text, "5ctl") == NULL); /* 3 was free for the directory */
    CHECK_EQ(exec("/nowhere", argv), -E_NOEXIST);
    CHECK_EQ(read(3, argv, 0), 0); /* a failed exec closes nothing */
}

static void
run_from_tmp(void)
{
    char *argv[] = { "true", NULL };
    struct waitmsg w;

    for (int i = 0; i < 10; i++)
        output(i % 2 ? "/tmp/true" : "/tmp/nowhere", argv, &w);
}

/* The memory of programs read from servers comes back. */
TEST(nothing_is_lost)
{
    begin();
    check_gives_back(run_from_tmp);
}
