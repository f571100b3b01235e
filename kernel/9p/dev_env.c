/*
 * dev_env.c - #e, the environment: a directory with a file for each variable
 * of the caller's environment group.
 *
 * There is one #e, and what is in it depends on who looks: a channel names a
 * variable by its qid.path, which is searched in the group of the running
 * process at each call.  So rfork's copies see their own values through a
 * name space that they share.
 *
 * A variable that is removed while it is open lives on, without a name, until
 * the last channel that opened it is closed.
 */
#include "9p/9p.h"

enum {
    MAX_VALUE = 64 << 10, /* bytes in one value */
    MAX_VARS = 1024,      /* variables of one group */
};

struct env_var {
    struct list link;
    uint64_t path; /* qid.path, never used again in its group */
    uint32_t vers;
    uint32_t opens; /* channels that opened it in this group */
    bool removed;   /* and kept only for those */
    size_t len;
    uint8_t *value; /* NULL if len is 0 */
    char name[MAX_NAME];
};

struct env_group {
    uint32_t ref;      /* [a] processes */
    struct qlock lock; /* all below */
    struct list vars;  /* oldest first */
    unsigned nvar;
    uint64_t last_path;
};

/* ---- groups ---- */

struct env_group *
env_new(void)
{
    struct env_group *g = kzalloc(sizeof *g);

    if (!g)
        return NULL;
    g->ref = 1;
    qlock_init(&g->lock, "environment");
    list_init(&g->vars);
    return g;
}

void
env_ref(struct env_group *g)
{
    __atomic_add_fetch(&g->ref, 1, __ATOMIC_RELAXED);
}

/* Take v off its group's list and free it; v may be on no list yet. */
static void
var_free(struct env_var *v)
{
    list_remove(&v->link);
    kfree(v->value);
    kfree(v);
}

void
env_unref(struct env_group *g)
{
    if (!g || __atomic_sub_fetch(&g->ref, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    while (!list_empty(&g->vars))
        var_free(LIST_FIRST(&g->vars, struct env_var, link));
    kfree(g);
}

/* A copy of one variable, on no list; NULL: no memory. */
static struct env_var *
var_copy(const struct env_var *from)
{
    struct env_var *v = kmalloc(sizeof *v);

    if (!v)
        return NULL;
    *v = *from;
    list_init(&v->link);
    v->opens = 0;
    if (v->len == 0)
        return v;
    v->value = kmalloc(v->len);
    if (!v->value) {
        kfree(v);
        return NULL;
    }
    memcpy(v->value, from->value, v->len);
    return v;
}

struct env_group *
env_copy(struct env_group *from)
{
    struct env_group *g = env_new();

    if (!g)
        return NULL;
    qlock(&from->lock);
    g->last_path = from->last_path;
    LIST_EACH(&from->vars, node)
    {
        struct env_var *v = CONTAINER_OF(node, struct env_var, link);

        if (v->removed)
            continue;
        v = var_copy(v);
        if (!v) {
            env_unref(g);
            g = NULL;
            break;
        }
        list_append(&g->vars, &v->link);
        g->nvar++;
    }
    qunlock(&from->lock);
    return g;
}

/* ---- finding variables; the caller holds the group's lock ---- */

static struct env_var *
var_by_path(struct env_group *g, uint64_t path)
{
    LIST_EACH(&g->vars, node)
    {
        struct env_var *v = CONTAINER_OF(node, struct env_var, link);

        if (v->path == path)
            return v;
    }
    return NULL;
}

static struct env_var *
var_by_name(struct env_group *g, const char *name)
{
    LIST_EACH(&g->vars, node)
    {
        struct env_var *v = CONTAINER_OF(node, struct env_var, link);

        if (!v->removed && strcmp(v->name, name) == 0)
            return v;
    }
    return NULL;
}

static struct env_var *
var_nth(struct env_group *g, int i)
{
    LIST_EACH(&g->vars, node)
    {
        struct env_var *v = CONTAINER_OF(node, struct env_var, link);

        if (!v->removed && i-- == 0)
            return v;
    }
    return NULL;
}

/* The caller's group, locked. */
static struct env_group *
my_env(void)
{
    struct env_group *g = my_files()->env;

    qlock(&g->lock);
    return g;
}

/*
 * The variable that c stands for, in the caller's group; if there is none, in
 * the one in which c was opened.  *g is that group, locked in any case.
 */
static struct env_var *
var_of(const struct chan *c, struct env_group **g)
{
    struct env_group *opened = (struct env_group *)c->aux;
    struct env_var *v;

    *g = my_env();
    v = var_by_path(*g, c->qid.path);
    if (v || !opened || opened == *g)
        return v;
    qunlock(&(*g)->lock);
    *g = opened;
    qlock(&opened->lock);
    return var_by_path(opened, c->qid.path);
}

/* ---- the device ---- */

static int
root_entry(struct devent *e)
{
    memset(e, 0, sizeof *e);
    strlcpy(e->name, "env", sizeof e->name);
    e->qid.type = QTDIR;
    e->perm = DMDIR | 0777;
    strlcpy(e->user, my_files()->user, sizeof e->user);
    return 1;
}

static void
var_entry(const struct env_var *v, struct devent *e)
{
    memset(e, 0, sizeof *e);
    strlcpy(e->name, v->name, sizeof e->name);
    e->qid.path = v->path;
    e->qid.vers = v->vers;
    e->perm = 0666;
    e->length = v->len;
    strlcpy(e->user, my_files()->user, sizeof e->user);
}

static int
env_gen(struct chan *c, const char *name, int i, struct devent *e)
{
    struct env_group *g;
    struct env_var *v;

    if (!name && (i == DEV_PARENT || (i == DEV_SELF && c->qid.path == 0)))
        return root_entry(e);
    if (!name && i == DEV_SELF) {
        v = var_of(c, &g);
    } else {
        g = my_env();
        v = name ? var_by_name(g, name) : var_nth(g, i);
    }
    if (v)
        var_entry(v, e);
    qunlock(&g->lock);
    return v != NULL;
}

/* Make the variable's value empty. */
static void
var_truncate(struct env_var *v)
{
    kfree(v->value);
    v->value = NULL;
    v->len = 0;
    v->vers++;
}

/* c opens v of group g, which is locked, and keeps g: c may be closed in a
 * process that has no group any more. */
static void
var_opened(struct chan *c, struct env_group *g, struct env_var *v)
{
    c->aux = (uint64_t)g;
    env_ref(g);
    v->opens++;
}

static int
env_walk(struct chan *from, struct chan *to, const char *const names[],
        unsigned n, struct qid qids[])
{
    int done = dev_walk(from, to, names, n, qids);

    to->aux = 0; /* that is its opener's alone */
    return done;
}

static int
env_open(struct chan *c, unsigned mode)
{
    int err = dev_open(c, mode & ~(unsigned)ORCLOSE);
    struct env_group *g;
    struct env_var *v;

    if (err < 0)
        return err;
    if (c->qid.path == 0)
        return mode & ORCLOSE ? -E_PERM : 0;
    g = my_env();
    v = var_by_path(g, c->qid.path);
    if (v && mode & OTRUNC)
        var_truncate(v);
    if (v)
        var_opened(c, g, v);
    qunlock(&g->lock);
    return v ? err : -E_NOEXIST;
}

/* A new variable in g, empty: 0, -E_EXIST, -E_MAXENV, -E_NOMEM. */
static int
var_add(struct env_group *g, const char *name, struct env_var **out)
{
    struct env_var *v;

    if (var_by_name(g, name))
        return -E_EXIST;
    if (g->nvar == MAX_VARS)
        return -E_MAXENV;
    v = kzalloc(sizeof *v);
    if (!v)
        return -E_NOMEM;
    strlcpy(v->name, name, sizeof v->name);
    v->path = ++g->last_path;
    list_append(&g->vars, &v->link);
    g->nvar++;
    *out = v;
    return 0;
}

static int
env_create(struct chan *c, const char *name, unsigned mode, uint32_t perm)
{
    struct env_group *g;
    struct env_var *v;
    int err;

    (void)mode; /* of ORCLOSE the channel tells at its close */
    if (c->qid.path != 0 || (perm & DMDIR))
        return -E_PERM;
    if (strlen(name) >= MAX_NAME)
        return -E_NAMELEN;
    g = my_env();
    err = var_add(g, name, &v);
    if (err == 0) {
        c->qid = (struct qid){ .path = v->path };
        var_opened(c, g, v);
    }
    qunlock(&g->lock);
    return err;
}

/* v of group g, which is locked, has lost its name or an opener: free it if
 * nothing needs it any more. */
static void
var_check_end(struct env_group *g, struct env_var *v)
{
    if (!v->removed || v->opens > 0)
        return;
    var_free(v);
    g->nvar--;
}

static int
env_remove(struct chan *c)
{
    struct env_group *g;
    struct env_var *v;
    bool found;

    if (c->qid.path == 0)
        return -E_PERM;
    g = my_env();
    v = var_by_path(g, c->qid.path);
    found = v && !v->removed;
    if (found) {
        v->removed = true;
        var_check_end(g, v);
    }
    qunlock(&g->lock);
    return found ? 0 : -E_NOEXIST;
}

static void
env_close(struct chan *c)
{
    struct env_group *g = (struct env_group *)c->aux;
    struct env_var *v;

    if (!g)
        return;
    qlock(&g->lock);
    v = var_by_path(g, c->qid.path); /* there, since c has it open */
    v->opens--;
    v->removed = v->removed || c->flags & CHAN_ORCLOSE;
    var_check_end(g, v);
    qunlock(&g->lock);
    env_unref(g);
}

static int64_t
env_read(struct chan *c, struct io *to, uint64_t offset)
{
    struct env_group *g;
    struct env_var *v;
    int64_t n = -E_NOEXIST;

    if (c->qid.path == 0)
        return dev_read_dir(c, to, offset);
    v = var_of(c, &g);
    if (v)
        n = io_put_text(to, offset, (const char *)v->value, v->len);
    qunlock(&g->lock);
    return n;
}

/* Write into a copy of the value, which then takes its place: what fails
 * changes nothing. */
static int64_t
var_write(struct env_var *v, struct io *from, uint64_t offset)
{
    size_t n = from->left, end, len;
    uint8_t *value;
    int err;

    if (n == 0)
        return 0;
    if (offset > MAX_VALUE || n > MAX_VALUE - offset)
        return -E_BADLEN;
    end = offset + n;
    len = end > v->len ? end : v->len;
    value = kzalloc(len);
    if (!value)
        return -E_NOMEM;
    memcpy(value, v->value, v->len);
    err = io_get(from, value + offset, n);
    if (err < 0) {
        kfree(value);
        return err;
    }
    kfree(v->value);
    v->value = value;
    v->len = len;
    v->vers++;
    return (int64_t)n;
}

static int64_t
env_write(struct chan *c, struct io *from, uint64_t offset)
{
    struct env_group *g;
    struct env_var *v = var_of(c, &g);
    int64_t n = v ? var_write(v, from, offset) : -E_NOEXIST;

    qunlock(&g->lock);
    return n;
}

const struct dev env_dev = {
    .letter = 'e',
    .name = "env",
    .gen = env_gen,
    .walk = env_walk,
    .open = env_open,
    .create = env_create,
    .close = env_close,
    .read = env_read,
    .write = env_write,
    .remove = env_remove,
};
