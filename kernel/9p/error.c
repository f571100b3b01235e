/*
 * error.c - errors that only a server knows.
 *
 * 9P's errors are text.  What the kernel has a number for, by its own text or by
 * the one that servers send (err9p.def), becomes that number again; any other
 * text is kept for the process, which asks for it (rerror).
 */
#include "9p/9p.h"

int
err_from_text(const char *text)
{
    static const struct {
        int number;
        const char *text;
    } known[] = {
#define ERR(name, number, string) { number, string },
#include <lux/err.def>
#undef ERR
#define WIRE(name, string) { name, string },
#include <lux/err9p.def>
#undef WIRE
    };
    struct proc_files *f = my_files();

    for (unsigned i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(text, known[i].text) == 0)
            return -known[i].number;
    if (f)
        strlcpy(f->error, text, sizeof f->error);
    return -E_REMOTE;
}

const char *
err_text(int err)
{
    const struct proc_files *f = my_files();

    if (err == -E_REMOTE && f && f->error[0])
        return f->error;
    return err_string(err);
}
