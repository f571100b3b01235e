/*
 * elf.c - exec of the files that grade/guest/make_elfs.py wrote: programs
 * that lie about themselves.
 */
#include "check.h"

enum {
    MOST = 400
};

static struct archiveinfo files[MOST];

/* Call fn with each file of the archive whose name begins so; how many. */
static int
each_elf(const char *prefix, void (*fn)(const char *path))
{
    int n = archive(files, MOST), found = 0;

    MUST(n > 0 && n <= MOST);
    for (int i = 0; i < n; i++)
        if (strncmp(files[i].name, prefix, strlen(prefix)) == 0) {
            fn(files[i].name);
            found++;
        }
    return found;
}

/* Run it in a child that gets 100 ms; what it said at its end. */
static const char *
run(const char *path)
{
    static struct waitmsg w;
    char *argv[] = { "x", NULL };
    int pid = fork();

    MUST(pid >= 0);
    if (pid == 0) {
        alarm(100000000);
        exec(path, argv);
        exits(errstr());
    }
    CHECK_EQ(wait_for(pid, &w), pid);
    return w.msg;
}

static void
expect_refused(const char *path)
{
    char *argv[] = { "x", NULL };
    int error = exec(path, argv); /* in this very process: it must survive */

    if (error != -E_BADEXEC)
        check_record("%s: exec gave %d", path, error);
}

static void
expect_success(const char *path)
{
    const char *said = run(path);

    if (said[0] != '\0')
        check_record("%s: ended with \"%s\"", path, said);
}

static void
expect_anything(const char *path)
{
    run(path);
}

/* Programs that are right, if unusual, run. */
TEST(good_files)
{
    CHECK_GE(each_elf("elf/good-", expect_success), 7);
}

/* Each lie is found before anything of the caller is lost. */
TEST(bad_files)
{
    CHECK_GE(each_elf("elf/bad-", expect_refused), 50);
}

static void
refuse_all(void)
{
    each_elf("elf/bad-", expect_refused);
}

/* A refused file costs no memory. */
TEST(bad_files_give_back)
{
    check_gives_back(refuse_all);
}

static void
run_any(void)
{
    CHECK_GE(each_elf("elf/any-", expect_anything), 100);
}

/*
 * Random changes of a good program's headers: it runs, dies or is refused,
 * and the kernel is as before.
 * limit: 30
 */
TEST(changed_files)
{
    check_gives_back(run_any);
}
