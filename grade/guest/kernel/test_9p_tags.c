/*
 * test_9p_tags.c - numbers for pointers, and the answer that finds its
 * question by them.
 */
#include "9p_script.h"

/* The number given back last is the next; none is used twice at once. */
KTEST(ids_reuse)
{
    struct idtab t = { 0 };
    static int things[100];
    uint32_t id;

    for (uint32_t i = 0; i < 100; i++) {
        CHECK_EQ(idtab_take(&t, 1000, &things[i], &id), 0);
        CHECK_EQ(id, i);
    }
    CHECK_EQ(t.used, 100);
    for (uint32_t i = 0; i < 100; i++)
        CHECK(idtab_get(&t, i) == &things[i]);
    idtab_put(&t, 70);
    idtab_put(&t, 20);
    CHECK_EQ(idtab_take(&t, 1000, &things[1], &id), 0);
    CHECK_EQ(id, 20);
    CHECK_EQ(idtab_take(&t, 1000, &things[2], &id), 0);
    CHECK_EQ(id, 70);
    CHECK_EQ(idtab_take(&t, 1000, &things[3], &id), 0);
    CHECK_EQ(id, 100);
    CHECK(idtab_get(&t, 20) == &things[1]);
    CHECK_EQ(t.used, 101);
    idtab_free(&t);
}

/* Any number that a server may say. */
KTEST(ids_not_in_use)
{
    struct idtab t = { 0 };
    static int thing;
    uint32_t id;

    CHECK(idtab_get(&t, 0) == NULL);
    CHECK(idtab_get(&t, UINT32_MAX) == NULL);
    CHECK_EQ(idtab_take(&t, 10, &thing, &id), 0);
    CHECK_EQ(idtab_take(&t, 10, &thing, &id), 0);
    CHECK(idtab_get(&t, 2) == NULL);
    CHECK(idtab_get(&t, 15) == NULL);
    CHECK(idtab_get(&t, 16) == NULL);
    idtab_put(&t, 0);
    CHECK(idtab_get(&t, 0) == NULL);
    idtab_put(&t, 1);
    CHECK(idtab_get(&t, 0) == NULL);
    CHECK(idtab_get(&t, 1) == NULL);
    CHECK_EQ(t.used, 0);
    idtab_free(&t);
}

/* At the limit nothing changes, and what comes back can be taken again. */
KTEST(ids_limit)
{
    struct idtab t = { 0 };
    static int thing;
    uint32_t id = 77;

    for (uint32_t i = 0; i < 33; i++)
        CHECK_EQ(idtab_take(&t, 33, &thing, &id), 0);
    id = 77;
    CHECK_EQ(idtab_take(&t, 33, &thing, &id), -E_NOMEM);
    CHECK_EQ(id, 77);
    CHECK_EQ(t.used, 33);
    idtab_put(&t, 11);
    CHECK_EQ(idtab_take(&t, 33, &thing, &id), 0);
    CHECK_EQ(id, 11);
    idtab_free(&t);
}

/* ---- requests ---- */

/* A request of this type, its message sent. */
static struct request *
ask(uint8_t type)
{
    struct rpc x = { .conn = script.conn, .f = { .type = type, .count = 10 } };
    struct request *r;
    struct block *b = block_new(7);

    spin_lock(&script.conn->lock);
    r = request_new(&x);
    spin_unlock(&script.conn->lock);
    b->len = 7;
    memset(b->data, 0, 7);
    b->data[4] = type;
    b->data[5] = (uint8_t)r->tag;
    CHECK_EQ(r->tag, x.f.tag);
    CHECK_EQ(request_send(r, b), 0);
    return r;
}

static const char *
answer(uint8_t type, uint16_t tag)
{
    struct block *b = block_new(16);

    b->len = 7;
    memset(b->data, 0, 7);
    b->data[0] = 7;
    b->data[4] = type;
    b->data[5] = (uint8_t)tag;
    b->data[6] = (uint8_t)(tag >> 8);
    return deliver(script.conn, b);
}

static void
over(struct request *r)
{
    spin_lock(&script.conn->lock);
    request_free(r);
    spin_unlock(&script.conn->lock);
}

static bool
is_lie(const char *lie, const char *want)
{
    return lie != NULL && strcmp(lie, want) == 0;
}

/* Answers in another order than the questions. */
KTEST(tags_any_order)
{
    struct request *r[5];

    script_begin(8192);
    for (unsigned i = 0; i < 5; i++)
        r[i] = ask(Tread);
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < i; k++)
            CHECK_NE(r[i]->tag, r[k]->tag);
    for (unsigned i = 0; i < 5; i++) {
        unsigned n = (3 * i + 2) % 5;

        CHECK(answer(Rread, r[n]->tag) == NULL);
        CHECK(r[n]->answered && r[n]->reply);
        if (r[n]->reply)
            CHECK_EQ(r[n]->reply->data[5], r[n]->tag);
    }
    for (unsigned i = 0; i < 5; i++)
        over(r[i]);
    CHECK_EQ(script.conn->used[CHARGE_TAGS], 0);
    script_end();
}

/* A tag is free when its request is over, not when it is answered. */
KTEST(tags_reuse)
{
    struct request *a, *b, *c;
    uint16_t tag;

    script_begin(8192);
    a = ask(Tstat);
    tag = a->tag;
    CHECK(answer(Rstat, tag) == NULL);
    b = ask(Tstat);
    CHECK_NE(b->tag, tag);
    over(a);
    c = ask(Tclunk);
    CHECK_EQ(c->tag, tag);
    CHECK_EQ(script.conn->used[CHARGE_TAGS], 2);
    CHECK(answer(Rclunk, tag) == NULL);
    CHECK(answer(Rerror, b->tag) == NULL);
    over(b);
    over(c);
    script_end();
}

/* A server that makes tags up, or answers twice, or something else. */
KTEST(tags_lies)
{
    struct request *r, *q;

    script_begin(8192);
    CHECK(is_lie(answer(Rread, 0), "answer with an unknown tag"));
    r = ask(Tread);
    q = ask(Tflush);
    CHECK(is_lie(answer(Rread, 900), "answer with an unknown tag"));
    CHECK(is_lie(answer(Rread, 0xfffe), "answer with an unknown tag"));
    CHECK(is_lie(answer(Rread, NOTAG), "answer with an unknown tag"));
    CHECK(is_lie(answer(Rwrite, r->tag), "answer of the wrong type"));
    CHECK(is_lie(answer(Tread, r->tag), "answer of the wrong type"));
    CHECK(is_lie(answer(Rerror, q->tag), "answer of the wrong type"));
    CHECK(!r->answered && !r->reply && !q->answered);
    CHECK(answer(Rread, r->tag) == NULL);
    CHECK(is_lie(answer(Rread, r->tag), "second answer with one tag"));
    CHECK(r->reply != NULL);
    over(r);
    over(q);
    script_end();
}

/* What was taken but not sent cannot be answered. */
KTEST(tags_unsent)
{
    struct rpc x = { .f = { .type = Tread } };
    struct request *r;

    x.conn = script_begin(8192);
    spin_lock(&script.conn->lock);
    r = request_new(&x);
    spin_unlock(&script.conn->lock);
    CHECK(is_lie(answer(Rread, r->tag), "answer with an unknown tag"));
    CHECK(!r->reply);
    over(r);
    script_end();
}

/* Tversion has NOTAG, which no other message has, and which costs nothing. */
KTEST(tags_version)
{
    struct request *v, *r;

    script_begin(8192);
    v = ask(Tversion);
    CHECK_EQ(v->tag, NOTAG);
    CHECK_EQ(script.conn->used[CHARGE_TAGS], 0);
    r = ask(Tread);
    CHECK_NE(r->tag, NOTAG);
    CHECK_EQ(script.conn->used[CHARGE_TAGS], 1);
    CHECK(answer(Rversion, NOTAG) == NULL);
    CHECK(v->reply && !r->reply);
    over(v);
    over(r);
    CHECK_EQ(script.conn->used[CHARGE_TAGS], 0);
    script_end();
}

/* All the tags that there are, and no memory lost. */
KTEST(tags_all_of_them)
{
    struct rpc x = { .f = { .type = Tread } };
    static struct request *r[NOTAG];
    struct idtab *t;

    x.conn = script_begin(8192);
    t = &script.conn->tags;
    spin_lock(&script.conn->lock);
    for (unsigned n = 1; n <= 2; n++) { /* the request, the table of tags */
        page_fail_at(n);
        CHECK(request_new(&x) == NULL);
        page_fail_at(0);
        CHECK_EQ(script.conn->used[CHARGE_TAGS], 0);
    }
    for (unsigned i = 0; i < NOTAG; i++)
        r[i] = request_new(&x);
    CHECK(r[NOTAG - 1] != NULL);
    CHECK(request_new(&x) == NULL);
    CHECK_EQ(t->used, NOTAG);
    CHECK_EQ(script.conn->used[CHARGE_TAGS], NOTAG);
    for (unsigned i = 0; i < NOTAG; i++)
        if (r[i])
            request_free(r[i]);
    CHECK_EQ(t->used, 0);
    spin_unlock(&script.conn->lock);
    script_end();
}
