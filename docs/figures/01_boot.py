"""The figures of chapter 1: boot."""

from figure import Figure


def trap(f: Figure) -> None:
    """One trap from the instruction that caused it and back."""
    parts = [
        ("instruction", "an exception,\nor an interrupt\nbetween two", "warm"),
        (
            "CPU",
            "gate 0 to 255 of the IDT;\nstack from TSS or IST;\npushes 5 words",
            "",
        ),
        ("stub_n", "pushes 0 where the CPU\npushed no error code;\npushes n", "cool"),
        (
            "trap_common",
            "swapgs if from user mode;\npushes 15 registers:\na struct trapframe",
            "cool",
        ),
        (
            "trap_dispatch",
            "the function that\ntrap_register entered\nfor vector n",
            "good",
        ),
    ]
    x = 10.0
    for number, (name, words, look) in enumerate(parts):
        f.text(x + 84, 20, name, "head code", "middle")
        f.box(x, 32, 168, 76, words, look)
        if number:
            f.arrow([(x - 22, 70), (x - 2, 70)])
        x += 192
    f.arrow([(862, 108), (862, 160), (694, 160)])
    f.box(524, 134, 168, 52, "trap_return\npops, swapgs, iretq", "cool")
    f.arrow([(524, 160), (94, 160), (94, 110)])
    f.text(
        300,
        152,
        "the interrupted code goes on, or its program gets a note",
        "",
        "middle",
    )
    f.text(
        10,
        218,
        "Three vectors can arrive on any stack, with either GS. "
        "Each has a stack of its own (IST):",
        "soft",
    )
    for number, (vector, why) in enumerate(
        (
            ("2  NMI", "IST 2"),
            ("8  double fault", "IST 1"),
            ("18  machine check", "IST 3"),
        )
    ):
        f.box(10 + number * 200, 232, 180, 34, f"{vector}: {why}", "warm")
    f.text(620, 254, "They go to trap_any_gs, which reads GS_BASE.", "soft")
