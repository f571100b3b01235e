/*
 * boot_ns.c - the name space that the first process makes of the devices: what
 * every program of the system expects to find.
 */
#include "lib/lux.h"

static const struct {
    const char *what, *where;
    unsigned flags;
} binds[] = {
    { "#B", "/boot", MREPL },
    { "/boot/bin", "/bin", MREPL },
    { "/boot/etc", "/etc", MREPL },
    { "/boot/lib", "/lib", MREPL },
    { "#c", "/dev", MREPL },
    { "#t", "/dev", MAFTER },
    { "#u", "/dev", MAFTER },
    { "#p", "/proc", MREPL },
    { "#s", "/srv", MREPL | MCREATE },
    { "#e", "/env", MREPL | MCREATE },
    { "#d", "/fd", MREPL },
};

/* A folder that the boot archive lacks is bound nowhere. */
int
boot_name_space(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(binds); i++) {
        int err = bind(binds[i].what, binds[i].where, binds[i].flags);

        if (err < 0 && err != -E_NOEXIST)
            return err;
    }
    return chdir("/");
}

/* fd 0 reads, fd 1 and 2 write; what they were before is closed. */
int
open_console(void)
{
    for (int fd = 0; fd < 3; fd++) {
        int got = open("/dev/cons", fd == 0 ? OREAD : OWRITE);

        if (got < 0)
            return got;
        if (got == fd)
            continue;
        if (dup(got, fd) < 0)
            return -E_MAXFD;
        close(got);
    }
    return 0;
}
