/*
 * file.h - what programs do with files, on top of the calls: whole entries
 * of directories, buffered input and output, the environment, paths.
 * A part of lux.h, which includes it; the library has it from stage 4 on.
 */
#pragma once

#include <lux/types.h>
#include <lux/limits.h>
#include <lux/file.h>

/* ---- system calls: files ---- */

/*
 * A path is names divided by '/'.  "/a" begins at the root, "a" at the
 * current directory, "#c/a" at the root of device c; "." is where one is,
 * ".." goes back the way that led here, also where something is mounted.
 * Beside the errors named, each call that takes a path may give -E_NOEXIST,
 * -E_NOTDIR, -E_PERM, -E_NAME, -E_NAMELEN (MAX_PATH), -E_NODEV, -E_NOMEM, and
 * on a server's files -E_REMOTE (its own words are in errstr), -E_HUNGUP and
 * -E_BADMSG.  Each that takes an fd may give -E_BADFD.  All may block.
 */

/*
 * Open a file for mode: OREAD, OWRITE, ORDWR or OEXEC, and OTRUNC (empty it),
 * OCEXEC (exec closes it), ORCLOSE (remove it at the last close).  The lowest
 * free fd; -E_MAXFD, -E_EXCL, -E_ISDIR, -E_OPENMODE.
 */
int open(const char *path, unsigned mode);

/*
 * Make a file with permissions perm (0666; DMDIR, DMAPPEND, DMEXCL) less what
 * its directory lacks, and open it; one that exists already is emptied
 * instead, and keeps its permissions, unless mode has OEXCL (-E_EXIST).  In a
 * union the file goes to the first directory joined with MCREATE.
 */
int create(const char *path, unsigned mode, uint32_t perm);

/* 0.  Errors that a server has to report at the end are lost. */
int close(int fd);

/*
 * At most len bytes of fd from offset off; FD_OFFSET: from where the last
 * such read or write ended.  How many; 0: the end.  A directory gives whole
 * entries (dir_unpack), and only from the start or from where the last read
 * ended (-E_DIROFFSET); -E_SHORTSTAT: not one fits.  -E_BADUSE (not open for
 * reading), -E_BADLEN (len over MAX_IO), -E_OFFSET.
 */
int64_t pread(int fd, void *buf, size_t len, int64_t off);
int64_t pwrite(int fd, const void *buf, size_t len, int64_t off);
#define FD_OFFSET (-1)

/* Set the offset, from SEEK_SET, SEEK_CUR or SEEK_END: where it is then.
 * Directories: only to 0.  -E_STREAM (pipes), -E_OFFSET, -E_ISDIR. */
int64_t seek(int fd, int64_t off, enum seek_whence whence);

/* The file's entry, packed; its bytes.  -E_SHORTSTAT: more than len. */
int64_t stat(const char *path, uint8_t *buf, size_t len);
int64_t fstat(int fd, uint8_t *buf, size_t len);

/* Change what the entry at buf has; dir_null makes one that changes nothing.
 * All of it or nothing.  The entry's bytes; -E_BADSTAT. */
int64_t wstat(const char *path, const uint8_t *buf, size_t len);
int64_t fwstat(int fd, const uint8_t *buf, size_t len);

/* 0.  -E_NOTEMPTY. */
int remove(const char *path);

/* Make path the current directory.  0. */
int chdir(const char *path);

/* The path by which fd was opened, as much as fits in len bytes with a NUL.
 * Its length. */
int64_t fd2path(int fd, char *buf, size_t len);

/* Another fd for the same open file: `to`, whose file is closed first, or the
 * lowest free one if to is -1.  It; -E_MAXFD. */
int dup(int fd, int to);

/*
 * Descriptors that name a file without having it open, for servers whose
 * clients hold many: fstat, fwstat, dup, fd2path, close and what follows work
 * with them, read and write do not (-E_BADUSE).  The file stays the same one,
 * whatever becomes of the names that led to it.
 *
 * Each puts what it makes at the number `to` (below MAX_FD_PLACED, which is
 * more than the MAX_FDS that open gives), whose file is closed first, or at the
 * lowest free one if to is -1, and returns it.
 */

/* The file that the names of path lead to from fd's directory on; "": fd's file
 * itself.  fd -1: as for open. */
int fd_walk(int fd, const char *path, int to);

/* fd's file, open for mode; not a copy of what fd has open. */
int fd_open(int fd, unsigned mode, int to);

/* As create, path from fd's directory on. */
int fd_create(int fd, const char *path, unsigned mode, uint32_t perm, int to);

/* Remove fd's file; fd is still to be closed.  0. */
int fd_remove(int fd);

/* ---- system calls: name spaces ---- */

/*
 * Make the name old mean new, too, for all of this name-space group: MREPL
 * instead of what old was, MBEFORE or MAFTER in a union with it (directories
 * only).  MCREATE: files made in the union may go to new.  0; -E_MOUNT.
 */
int bind(const char *new, const char *old, unsigned flags);

/*
 * Make old mean the tree `aname` of the file server at the other end of fd,
 * open for reading and writing.  afd: an authenticated fd, or -1.  The kernel
 * keeps the connection; fd may be closed.  0; -E_VERSION, -E_BADMSG; -E_MOUNT:
 * nobody else could answer, or fd is a file of a server behind a server behind
 * a server: there connections end.
 */
int mount(int fd, int afd, const char *old, unsigned flags, const char *aname);

/* Undo: take new (NULL: all) away from old.  0; -E_UNMOUNT, -E_UNION. */
int unmount(const char *new, const char *old);

/* Agree with the server behind fd on message size (0: the kernel's choice)
 * and protocol; the version agreed replaces the one in the buffer of len
 * bytes.  The message size; -E_VERSION, -E_BADMSG. */
int64_t fversion(int fd, uint32_t msize, char *version, size_t len);

/* Two ends of a pipe: what is written to one is read from the other, both
 * ways.  0. */
int pipe(int fds[2]);

/* The words of the last error -E_REMOTE, as much as fits in len bytes with a
 * NUL; their length. */
int64_t rerror(char *buf, size_t len);

/* ---- file_io.c: see lux.h for print and its kin ---- */

/* At the file's own offset: pread and pwrite with offset -1.  Of several who
 * share it each writes behind the other. */
int64_t read(int fd, void *buf, size_t n);
int64_t write(int fd, const void *buf, size_t n);

/* Read until n bytes, the end or an error: the bytes, or -E_... if none. */
int64_t readn(int fd, void *buf, size_t n);

/* The whole file with a NUL behind it, malloc'ed; NULL: failed.  *n, if
 * wanted, is its length without the NUL. */
char *read_file(const char *path, size_t *n);

/* Make or empty a file and put text there.  0, or -E_... */
int write_file(const char *path, const char *text);

/* Is path there (AEXIST), may it be opened for AREAD, AWRITE, AEXEC or all
 * of those that are asked for?  0, or -E_... */
int access(const char *path, unsigned what);

/* ---- dir.c: entries; the strings are in the same block ---- */

/* Each result is one malloc'ed block, which the caller frees. */
struct dir *dirstat(const char *path); /* NULL: failed */
struct dir *dirfstat(int fd);

/* The next entries of an open directory: how many, 0 at its end, -E_... */
int64_t dirread(int fd, struct dir **entries);

bool is_dir(const char *path);

/* All entries of the directory, by name.  How many, or -E_... */
int64_t dir_list(const char *path, struct dir **entries);

/* Set what is not as dir_null (lux/file.h) leaves it. */
int dirwstat(const char *path, const struct dir *d); /* 0, or -E_... */
int dirfwstat(int fd, const struct dir *d);

/* ---- bio.c: buffered files ---- */

enum {
    BIO_SIZE = 8192
};
struct bio {
    int fd;
    bool failed;     /* a read or write went wrong; errstr said why */
    bool newline;    /* the line of the last bio_line had its '\n' */
    size_t at, used; /* data[at..used) is still to be read */
    char *line;      /* of bio_line */
    size_t room;     /* its size */
    char data[BIO_SIZE];
};

/* Use fd, which stays the caller's, for reading or for writing. */
void bio_init(struct bio *b, int fd);

int bio_getc(struct bio *b);    /* next byte, or -1 at the end */
void bio_ungetc(struct bio *b); /* once after each bio_getc that gave one */

/*
 * The next line without its '\n', NUL-terminated, of any length; *line is
 * good until the next call.  Its length, or -1 at the end.
 */
int64_t bio_line(struct bio *b, char **line);

/*
 * What there is of the next line, with its '\n' if that is there too, so that
 * no line need fit in memory; *piece is good until the next call.  Its length,
 * 0 at the end.
 */
int64_t bio_piece(struct bio *b, const char **piece);

int64_t bio_read(struct bio *b, void *buf, size_t n); /* fewer: the end */
void bio_write(struct bio *b, const void *buf, size_t n);
void bio_putc(struct bio *b, int c);
void bio_print(struct bio *b, const char *fmt, ...);
int bio_flush(struct bio *b); /* 0, or -E_IO */
void bio_end(struct bio *b);  /* flush or not, free what it holds */

/* The standard output, buffered; exits flushes it and says if that fails. */
struct bio *bio_out(void);

/* ---- filter.c: programs that read files in turn ---- */

/*
 * Call fn for each file named, or for the standard input if none is ("-" is
 * it, too).  A file that does not open is warned of.
 */
void each_file(int argc, char **argv, void (*fn)(int fd, const char *name));

/* Tell what is wrong, as fatal does, but go on; exit_warned ends with it. */
void warn(const char *fmt, ...);
NORETURN void exit_warned(void); /* exits: the last warning, or success */

/* ---- env.c: the environment, which is the files of #e ---- */

char *getenv(const char *name);                  /* malloc'ed, or NULL */
int putenv(const char *name, const char *value); /* NULL: remove it */

/* ---- copy.c: cp and mv ---- */

/*
 * Copy a file or, if tree, a directory with all in it, to the name `to`.
 * Every failure is warned of; false: there was one.
 */
bool copy_file(const char *from, const char *to, bool tree);

/* Remove a file or, if tree, a directory with all in it; as copy_file. */
bool remove_file(const char *path, bool tree);

/*
 * cp and mv: call fn(from, to) for `a b`, or for each of `a ... dir` with the
 * name in dir that it gets.  argc is at least 2.
 */
void each_target(
        int argc, char **argv, void (*fn)(const char *from, const char *to));

/* ---- path.c: paths, modes and dates as text ---- */

const char *base_name(const char *path); /* what follows the last '/' */

/* dir/name in buf; false: it does not fit. */
bool path_join(char *buf, size_t len, const char *dir, const char *name);

/* The current directory, for the caller to free; NULL: an error. */
char *getwd(void);

enum {
    MODE_TEXT = 11,
    DATE_TEXT = 32
};

/* "-rwxr-x---", "d..." of a mode; buf has MODE_TEXT bytes. */
char *mode_text(char *buf, uint32_t mode);

/* "2026-11-21 17:40:05 Sat" (UTC) of seconds since 1970; DATE_TEXT bytes. */
char *date_text(char *buf, uint64_t seconds);

/* ---- regex.c: regular expressions of grep, sed and ed ---- */

/*
 * c  . any one  [a-z] [^a-z] a set  \c c itself  ^ $ start, end of the line;
 * behind one of these * any number, + at least one, ? at most one.
 * NULL if the pattern is good, or else what is wrong with it.
 */
const char *regex_check(const char *pattern);

/*
 * The leftmost match of a good pattern in text, and of those the longest.
 * Is there one?  It is text[*start..*end).  line: `^` fits at text itself.
 */
bool regex_match(const char *pattern, const char *text, bool line,
        size_t *start, size_t *end);

/* ---- boot_ns.c: for the first process ---- */

/* Bind the devices where programs look for them, and go to the root.  0. */
int boot_name_space(void);

/* Make fds 0, 1 and 2 the console's.  0. */
int open_console(void);
