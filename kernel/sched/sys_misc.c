/*
 * sys_misc.c - system calls about the console, the boot archive and the
 * machine.
 */
#include "sched/syscall.h"
#include "boot/x86_64/x86.h"

enum {
    CHUNK = 256, /* bytes copied at a time */
    MAX_RECORD = 4096,
};

int64_t
sys_cons_write(uint64_t buf, uint64_t len)
{
    char chunk[CHUNK];
    uint64_t done = 0;

    if (len > MAX_IO)
        return -E_BADARG;
    while (done < len) {
        size_t n = len - done < CHUNK ? len - done : CHUNK;

        int err = copy_in(chunk, buf + done, n);

        if (err < 0)
            return err;
        print_bytes(chunk, n);
        done += n;
        if (note_pending(proc_current()))
            break; /* the console is slow: let a note through */
        if (done < len)
            sched_give_way();
    }
    return (int64_t)done;
}

int64_t
sys_cons_read(uint64_t buf, uint64_t len)
{
    return consin_read(buf, len);
}

int64_t
sys_cons_group(uint64_t notegrp)
{
    if (notegrp == 0)
        notegrp = proc_current()->notegrp;
    if (notegrp > UINT32_MAX)
        return -E_NOPROC;
    return console_take((uint32_t)notegrp);
}

int64_t
sys_archive(uint64_t buf, uint64_t room)
{
    struct archive_file f;
    struct archiveinfo info = { 0 };
    unsigned n;
    int err;

    for (n = 0; archive_nth(n, &f) == 0; n++) {
        if (n >= room)
            continue;
        info.size = f.size;
        info.mode = f.mode;
        strlcpy(info.name, f.name, sizeof info.name);
        memset(info.name + strlen(info.name), 0,
                sizeof info.name - strlen(info.name));
        err = copy_out(buf + n * sizeof info, &info, sizeof info);
        if (err < 0)
            return err;
    }
    return n;
}

int64_t
sys_sysstat(uint64_t buf, uint64_t room)
{
    struct mem_counters mem;
    int err;

    kheap_trim(); /* free, though at hand */
    frame_counters(&mem);
    for (unsigned i = 0; i < ncpu && i < room; i++) {
        struct cpustat s = {
            .syscalls = cpus[i].syscalls,
            .traps = cpus[i].traps,
            .faults = cpus[i].faults,
            .interrupts = cpus[i].interrupts,
            .switches = cpus[i].switches,
            .cr3_loads = cpus[i].cr3_loads,
            .shootdowns = cpus[i].shootdowns,
            .idle_ns = cpus[i].idle_ns,
            .mem_total = mem.total,
            .mem_free = mem.free + mem.cached,
            .nproc = proc_count(),
            .ncpu = ncpu,
        };

        err = copy_out(buf + i * sizeof s, &s, sizeof s);
        if (err < 0)
            return err;
    }
    return ncpu;
}

int64_t
sys_trace(uint64_t on)
{
    if (!proc_hooks.may_rule())
        return -E_PERM;
    if (on)
        return trace_start();
    trace_stop();
    return 0;
}

int64_t
sys_record(uint64_t buf, uint64_t len)
{
    char *text;
    int err;

    if (len > MAX_RECORD)
        return -E_BADARG;
    text = kmalloc(len);
    if (!text)
        return -E_NOMEM;
    err = copy_in(text, buf, len);
    if (err == 0)
        record("user", text, len);
    kfree(text);
    return err ? err : (int64_t)len;
}

int64_t
sys_power(uint64_t how)
{
    if (how > POWER_REBOOT)
        return -E_BADARG;
    if (!proc_hooks.may_rule())
        return -E_PERM;
    trace_stop();
    if (how == POWER_REBOOT)
        acpi_reboot();
    else
        acpi_power_off();
    return -E_IO; /* the machine refused */
}
