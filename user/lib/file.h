/*
 * file.h - what programs do with files, on top of the calls: whole entries
 * of directories, buffered input and output, the environment, paths.
 * A part of lux.h, which includes it; the library has it from stage 4 on.
 */
#pragma once

#include <lux/types.h>
#include <lux/limits.h>
#include <lux/file.h>

/* ---- file_io.c: see lux.h for print and its kin ---- */

/* At the file's own offset: pread and pwrite with offset -1. */
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

int64_t bio_read(struct bio *b, void *buf, size_t n); /* fewer: the end */
void bio_write(struct bio *b, const void *buf, size_t n);
void bio_putc(struct bio *b, int c);
void bio_print(struct bio *b, const char *fmt, ...); /* PRINT_MAX bytes */
int bio_flush(struct bio *b);                        /* 0, or -E_IO */
void bio_end(struct bio *b); /* flush or not, free what it holds */

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

/* ---- path.c ---- */

const char *base_name(const char *path); /* what follows the last '/' */

/* dir/name in buf; false: it does not fit. */
bool path_join(char *buf, size_t len, const char *dir, const char *name);

/* The current directory; NULL: unknown. */
char *getwd(char *buf, size_t len);

/* "-rwxr-x---", "d..." of a mode; buf has 11 bytes. */
char *mode_text(char *buf, uint32_t mode);
