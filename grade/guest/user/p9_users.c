/*
 * p9_users.c - the system's own file of users, and a file server that reads it.
 */
#include "check.h"

static void
begin(void)
{
    static char *const argv[] = { "ramfs", "-m", "/mnt", NULL };
    int pid;

    MUST(rfork(RFCNAMEG | RFCFDG | RFCENVG) == 0);
    MUST(boot_name_space() == 0);
    MUST(open_console() == 0);
    pid = rfork(RFPROC | RFFDG);
    if (pid == 0) {
        exec("/bin/ramfs", argv);
        exits("no /bin/ramfs");
    }
    MUST(wait_for(pid, NULL) == pid);
}

static int
give(const char *path, const char *gid)
{
    struct dir d;

    dir_null(&d);
    d.gid = (char *)gid;
    return dirwstat(path, &d);
}

/* lux is in adm, by /etc/users, and in no group that is not there. */
TEST(users_of_the_system)
{
    char *text;

    begin();
    text = read_file("/etc/users", NULL);
    CHECK(text != NULL && strstr(text, "\n2:adm:lux:lux\n") != NULL);
    close(create("/mnt/file", OWRITE, 0660));
    CHECK_EQ(give("/mnt/file", "adm"), 0);
    CHECK_LT(give("/mnt/file", "nobody"), 0);
    CHECK_STR(errstr(), "permission denied");
    CHECK_EQ(give("/mnt/file", "lux"), 0);
}
