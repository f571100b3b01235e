/*
 * show.c - name spaces and open files as text, for /proc and #d.
 *
 * The text of a name space is a script: the binds and mounts that make it,
 * in an order in which they can be run again.  A path stands in quotes where
 * the shell would see more in it than a word: names come from servers.
 */
#include "9p/private.h"

struct text { /* where it goes; what does not fit is counted */
    char *buf;
    size_t room, len;
};

static void
add(struct text *t, const char *s)
{
    if (t->len < t->room)
        strlcpy(t->buf + t->len, s, t->room - t->len);
    t->len += strlen(s);
}

/* ---- open files ---- */

int
fd_line(int fd, const struct chan *c, char *buf, size_t n)
{
    static const char modes[][3] = {
        [OREAD] = "r", [OWRITE] = "w", [ORDWR] = "rw", [ORDWR + 1] = "-"
    };
    unsigned mode = c->mode == CHAN_NOT_OPEN ? ORDWR + 1 : c->mode;
    char path[MAX_PATH];

    path_text(c->path, path, sizeof path);
    snprint(buf, n, "%3d %-2s %c %4u (%016lx %u %02x) %8lu %s\n", fd,
            modes[mode], c->dev->letter, c->devno, c->qid.path, c->qid.vers,
            c->qid.type, c->offset, path);
    return (int)strlen(buf);
}

/* What process pid has, with a reference to each; -E_NOPROC. */
static int
groups_of(uint32_t pid, struct fd_table **fds, struct name_space **ns,
        struct chan **dot)
{
    struct proc *p;
    int err = -E_NOPROC;

    spin_lock(&proctab_lock);
    p = proc_find(pid);
    if (p && p->files && p->files->fds) {
        *fds = p->files->fds;
        *ns = p->files->ns;
        *dot = p->files->dot;
        fds_ref(*fds);
        ns_ref(*ns);
        chan_ref(*dot);
        err = 0;
    }
    spin_unlock(&proctab_lock);
    return err;
}

/* The current directory, then a line an open file. */
int64_t
fds_text(uint32_t pid, char *buf, size_t n)
{
    struct text t = { .buf = buf, .room = n };
    struct fd_table *fds;
    struct name_space *ns;
    struct chan *dot, *c;
    char line[2 * MAX_PATH];
    int err = groups_of(pid, &fds, &ns, &dot);

    if (err)
        return err;
    path_text(dot->path, line, sizeof line);
    add(&t, line);
    add(&t, "\n");
    for (int fd = 0; (c = fds_next(fds, &fd)); fd++) {
        fd_line(fd, c, line, sizeof line);
        add(&t, line);
        chan_close(c);
    }
    fds_unref(fds);
    ns_unref(ns);
    chan_close(dot);
    return (int64_t)t.len;
}

/* ---- name spaces ---- */

static bool
is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '-' ||
           c == '_' || c == '+' || c == ',' || c == ':' || (c & 0x80) != 0;
}

/* A word of the shell: as it is, or 'in quotes', in which '' is a quote. */
static void
add_word(struct text *t, const char *word)
{
    const char *p = word;
    char c[3] = "";

    while (is_plain(*p))
        p++;
    if (*p == '\0' && p != word) {
        add(t, word);
        return;
    }
    add(t, "'");
    for (p = word; *p != '\0'; p++) {
        c[0] = *p;
        c[1] = *p == '\'' ? '\'' : '\0';
        add(t, c);
    }
    add(t, "'");
}

static void
add_path(struct text *t, const struct path *p)
{
    char path[MAX_PATH];

    path_text(p, path, sizeof path);
    add_word(t, path);
}

/* A path that begins at a stream, and has come no further: see
 * sys_ns.c:mount_path. */
static bool
is_mount(const struct path *p)
{
    return p && p->up && !p->up->up && strcmp(p->up->name, "/") != 0;
}

/* One part of what is bound at `place`: order is "", "b" or "a". */
static void
add_bind(struct text *t, const struct join_part *part, const char *order,
        const struct path *place)
{
    const struct path *p = part->to->path;
    bool mounted = part->to->dev->letter == 'M' && is_mount(p);
    char flags[8] = " ";

    if (order[0] || part->flags & MCREATE)
        snprint(flags, sizeof flags, " -%s%s ", order,
                part->flags & MCREATE ? "c" : "");
    add(t, mounted ? "mount" : "bind");
    add(t, flags);
    add_path(t, mounted ? p->up : p);
    add(t, " ");
    add_path(t, place);
    if (mounted && p->name[0]) {
        add(t, " ");
        add_word(t, p->name);
    }
    add(t, "\n");
}

/*
 * All that is bound at `from`: what stands before the place itself in reverse
 * order, each before the last, then the rest, each after the last.
 */
static void
add_place(struct text *t, const struct chan *from, const struct join *j)
{
    const struct path *place = from->path;
    unsigned self = 0;

    while (self < j->n && !chan_same_file(j->part[self].to, from))
        self++;
    if (self == j->n) {
        self = 0;
        add_bind(t, &j->part[0], "", place);
    }
    for (unsigned i = self; i-- > 0;)
        add_bind(t, &j->part[i], "b", place);
    for (unsigned i = self + 1; i < j->n; i++)
        add_bind(t, &j->part[i], "a", place);
}

int64_t
ns_text(uint32_t pid, char *buf, size_t n)
{
    struct text t = { .buf = buf, .room = n };
    struct fd_table *fds;
    struct name_space *ns;
    struct chan *dot, *from;
    struct join *j;
    uint64_t serial = 0;
    int err = groups_of(pid, &fds, &ns, &dot);

    if (err)
        return err;
    while (ns_next_place(ns, &serial, &from, &j)) {
        add_place(&t, from, j);
        chan_close(from);
        join_unref(j);
    }
    add(&t, "cd ");
    add_path(&t, dot->path);
    add(&t, "\n");
    fds_unref(fds);
    ns_unref(ns);
    chan_close(dot);
    return (int64_t)t.len;
}

int
proc_user(uint32_t pid, char user[MAX_NAME])
{
    struct proc *p;
    int err = -E_NOPROC;

    spin_lock(&proctab_lock);
    p = proc_find(pid);
    if (p && p->files) {
        strlcpy(user, p->files->user, MAX_NAME);
        err = 0;
    }
    spin_unlock(&proctab_lock);
    return err;
}
