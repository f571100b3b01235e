/*
 * path.c - paths, permissions and dates as text.
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
    error_set(-E_NAMELEN);
    return false;
}

char *
getwd(void)
{
    int fd = open(".", OREAD);
    int64_t n = fd < 0 ? fd : fd2path(fd, NULL, 0), room = 0;
    char *path = NULL;

    /* again if the path grew meanwhile: another may rename above it */
    while (n >= room) {
        char *more = realloc(path, (size_t)n + 1);

        room = n + 1;
        if (more == NULL)
            break;
        path = more;
        n = fd2path(fd, path, (size_t)room);
    }
    if (fd >= 0)
        close(fd);
    if (n >= 0 && n < room)
        return path;
    free(path);
    return NULL;
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

/*
 * The year begins with March here, so that the day that comes or does not is
 * its last; 400 years always have 146097 days.
 */
char *
date_text(char *buf, uint64_t seconds)
{
    static const char names[] = "ThuFriSatSunMonTueWed"; /* 1970 began so */
    uint64_t days = seconds / 86400, second = seconds % 86400;
    uint64_t day = days + 719468; /* since March 1 of the year 0 */
    uint64_t in_era = day % 146097;
    uint64_t year_of_era =
            (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    uint64_t in_year =
            in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t march = (5 * in_year + 2) / 153; /* months since March */
    uint64_t month = march < 10 ? march + 3 : march - 9;
    uint64_t year = day / 146097 * 400 + year_of_era + (month <= 2);

    snprint(buf, DATE_TEXT, "%lu-%02lu-%02lu %02lu:%02lu:%02lu %.3s", year,
            month, in_year - (153 * march + 2) / 5 + 1, second / 3600,
            second / 60 % 60, second % 60, names + days % 7 * 3);
    return buf;
}
