/*
 * tree.h - a file server whose files are a tree in memory: every rule of
 * section 5 about names, permissions and directories is kept here.
 *
 * A server fills struct tree_ops with what is special about its files'
 * contents, puts files in with tree_add, and serves tree_srv_ops with the
 * tree as server.aux.  One process at a time; no locks.
 *
 * A file lives while it is in the tree or a fid stands for it.  Through such a
 * fid one that was removed can still be opened, read, written and described; it
 * has no name and no directory, and its qid is never another file's.
 */
#pragma once

#include "lib/9p/srv.h"

struct tree;
struct cursor;

struct file {
    struct slot slot; /* key: hash of parent and name; in tree->names */
    struct tree *tree;
    struct file *parent;       /* the root's is itself; NULL once removed */
    struct file *first, *last; /* of a directory: what is in it, oldest first */
    struct file *next, *prev;  /* in its directory */
    struct cursor *cursors;    /* who reads this directory */
    uint32_t ref;              /* fids, and 1 while it is in the tree */
    uint32_t opens;            /* fids that have it open */
    struct qid qid;
    uint32_t mode;
    uint32_t atime, mtime;
    uint64_t length; /* kept by the server's write and resize */
    char *name;
    char uid[SRV_USER], gid[SRV_USER], muid[SRV_USER];
    void *aux; /* the server's */
};

struct tree_ops { /* what is left out: files are empty, nothing is kept */
    /* As srv_ops's; permission and range were checked. */
    int (*read)(struct req *r, struct file *f);
    int (*write)(struct req *r, struct file *f);
    /* Make f length bytes long; what is new is 0. */
    int (*resize)(struct file *f, uint64_t length);
    /* f is no more: it left the tree, and the last fid: give back f->aux. */
    void (*gone)(struct file *f);
    bool may_create; /* clients may make, rename and remove files */
};

struct tree {
    const struct tree_ops *ops;
    struct file *root;
    struct table names;
    uint64_t next_path;   /* of qids: never used twice */
    uint64_t used, limit; /* bytes that files and contents take; at most */
};

extern const struct srv_ops tree_srv_ops;

/* tree.c: the tree */
int tree_begin(struct tree *t, const struct tree_ops *ops, uint64_t limit);
void tree_end(struct tree *t);
int tree_add(struct file *dir, const char *name, const char *user,
        uint32_t mode, struct file **out);
struct file *tree_find(struct file *dir, const char *name);
int name_new(struct tree *t, const char *name, char **out);
void name_free(struct tree *t, char *name);
void tree_rename(struct file *f, char *name);
void tree_remove(struct file *f);
void file_ref(struct file *f);
void file_unref(struct file *f);
int tree_charge(struct tree *t, uint64_t n);
void tree_refund(struct tree *t, uint64_t n);
void file_changed(struct file *f, const char *user);

/* users.c: who is in which group */
extern const char *users_file; /* "/etc/users", unless set before tree_begin */
void users_load(void); /* words on descriptor 2 about lines that are wrong */
bool user_is(const char *user, const char *who); /* this one, and not none */
bool user_in(const char *user, const char *group);
bool user_leads(const char *user, const char *group);

/* perm.c: who may do what */
bool file_permits(const struct file *f, const char *user, unsigned want);
bool file_owned(const struct file *f, const char *user);
bool file_may_regroup(const struct file *f, const char *user, const char *gid);
uint32_t create_perm(uint32_t perm, uint32_t dir_mode);

/* tree_dir.c: reading a directory */
int tree_read_dir(struct req *r, struct fid *fid);
int cursor_new(struct fid *fid);
void cursor_end(struct fid *fid);
void cursors_skip(struct file *dir, struct file *leaving);
void file_dir(const struct file *f, struct dir *d);

/* tree_wstat.c */
int tree_wstat(struct fid *fid, const struct dir *d);
