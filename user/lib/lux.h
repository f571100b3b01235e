/*
 * lux.h - contents page of the user library: first every system call, then
 * the C library, grouped by file.
 *
 * A system call returns its result, or -E_... (lux/err.h) and then changed
 * nothing unless its contract says otherwise; errstr() and %r give the last
 * error in words.  Addresses outside user space or not permitted give
 * -E_BADADDR.  "Blocks" marks the calls that may wait; a note ends such a
 * wait with -E_INTR.
 */
#pragma once

#include <lux/types.h>
#include <lux/limits.h>
#include <lux/err.h>
#include <lux/sys.h>
#include <lux/ureg.h>

#define NORETURN    __attribute__((noreturn))
#define PRINTF_LIKE /* the kernel's and our own verbs: no compiler knows them */

#if STAGE >= 4
#include "lib/file.h"
#endif

/* ---- system calls (x86_64/syscalls.asm): processes ---- */

/* Does nothing; the price of entering and leaving the kernel.  0. */
int nop(void);

/*
 * Make a process (RFPROC) or change the caller; flags are enum rfork_flags.
 * The child is a copy: memory copy-on-write, or with RFMEM data, bss and
 * heap in common (the stack never is).  Name space, environment and table of
 * files are the parent's own, in common, unless copied (RFNAMEG, RFENVG,
 * RFFDG) or made anew (RFCNAMEG, RFCENVG, RFCFDG).  Its pid to the parent, 0
 * to the child; 0 without RFPROC.  A note to the group that comes meanwhile
 * is the child's, too, unless that has a group of its own (RFNOTEG).
 * -E_BADARG (unknown flag, RFMEM or RFNOWAIT without RFPROC), -E_MAXPROC,
 * -E_NOMEM.
 */
int rfork(unsigned flags);

/*
 * Run the program that path names in place of this one, with the strings of
 * argv up to its NULL.  Stage 3 looks in the boot archive ("bin/ls"; a
 * leading '/' is ignored); from stage 4 on it is a file that may be executed,
 * and if that begins with "#! program word", the program is run with the word
 * (if there is one), path, and argv[1] onwards.  Open files stay open but
 * those of OCEXEC.  Returns only if it failed: what open says, -E_BADEXEC
 * (not a static ELF64 for this machine, or one that lies), -E_TOOBIG
 * (MAX_ARGS, MAX_ARGLEN), -E_NAMELEN (MAX_PATH), -E_NOMEM.
 */
int exec(const char *path, char *const argv[]);

/*
 * End this process.  msg goes to the parent's wait; NULL or "" is success.
 * Longer than MAX_ERR-1 bytes is cut.  Programs call exits, which runs the
 * atexit functions first.
 */
NORETURN void _exits(const char *msg);

/*
 * Wait for a child to die; its pid, and *w filled (w may be NULL).  Blocks.
 * -E_NOCHILD (none alive or waited for), -E_INTR.
 */
int wait(struct waitmsg *w);

/* This process's number, at least 1. */
int getpid(void);

/* Let others run.  0. */
int yield(void);

/* ---- system calls: time ---- */

/* Wait for ns nanoseconds (0: yield).  Blocks.  0, or -E_INTR. */
int sleep(uint64_t ns);

/*
 * Post the note "alarm" to the caller in ns nanoseconds; 0 cancels.  There
 * is one alarm: the nanoseconds left of the previous one, 0 if none.
 */
uint64_t alarm(uint64_t ns);

/* Nanoseconds since boot, never going back. */
uint64_t nsec(void);

/* ---- system calls: notes ---- */

/*
 * Call handler(ureg, note) when a note arrives; NULL: notes kill again.  It
 * runs on the caller's stack, below what may be in use, and must end by
 * calling noted.  Further notes wait.  *ureg are the registers at the
 * moment of the note and may be changed.  Survives rfork, not exec.  0.
 */
int notify(void (*handler)(struct ureg *ureg, char *note));

/*
 * Leave the handler: NCONT goes on with *ureg, NDFLT dies of the note.
 * Returns only on error: -E_BADARG (no handler runs, unknown `how`).
 */
int noted(enum noted_how how);

/*
 * Post a note (at most MAX_ERR-1 bytes) to process id, or to all of note
 * group id but the caller; group 0 is the own.  "kill" cannot be caught.
 * 0, -E_NOPROC, -E_BADARG, -E_NOTESFULL (MAX_NOTES wait there already), -E_PERM
 * (another user's process).  In a group other users' processes get none.
 */
int postnote(enum note_target target, uint32_t id, const char *note);

/* ---- system calls: meeting others ---- */

/*
 * Wait until another process of the rendezvous group comes with the same
 * tag; each gets the other's value.  Blocks.  (uint64_t)-1: interrupted.
 */
uint64_t rendezvous(uint64_t tag, uint64_t value);

/*
 * Two meetings in one call: rendezvous(tag, value), then rendezvous(next, 0),
 * whose value is returned.  A server answers one request and waits for the
 * next with it, a client asks and waits for the answer.  Blocks.  RENDEZ_INTR:
 * a note came before the first meeting; RENDEZ_GIVEN: a note came after it,
 * and rendezvous(next, 0) is what is left to do.  Partners do not give these two
 * values.
 */
uint64_t rendezvous_next(uint64_t tag, uint64_t value, uint64_t next);

/*
 * Take one from the semaphore *sem, which may lie in shared memory and is
 * aligned to 4.  1: taken; 0: it was zero and block is 0.  Blocks if block
 * is not 0.  -E_INTR, -E_BADADDR, -E_BADARG (misaligned).
 */
int semacquire(uint32_t *sem, int block);

/* Same, waiting at most ns nanoseconds.  1: taken; 0: time is up. */
int tsemacquire(uint32_t *sem, uint64_t ns);

/* Add n to *sem and wake as many.  The new value (at most INT32_MAX),
 * -E_BADADDR, -E_BADARG (misaligned, n is 0, or it would pass INT32_MAX). */
int semrelease(uint32_t *sem, uint32_t n);

/* ---- system calls: memory ---- */

/*
 * Move the end of the heap to addr, rounded up to a page; brk(0) only tells.
 * The end of the heap now.  New bytes are zero.  -E_BADARG (below the heap's
 * start), -E_INUSE (others lie there; or it is shared and would shrink),
 * -E_NOMEM.
 */
int64_t brk(uint64_t addr);

/*
 * Zeroed private memory of len bytes (rounded up to pages) at addr, or
 * where there is room if addr is 0; prot is MEM_READ, with or without
 * MEM_WRITE.  Its address; -E_BADARG, -E_INUSE, -E_NOMEM.
 */
int64_t mem_map(uint64_t addr, uint64_t len, unsigned prot);

/* Give back [addr, addr+len), whole pages; holes in it are allowed.  0,
 * -E_BADARG, -E_NOMEM (cutting a region in two). */
int mem_unmap(uint64_t addr, uint64_t len);

/* ---- system calls: scheduling ---- */

/*
 * Move the caller, and children it makes later, to a new scheduling group
 * of this weight (1..10000; the first group has 100).  Groups share the
 * CPUs by weight, processes of a group evenly.  The group's number;
 * -E_BADARG, -E_MAXGROUP.
 */
int sched_group(uint32_t weight);

/*
 * From now on the caller is promised cost ns of CPU in each period of ns,
 * finished within deadline ns of its start (1 ms <= cost <= deadline <= period
 * <= 10 s).
 * 0; -E_BADARG; -E_ADMIT if others hold that promise already.
 */
int edf_enter(uint64_t period, uint64_t deadline, uint64_t cost);

/* Done for this period: wait for the next to start.  Blocks.  0, or 1 if
 * the deadline was missed; -E_INTR, -E_BADARG (not in the EDF class). */
int edf_next(void);

/* Back to fair share, where the caller may be already.  0. */
int edf_leave(void);

/* ---- system calls: console and machine ---- */

/* Write len (at most MAX_IO) bytes to the console; how many. */
int64_t cons_write(const void *buf, size_t len);

/*
 * One line that was typed, with its '\n', or as much of it as fits in len
 * bytes; the rest comes next time.  0 at ^D on an empty line.  Blocks.
 * -E_INTR: DEL or ^C was typed, which posts "interrupt" to the console's
 * note group.  -E_PERM: the console is another user's (cons_group).
 */
int64_t cons_read(void *buf, size_t len);

/*
 * Give the console to a note group, which ^C interrupts from then on; 0: the
 * own.  Reading, raw mode and this call are for processes of the group that
 * has the console, and for those that may send notes to all of it (postnote);
 * while that group is empty, for the user that gave it the console.  0;
 * -E_NOPROC (the group is empty); -E_PERM (that rule, or one in the new group
 * is another user's).
 */
int cons_group(uint32_t group);

/* Fill at most n rows of p; the number of processes there are. */
int procs(struct procinfo *p, unsigned n);

/* Fill at most n rows of a; the number of files in the boot archive. */
int archive(struct archiveinfo *a, unsigned n);

/* Fill at most n rows of s, one a CPU; the number of CPUs. */
int sysstat(struct cpustat *s, unsigned n);

/* Kernel tracing on or off; what it was.  -E_PERM. */
int trace(int on);

/*
 * A record of type "user" for whoever watches the debug port, if the
 * kernel's command line has `records`.  At most 4096 bytes.  len, or
 * -E_BADARG.
 */
int record(const void *buf, size_t len);

/* Switch the machine off or restart it (enum power_how).  Returns only on
 * error: -E_BADARG, -E_PERM, -E_IO (the machine refuses). */
int power(enum power_how how);

/* ---- x86_64/crt0.asm, start.c: from exec to main, and out again ---- */

/*
 * A program has int main(void), or int main(int argc, char **argv).  A result
 * other than 0 ends it with the exit string "error N".
 */

/* Run the atexit functions, last first, and end this process. */
NORETURN void exits(const char *msg);

/* Register fn for exits.  0, or -E_NOMEM. */
int atexit(void (*fn)(void));

/* Say why (as print does; ": " and the program's name first) and exit. */
NORETURN void fatal(const char *fmt, ...);

NORETURN void assert_failed(const char *file, int line, const char *what);
#define assert(cond)                                                           \
    ((cond) ? (void)0 : assert_failed(__FILE__, __LINE__, #cond))

/* ---- errstr.c: the last error, one for each process ---- */

/* The last failed call's string.  Never NULL; valid until the next error. */
const char *errstr(void);

/* Set the last error, as snprint does; MAX_ERR-1 bytes are kept. */
void werrstr(const char *fmt, ...);

/* Set it from an error number, -E_...; returns that number. */
int64_t error_set(int64_t error);

/* ---- process.c: on top of the calls ---- */

/* A child that is a copy, with a table of files of its own. */
int fork(void);

/* exec name, looked for in bin/ unless it has a '/'.  Returns on failure. */
int exec_search(const char *name, char *const argv[]);

/*
 * Wait for child pid; pid, or an error of wait.  What other children say
 * meanwhile is kept, as far as there is memory, for wait_any and for a later
 * wait_for.
 */
int wait_for(int pid, struct waitmsg *w);

/* wait, but first what wait_for has kept. */
int wait_any(struct waitmsg *w);

/* ---- args.c: options in Plan 9's manner ---- */

/*
 * ARGBEGIN {
 * case 'n': count = EARGN(); break;
 * case 'l': long_rows = true; break;
 * default: ARGBAD();
 * } ARGEND
 *
 * inside main(argc, argv), in a file with `static const char usage[]`.
 * Afterwards argv[0..argc-1] are the words after the options.  -h prints
 * usage and succeeds; an unknown option prints it and fails.
 */
#define ARGBEGIN                                                               \
    arg0 = argc > 0 ? argv[0] : "?";                                           \
    for (int opt_; (opt_ = arg_next(&argc, &argv, usage)) != 0;)               \
        switch (opt_)
#define ARGEND
#define EARG()      arg_value(&argc, &argv, usage)
#define EARGN()     number_or_die(arg_value(&argc, &argv, usage), usage)
#define ARGDIGITS() arg_digits(usage) /* in a case of '0' ... '9' */
#define ARGBAD()    arg_bad(opt_, usage)

extern const char *arg0; /* the program's name, for messages */

/* Step to the next option letter; 0: no more, and argv is past them. */
int arg_next(int *argc, char ***argv, const char *usage);

/* The value of this option: the rest of its word, or the next word. */
char *arg_value(int *argc, char ***argv, const char *usage);

/* The number whose first digit is the option letter just given, as in -20. */
uint64_t arg_digits(const char *usage);

NORETURN void arg_bad(int option, const char *usage);
NORETURN void usage_die(const char *usage);

/* A number (decimal, 0x, 0) that is the whole of s, or usage_die. */
uint64_t number_or_die(const char *s, const char *usage);

/* A word that is a decimal number, with a sign if it likes; else fatal. */
long word_number(const char *s);

/* ---- print.c, float.c: formatted output ---- */

/*
 * The kernel's verbs (boot/format.h: %d %i %u %x %X %o %b %c %s %p %% with
 * flags "-0+ #", width, precision, `*`, sizes hh h l ll z j t), %f %e %g %a
 * (double, correctly rounded) and %r (the last error).  vsnprint prints at
 * most len-1 bytes and a NUL; returns the length it would have had.
 */
int vsnprint(char *buf, size_t len, const char *fmt, va_list args);
int snprint(char *buf, size_t len, const char *fmt, ...);

/*
 * To fd 1 or 2, both the console until there are files.  One write for a text
 * of at most PRINT_MAX bytes, so that lines do not mix, else one for each
 * PRINT_MAX.  The length of the text, or the error of a write.
 */
int print(const char *fmt, ...);
int fprint(int fd, const char *fmt, ...);
int vfprint(int fd, const char *fmt, va_list args);
enum {
    PRINT_MAX = 2048
};

/* The same for any way to write: `write` gets `to`, and returns an error < 0. */
typedef int64_t write_fn(void *to, const void *text, size_t n);
int print_by(write_fn *write, void *to, const char *fmt, va_list args);

/* A line from the console without its '\n', NUL-terminated, cut to fit: its
 * length, -1 at end of input, -E_INTR. */
int64_t read_line(char *buf, size_t len);

/* ---- memory.c, string.c, ctype.h part: as in C ---- */

void *memset(void *dst, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);
size_t strspn(const char *s, const char *set);
size_t strcspn(const char *s, const char *set);
char *strcpy(char *dst, const char *src);
char *strcat(char *dst, const char *src);
/* Copy at most len-1 bytes and always a NUL (len > 0); returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t len);
size_t strlcat(char *dst, const char *src, size_t len);
char *strdup(const char *s); /* malloc'ed, or NULL */

/*
 * Split s in place at white space; 'words like ''this''' keep theirs.  Fills
 * at most max words; how many there are, or -1 for a quote left open.
 */
int tokenize(char *s, char **words, int max);

/* ASCII only, any int. */
int isdigit(int c);
int isxdigit(int c);
int isalpha(int c);
int isalnum(int c);
int isspace(int c);
int isupper(int c);
int islower(int c);
int isprint(int c);
int ispunct(int c);
int iscntrl(int c);
int toupper(int c);
int tolower(int c);

/* ---- number.c ---- */

/*
 * As in C: white space, sign, base 2..36, 0 chooses by prefix.  Out of range
 * gives the nearest limit and sets errstr.  *end is what follows, or s.
 */
long strtol(const char *s, char **end, int base);
unsigned long strtoul(const char *s, char **end, int base);
long long strtoll(const char *s, char **end, int base);
unsigned long long strtoull(const char *s, char **end, int base);
int atoi(const char *s);
long atol(const char *s);

/* "1.5" seconds, "20ms", "3us", "7ns", "2m" in nanoseconds, or -E_BADARG. */
int64_t parse_duration(const char *s);

int abs(int n);
long labs(long n);

/* ---- malloc.c: one heap a program, shared by RFMEM children ---- */

/*
 * At least n bytes aligned to 16, or NULL (and errstr).  free(NULL) is
 * legal; a pointer that is not a live block's ends the program with
 * "malloc: ..." as its exit string.  Not from a note handler.
 */
void *malloc(size_t n);
void *calloc(size_t count, size_t size);
void *realloc(void *p, size_t n); /* NULL: p is as it was; n 0 frees */
void free(void *p);

/* Walk the whole heap: the number of live blocks, or -1 if it is damaged. */
int64_t malloc_check(void);

/* ---- sort.c ---- */

/* In place, not stable, at most n log n steps whatever the input. */
void qsort(void *base, size_t n, size_t size,
        int (*compare)(const void *, const void *));
void *bsearch(const void *key, const void *base, size_t n, size_t size,
        int (*compare)(const void *, const void *));

/* ---- random.c ---- */

/* Next number of the sequence that *state is at (splitmix64). */
uint64_t random_next(uint64_t *state);

/* ---- lock.c: between processes that share memory ---- */

struct qlock {      /* all zero: free */
    uint32_t users; /* holder and those who wait */
    uint32_t sem;   /* handed from the one who leaves to one who waits */
};

void qlock(struct qlock *l);
void qunlock(struct qlock *l);
bool canqlock(struct qlock *l); /* take it if it is free; did it? */

/* ---- x86_64/setjmp.asm ---- */

typedef uint64_t jmp_buf[8];

__attribute__((returns_twice)) int setjmp(jmp_buf env);
NORETURN void longjmp(jmp_buf env, int value); /* 0 becomes 1 */

/* ---- x86_64/rdtsc ---- */

/* Time-stamp counter: one an instruction under `qemu -icount shift=0`. */
static inline uint64_t
rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
    return (uint64_t)hi << 32 | lo;
}
