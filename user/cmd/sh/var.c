/*
 * var.c - variables.  They are the files of #e and nowhere else, so that
 * programs see them and may change them; only $status, $0 to $9, $# and $*
 * are the shell's own.
 */
#include "cmd/sh/sh.h"

char status[MAX_ERR];
char **args;

void
status_set(const char *msg)
{
    strlcpy(status, msg, sizeof(status));
}

bool
var_name_ok(const char *name, size_t n)
{
    if (n == 0 || n >= MAX_NAME || isdigit(name[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum(name[i]) && name[i] != '_')
            return false;
    return true;
}

size_t
var_assigned(const char *word)
{
    const char *equals = strchr(word, '=');
    size_t n = equals != NULL ? (size_t)(equals - word) : 0;

    return var_name_ok(word, n) ? n : 0;
}

/* How many arguments there are, without $0. */
static int
count_args(void)
{
    int n = 0;

    while (args[n] != NULL)
        n++;
    return n > 0 ? n - 1 : 0;
}

/* One of those that are the shell's own, or NULL. */
static char *
own_variable(const char *name, size_t n)
{
    char number[16];
    const char *value = NULL;

    if (n == 1 && name[0] == '#')
        snprint(number, sizeof(number), "%d", count_args());
    else if (n == 1 && name[0] == '?')
        snprint(number, sizeof(number), "%d", status[0] != '\0');
    else if (n == 1 && isdigit(name[0]))
        value = name[0] - '0' <= count_args() ? args[name[0] - '0'] : "";
    else if (n == 6 && strncmp(name, "status", 6) == 0)
        value = status;
    else
        return NULL;
    if (value == NULL)
        value = number;
    return mem_copy(value, strlen(value));
}

char *
var_get(const char *name, size_t n)
{
    char *own = own_variable(name, n);
    char *value, *copy;

    if (own != NULL || !var_name_ok(name, n))
        return own;
    value = getenv(mem_copy(name, n));
    if (value == NULL)
        return NULL;
    copy = mem_copy(value, strlen(value));
    free(value);
    return copy;
}

/* false, and told: it cannot be set. */
bool
var_set(const char *name, const char *value)
{
    if (strcmp(name, "status") == 0)
        fprint(2, "sh: status: only commands set it\n");
    else if (putenv(name, value) < 0)
        fprint(2, "sh: %s: %r\n", name);
    else
        return true;
    status_set("variable not set");
    return false;
}
