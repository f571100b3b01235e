/*
 * p9_siege.c - programs that ask for what no honest one would: the kernel
 * stays, its other processes do not wait for them, and nothing is lost.
 */
#include "p9_server.h"

enum {
    MS = 1000000,
    PLACES = 120, /* at 64 bytes of stack each, more than there is */
};

/* ---- name spaces ---- */

static const char *
place(int i)
{
    static char name[32];

    snprint(name, sizeof name, "/n/%d", i);
    return name;
}

/*
 * Each directory is bound where the current one stands, whose union so comes
 * to hold the one before: a chain that ends only with its last part.
 */
static void
bind_a_chain(void)
{
    MUST(rfork(RFNAMEG) == 0);
    for (int i = 0; i < PLACES; i++)
        close(create(place(i), OREAD, DMDIR | 0755));
    MUST(bind("/n/1", "/n/0", MREPL) == 0);
    MUST(chdir("/n/0") == 0);
    for (int i = 2; i < PLACES; i++) {
        MUST(bind(place(i), ".", MBEFORE) == 0);
        MUST(chdir(place(i - 1)) == 0);
    }
    MUST(chdir("/") == 0);
    for (int i = 0; i < PLACES; i++)
        unmount(NULL, place(i));
}

/* Unions in unions, as many as one likes, can be given back. */
TEST(chain_of_unions)
{
    MUST(bind("#/", "/", MREPL) == 0);
    check_gives_back(bind_a_chain);
}
