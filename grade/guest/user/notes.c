/*
 * notes.c - notes: which process gets them, what a handler finds and leaves,
 * and what of the interrupted program it must not touch.
 */
#include "check.h"

enum {
    MS = 1000000
};

static volatile unsigned seen; /* notes handled */
static char texts[16][MAX_ERR];

static void
remember(struct ureg *u, char *note)
{
    (void)u;
    strlcpy(texts[seen % ARRAY_LEN(texts)], note, MAX_ERR);
    seen++;
    noted(NCONT);
}

static int
post_self(const char *note)
{
    return postnote(NOTE_PROC, (uint32_t)getpid(), note);
}

/* A note calls the handler with its text, and the program goes on. */
TEST(handled)
{
    CHECK_EQ(notify(remember), 0);
    CHECK_EQ(post_self("hello"), 0);
    nop();
    CHECK_EQ(seen, 1);
    CHECK_STR(texts[0], "hello");
}

static void
post_goodbye(void)
{
    post_self("goodbye");
    nop();
}

/* Without a handler a note ends the process, and is its exit string. */
TEST(unhandled_note_kills)
{
    struct waitmsg w;

    check_child(post_goodbye, &w);
    CHECK_STR(w.msg, "goodbye");
}

static void
handler_taken_away(void)
{
    notify(remember);
    notify(NULL);
    post_goodbye();
}

/* notify(NULL) takes the handler away: notes kill again. */
TEST(handler_removed)
{
    struct waitmsg w;

    check_child(handler_taken_away, &w);
    CHECK_STR(w.msg, "goodbye");
}

static void
kill_self(void)
{
    notify(remember);
    post_self("kill");
    nop();
    exits("survived");
}

/* "kill" reaches no handler. */
TEST(kill_not_caught)
{
    struct waitmsg w;

    check_child(kill_self, &w);
    CHECK(strncmp(w.msg, "kill", 4) == 0);
}

static void
default_handler(struct ureg *u, char *note)
{
    (void)u;
    memset(note, '?', 4); /* the kernel keeps its own copy */
    noted(NDFLT);
}

static void
choose_default(void)
{
    notify(default_handler);
    post_goodbye();
    exits("survived");
}

/* noted(NDFLT) dies of the note, whatever the handler did to its text. */
TEST(default_action)
{
    struct waitmsg w;

    check_child(choose_default, &w);
    CHECK_STR(w.msg, "goodbye");
}

static volatile bool inside;
static volatile unsigned entered_twice, order_wrong;

static void
post_three(struct ureg *u, char *note)
{
    static const char *const more[] = { "b", "c", "d" };

    (void)u;
    entered_twice += inside;
    inside = true;
    if (seen == 0)
        for (int i = 0; i < 3; i++)
            CHECK_EQ(post_self(more[i]), 0);
    yield();
    order_wrong += note[0] != (char)('a' + seen) || note[1] != '\0';
    seen++;
    inside = false;
    noted(NCONT);
}

/* Notes that come while a handler runs wait, and then come in order. */
TEST(nested_notes_wait)
{
    notify(post_three);
    post_self("a");
    nop();
    CHECK_EQ(seen, 4);
    CHECK_EQ(entered_twice, 0);
    CHECK_EQ(order_wrong, 0);
}

static void
fill_queue(struct ureg *u, char *note)
{
    char text[4];

    (void)u;
    if (seen++ == 0) {
        for (int i = 0; i < MAX_NOTES; i++) {
            snprint(text, sizeof(text), "%d", i);
            CHECK_EQ(post_self(text), 0);
        }
        CHECK_EQ(post_self("too much"), -E_NOTESFULL);
        CHECK_EQ(post_self("too much"), -E_NOTESFULL);
    } else {
        CHECK_EQ(atoi(note), seen - 2);
    }
    noted(NCONT);
}

static void
fill_and_drain(void)
{
    seen = 0;
    notify(fill_queue);
    post_self("go");
    nop();
    CHECK_EQ(seen, 1 + MAX_NOTES);
}

/* MAX_NOTES notes wait, one more is refused, and there is room again later. */
TEST(queue_limit)
{
    fill_and_drain();
    fill_and_drain();
}

static void
die_with_full_queue(void)
{
    notify(fill_queue);
    seen = 0;
    post_self("go");
    rfork(RFPROC); /* the child has no notes waiting; both end here */
}

/* Unread notes go with the process. */
TEST(queue_given_back)
{
    check_gives_back(die_with_full_queue);
}

/* The longest text arrives whole; a longer one and an empty one do not. */
TEST(text_limits)
{
    char text[MAX_ERR + 1];

    notify(remember);
    memset(text, 'n', sizeof(text));
    text[MAX_ERR] = '\0';
    CHECK_LT(post_self(text), 0);
    text[MAX_ERR - 1] = '\0';
    CHECK_EQ(post_self(text), 0);
    CHECK_EQ(post_self(""), -E_BADARG);
    nop();
    CHECK_EQ(seen, 1);
    CHECK_STR(texts[0], text);
}

static void
wrong_how(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    CHECK_EQ(noted((enum noted_how)2), -E_BADARG);
    CHECK_EQ(noted((enum noted_how) - 1), -E_BADARG);
    seen++;
    noted(NCONT);
}

/* noted outside a handler, or with an unknown decision, changes nothing. */
TEST(noted_refuses)
{
    CHECK_EQ(noted(NCONT), -E_BADARG);
    CHECK_EQ(noted(NDFLT), -E_BADARG);
    notify(wrong_how);
    post_self("x");
    nop();
    CHECK_EQ(seen, 1);
    CHECK_EQ(noted(NDFLT), -E_BADARG);
}

/* ---- what a handler must leave as it was ---- */

/*
 * Fill the registers from in[], spin until `seen`, then store them in out[]:
 * 15 general ones (rsp is in the middle of it all), xmm0-15, and the red
 * zone in zone[].  Returns the flags; carry is set before.
 */
uint64_t spin_with(const uint64_t *in, uint64_t *out, volatile unsigned *until);
__asm__(".text\n"
        "spin_with:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "push %rsi; push %rdx\n"
        ".set n, 0\n"
        ".irp x, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "movups 16*n(%rdi), %xmm\\x\n"
        ".set n, n + 1\n"
        ".endr\n"
        ".set n, 32\n"
        ".irp r, rax,rbx,rcx,rbp,rsi,r8,r9,r10,r11,r12,r13,r14,r15\n"
        "mov 8*n(%rdi), %\\r\n"
        ".set n, n + 1\n"
        ".endr\n"
        "mov (%rdi), %rdi\n"
        "mov %rdi, -8(%rsp); mov %rdi, -128(%rsp)\n"
        "stc\n"
        "1: mov (%rdx), %edi\n"
        "inc %edi; dec %edi\n" /* these leave the carry alone */
        "jz 1b\n"
        "mov 8(%rsp), %rdi\n"
        ".set n, 0\n"
        ".irp x, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "movups %xmm\\x, 16*n(%rdi)\n"
        ".set n, n + 1\n"
        ".endr\n"
        ".set n, 32\n"
        ".irp r, rax,rbx,rcx,rbp,rsi,r8,r9,r10,r11,r12,r13,r14,r15\n"
        "mov %\\r, 8*n(%rdi)\n"
        ".set n, n + 1\n"
        ".endr\n"
        "mov -8(%rsp), %rax; mov %rax, 8*45(%rdi)\n"
        "mov -128(%rsp), %rax; mov %rax, 8*46(%rdi)\n"
        "mov 8*32(%rdi), %rax\n"
        "pushfq\n"
        "pop %rax\n"
        "pop %rdx; pop %rsi\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n");

static bool misaligned;

static void
trash_registers(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    misaligned = (uintptr_t)__builtin_frame_address(0) % 16 != 0;
    __asm__ volatile(
            "pxor %%xmm0, %%xmm0; pxor %%xmm7, %%xmm7; pxor %%xmm15, %%xmm15\n"
            "xor %%ebx, %%ebx; xor %%r12d, %%r12d; xor %%r15d, %%r15d\n"
            :
            :
            : "rbx", "r12", "r15", "xmm0", "xmm7", "xmm15", "cc");
    if (++seen < 5)
        alarm(MS / 10);
    else
        noted(NCONT);
    seen = 5;
    noted(NCONT);
}

/*
 * A note in the middle of a computation costs it no register, no flag and
 * nothing of the stack below it, and the handler's stack is aligned.
 * shifts: 4 5 6
 */
TEST(registers_kept)
{
    static uint64_t in[47], out[47];
    uint64_t flags;

    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        in[i] = check_random();
    notify(trash_registers);
    alarm(MS);
    flags = spin_with(in, out, &seen);
    for (int i = 0; i < 45; i++)
        if (out[i] != in[i])
            check_record("word %d: got %#lx, want %#lx", i, out[i], in[i]);
    CHECK_EQ(out[45], in[0]);
    CHECK_EQ(out[46], in[0]);
    CHECK_EQ(flags & 1, 1);
    CHECK(!misaligned);
}

static void
change_result(struct ureg *u, char *note)
{
    (void)note;
    u->rax = 4711;
    noted(NCONT);
}

/* What the handler writes to *ureg is what the program goes on with. */
TEST(registers_changed)
{
    notify(change_result);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)getpid(), "x"), 4711);
}

/* ---- faults ---- */

static volatile char *missing;
static char fault_text[MAX_ERR];

static void
map_what_is_missing(struct ureg *u, char *note)
{
    (void)u;
    strlcpy(fault_text, note, sizeof(fault_text));
    CHECK_EQ(mem_map((uint64_t)missing, PAGE_SIZE, MEM_READ | MEM_WRITE),
            missing);
    noted(NCONT);
}

/* A handler can mend a fault, and the instruction is tried again. */
TEST(fault_mended)
{
    char want[MAX_ERR];

    missing = (char *)0x200000000000;
    notify(map_what_is_missing);
    *missing = 'm';
    CHECK_EQ(*missing, 'm');
    snprint(want, sizeof(want), "sys: trap: fault write addr=%p",
            (void *)missing);
    CHECK(strncmp(fault_text, want, strlen(want)) == 0);
}

static void
fault_again(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    *(volatile int *)0x1230 = 1;
    noted(NCONT);
}

static void
fault_twice(void)
{
    notify(fault_again);
    *(volatile int *)0x4560 = 1;
}

/* A fault inside a handler ends the process: the second one is told. */
TEST(fault_in_handler)
{
    struct waitmsg w;

    check_child(fault_twice, &w);
    CHECK(strstr(w.msg, "addr=0x1230") != NULL);
}

static void
just_return(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
}

static void
return_from_handler(void)
{
    notify(just_return);
    post_self("x");
    nop();
    exits("survived");
}

/* A handler that returns instead of calling noted goes to address 0. */
TEST(handler_returns)
{
    struct waitmsg w;

    check_child(return_from_handler, &w);
    CHECK(strncmp(w.msg, "sys: trap: fault", 16) == 0);
}

static void
divide(void)
{
    volatile int zero = 0;

    __asm__ volatile("idivl %0" : : "m"(zero), "a"(1), "d"(0));
}

static void
step_over(struct ureg *u, char *note)
{
    strlcpy(fault_text, note, sizeof(fault_text));
    u->rip += 2; /* ud2 */
    seen++;
    noted(NCONT);
}

/* Exceptions other than page faults are notes too, and name themselves. */
TEST(other_exceptions)
{
    struct waitmsg w;

    notify(step_over);
    __asm__ volatile("ud2");
    CHECK_EQ(seen, 1);
    CHECK(strncmp(fault_text, "sys: trap: ", 11) == 0);
    notify(NULL);
    check_child(divide, &w);
    CHECK(strncmp(w.msg, "sys: trap: ", 11) == 0);
}

/* ---- alarms ---- */

/* An alarm comes when it is due, not before, and is the note "alarm". */
TEST(alarm_comes)
{
    uint64_t before = nsec();

    notify(remember);
    CHECK_EQ(alarm(5 * MS), 0);
    while (seen == 0 && nsec() < before + 100 * MS)
        ;
    CHECK_EQ(seen, 1);
    CHECK_STR(texts[0], "alarm");
    CHECK_GE(nsec(), before + 5 * MS);
    CHECK_LT(nsec(), before + 8 * MS);
    CHECK_EQ(alarm(0), 0);
}

/* There is one alarm: a new one replaces it and tells what was left. */
TEST(alarm_replaced)
{
    uint64_t left;

    notify(remember);
    CHECK_EQ(alarm(50 * MS), 0);
    left = alarm(10 * MS);
    CHECK(left > 49 * MS && left <= 50 * MS);
    sleep(4 * MS);
    left = alarm(0);
    CHECK(left > 4 * MS && left <= 6 * MS);
    CHECK_EQ(alarm(0), 0);
    sleep(80 * MS);
    CHECK_EQ(seen, 0);
}

static void
ask_alarm(void)
{
    CHECK_EQ(alarm(0), 0);
}

/* A child has no alarm of its parent's, and the parent keeps its own. */
TEST(alarm_not_inherited)
{
    struct waitmsg w;

    alarm(10000 * (uint64_t)MS);
    check_child(ask_alarm, &w);
    CHECK_STR(w.msg, "");
    CHECK(alarm(0) > 5000 * (uint64_t)MS);
}

/* A sleep that a note interrupts says so, and the time left is not slept. */
TEST(sleep_interrupted)
{
    uint64_t before = nsec();

    notify(remember);
    alarm(3 * MS);
    CHECK_EQ(sleep(1000 * (uint64_t)MS), -E_INTR);
    CHECK_LT(nsec(), before + 10 * MS);
    CHECK_EQ(seen, 1);
}

/* A note ends every wait with -E_INTR, and nothing is left behind. */
TEST(every_wait_interrupted)
{
    uint32_t none = 0;
    char c;
    int pid = fork();

    if (pid == 0) {
        sleep(UINT64_MAX);
        exits("");
    }
    notify(remember);
    alarm(MS);
    CHECK_EQ(wait(NULL), -E_INTR);
    alarm(MS);
    CHECK_EQ(rendezvous(1, 2), -1);
    alarm(MS);
    CHECK_EQ(semacquire(&none, 1), -E_INTR);
    alarm(MS);
    CHECK_EQ(tsemacquire(&none, 1000 * (uint64_t)MS), -E_INTR);
    alarm(MS);
    CHECK_EQ(cons_read(&c, 1), -E_INTR);
    MUST(edf_enter(5000 * (uint64_t)MS, 5000 * (uint64_t)MS, MS) == 0);
    alarm(MS);
    CHECK_EQ(edf_next(), -E_INTR);
    CHECK_EQ(edf_leave(), 0);
    CHECK_EQ(seen, 6);
    CHECK_EQ(none, 0);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
    CHECK_EQ(wait(NULL), pid);
}

/* ---- which processes a note reaches ---- */

static uint32_t started, group_notes;

static void
leave_on_note(struct ureg *u, char *note)
{
    (void)u;
    if (strcmp(note, "all") == 0)
        __atomic_add_fetch(&group_notes, 1, __ATOMIC_RELAXED);
    semrelease(&started, 1);
    _exits("");
}

static int
member(unsigned flags)
{
    int pid = rfork(RFPROC | RFMEM | flags);

    if (pid == 0) {
        semrelease(&started, 1);
        for (;;)
            sleep(UINT64_MAX); /* until the note */
    }
    semacquire(&started, 1);
    return pid;
}

/*
 * A note to the group reaches all of it but the sender, and no other group.
 * cpus: 1 2
 */
TEST(group)
{
    int outsider;

    notify(leave_on_note);
    CHECK_EQ(rfork(RFNOTEG), 0);
    for (int i = 0; i < 5; i++)
        member(0);
    outsider = member(RFNOTEG);
    CHECK_EQ(postnote(NOTE_GROUP, 0, "all"), 0);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(semacquire(&started, 1), 1);
    CHECK_EQ(group_notes, 5);
    CHECK_EQ(postnote(NOTE_GROUP, (uint32_t)outsider, "all"), 0);
    CHECK_EQ(semacquire(&started, 1), 1);
    CHECK_EQ(group_notes, 6);
    for (int i = 0; i < 6; i++)
        CHECK_GT(wait(NULL), 0);
    CHECK_EQ(postnote(NOTE_GROUP, (uint32_t)outsider, "all"), -E_NOPROC);
}

static int
sleeper(void)
{
    int pid = fork();

    if (pid == 0) {
        notify(remember);
        exec("bin/sleep", (char *[]){ "sleep", "1000", NULL });
        exits("no exec");
    }
    return pid;
}

static bool
runs(int pid, const char *name)
{
    struct procinfo rows[8];
    int n = procs(rows, 8);

    for (int i = 0; i < n && i < 8; i++)
        if (rows[i].pid == (uint32_t)pid)
            return strcmp(rows[i].name, name) == 0;
    return false;
}

/* A handler does not survive exec: its address means nothing there. */
TEST(exec_forgets_handler)
{
    struct waitmsg w;
    int pid = sleeper();

    while (!runs(pid, "sleep"))
        sleep(MS);
    CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "wake up"), 0);
    CHECK_EQ(wait_for(pid, &w), pid);
    CHECK_STR(w.msg, "wake up");
}

/* ---- storms ---- */

static uint32_t accepted, handled, stop;

static void
count(struct ureg *u, char *note)
{
    (void)u;
    (void)note;
    __atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
    noted(NCONT);
}

static void
post_many(int target, int n)
{
    for (int i = 0; i < n; i++) {
        int err = postnote(NOTE_PROC, (uint32_t)target, "again");

        if (err == 0)
            __atomic_add_fetch(&accepted, 1, __ATOMIC_RELAXED);
        else if (err == -E_NOTESFULL)
            sleep(MS / 20);
        else
            check_record("postnote: %r");
    }
    _exits("");
}

/* Its floats and its calls do not notice the notes that rain on it. */
static void
work_in_the_rain(void)
{
    volatile double x = 1.0;
    uint32_t sem = 0;

    for (uint64_t i = 1; __atomic_load_n(&stop, __ATOMIC_ACQUIRE) == 0; i++) {
        x = x * 3.0 / 3.0;
        CHECK_EQ(semrelease(&sem, 1), 1);
        CHECK_EQ(semacquire(&sem, 0), 1);
        if (i % 8 == 0)
            sleep(MS / 10);
    }
    CHECK(x > 0.999 && x < 1.001);
    nop();
}

/*
 * Every note that was accepted is handled, exactly once.
 * cpus: 1 2 4
 * shifts: 5 parallel
 */
TEST(rain)
{
    int target;

    notify(count);
    target = rfork(RFPROC | RFMEM);
    if (target == 0) {
        work_in_the_rain();
        exits(check_failures ? "a check failed" : "");
    }
    notify(NULL);
    for (int i = 0; i < 3; i++)
        if (rfork(RFPROC | RFMEM) == 0)
            post_many(target, 100);
    for (int i = 0; i < 3; i++)
        CHECK_GT(wait(NULL), 0);
    CHECK_SOON(__atomic_load_n(&handled, __ATOMIC_RELAXED) >= accepted);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    CHECK_EQ(wait(NULL), target);
    CHECK_EQ(handled, accepted);
    CHECK_GT(accepted, 0);
}

static int
victim(void)
{
    int pid = fork();

    if (pid == 0) {
        notify(remember);
        for (;;)
            sleep(MS / 20);
    }
    return pid;
}

/*
 * "kill" among other notes, from several CPUs at once, ends the process.
 * cpus: 1 2 4
 * shifts: 5 parallel
 */
TEST(kill_among_notes)
{
    static const char *const kinds[] = { "interrupt", "kill", "text" };

    for (int round = 0; round < 20; round++) {
        CHECK_ROUND(round);
        int pid = victim();

        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
            if (fork() == 0) {
                for (int i = 0; i < 10; i++)
                    postnote(NOTE_PROC, (uint32_t)pid, kinds[k]);
                _exits("");
            }
        }
        for (int i = 0; i < 4; i++)
            CHECK_GT(wait(NULL), 0);
    }
}

static uint32_t ran;

/* A process that is killed before its first turn never runs. */
TEST(killed_before_first_turn)
{
    for (int i = 0; i < 5; i++) {
        int pid = rfork(RFPROC | RFMEM);

        if (pid == 0) {
            ran++;
            for (;;)
                ;
        }
        CHECK_EQ(postnote(NOTE_PROC, (uint32_t)pid, "kill"), 0);
        CHECK_EQ(wait(NULL), pid);
    }
    CHECK_EQ(ran, 0);
}
