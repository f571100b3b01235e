"""The figures of chapter 3: processes."""

from figure import Figure, versus


def lost_wakeup(f: Figure) -> None:
    """The run that loses a wakeup beside the one that does not."""
    names = ["CPU 0: the sleeper", "CPU 1: the waker"]
    left, right = versus(f, "look, then lock", "look under the waker's lock", names)
    left.step(0, "cond(arg): false")
    left.step(1, "condition = true", "warm")
    left.step(1, "wakeup: the list\nis empty", "warm")
    left.step(0, "list_append\nSLEEPING", "bad")
    left.step(0, "switch away", "bad")
    left.note("No waker is left. The process\nsleeps for ever.")
    left.end()
    right.step(0, "lock\ncond(arg): false")
    right.step(1, "condition = true\nlock: waits", "warm")
    right.step(0, "list_append\nSLEEPING\nunlock", "good")
    right.step(1, "finds it in the list:\nREADY", "good")
    right.step(0, "switch away, and back:\ncond(arg): true", "good")
    right.note("An earlier waker would have made\ncond(arg) true before the look.")
    right.end()


def on_cpu(f: Figure) -> None:
    """Two CPUs on one stack, and the flag that prevents it."""
    names = ["CPU 0: runs A", "CPU 1"]
    left, right = versus(
        f,
        "SLEEPING is all a waker looks at",
        "on_cpu says where its stack is in use",
        names,
    )
    left.step(0, "A: SLEEPING, unlock")
    left.step(1, "wakes A, queues it here", "warm")
    left.step(1, "switches to A:\nloads A's old ksp", "bad")
    left.step(0, "still on A's stack:\npush, call, ...", "bad")
    left.note("Two CPUs push on one stack.")
    left.end()
    right.step(0, "A: SLEEPING, unlock\non_cpu is still 1")
    right.step(1, "wakes A; on_cpu is 1:\nqueues it on CPU 0", "good")
    right.step(0, "switches to B; then\nsched_finish: on_cpu = 0", "good")
    right.step(0, "A's turn comes:\nits ksp is stored by now", "good")
    right.end()


def ranks(f: Figure) -> None:
    """A cycle of waiting CPUs, and why rising ranks cannot close it."""
    f.text(150, 20, "without an order", "head", "middle")
    f.box(10, 60, 110, 46, "CPU 0", "warm")
    f.box(200, 60, 110, 46, "CPU 1", "warm")
    f.box(10, 190, 110, 46, "lock A")
    f.box(200, 190, 110, 46, "lock B")
    f.arrow([(40, 190), (40, 106)])
    f.text(46, 150, "held by")
    f.arrow([(280, 190), (280, 106)])
    f.text(286, 150, "held by")
    f.arrow([(120, 96), (214, 190)], "", "line dash")
    f.text(160, 78, "waits for B", "soft", "middle")
    f.arrow([(200, 96), (106, 190)], "", "line dash")
    f.text(160, 96, "waits for A", "soft", "middle")
    f.text(160, 270, "Each waits for the other: a cycle.", "soft", "middle")
    f.text(590, 20, "with ranks, lower ones first", "head", "middle")
    xs = (410, 530, 650)
    names = ("rank 3", "rank 5", "rank 8")
    for x, name in zip(xs, names):
        f.box(x, 190, 90, 46, name)
    f.box(410, 60, 90, 46, "CPU 0", "good")
    f.box(530, 60, 90, 46, "CPU 1", "good")
    f.box(650, 60, 90, 46, "CPU 2", "good")
    for x in xs:
        f.arrow([(x + 30, 190), (x + 30, 106)])
    f.text(434, 150, "held by", "", "end")
    f.arrow([(500, 96), (545, 190)], "", "line dash")
    f.arrow([(620, 96), (665, 190)], "", "line dash")
    f.text(575, 262, "Every arrow of waiting leads to a higher rank.", "soft", "middle")
    f.text(
        575, 280, "CPU 2 may not wait for rank 3: it panics at once.", "soft", "middle"
    )


def deadline(f: Figure) -> None:
    """One period of an EDF process, and a sleeper's virtual time."""
    f.text(20, 20, "One period of a deadline process", "head")
    left, right, y = 60, 860, 110
    f.arrow([(left, y), (right + 30, y)])
    for x, name in ((left, "release"), (580, "deadline"), (right, "next release")):
        f.path([(x, y - 60), (x, y + 10)], "thin")
        f.text(x, y + 26, name, "", "middle")
    f.box(150, y - 34, 120, 34, "5 ms", "cool")
    f.box(330, y - 34, 120, 34, "5 ms", "cool")
    f.text(300, y - 44, "cost 10 ms: budget used up", "soft", "middle")
    f.box(450, y - 24, 100, 24, "fair class", "warm")
    f.text(640, y - 44, "After the budget it competes by weight.", "soft")
    f.text(20, 190, "A sleeper's virtual time", "head")
    f.arrow([(left, 320), (right + 30, 320)])
    f.text(right + 30, 344, "virtual time", "soft", "end")
    f.box(600, 220, 12, 100, "", "good")
    f.text(606, 212, "the process that ran", "", "middle")
    f.box(120, 270, 12, 50, "", "bad")
    f.text(126, 262, "where it fell asleep", "", "middle")
    f.box(500, 245, 12, 75, "", "cool")
    f.text(440, 236, "where it wakes", "", "middle")
    f.arrow([(134, 295), (498, 295)], "moved to one quantum behind the others")
    f.arrow([(600, 340), (512, 340)])
    f.text(556, 358, "10 ms", "", "middle")


def family(f: Figure) -> None:
    """What a child owns at each moment of its life."""
    columns = [
        "rfork",
        "runs",
        "proc_exit",
        "DEAD, still on its stack",
        "wait returned",
    ]
    rows = [
        ("address space", [1, 1, 0, 0, 0]),
        ("files, name space", [1, 1, 0, 0, 0]),
        ("wait record", [1, 1, 2, 2, 0]),
        ("kernel stack", [1, 1, 1, 1, 0]),
        ("struct proc", [1, 1, 1, 1, 0]),
        ("place in the table", [1, 1, 1, 0, 0]),
    ]
    x0, wide, y0, tall = 170, 160, 46, 30
    for n, name in enumerate(columns):
        f.text(x0 + n * wide + wide / 2, 24, name, "head", "middle")
    for r, (name, owned) in enumerate(rows):
        y = y0 + r * (tall + 8)
        f.text(x0 - 12, y + 20, name, "", "end")
        for n, state in enumerate(owned):
            if state:
                words = {1: "the child's", 2: "in the parent's list"}[state]
                f.box(
                    x0 + n * wide + 4,
                    y,
                    wide - 8,
                    tall,
                    words,
                    {1: "good", 2: "cool"}[state],
                )
    y = y0 + len(rows) * (tall + 8) + 14
    f.text(
        x0,
        y,
        "Stack and struct proc are freed by the next process on that CPU "
        "(sched_finish).",
        "soft",
    )


def syscall(f: Figure) -> None:
    """Registers and stack before, between and after swapgs."""
    columns = [
        (
            "1  the program",
            "GS  the program's",
            "rsp  user stack",
            "rip  user code",
            "interrupts on",
            "",
        ),
        (
            "2  first instruction",
            "GS  the program's",
            "rsp  user stack",
            "rcx = rip, r11 = rflags",
            "interrupts off",
            "bad",
        ),
        (
            "3  after swapgs",
            "GS  this CPU's",
            "rsp  user stack",
            "old rsp to gs:CPU_USER_RSP",
            "interrupts off",
            "warm",
        ),
        (
            "4  on its own stack",
            "GS  this CPU's",
            "rsp  kernel stack",
            "trap frame pushed",
            "may be turned on",
            "good",
        ),
    ]
    for n, (name, *rows, look) in enumerate(columns):
        x = 10 + n * 230
        f.text(x + 100, 20, name, "head", "middle")
        f.box(x, 34, 205, 100, "\n".join(rows), look)
        if n:
            f.arrow([(x - 24, 84), (x - 3, 84)])
    f.text(222, 160, "syscall", "code", "middle")
    f.text(452, 160, "swapgs", "code", "middle")
    f.text(682, 160, "mov rsp, [gs:...]", "code", "middle")
    f.text(
        10,
        196,
        "In 2 a single instruction runs in the kernel with the program's GS "
        "and stack. An NMI or a fault that arrived there",
        "soft",
    )
    f.text(
        10,
        214,
        "and trusted GS would read the program's memory. NMI, double fault "
        "and machine check look at GS first and have own stacks.",
        "soft",
    )
