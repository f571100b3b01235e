/*
 * show.c - name spaces and open files as text, for /proc and #d.
 *
 * The text of a name space is a script: the binds and mounts that make it,
 * in an order in which they can be run again.
 */
#include "9p/private.h"

struct text { /* where it goes; what does not fit is counted */
    char *buf;
    size_t room, len;
};

static void
add(struct text *t, const char *fmt, ...)
{
    char line[3 * MAX_PATH];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprint(line, sizeof line, fmt, args);
    va_end(args);
    if ((size_t)n >= sizeof line)
        n = sizeof line - 1;
    if (t->len < t->room)
        strlcpy(t->buf + t->len, line, t->room - t->len);
    t->len += (size_t)n;
}

/* ---- open files ---- */

int
fd_line(int fd, const struct chan *c, char *buf, size_t n)
{
    static const char modes[][3] = {
        [OREAD] = "r", [OWRITE] = "w", [ORDWR] = "rw"
    };
    char path[MAX_PATH];

    path_text(c->path, path, sizeof path);
    snprint(buf, n, "%3d %-2s %c %4u (%016lx %u %02x) %8lu %s\n", fd,
            modes[c->mode], c->dev->letter, c->devno, c->qid.path, c->qid.vers,
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
    add(&t, "%s\n", line);
    for (int fd = 0; (c = fds_next(fds, &fd)); fd++) {
        fd_line(fd, c, line, sizeof line);
        add(&t, "%s", line);
        chan_close(c);
    }
    fds_unref(fds);
    ns_unref(ns);
    chan_close(dot);
    return (int64_t)t.len;
}

/* ---- name spaces ---- */

/* One part of what is bound at `place`: order is "", "b" or "a". */
static void
add_bind(struct text *t, const struct join_part *part, const char *order,
        const char *place)
{
    char what[MAX_PATH], flags[4] = "";
    const struct path *p = part->to->path;

    snprint(flags, sizeof flags, "%s%s", order,
            part->flags & MCREATE ? "c" : "");
    path_text(p && part->to->dev->letter == 'M' ? p->up : p, what, sizeof what);
    add(t, "%s %s%s%s%s %s", part->to->dev->letter == 'M' ? "mount" : "bind",
            flags[0] ? "-" : "", flags, flags[0] ? " " : "", what, place);
    if (part->to->dev->letter == 'M' && p && p->name[0])
        add(t, " %s", p->name);
    add(t, "\n");
}

/*
 * All that is bound at `from`: what stands before the place itself in reverse
 * order, each before the last, then the rest, each after the last.
 */
static void
add_place(struct text *t, const struct chan *from, const struct join *j)
{
    char place[MAX_PATH];
    unsigned self = 0;

    path_text(from->path, place, sizeof place);
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
    char path[MAX_PATH];
    uint64_t serial = 0;
    int err = groups_of(pid, &fds, &ns, &dot);

    if (err)
        return err;
    while (ns_next_place(ns, &serial, &from, &j)) {
        add_place(&t, from, j);
        chan_close(from);
        join_unref(j);
    }
    path_text(dot->path, path, sizeof path);
    add(&t, "cd %s\n", path);
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
