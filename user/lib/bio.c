/*
 * bio.c - buffered files: one system call for many small reads or writes.
 *
 * A struct bio either reads or writes.  Reading, data[at..used) is what has
 * come and was not taken yet; writing, data[0..used) waits to go out.
 */
#include "lib/lux.h"

void
bio_init(struct bio *b, int fd)
{
    b->fd = fd;
    b->failed = b->newline = false;
    b->at = b->used = b->room = 0;
    b->line = NULL;
}

/* ---- reading ---- */

/* Get more; false: the end, or an error. */
static bool
fill(struct bio *b)
{
    int64_t n = read(b->fd, b->data, sizeof(b->data));

    b->at = 0;
    b->used = n > 0 ? (size_t)n : 0;
    b->failed |= n < 0;
    return n > 0;
}

int
bio_getc(struct bio *b)
{
    if (b->at == b->used && !fill(b))
        return -1;
    return (uint8_t)b->data[b->at++];
}

void
bio_ungetc(struct bio *b)
{
    assert(b->at > 0);
    b->at--;
}

int64_t
bio_read(struct bio *b, void *buf, size_t n)
{
    size_t done = 0;

    while (done < n && (b->at < b->used || fill(b))) {
        size_t some = b->used - b->at;

        if (some > n - done)
            some = n - done;
        memcpy((char *)buf + done, b->data + b->at, some);
        b->at += some;
        done += some;
    }
    return (int64_t)done;
}

/* Append n bytes of data to the line, which has length bytes; or die. */
static void
line_add(struct bio *b, size_t length, size_t n)
{
    if (length + n + 1 > b->room) {
        size_t room = (length + n + 1) * 2;
        char *more = realloc(b->line, room);

        if (more == NULL)
            fatal("a line is too long: %r");
        b->line = more;
        b->room = room;
    }
    memcpy(b->line + length, b->data + b->at, n);
    b->line[length + n] = '\0';
    b->at += n;
}

int64_t
bio_line(struct bio *b, char **line)
{
    size_t length = 0;
    bool newline = false;

    while (!newline && (b->at < b->used || fill(b))) {
        char *start = b->data + b->at;
        char *end = memchr(start, '\n', b->used - b->at);
        size_t n = end != NULL ? (size_t)(end - start) : b->used - b->at;

        line_add(b, length, n);
        length += n;
        if (end != NULL) {
            b->at++;
            newline = true;
        }
    }
    *line = b->line;
    if (length == 0 && !newline)
        return -1;
    b->newline = newline;
    return (int64_t)length;
}

int64_t
bio_piece(struct bio *b, const char **piece)
{
    const char *end;
    size_t n;

    if (b->at == b->used && !fill(b))
        return 0;
    *piece = b->data + b->at;
    end = memchr(*piece, '\n', b->used - b->at);
    n = end != NULL ? (size_t)(end + 1 - *piece) : b->used - b->at;
    b->at += n;
    return (int64_t)n;
}

/* ---- writing ---- */

int
bio_flush(struct bio *b)
{
    size_t done = 0;

    while (done < b->used && !b->failed) {
        int64_t n = write(b->fd, b->data + done, b->used - done);

        if (n <= 0)
            b->failed = true;
        else
            done += (size_t)n;
    }
    b->used = 0;
    return b->failed ? -E_IO : 0;
}

void
bio_write(struct bio *b, const void *buf, size_t n)
{
    const char *p = buf;

    while (n > 0) {
        size_t some = sizeof(b->data) - b->used;

        if (some > n)
            some = n;
        memcpy(b->data + b->used, p, some);
        b->used += some;
        p += some;
        n -= some;
        if (b->used == sizeof(b->data))
            bio_flush(b);
    }
}

void
bio_putc(struct bio *b, int c)
{
    b->data[b->used++] = (char)c;
    if (b->used == sizeof(b->data))
        bio_flush(b);
}

static int64_t
write_buffered(void *b, const void *text, size_t n)
{
    bio_write(b, text, n);
    return (int64_t)n;
}

void
bio_print(struct bio *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    print_by(write_buffered, b, fmt, args);
    va_end(args);
}

void
bio_end(struct bio *b)
{
    free(b->line);
    b->line = NULL;
    b->room = 0;
}

/* ---- the standard output ---- */

static struct bio out;

/* At the end; whoever has called exits must hear that output is lost. */
static void
flush_out(void)
{
    if (out.failed || bio_flush(&out) == 0)
        return;
    fprint(2, "%s: write: %r\n", arg0);
    _exits("write error");
}

struct bio *
bio_out(void)
{
    static bool ready;

    if (!ready) {
        ready = true;
        bio_init(&out, 1);
        atexit(flush_out);
    }
    return &out;
}
