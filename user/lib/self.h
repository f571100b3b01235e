/*
 * self.h - the library's own data of one process (see start.c).
 */
#pragma once

#include "lib/lux.h"

struct self {
    int64_t error;          /* last error's number; 0: it is in `text` */
    char text[MAX_ERR];     /* set by werrstr */
    struct report *reports; /* process.c: of children, in order */
    int reports_of;         /* whose children: a fork copies this structure */
    int reserved[3];        /* keeps the size a multiple of 32 */
};

extern struct self *self;

/* start.c: of warn and fatal */
void complain(char msg[MAX_ERR], const char *fmt, va_list args);

/* ---- by stage: no_files.c or file_io.c ---- */

extern const unsigned fork_flags; /* of fork, for rfork */

/* A server's words for the last -E_REMOTE: their length, 0: there are none. */
int64_t server_text(char *text, size_t n);

/* Called by crt0.asm with the arguments and room for struct self. */
NORETURN void start(int argc, char **argv, struct self *mine);
