/*
 * ed.h - contents page of ed: buffer.c holds the lines, address.c says which
 * are meant, lines.c and substitute.c change them, main.c reads commands.
 */
#pragma once

#include "lib/lux.h"
#include "lib/file.h"

/* ---- buffer.c: lines 1..nlines; 0 stands for before the first ---- */

extern size_t nlines, dot; /* dot: the current line */
extern bool changed;       /* since it was written */

const char *line_at(size_t n);
void insert_line(size_t after, const char *text); /* becomes after + 1, dot */
void replace_line(size_t n, const char *text);
void delete_lines(size_t from, size_t to); /* dot: the one behind them */
bool read_lines(const char *path, size_t after);
bool write_lines(const char *path, size_t from, size_t to, bool append);

/* ---- address.c ---- */

struct range {
    size_t from, to;
    bool given; /* by the user */
};

/* Read the addresses at *s and step over them; false and complained. */
bool take_range(const char **s, struct range *r);

/* What comes up to delimiter in out, with a \delimiter as delimiter alone;
 * *s goes behind it.  An end of the line is a delimiter, too. */
void take_until(const char **s, char delimiter, char *out);

/* A pattern, or the last one if it is empty; NULL and complained. */
const char *take_pattern(const char **s, char delimiter);

/* ---- substitute.c ---- */

/* Do `s` with what follows it at s, for the lines of r. */
void substitute(const char *s, struct range r);

/* ---- lines.c ---- */

void add_text(size_t after); /* from the input, up to a `.`, behind a line */
void do_line_command(char letter, const char *s, struct range r);

/* ---- main.c ---- */

enum {
    MAX_LINE = 4096
};

void complain(const char *fmt, ...); /* the last complaint, which is shown */
bool next_line(char *line);          /* of the input; false: its end */
void do_command(const char *s);
