/*
 * fcall_print.c - one 9P message as a line of text, from the same tables.
 *
 * Nothing from outside reaches a terminal raw: control characters and what
 * is no ASCII show as '.', and long strings and data are cut.
 */
#include "boot/format.h"
#include "9p/layout.h"

enum {
    MAX_SHOWN = 32 /* bytes of a string or of data that are shown */
};

static void __attribute__((format(printf, 2, 3)))
put(struct sink *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    format(s, fmt, &args);
    va_end(args);
}

static void
put_bytes(struct sink *s, const char *text, size_t n)
{
    for (size_t i = 0; i < n && i < MAX_SHOWN; i++)
        sink_put(s, text[i] >= ' ' && text[i] <= '~' ? text[i] : '.');
    if (n > MAX_SHOWN)
        put(s, "...");
}

static void
put_text_shown(struct sink *s, const char *text)
{
    size_t n = 0;

    while (text != NULL && text[n] != '\0')
        n++;
    sink_put(s, '\'');
    put_bytes(s, text, n);
    sink_put(s, '\'');
}

static void
put_qid(struct sink *s, const struct qid *q)
{
    static const char letters[] = "daxmAt"; /* QTDIR down to QTTMP */

    put(s, "%lx.%u", q->path, q->vers);
    for (unsigned i = 0; letters[i] != '\0'; i++)
        if (q->type & (QTDIR >> i))
            sink_put(s, letters[i]);
}

static void
put_entry(struct sink *s, const struct fcall *f)
{
    char strs[256];
    struct dir d;

    if (f->nstat > sizeof(strs) || dir_unpack(f->stat, f->nstat, &d, strs) < 0)
        return;
    sink_put(s, ' ');
    put_text_shown(s, d.name);
    put(s, " mode %o length %ld qid ", d.mode, (long)d.length);
    put_qid(s, &d.qid);
}

/* What comes after a count: names, qids, data, an entry. */
static void
put_many(struct sink *s, enum kind kind, const struct fcall *f)
{
    switch (kind) {
    case NAMES:
        put(s, "%u", f->nwname);
        for (unsigned i = 0; i < f->nwname && i < MAXWELEM; i++) {
            sink_put(s, ' ');
            put_text_shown(s, f->wname[i]);
        }
        break;
    case IDS:
        put(s, "%u", f->nwqid);
        for (unsigned i = 0; i < f->nwqid && i < MAXWELEM; i++) {
            sink_put(s, ' ');
            put_qid(s, &f->wqid[i]);
        }
        break;
    case DATA:
        put(s, "%u", f->count);
        if (f->data == NULL) /* they are elsewhere */
            break;
        put(s, " '");
        put_bytes(s, (const char *)f->data, f->count);
        sink_put(s, '\'');
        break;
    default: put(s, "%u", f->nstat); put_entry(s, f);
    }
}

static void
put_number_shown(struct sink *s, const struct field *field, const void *member)
{
    switch (field->kind) {
    case U8: put(s, "%u", *(const uint8_t *)member); break;
    case U16: put(s, "%u", *(const uint16_t *)member); break;
    case U32:
        if (field->at == offsetof(struct fcall, perm))
            put(s, "%o", *(const uint32_t *)member);
        else /* NOFID is -1 */
            put(s, "%d", *(const int32_t *)member);
        break;
    default: put(s, "%lu", *(const uint64_t *)member);
    }
}

static void
put_field(struct sink *s, const struct field *field, const struct fcall *f)
{
    const void *member = (const char *)f + field->at;

    put(s, " %s ", field->name);
    switch (field->kind) {
    case ID: put_qid(s, member); break;
    case TEXT:
    case NAME: put_text_shown(s, *(const char *const *)member); break;
    case NAMES:
    case IDS:
    case DATA:
    case STAT: put_many(s, field->kind, f); break;
    default: put_number_shown(s, field, member);
    }
}

/* One string, so that no table needs an address put into it. */
static const char names[] =
        "version\0auth\0attach\0error\0flush\0walk\0open\0create\0read\0"
        "write\0clunk\0remove\0stat\0wstat";

const char *
fcall_verb(uint8_t type)
{
    const char *name = names;

    if (fcall_layout(type) == NULL)
        return NULL;
    for (unsigned i = (type - Tversion) / 2; i > 0; i--)
        while (*name++ != '\0')
            ;
    return name;
}

size_t
fcall_text(const struct fcall *f, char *out, size_t room)
{
    struct sink s = { .buf = out, .room = room > 0 ? room - 1 : 0 };
    const char *verb = fcall_verb(f->type);

    if (verb == NULL)
        put(&s, "type %u tag %u", f->type, f->tag);
    else
        put(&s, "%c%s tag %u", fcall_is_t(f->type) ? 'T' : 'R', verb, f->tag);
    if (verb != NULL)
        for (const struct field *row = fcall_layout(f->type); row->kind != END;
                row++)
            put_field(&s, row, f);
    if (room > 0)
        out[s.used] = '\0';
    return s.total;
}
