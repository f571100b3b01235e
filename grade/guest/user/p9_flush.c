/*
 * p9_flush.c - notes that come while a process waits for a 9P server: the
 * request is flushed, a second note or a kill abandons it, and in each case
 * no tag, no fid and no memory is lost, whatever the server does and when.
 */
#include "p9_server.h"

static volatile unsigned notes;

static void
on_note(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    notes++;
    noted(NCONT);
}

static struct fcall held; /* the request that the server keeps */
static volatile uint8_t hold_type;
static volatile bool answer_first, late_rflush;

/* What a client does to its mount, by the message that carries it. */
static int64_t
operation(uint8_t type)
{
    static uint8_t buf[1000];
    struct dir d;
    int fd, err;

    switch (type) {
    case Twalk: return access("/n/dir/x", AEXIST);
    case Topen: return fd = open("/n/a", OREAD), close(fd), fd;
    case Tcreate: return fd = create("/n/made", OWRITE, 0600), close(fd), fd;
    case Tread:
        fd = open("/n/a", OREAD);
        err = fd < 0 ? fd : (int)read(fd, buf, sizeof buf);
        close(fd);
        return err;
    case Twrite:
        fd = open("/n/a", OWRITE);
        err = fd < 0 ? fd : (int)write(fd, buf, sizeof buf);
        close(fd);
        return err;
    case Tstat: return stat("/n/a", buf, sizeof buf);
    case Twstat: dir_null(&d); return dirwstat("/n/a", &d);
    case Tremove: return remove("/n/a");
    case Tclunk: return close(open("/n/a", OREAD));
    default: return -E_BADARG;
    }
}

static const uint8_t operations[] = { Twalk, Topen, Tcreate, Tread, Twrite,
    Tstat, Twstat, Tremove, Tclunk };

/*
 * Keep the first request of hold_type.  A Tflush of it is answered, alone or
 * after the request's own answer (answer_first); late_rflush: not at all.
 */
static enum verdict
hold_one(struct server *s, struct fcall *t, struct fcall *r)
{
    if (t->type == hold_type) {
        hold_type = 0;
        held = *r;
        s->nheld = 1;
        if (!answer_first) { /* then it does not happen at all */
            if (t->type == Twalk) {
                s->file[t->newfid] = NO_FILE;
                s->fids--;
            } else if (t->type == Tclunk || t->type == Tremove) {
                s->file[t->fid] = FILE_A;
                s->fids++;
            }
        }
        return DROP;
    }
    if (t->type == Tflush) {
        CHECK_EQ(t->oldtag, held.tag);
        if (answer_first)
            send(s, &held);
        return late_rflush ? DROP : SEND;
    }
    return SEND;
}

/* A client in a child: do it, with notes caught; its exit string tells. */
static int
client(uint8_t type, bool catching)
{
    int pid = rfork(RFPROC | RFFDG | RFNOTEG);

    MUST(pid >= 0);
    if (pid == 0) {
        int64_t got;

        if (catching)
            notify(on_note);
        got = operation(type);
        _exits(got == -E_INTR ? "interrupted" : got < 0 ? errstr() : NULL);
    }
    return pid;
}

static void
post(int pid, const char *note)
{
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, note), 0);
}

static void
check_end(int pid, const char *want, const char *what)
{
    struct waitmsg w;

    CHECK_EQ(wait_for(pid, &w), pid);
    if (strcmp(w.msg, want) != 0)
        check_record("%s: ended with \"%s\", want \"%s\"", what, w.msg, want);
}

static void
wait_held(struct server *s)
{
    for (int i = 0; i < 100000 && s->nheld == 0; i++)
        yield();
    MUST(s->nheld > 0);
}

/* One note: the request is flushed and the call interrupted. */
TEST(flushed)
{
    struct server *s = mounted(hold_one);

    for (unsigned i = 0; i < ARRAY_LEN(operations); i++) {
        int pid;

        s->nheld = 0;
        hold_type = operations[i];
        pid = client(operations[i], true);
        wait_held(s);
        post(pid, "stop");
        /* a clunk is not flushed: no fid would be left for the file */
        check_end(pid, operations[i] == Tclunk ? "" : "interrupted",
                fcall_verb(operations[i]));
        CHECK_EQ(s->seen[Tflush], operations[i] == Tclunk ? i : i + 1);
    }
    CHECK_EQ(access("/n/dir/x", AEXIST), 0);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    wait_seen(s, Tclunk, 10); /* no process has waited for the last ones */
    server_end(s);
    CHECK_EQ(s->fids, 1); /* the one whose Tclunk had no answer */
}

/* If the answer comes before the Rflush the call has happened.  (A walk is
 * not the last message of its call: the note stops the next one.) */
TEST(answered_before_rflush)
{
    struct server *s = mounted(hold_one);

    answer_first = true;
    for (unsigned i = 1; i < ARRAY_LEN(operations) - 1; i++) {
        int pid;

        s->nheld = 0;
        hold_type = operations[i];
        pid = client(operations[i], true);
        wait_held(s);
        post(pid, "stop");
        check_end(pid, "", fcall_verb(operations[i]));
        CHECK_EQ(s->seen[Tflush], i);
    }
    unmounted(s);
}

/*
 * The server answers neither: a second note lets the process go.  What comes
 * in the end frees the tags, and a file that a walk has made is clunked.
 */
TEST(abandoned)
{
    struct server *s = mounted(hold_one);

    for (unsigned i = 0; i < ARRAY_LEN(operations) - 1; i++) {
        int pid;

        s->nheld = 0;
        late_rflush = true;
        hold_type = operations[i];
        pid = client(operations[i], true);
        wait_held(s);
        post(pid, "stop");
        wait_seen(s, Tflush, i + 1);
        post(pid, "stop at once");
        check_end(pid, "interrupted", fcall_verb(operations[i]));
        late_rflush = false;
    }
    CHECK_EQ(access("/n/a", AEXIST), 0);
    CHECK_EQ(access("/n/dir/x", AEXIST), 0);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

/* Answers to abandoned requests, when the next request lets them go. */
static struct fcall late[2];
static volatile unsigned nlate;

static enum verdict
answer_late(struct server *s, struct fcall *t, struct fcall *r)
{
    if (t->type == hold_type || t->type == Tflush) {
        hold_type = t->type == Tflush ? hold_type : 0;
        late[nlate++] = *r;
        return DROP;
    }
    if (nlate == 2) {
        send(s, &late[0]);
        send(s, &late[1]);
        nlate = 0;
    }
    return SEND;
}

/* A walk that succeeded after it was given up leaves no fid. */
TEST(late_walk_is_clunked)
{
    struct server *s = mounted(answer_late);
    unsigned before = s->fids;
    int pid;

    hold_type = Twalk;
    pid = client(Twalk, true);
    wait_seen(s, Twalk, 1);
    post(pid, "stop");
    wait_seen(s, Tflush, 1);
    post(pid, "now");
    check_end(pid, "interrupted", "walk");
    CHECK_EQ(s->fids, before + 1);
    CHECK_EQ(access("/n/a", AEXIST), 0); /* brings the late answers */
    CHECK_EQ(access("/n/a", AEXIST), 0); /* and after them the Tclunk */
    CHECK_EQ(s->fids, before);
    unmounted(s);
}

static enum verdict
remove_not(struct server *s, struct fcall *t, struct fcall *r)
{
    if (t->type == Tremove) { /* and never does it */
        s->file[t->fid] = FILE_A;
        s->fids++;
        return DROP;
    }
    if (t->type == Tflush) {
        late[nlate++] = *r;
        return DROP;
    }
    while (nlate > 0)
        send(s, &late[--nlate]);
    return SEND;
}

/* A Tremove that the server has given up, if late, has left its fid. */
TEST(late_flush_of_remove)
{
    struct server *s = mounted(remove_not);
    unsigned before = s->fids;
    int pid = client(Tremove, true);

    wait_seen(s, Tremove, 1);
    post(pid, "stop");
    wait_seen(s, Tflush, 1);
    post(pid, "now");
    check_end(pid, "interrupted", "remove");
    CHECK_EQ(s->fids, before + 1);
    CHECK_EQ(access("/n/a", AEXIST), 0); /* brings the Rflush */
    CHECK_EQ(access("/n/a", AEXIST), 0); /* and after it the Tclunk */
    CHECK_EQ(s->fids, before);
    unmounted(s);
}

/* A kill does not wait, even if the server is silent. */
TEST(killed)
{
    struct server *s = mounted(hold_one);

    late_rflush = true;
    for (unsigned i = ARRAY_LEN(operations); i-- > 0;) { /* clunk first */
        int pid;

        s->nheld = 0;
        hold_type = operations[i];
        pid = client(operations[i], false);
        wait_held(s);
        post(pid, "kill");
        check_end(pid, "killed", fcall_verb(operations[i]));
    }
    CHECK_EQ(access("/n/dir/x", AEXIST), 0);
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

static enum verdict
silent(struct server *s, struct fcall *t, struct fcall *r)
{
    (void)s;
    (void)r;
    return t->type >= Tflush && t->type != Tversion ? DROP : SEND;
}

/* A silent server can be left by notes, and unmounted. */
TEST(silence)
{
    struct server *s = mounted(NULL);
    int pid = client(Tread, true);

    check_end(pid, "", "read");
    s->hook = silent;
    pid = client(Tread, true);
    wait_seen(s, Twalk, 2);
    post(pid, "one");
    wait_seen(s, Tflush, 1);
    post(pid, "two");
    check_end(pid, "interrupted", "walk");
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

/* An alarm does the same for a program that has set one. */
TEST(alarm_flushes)
{
    struct server *s = mounted(hold_one);

    notify(on_note);
    hold_type = Tstat;
    alarm(20000000);
    CHECK_EQ(operation(Tstat), -E_INTR);
    CHECK_EQ(notes, 1);
    CHECK_GT(operation(Tstat), 0);
    unmounted(s);
}

static enum verdict
slow_reads(struct server *s, struct fcall *t, struct fcall *r)
{
    if (t->type != Tread && t->type != Tflush)
        return SEND;
    for (unsigned n = (s->asked * 7) % 5; n > 0; n--)
        yield();
    if (t->type == Tread && s->asked % 3 == 0) /* only its Tflush counts */
        return DROP;
    (void)r;
    return SEND;
}

/*
 * Notes at any moment, flushes and answers that cross: nothing is lost.
 * cpus: 1 4
 * limit: 40
 */
TEST(flush_races)
{
    struct server *s = mounted(slow_reads);
    unsigned before = s->fids;
    int pids[6];

    for (int round = 0; round < 8; round++) {
        for (unsigned i = 0; i < ARRAY_LEN(pids); i++) {
            pids[i] = rfork(RFPROC | RFFDG);
            if (pids[i] == 0) {
                notify(on_note);
                for (int k = 0; k < 10; k++)
                    operation(Tread);
                _exits(NULL);
            }
        }
        for (int k = 0; k < 400; k++) {
            postnote(NOTE_PROC, (uint32_t)pids[check_random() % 6], "now");
            for (unsigned n = check_random() % 4; n > 0; n--)
                yield();
        }
        for (unsigned i = 0; i < ARRAY_LEN(pids); i++)
            for (int pid = pids[i]; procs(NULL, 0) >= 0;) {
                if (postnote(NOTE_PROC, (uint32_t)pid, "end") == -E_NOPROC)
                    break;
                sleep(100000);
            }
        while (wait(NULL) > 0 && check_more_procs() > 1)
            ;
    }
    s->hook = NULL;
    CHECK_EQ(access("/n/a", AEXIST), 0);
    for (int i = 0; i < 1000 && s->fids > before; i++)
        access("/n/a", AEXIST);
    CHECK_EQ(s->fids, before);
    unmounted(s);
}

static void
leave_much_behind(void)
{
    struct server *s = mounted(silent);

    s->hook = NULL;
    for (unsigned i = 0; i < 5; i++) {
        int pid;

        s->hook = NULL;
        pid = client(Tread, false);
        check_end(pid, "", "read");
        s->hook = silent;
        pid = client(Tread, false);
        wait_seen(s, Twalk, 2 * i + 2);
        post(pid, "kill");
        check_end(pid, "killed", "read");
    }
    CHECK_EQ(unmount(NULL, "/n"), 0);
    server_end(s);
}

/* What was abandoned is freed with the connection. */
TEST(gives_back)
{
    check_gives_back(leave_much_behind);
}
