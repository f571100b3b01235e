"""The figures of chapter 2: memory."""

from figure import Figure, versus


def shoot_down(f: Figure) -> None:
    """A page taken away from a program that runs on two CPUs."""
    names = ["CPU 0", "CPU 1: same program"]
    left, right = versus(f, "free, then flush", "flush everywhere, then free", names)
    left.step(0, "entry = 0")
    left.step(0, "page_unref: the frame\nis free", "bad")
    left.step(0, "another process gets\nthe frame", "bad")
    left.step(1, "writes by its old\nTLB entry", "bad")
    left.step(0, "flush, ask CPU 1")
    left.note("The write went into memory\nof another process.")
    left.end()
    right.step(0, "entry = 0; invlpg")
    right.step(0, "publishes the range,\nsets pending bit 1")
    right.message(0, 1, "interrupt")
    right.step(1, "invlpg; clears its bit", "good")
    right.message(1, 0, "pending = 0", "line dash")
    right.step(0, "page_unref: the frame\nis free", "good")
    right.note("CPU 1 also answers while it waits\nfor a lock (tlb_poll).")
    right.end()
