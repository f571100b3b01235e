/*
 * copy.c - the only way to user memory: ranges checked here, touched in
 * x86_64/usercopy.asm.
 *
 * Any address may be hostile.  The range check keeps the kernel's half out;
 * what lies inside user space and means no page ends in a fix-up.  The caller
 * holds no spinlock: a page may have to be made (RANK_SPACE).
 */
#include "mmu/kasan.h"

/* x86_64/usercopy.asm; addresses checked.  0; or -E_BADADDR or -E_NOMEM after a
 * fix-up, as of the others. */
int user_copy(void *dst, const void *src, size_t n);
/* Bytes before the NUL, n if there is none in n bytes. */
long user_str(char *dst, vaddr_t src, size_t n);
/* 1 exchanged, 0 not and *old is what was there. */
int user_cas(vaddr_t va, uint32_t *old, uint32_t new);

/*
 * Is [va, va+n) in user space (below USER_TOP), and is there a current space?
 * va and n may be any numbers: their sum may wrap.
 *
 * Lab 2.10
 */
static bool
user_range(vaddr_t va, size_t n)
{
    return n <= USER_TOP && va <= USER_TOP - n && space_current() != NULL;
}

/*
 * Copy n bytes at the user address src to dst.  0 bytes are always legal.
 * 0; -E_BADADDR if the range is not in user space or a byte of it may not be
 * read; -E_NOMEM if there is no page for it.  After an error part of dst may be
 * written.  kasan_check looks at the kernel's
 * side first.
 *
 * Lab 2.10
 */
int
copy_in(void *dst, vaddr_t src, size_t n)
{
    if (n == 0)
        return 0;
    if (!user_range(src, n))
        return -E_BADADDR;
    kasan_check(dst, n, true);
    return user_copy(dst, (const void *)src, n);
}

/*
 * Copy n bytes at src to the user address dst; all else as copy_in.
 *
 * Lab 2.10
 */
int
copy_out(vaddr_t dst, const void *src, size_t n)
{
    if (n == 0)
        return 0;
    if (!user_range(dst, n))
        return -E_BADADDR;
    kasan_check(src, n, false);
    return user_copy((void *)dst, src, n);
}

int
copy_str_in(char *dst, vaddr_t src, size_t len)
{
    size_t room = len;
    long n;

    if (!user_range(src, 1))
        return -E_BADADDR;
    if (room > USER_TOP - src)
        room = USER_TOP - src;
    kasan_check(dst, room, true);
    n = user_str(dst, src, room);
    if (n == (long)room)
        return room < len ? -E_BADADDR : -E_TOOBIG;
    return n;
}

int
user_cas32(vaddr_t va, uint32_t *old, uint32_t new)
{
    if ((va & 3) || !user_range(va, 4))
        return -E_BADADDR;
    return user_cas(va, old, new);
}
