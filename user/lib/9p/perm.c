/*
 * perm.c - permission bits, owners and groups: intro(5), open(5), stat(5).
 *
 * Who is in a group, and who leads it, users.c knows.  `none` is nobody: only
 * what all may, it may.
 */
#include "lib/9p/tree.h"

/*
 * May user do all of `want` (AREAD, AWRITE, AEXEC) with f?  What all may,
 * plus what the group may for its members, plus what the owner may.
 */
bool
file_permits(const struct file *f, const char *user, unsigned want)
{
    unsigned may = f->mode & 7;

    if (user_is(user, f->uid))
        may |= f->mode >> 6 & 7;
    if ((want & ~may) != 0 && user_in(user, f->gid))
        may |= f->mode >> 3 & 7;
    return (want & ~may) == 0;
}

/* May user change mode and mtime: the owner, or the leader of its group? */
bool
file_owned(const struct file *f, const char *user)
{
    return user_is(user, f->uid) || user_leads(user, f->gid);
}

/* May user give f to another group?  The owner, to one that it is in; or the
 * leader of f's group, to one that it leads, too. */
bool
file_may_regroup(const struct file *f, const char *user, const char *gid)
{
    return (user_is(user, f->uid) && user_in(user, gid)) ||
           (user_leads(user, f->gid) && user_leads(user, gid));
}

/* The mode of a file made with perm in a directory of dir_mode: open(5). */
uint32_t
create_perm(uint32_t perm, uint32_t dir_mode)
{
    uint32_t cut = perm & DMDIR ? 0777 : 0666;

    return perm & (~cut | (dir_mode & cut));
}
