/*
 * mnt_none.c - until the mount driver is there.
 */
#include "9p/9p.h"

int64_t
mnt_version(struct chan *conn, uint32_t msize, const char *version,
        char *answer, size_t n)
{
    (void)conn, (void)msize, (void)version, (void)answer, (void)n;
    return -E_NODEV;
}

int
mnt_attach(struct chan *conn, struct chan *auth, const char *aname,
        struct chan **root)
{
    (void)conn, (void)auth, (void)aname, (void)root;
    return -E_NODEV;
}
