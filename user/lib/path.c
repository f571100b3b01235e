/*
 * path.c - paths as text, and the text of permissions.
 */
#include "lib/lux.h"

const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

bool
path_join(char *buf, size_t len, const char *dir, const char *name)
{
    size_t n = strlen(dir);
    const char *between = n > 0 && dir[n - 1] != '/' ? "/" : "";
    int wanted = snprint(buf, len, "%s%s%s", dir, between, name);

    if (wanted < (int)len)
        return true;
    error_set(-E_TOOBIG);
    return false;
}

char *
getwd(char *buf, size_t len)
{
    int fd = open(".", OREAD);
    int64_t n;

    if (fd < 0)
        return NULL;
    n = fd2path(fd, buf, len);
    close(fd);
    return n < 0 ? NULL : buf;
}

char *
mode_text(char *buf, uint32_t mode)
{
    strcpy(buf, "-rwxrwxrwx");
    for (int i = 0; i < 9; i++)
        if ((mode >> (8 - i) & 1) == 0)
            buf[i + 1] = '-';
    if (mode & DMDIR)
        buf[0] = 'd';
    else if (mode & DMAPPEND)
        buf[0] = 'a';
    else if (mode & DMEXCL)
        buf[0] = 'l';
    return buf;
}
