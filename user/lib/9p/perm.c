/*
 * perm.c - permission bits: intro(5), open(5).
 *
 * Without a file of users each user is the only member, and the leader, of
 * the group of the same name.  `none` is nobody: only what all may, it may.
 */
#include "lib/9p/tree.h"

/* Is user someone, and this someone? */
static bool
same_user(const char *user, const char *who)
{
    return strcmp(user, "none") != 0 && strcmp(user, who) == 0;
}

/*
 * May user do all of `want` (AREAD, AWRITE, AEXEC) with f?  What all may,
 * plus what the group may for its members, plus what the owner may.
 */
bool
file_permits(const struct file *f, const char *user, unsigned want)
{
    unsigned may = f->mode & 7;

    if (same_user(user, f->gid))
        may |= f->mode >> 3 & 7;
    if (same_user(user, f->uid))
        may |= f->mode >> 6 & 7;
    return (want & ~may) == 0;
}

/* May user change mode and mtime: the owner, or the leader of its group? */
bool
file_owned(const struct file *f, const char *user)
{
    return same_user(user, f->uid) || same_user(user, f->gid);
}

/* The mode of a file made with perm in a directory of dir_mode: open(5). */
uint32_t
create_perm(uint32_t perm, uint32_t dir_mode)
{
    uint32_t cut = perm & DMDIR ? 0777 : 0666;

    return perm & (~cut | (dir_mode & cut));
}
