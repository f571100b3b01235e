/*
 * file_io.c - bytes from and to files, and what print and read_line do from
 * stage 4 on, where descriptors 0, 1 and 2 are files like any other.
 */
#include "lib/self.h"

const unsigned fork_flags = RFPROC | RFFDG;

int64_t
server_text(char *text, size_t n)
{
    return rerror(text, n);
}

int64_t
read(int fd, void *buf, size_t n)
{
    return pread(fd, buf, n, FD_OFFSET);
}

/* Callers take a short count for a failure: it has a reason, too. */
int64_t
write(int fd, const void *buf, size_t n)
{
    int64_t done = pwrite(fd, buf, n, FD_OFFSET);

    if (done >= 0 && (size_t)done < n)
        werrstr("only %ld of %lu bytes were written", done, n);
    return done;
}

/* Pipes and servers may give a file in pieces: ask until enough is there. */
int64_t
readn(int fd, void *buf, size_t n)
{
    size_t done = 0;

    while (done < n) {
        int64_t got = read(fd, (char *)buf + done, n - done);

        if (got < 0 && done == 0)
            return got;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

/* All of an open file; twice the room whenever it is full. */
static char *
read_all(int fd, size_t *n)
{
    size_t room = 4096, used = 0;
    char *text = malloc(room);

    while (text != NULL) {
        int64_t got = readn(fd, text + used, room - used - 1);
        char *more;

        if (got < 0)
            break;
        used += (size_t)got;
        text[used] = '\0';
        if (used < room - 1) {
            *n = used;
            return text;
        }
        more = realloc(text, room *= 2);
        if (more == NULL)
            break;
        text = more;
    }
    free(text);
    return NULL;
}

char *
read_file(const char *path, size_t *n)
{
    int fd = open(path, OREAD);
    size_t length = 0;
    char *text;

    if (fd < 0)
        return NULL;
    text = read_all(fd, &length);
    close(fd);
    if (n != NULL)
        *n = length;
    return text;
}

int
write_file(const char *path, const char *text)
{
    size_t n = strlen(text);
    int fd = create(path, OWRITE, 0666);
    int64_t wrote;

    if (fd < 0)
        return fd;
    wrote = write(fd, text, n);
    close(fd);
    if (wrote >= 0 && (size_t)wrote != n)
        wrote = error_set(-E_IO);
    return wrote < 0 ? (int)wrote : 0;
}

/* Open it and see: who may do what is the server's to decide. */
int
access(const char *path, unsigned what)
{
    static const struct {
        unsigned what, mode;
    } tries[] = { { AREAD, OREAD }, { AWRITE, OWRITE }, { AEXEC, OEXEC } };
    uint8_t entry[DIR_FIXED];
    int64_t got = stat(path, entry, sizeof(entry));

    if (got < 0 && got != -E_SHORTSTAT)
        return (int)got;
    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        int fd = what & tries[i].what ? open(path, tries[i].mode) : -1;

        if (fd >= 0)
            close(fd);
        else if (what & tries[i].what)
            return fd;
    }
    return 0;
}

/* ---- formatted output ---- */

static int64_t
write_descriptor(void *fd, const void *text, size_t n)
{
    return write(*(int *)fd, text, n);
}

int
vfprint(int fd, const char *fmt, va_list args)
{
    return print_by(write_descriptor, &fd, fmt, args);
}

/*
 * Byte by byte, because what follows the line is for whoever reads the file
 * next.  Its length, -1 at the end of input, -E_INTR.
 */
int64_t
read_line(char *buf, size_t len)
{
    size_t used = 0;
    int64_t got;
    char c;

    while ((got = read(0, &c, 1)) == 1 && c != '\n')
        if (used < len - 1)
            buf[used++] = c;
    buf[used] = '\0';
    if (got < 0)
        return got;
    return got == 0 && used == 0 ? -1 : (int64_t)used;
}
