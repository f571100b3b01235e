/*
 * sh.h - contents page of the shell, in the order in which a line goes
 * through it: edit.c reads it, lex.c cuts it into tokens, parse.c
 * makes a tree of them, run.c walks the tree, with expand.c and
* glob.c for what stands in words, builtin.c and jobs.c for
 * commands.  sh.c holds all that together.
 */
#pragma once

#include "lib/lux.h"
#include "lib/file.h"

/* ---- mem.c: memory that goes when a command is done ---- */

struct chunk;
struct chunk *mem_mark(void);         /* what mem_release goes back to */
void mem_release(struct chunk *mark); /* frees all since that mark */
void *mem_alloc(size_t n);            /* zeroed; never NULL */
char *mem_copy(const char *s, size_t n);

/* A text that grows; `n` bytes and a NUL, malloc'ed. */
struct text {
    char *s;
    size_t n, room;
};
void text_put(struct text *t, char c);
void text_add(struct text *t, const char *s, size_t n);
char *text_done(struct text *t); /* a mem_copy of it; t is empty again */

/* A list of strings that grows; v[n] is NULL. */
struct list {
    char **v;
    int n, room;
};
void list_add(struct list *l, char *s);

/* ---- lex.c ---- */

enum token {
    TOK_END,     /* no more text */
    TOK_NEWLINE, /* so that `;` may be left out at the end of a line */
    TOK_WORD,
    TOK_SEMI,   /* ; */
    TOK_BACK,   /* & */
    TOK_AND,    /* && */
    TOK_OR,     /* || */
    TOK_PIPE,   /* | */
    TOK_OPEN,   /* ( */
    TOK_CLOSE,  /* ) */
    TOK_IN,     /* [fd]< */
    TOK_OUT,    /* [fd]> */
    TOK_APPEND, /* [fd]>> */
    TOK_DUP,    /* [fd]>&fd */
    TOK_MORE,   /* a quote or bracket is open at the end of the text */
};

struct lexer {
    const char *at;    /* behind the token */
    const char *start; /* of the token, quotes and all */
    enum token token;
    int fd; /* of a redirection; -1: none was written */
};

void lex_next(struct lexer *l);

/* Behind the `)` that fits a "$(" or "(" before p; NULL: it is missing. */
const char *skip_parens(const char *p);

/* ---- parse.c ---- */

enum node_kind {
    NODE_SIMPLE, /* words, assignments and redirections */
    NODE_PIPE,   /* left | right */
    NODE_AND,    /* left && right */
    NODE_OR,     /* left || right */
    NODE_NOT,    /* ! left */
    NODE_SEQ,    /* left ; right, which may be the next NODE_SEQ */
    NODE_BACK,   /* left & */
    NODE_GROUP,  /* { left } */
    NODE_SUB,    /* ( left ) */
    NODE_IF,     /* if left then right else other */
    NODE_WHILE,  /* while left do right */
    NODE_FOR,    /* for name in words do right */
};

struct word {
    struct word *next;
    char *text; /* as written */
};

struct redir {
    struct redir *next;
    enum token kind;
    int fd;
    char *target; /* as written: a file, or for TOK_DUP a number */
};

struct node {
    enum node_kind kind;
    struct node *left, *right, *other;
    struct word *words;
    struct redir *redirs; /* of NODE_SIMPLE, GROUP, SUB, IF, WHILE, FOR */
    char *name;           /* NODE_FOR: variable; NODE_BACK: as written */
    bool until;           /* NODE_WHILE: until */
    bool args;            /* NODE_FOR: no `in`: the arguments of the script */
};

enum {
    MAX_STAGES = 32 /* of a pipe */
};

enum parsed {
    PARSE_OK,   /* *tree, which is NULL if the line is empty */
    PARSE_MORE, /* the text ends inside of a command */
    PARSE_ERROR /* it has been told */
};

/* One command line of *text, and step *text behind it. */
enum parsed parse_line(const char **text, struct node **tree);

/* ---- expand.c: $x, $(...), quotes, then patterns ---- */

void expand_word(const char *word, struct list *out); /* any number of words */
char *expand_one(const char *word);                   /* always one */

/* In expanded text, before a character that is itself: no pattern. */
#define LITERAL '\001'

/* ---- glob.c ---- */

/* The files that pattern fits, or else the pattern itself. */
void glob(const char *pattern, struct list *out);

/* ---- var.c: variables, which are files of #e, and $1 $# $* $status ---- */

extern char status[MAX_ERR]; /* exit string of the last command: "": success */
void status_set(const char *msg);

char *var_get(const char *name, size_t n); /* mem_alloc'ed; NULL: unset */
bool var_set(const char *name, const char *value);
bool var_name_ok(const char *name, size_t n);
size_t var_assigned(const char *word); /* "x=...": length of x, else 0 */

extern char **args; /* $0 $1 ..., NULL behind the last */

/* ---- run.c ---- */

void run(struct node *tree);               /* leaves status */
NORETURN void run_last(struct node *tree); /* in a child: run it and end */
void run_text(const char *text, const char *name);
bool run_file(const char *path); /* false: it could not be read */

/* What a command has asked its loops and the shell to do. */
extern enum leave {
    LEAVE_NOT,
    LEAVE_BREAK,
    LEAVE_CONTINUE,
    LEAVE_SHELL
} leaving;

/* ---- redir.c ---- */

enum {
    MAX_SAVED = 8
};
struct saved { /* descriptors as they were before a command's redirections */
    int n;
    struct {
        int fd, copy; /* copy -1: fd was closed */
    } at[MAX_SAVED];
};
bool redirect(struct redir *r, struct saved *s); /* s NULL: for good */
void redirect_undo(struct saved *s);

/* ---- builtin.c ---- */

typedef void builtin_fn(char **words);
builtin_fn *builtin_find(const char *name);

/* ---- jobs.c: children ---- */

extern bool interactive; /* reads the console, has jobs in note groups */
extern volatile bool interrupted;

enum job_flags {
    JOB_BACKGROUND = 1,
    JOB_OWN_VARIABLES = 2, /* what it sets is not ours */
};
int job_fork(unsigned flags); /* as fork; the child is ready to run_last */
void wait_for_all(const int *pids, int n); /* status: the last one's */
void job_add(int pid, const char *text);
void jobs_reap(void); /* tell of those that are done */
void jobs_forget(void);
void on_note(struct ureg *ureg, char *note);
NORETURN void leave(void);   /* with `status` as exit string */
void job_exec(char **words); /* become the program; returns if it failed */

builtin_fn list_jobs, wait_jobs, job_foreground;

/* ---- keys.c: what is typed at the console, in raw mode ---- */

enum key { /* below ' ' the byte itself */
    KEY_NONE = 0,
    CTRL_A = 1,
    CTRL_B,
    CTRL_C,
    CTRL_D,
    CTRL_E,
    CTRL_F,
    CTRL_H = 8,
    TAB,
    NEWLINE,
    CTRL_K,
    CTRL_L,
    RETURN,
    CTRL_N,
    CTRL_P = 16,
    CTRL_U = 21,
    CTRL_W = 23,
    ESCAPE = 27,
    BACKSPACE = 127,
    KEY_DELETE = 256, /* erases under the cursor */
    KEY_TEXT,         /* a character */
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    MAX_KEY = 4 /* its bytes, at most */
};

/* The next key; -1 at the end, -E_...  KEY_TEXT: *n bytes in text, a character
 * of UTF-8 if they are one. */
int key_next(char text[MAX_KEY], size_t *n);

/* ---- edit.c: a line from the console, history.c: earlier ones ---- */

/* Into buf without its '\n': its length, -1 at the end, -E_INTR. */
int64_t edit_line(const char *prompt, char *buf, size_t len);

void history_add(const char *line);
const char *history_line(int back); /* 1: the last one; NULL: none */
builtin_fn history_show;

/* ---- complete.c: the Tab key ---- */

/* What can be typed behind the word that ends text[0..n): the longest
 * beginning that all files or commands share, in buf.  How many fit. */
int complete(const char *text, size_t n, char *buf, size_t len);
void complete_show(const char *text, size_t n); /* print them all */
