"""The figures of chapter 4: files."""

from figure import Figure, Lanes


def objects(f: Figure) -> None:
    """From a process to a server: what refers to what."""
    f.box(10, 90, 110, 60, "struct proc", "warm")
    f.box(170, 20, 130, 46, "fd table", "cool")
    f.box(170, 180, 130, 46, "name space", "cool")
    f.box(360, 20, 130, 60, "struct chan\nqid, offset, path", "good")
    f.box(360, 180, 130, 60, "join: channels,\nin order", "good")
    f.box(560, 20, 130, 46, "struct dev", "")
    f.box(560, 100, 130, 46, "fid: a number", "cool")
    f.box(560, 180, 130, 60, "request: tag,\nmessage, answer", "cool")
    f.box(770, 100, 130, 60, "connection:\ntags, fids", "warm")
    f.box(770, 20, 130, 46, "its stream: a chan", "good")
    f.box(770, 220, 130, 46, "the server")
    f.arrow([(120, 110), (170, 50)])
    f.arrow([(120, 130), (170, 196)])
    f.arrow([(300, 43), (360, 43)], "1 each")
    f.arrow([(300, 203), (360, 203)])
    f.arrow([(425, 180), (425, 80)], "", "line")
    f.text(432, 134, "1 for each bound")
    f.arrow([(490, 38), (560, 38)])
    f.arrow([(490, 66), (560, 112)])
    f.text(496, 110, "of #M")
    f.arrow([(625, 180), (625, 146)])
    f.arrow([(690, 123), (770, 123)])
    f.arrow([(690, 205), (770, 145)])
    f.arrow([(835, 100), (835, 66)])
    f.arrow([(835, 220), (835, 160)], "", "line dash")
    f.text(842, 196, "answers")
    f.text(
        10,
        290,
        "A channel of #M also refers to the stream's channel: the connection lives "
        "as long as a file of it is open or bound.",
        "soft",
    )


def dot_dot(f: Figure) -> None:
    """The path chain of /a/b when /x/y is bound there."""
    f.text(10, 20, "bind /x/y /a/b; cd /a/b", "code")
    names = ["/", "a", "b"]
    for number, name in enumerate(names):
        x = 40 + number * 190
        f.box(x, 50, 110, 46, f'name "{name}"', "good" if number == 2 else "cool")
        if number:
            f.arrow([(x, 73), (x - 80, 73)], "up")
    f.text(475, 42, "path of the channel", "soft", "middle")
    f.box(420, 150, 110, 46, "/a/b itself", "warm")
    f.arrow([(475, 96), (475, 150)])
    f.text(482, 128, "from")
    f.box(640, 50, 200, 46, "the server of /x/y", "")
    f.arrow([(530, 73), (640, 73)], "qid")
    f.text(650, 120, "would answer .. with /x:", "soft")
    f.text(650, 138, "not the way that led here.", "soft")
    f.text(
        10,
        230,
        "step_up goes from b to `from`, and from there one name up: /a.",
        "soft",
    )


def flush(f: Figure) -> None:
    """Four ways for a note to meet an answer."""
    charts = [
        (
            "the answer comes first",
            [
                (0, "Tread tag 5", ""),
                ("note",),
                (0, "Tflush tag 6 oldtag 5", ""),
                (1, "Rread tag 5", ""),
                (1, "Rflush tag 6", ""),
                ("says", "The answer counts: the call returns its data."),
            ],
        ),
        (
            "the server gives the request up",
            [
                (0, "Tread tag 5", ""),
                ("note",),
                (0, "Tflush tag 6 oldtag 5", ""),
                (1, "Rflush tag 6", ""),
                ("says", 'No Rread can follow. The call: "interrupted".'),
            ],
        ),
        (
            "a second note",
            [
                (0, "Tread tag 5", ""),
                ("note",),
                (0, "Tflush tag 6 oldtag 5", ""),
                ("note",),
                ("leaves",),
                (1, "Rflush tag 6", "line dash"),
                ("says", "Both tags stay taken until the server answers."),
            ],
        ),
        (
            "a kill while a walk is under way",
            [
                (0, "Twalk tag 5 newfid 9", ""),
                ("kill",),
                ("leaves",),
                (1, "Rwalk tag 5", "line dash"),
                (0, "Tclunk fid 9", "line dash"),
                ("says", "Another caller clunks the fid that no channel here has."),
            ],
        ),
    ]
    for number, (title, events) in enumerate(charts):
        x, y = 10 + number % 2 * 470, 20 + number // 2 * 290
        f.text(x + 220, y, title, "head", "middle")
        chart = Lanes(f, ["client", "server"], x, y + 26, 220)
        for event in events:
            if event[0] in (0, 1):
                sender = int(event[0])
                chart.message(sender, 1 - sender, event[1], event[2] or "line")
            elif event[0] == "says":
                chart.note(event[1])
            elif event[0] == "leaves":
                chart.step(0, "the process is gone", "bad")
            else:
                chart.step(0, f"a {event[0]} arrives", "warm")
        chart.end()


def both_full(f: Figure) -> None:
    """Two full pipes, and the sender that reads first."""
    f.box(20, 60, 140, 80, "client\nwants to send", "warm")
    f.box(620, 60, 140, 80, "server\nwants to send", "warm")
    for y, words in ((50, "questions: 256 KiB, full"), (112, "answers: 256 KiB, full")):
        f.box(280, y, 220, 36, words, "bad")
    f.arrow([(160, 68), (278, 68)], "waits for room", "line dash")
    f.arrow([(500, 68), (618, 68)])
    f.arrow([(620, 130), (502, 130)], "waits for room", "line dash", -18)
    f.arrow([(280, 130), (162, 130)])
    f.text(
        390,
        186,
        "The answers belong to killed processes, so no other process reads them.",
        "soft",
        "middle",
    )
    f.text(
        390,
        204,
        "A sender that finds both pipes full reads first (make_way).",
        "soft",
        "middle",
    )
