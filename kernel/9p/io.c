/*
 * io.c - where a read goes, or where a write comes from: user memory, checked
 * byte by byte of the way, or the kernel's own.
 */
#include "9p/9p.h"

int
io_put(struct io *to, const void *src, size_t n)
{
    int err = 0;

    assert(n <= to->left);
    if (to->user)
        err = copy_out(to->at, src, n);
    else
        memcpy((void *)to->at, src, n);
    to->at += n;
    to->left -= n;
    return err;
}

int
io_get(struct io *from, void *dst, size_t n)
{
    int err = 0;

    assert(n <= from->left);
    if (from->user)
        err = copy_in(dst, from->at, n);
    else
        memcpy(dst, (const void *)from->at, n);
    from->at += n;
    from->left -= n;
    return err;
}

int64_t
io_put_text(struct io *to, uint64_t offset, const char *text, size_t n)
{
    size_t count;
    int err;

    if (offset >= n)
        return 0;
    count = n - offset < to->left ? n - offset : to->left;
    err = io_put(to, text + offset, count);
    return err ? err : (int64_t)count;
}

int64_t
io_get_text(struct io *from, char *text, size_t room)
{
    size_t n = from->left;
    int err;

    if (n >= room)
        return -E_TOOBIG;
    err = io_get(from, text, n);
    if (err)
        return err;
    if (n > 0 && text[n - 1] == '\n')
        n--;
    text[n] = '\0';
    return (int64_t)strlen(text);
}
