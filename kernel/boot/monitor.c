/*
 * monitor.c - a prompt for kernels that have no processes yet.
 *
 * Reads lines by polling and runs commands from tables; a layer above adds
 * its own with monitor_add.  The commands of stage 1 are in monitor_boot.c.
 */
#include "boot/boot.h"
#include "boot/monitor.h"
#include "boot/x86_64/x86.h"

enum {
    MAX_TABLES = 4,
    MAX_LINE = 128,
    MAX_WORDS = 8
};

static struct {
    const struct monitor_command *commands;
    unsigned n;
} tables[MAX_TABLES];
static unsigned ntable;

void
monitor_add(const struct monitor_command *commands, unsigned n)
{
    assert(ntable < MAX_TABLES);
    tables[ntable].commands = commands;
    tables[ntable].n = n;
    ntable++;
}

static int
wait_char(void)
{
    int c;

    while ((c = console_poll()) < 0)
        cpu_pause();
    return c == '\r' ? '\n' : c;
}

/* Read a line without its end into buf; backspace and ^U take back.  A line
 * that is too long is refused: its start may be another command. */
static void
read_line(char *buf, size_t len)
{
    size_t n = 0;
    bool full = false;
    int c;

    while ((c = wait_char()) != '\n') {
        if ((c == '\b' || c == 0x7f) && n > 0) {
            n--;
            print("\b \b");
        } else if (c == ('U' & 0x1f)) {
            full = false;
            for (; n > 0; n--)
                print("\b \b");
        } else if (c >= ' ' && c < 0x7f && n + 1 == len) {
            full = true;
        } else if (c >= ' ' && c < 0x7f) {
            buf[n++] = c;
            print("%c", c);
        }
    }
    print("\n");
    if (full) {
        print("monitor: the line is too long (limit %zu bytes); "
              "nothing was run\n",
                len - 1);
        n = 0;
    }
    buf[n] = '\0';
}

/* Cut line at its blanks into at most max words. */
int
monitor_split(char *line, char **words, int max)
{
    int n = 0;

    for (;;) {
        while (*line == ' ')
            *line++ = '\0';
        if (*line == '\0' || n == max)
            return n;
        words[n++] = line;
        while (*line != '\0' && *line != ' ')
            line++;
    }
}

static const struct monitor_command *
find_command(const char *name)
{
    for (unsigned t = 0; t < ntable; t++)
        for (unsigned i = 0; i < tables[t].n; i++)
            if (strcmp(tables[t].commands[i].name, name) == 0)
                return &tables[t].commands[i];
    return NULL;
}

void
monitor_help(int argc, char **argv)
{
    (void)argc, (void)argv;
    for (unsigned t = 0; t < ntable; t++)
        for (unsigned i = 0; i < tables[t].n; i++)
            print("  %s\n", tables[t].commands[i].usage);
}

void
monitor_run(char *line)
{
    const struct monitor_command *command;
    char *words[MAX_WORDS];
    int n = monitor_split(line, words, MAX_WORDS);

    if (n == 0)
        return;
    command = find_command(words[0]);
    if (command == NULL)
        print("%s: no such command; `help` lists them\n", words[0]);
    else
        command->run(n, words);
}

void
monitor(void)
{
    char line[MAX_LINE];

    print("No programs in this stage; `help` lists what can be done.\n");
    for (;;) {
        print("lux9> ");
        read_line(line, sizeof(line));
        monitor_run(line);
    }
}
