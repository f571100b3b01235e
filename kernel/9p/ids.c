/*
 * ids.c - small numbers that stand for pointers: tags and fids.
 *
 * Taking and giving back cost the same however many are in use.  A slot holds
 * the pointer, or, while its number is free, the number of the next free one,
 * shifted and with bit 0 set; no pointer is odd.  While some number is free
 * `high` stays, so that it can end the list of free ones.
 */
#include "9p/mnt.h"

enum {
    FIRST_ROOM = 16
};

/* Twice the room: 0, -E_NOMEM. */
static int
grow(struct idtab *t)
{
    uint32_t room = t->room ? 2 * t->room : FIRST_ROOM;
    uintptr_t *slot = kmalloc(room * sizeof *slot);

    if (!slot)
        return -E_NOMEM;
    memcpy(slot, t->slot, t->high * sizeof *slot);
    kfree(t->slot);
    t->slot = slot;
    t->room = room;
    return 0;
}

/*
 * Give p a number that is not in use and below limit, the one given back last
 * if there is one.  0, or -E_NOMEM, and nothing has changed.
 *
 * Lab 4.6
 */
int
idtab_take(struct idtab *t, uint32_t limit, void *p, uint32_t *id)
{
    if (t->free == t->high) {
        if (t->high >= limit || (t->high == t->room && grow(t) < 0))
            return -E_NOMEM;
        *id = t->high++;
        t->free = t->high;
    } else {
        *id = t->free;
        t->free = (uint32_t)(t->slot[*id] >> 1);
    }
    t->slot[*id] = (uintptr_t)p;
    t->used++;
    return 0;
}

/*
 * What the number stands for; NULL: it is not in use, whatever number it is.
 *
 * Lab 4.6
 */
void *
idtab_get(const struct idtab *t, uint32_t id)
{
    if (id >= t->high || (t->slot[id] & 1))
        return NULL;
    return (void *)t->slot[id];
}

/*
 * The number, which is in use, is free again: the first to be taken next.
 *
 * Lab 4.6
 */
void
idtab_put(struct idtab *t, uint32_t id)
{
    assert(idtab_get(t, id));
    t->slot[id] = (uintptr_t)t->free << 1 | 1;
    t->free = id;
    t->used--;
}

void
idtab_free(struct idtab *t)
{
    kfree(t->slot);
    *t = (struct idtab){ 0 };
}
