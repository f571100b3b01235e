/*
 * env.c - the environment: each variable is a file of #e, its value what
 * the file holds.
 */
#include "lib/lux.h"

/* "#e/NAME" in path; false: no name for a variable. */
static bool
variable_path(char *path, size_t len, const char *name)
{
    bool good = name[0] != '\0' && strchr(name, '/') == NULL &&
                name[0] != '.' && path_join(path, len, "#e", name);

    if (!good)
        error_set(-E_NAME);
    return good;
}

char *
getenv(const char *name)
{
    char path[MAX_PATH];

    return variable_path(path, sizeof(path), name) ? read_file(path, NULL)
                                                   : NULL;
}

int
putenv(const char *name, const char *value)
{
    char path[MAX_PATH];

    if (!variable_path(path, sizeof(path), name))
        return -E_NAME;
    return value != NULL ? write_file(path, value) : remove(path);
}
