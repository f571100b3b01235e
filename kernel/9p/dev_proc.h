/*
 * dev_proc.h - the parts of #p for each other: dev_proc.c has the tree and
 * the small texts, proc_mem.c memory and registers, proc_ctl.c commands.
 *
 * Processes come and go.  A channel holds a pid, and each operation looks it
 * up: what it does to the process, it does with proctab_lock held, under
 * which a process cannot leave; what it finds gone by then is -E_NOPROC.
 */
#pragma once

#include "9p/9p.h"

/* The process that c is about, with proctab_lock held; NULL: it has ended, and
 * the lock is free. */
struct proc *proc_hold(const struct chan *c);
void proc_release(void);

/* proc_mem.c */
int64_t proc_mem_read(struct chan *c, struct io *to, uint64_t offset);
int64_t proc_mem_write(struct chan *c, struct io *from, uint64_t offset);
int64_t proc_regs_read(struct chan *c, struct io *to, uint64_t offset);
int64_t proc_regs_write(struct chan *c, struct io *from, uint64_t offset);
int64_t proc_segment_read(struct chan *c, struct io *to, uint64_t offset);

/* proc_ctl.c */
int64_t proc_ctl_write(struct chan *c, struct io *from, uint64_t offset);
int64_t proc_note_write(struct chan *c, struct io *from, uint64_t offset);
int64_t proc_notepg_write(struct chan *c, struct io *from, uint64_t offset);
void proc_ctl_init(void);
