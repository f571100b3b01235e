/*
 * srv_env.c - what a file server of Lux9 needs around it, on the host: the
 * process's own data, an end, semaphores, threads in place of processes.
 *
 * read, write, malloc are the host's, so that ASan and LSan watch.
 */
#include "lib/self.h" /* first: its SYS_... are others than the host's */
#include "lib/9p/srv.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

long syscall(long number, ...);
NORETURN void exit(int status);

static struct self own;
struct self *self = &own;

void
exits(const char *msg)
{
    exit(msg != NULL && msg[0] != '\0');
}

/* As user/lib/start.c does, to the host's error output. */
void
fatal(const char *fmt, ...)
{
    char msg[MAX_ERR];
    va_list args;

    va_start(args, fmt);
    vsnprint(msg, sizeof(msg), fmt, args);
    va_end(args);
    fprint(2, "%s\n", msg);
    exit(1);
}

void
assert_failed(const char *file, int line, const char *what)
{
    fprint(2, "%s:%d: assertion failed: %s\n", file, line, what);
    __builtin_trap();
}

int
fprint(int fd, const char *fmt, ...)
{
    char text[PRINT_MAX];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprint(text, sizeof(text), fmt, args);
    va_end(args);
    return (int)write(fd, text, (size_t)n < sizeof(text) ? (size_t)n : 0);
}

int
print(const char *fmt, ...)
{
    (void)fmt;
    return 0;
}

size_t
strlcpy(char *dst, const char *src, size_t len)
{
    size_t n = strlen(src), kept = n < len ? n : len - 1;

    memcpy(dst, src, kept);
    dst[kept] = '\0';
    return n;
}

char *
read_file(const char *path, size_t *n)
{
    int fd = open(path, OREAD);
    char *text = malloc(1 << 16);
    int64_t got;

    *n = 0;
    while ((got = read(fd, text + *n, (1 << 16) - 1 - *n)) > 0)
        *n += (size_t)got;
    close(fd);
    return text;
}

uint64_t
nsec(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int
semacquire(uint32_t *sem, int block)
{
    for (;;) {
        uint32_t n = __atomic_load_n(sem, __ATOMIC_ACQUIRE);

        if (n == 0 && !block)
            return 0;
        if (n == 0)
            syscall(SYS_futex, sem, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        else if (__atomic_compare_exchange_n(sem, &n, n - 1, false,
                         __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return 1;
    }
}

int
semrelease(uint32_t *sem, uint32_t n)
{
    uint32_t now = __atomic_add_fetch(sem, n, __ATOMIC_RELEASE);

    syscall(SYS_futex, sem, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
    return (int)now;
}

/* ---- process.c's, with threads; none is interrupted ---- */

struct start {
    void (*run)(struct conn *);
    struct conn *conn;
};

static void *
thread_main(void *arg)
{
    struct start s = *(struct start *)arg;

    free(arg);
    s.run(s.conn);
    return NULL;
}

int
work_start(void (*run)(struct conn *), struct conn *c)
{
    struct start *s = malloc(sizeof(*s));
    pthread_t thread;

    *s = (struct start){ run, c };
    if (pthread_create(&thread, NULL, thread_main, s) != 0) {
        free(s);
        return -E_MAXPROC;
    }
    pthread_detach(thread);
    return 0;
}

void
work_begin(void)
{
}

void
work_calm(void)
{
}

int64_t
work_read(int fd, void *buf, size_t n, uint64_t limit)
{
    (void)limit;
    return read(fd, buf, n);
}

int
postnote(enum note_target target, uint32_t id, const char *note)
{
    (void)target, (void)id, (void)note;
    return 0;
}

uint32_t
srv_now(void)
{
    return (uint32_t)(nsec() / 1000000000u);
}

int
srv_background(const char *name, const char *dir)
{
    (void)name, (void)dir;
    fatal("only with -i on the host");
}

/* No system call fails here. */
int64_t
server_text(char *buf, size_t len)
{
    return (int64_t)strlcpy(buf, "remote error", len);
}

/* ---- of the library's files.c and path.c, what servers use ---- */

int64_t
readn(int fd, void *buf, size_t n)
{
    size_t done = 0;

    while (done < n) {
        int64_t got = read(fd, (char *)buf + done, n - done);

        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

bool
path_join(char *buf, size_t len, const char *dir, const char *name)
{
    const char *between = dir[strlen(dir) - 1] == '/' ? "" : "/";

    return snprint(buf, len, "%s%s%s", dir, between, name) < (int)len;
}

const char *
base_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

int openat(int dir, const char *path, int flags, ...);

/* "/fd/5" is descriptor 5, as on Plan 9; other files can be read. */
int
open(const char *path, unsigned mode)
{
    (void)mode;
    if (strncmp(path, "/fd/", 4) != 0)
        return openat(-100, path, 0); /* -100: AT_FDCWD */
    return (int)strtoul(path + 4, NULL, 10);
}
