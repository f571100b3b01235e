/*
 * errstr.c - the last error in words.
 *
 * A failed system call leaves only its number here, which costs two
 * instructions; the string is looked up when somebody asks.
 */
#include "lib/self.h"

/* Called by every stub whose call failed: keep it cheap. */
int64_t
error_set(int64_t error)
{
    self->error = error;
    return error;
}

/* The number's string, or the text that werrstr left, or a server's. */
const char *
errstr(void)
{
    if (self->error == -E_REMOTE && server_text(self->text, MAX_ERR) > 0)
        self->error = 0;
    return self->error != 0 ? err_string((int)self->error) : self->text;
}

/* Format the caller's own words for what went wrong. */
void
werrstr(const char *fmt, ...)
{
    char text[MAX_ERR]; /* apart: an argument may be errstr() itself */
    va_list args;

    va_start(args, fmt);
    vsnprint(text, sizeof(text), fmt, args);
    va_end(args);
    strlcpy(self->text, text, sizeof(self->text));
    self->error = 0;
}
