/*
 * users.c - who is in which group: users(6).
 *
 *      id:name:leader:members      # a comment begins like this
 *
 * Every user is a group, too, and a member of it, listed or not.  A group
 * that is not listed has no other member, and that one leads it; one without
 * a leader is led by all its members.  `none` is nobody.
 */
#include "lib/9p/tree.h"

const char *users_file = "/etc/users";

struct group { /* its strings are in the file's text, which is kept */
    struct group *next;
    const char *name, *leader, *members; /* members: "a,b", or "" */
};

static struct group *groups;

/* ---- questions ---- */

/* Is who one of the names of the list? */
static bool
in_list(const char *list, const char *who)
{
    size_t n = strlen(who);

    for (; *list != '\0'; list += list[0] == ',') {
        size_t len = strcspn(list, ",");

        if (len == n && memcmp(list, who, n) == 0)
            return true;
        list += len;
    }
    return false;
}

static const struct group *
group_find(const char *name)
{
    const struct group *g = groups;

    while (g != NULL && strcmp(g->name, name) != 0)
        g = g->next;
    return g;
}

bool
user_is(const char *user, const char *who)
{
    return strcmp(user, "none") != 0 && strcmp(user, who) == 0;
}

bool
user_in(const char *user, const char *group)
{
    const struct group *g;

    if (user_is(user, group))
        return true;
    g = strcmp(user, "none") != 0 ? group_find(group) : NULL;
    return g != NULL && in_list(g->members, user);
}

bool
user_leads(const char *user, const char *group)
{
    const struct group *g = group_find(group);

    if (g == NULL || g->leader[0] == '\0')
        return user_in(user, group);
    return user_is(user, g->leader);
}

/* ---- the file ---- */

/* May these len bytes be a user's name? */
static bool
name_fits(const char *name, size_t len)
{
    return len > 0 && len < SRV_USER && memchr(name, ',', len) == NULL;
}

static bool
list_fits(const char *list)
{
    while (*list != '\0') {
        size_t len = strcspn(list, ",");

        if (!name_fits(list, len) ||
                (list[len] == ',' && list[len + 1] == '\0'))
            return false;
        list += len + (list[len] == ',');
    }
    return true;
}

/* Cut the line at its colons: are there four fields, no more? */
static bool
split(char *line, char *field[4])
{
    for (unsigned i = 0; i < 4; i++) {
        char *colon = strchr(line, ':');

        field[i] = line;
        if ((colon == NULL) != (i == 3))
            return false;
        if (colon != NULL) {
            *colon = '\0';
            line = colon + 1;
        }
    }
    return true;
}

/* Add the group of this line, len bytes and a NUL.  NULL, or what is wrong. */
static const char *
add_line(char *line, size_t len)
{
    char *field[4];
    struct group *g;

    if (strlen(line) != len || !split(line, field) || field[0][0] == '\0')
        return "not id:name:leader:members";
    if (!name_fits(field[1], strlen(field[1])))
        return "bad name";
    if (field[2][0] != '\0' && !name_fits(field[2], strlen(field[2])))
        return "bad leader";
    if (!list_fits(field[3]))
        return "bad members";
    if (group_find(field[1]) != NULL)
        return "this name was there before";
    g = malloc(sizeof(*g));
    if (g == NULL)
        return "out of memory";
    *g = (struct group){ groups, field[1], field[2], field[3] };
    groups = g;
    return NULL;
}

/* See tree.h.  A line that is wrong is left out; the rest counts. */
void
users_load(void)
{
    char *text, *line;
    size_t n;

    if (access(users_file, AEXIST) < 0)
        return;
    text = line = read_file(users_file, &n);
    if (line == NULL)
        fprint(2, "%s: %r\n", users_file);
    for (unsigned at = 1; line != NULL && n > 0; at++) {
        char *end = memchr(line, '\n', n);
        size_t len = end != NULL ? (size_t)(end - line) : n;
        const char *wrong = NULL;

        line[len] = '\0';
        if (len > 0 && line[0] != '#')
            wrong = add_line(line, len);
        if (wrong != NULL)
            fprint(2, "%s:%u: %s\n", users_file, at, wrong);
        len += end != NULL;
        line += len;
        n -= len;
    }
    if (groups == NULL)
        free(text);
}
