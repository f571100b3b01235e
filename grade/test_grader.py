"""The grader: what it takes, what it refuses, and that a score never changes."""

from __future__ import annotations

import fcntl
import gzip
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as xml
import zipfile
import zlib
from pathlib import Path
from typing import Callable

import pytest

from grade.course import __main__ as grading
from grade.course import confine, klass, members, report, roster, rubric, score
from grade.course import similar, sources, worker
from grade.course import submission as handed
from grade.course.pristine import copy_with, grade_submission, pristine
from grade.course.sources import Refused
from grade.harness import ROOT, Result, Variant
from grade.harness.guest import find, home_tests
from grade.harness.records import Record

FILES = ("kernel/mmu/copy.c", "kernel/mmu/x86_64/usercopy.asm")
RUBRIC = """
lab = 2
name = "small"
title = "A small lab"
stage = 2
files = ["kernel/mmu/copy.c", "kernel/mmu/x86_64/usercopy.asm"]
[[steps]]
id = "2.1"
title = "Bytes: there and back"
points = 67
tests = ["copy_borders", "copy_without_space"]
[[steps]]
id = "2.2"
title = "Strings"
points = 33
needs = ["2.1"]
tests = ["copy_str_lengths", "cmdline_words"]
"""
CHALLENGE = """
[[challenges]]
id = "C1"
title = "More"
tests = ["copy_random"]
"""
STRANGER = "grade/guest/kernel/test_boot_cmdline.c"


def first_test(source: str) -> str:
    """The name of a test that does not depend on the lab."""
    match = re.search(
        r"^KTEST\((\w+)\)", (ROOT / source).read_text(encoding="utf-8"), re.M
    )
    assert match is not None
    return match[1]


TEXT = RUBRIC.replace("cmdline_words", first_test(STRANGER))
SMALL = rubric.parse(TEXT)


def make_root(root: Path) -> None:
    """Write a tree with the small lab."""
    for name in score.files_of(ROOT):
        if name.startswith(("kernel/", "user/", "tools/", "Makefile")) or (
            re.match(r"grade/(__init__\.py|harness/|course/|guest/)", name)
        ):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    shutil.rmtree(root / "tools/course", ignore_errors=True)
    for name, step in zip(FILES, ("2.2", "2.1")):
        text = (root / name).read_text(encoding="utf-8")
        (root / name).write_text(text.replace("Lab 2.10", f"Lab {step}"), "utf-8")
    lab = root / "labs/02-small"
    lab.mkdir(parents=True)
    (lab / "rubric.toml").write_text(TEXT, encoding="utf-8")


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pristine tree with a small lab, built; the reference is its starter."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root = base / "grader" / "root"
    with (base / "grader.lock").open(
        "w", encoding="utf-8"
    ) as lock:  # two workers share it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            make_root(root)
            for folder in [root.parent, *root.parent.parents][:4]:
                folder.chmod(folder.stat().st_mode | 0o011)
        return pristine(root, 2)


def files(**changed: str) -> dict[str, bytes]:
    """The reference's files, `c` or `asm` replaced or, with `+`, continued."""
    found = {}
    for key, name in zip(("c", "asm"), FILES):
        text = (ROOT / name).read_text(encoding="utf-8")
        new = changed.get(key, "+")
        found[name] = (text + new[1:] if new[:1] == "+" else new).encode()
    return found


def graded(tree: Path, jobs: int = 2, **changed: str) -> score.Score:
    """The score of the reference with these changes."""
    return grade_submission(tree, 2, handed.Submission(files(**changed)), jobs)


# ---- rubrics ----


@pytest.mark.parametrize(
    "old, new, why",
    [
        ("points = 67", "points = 66", "add up to 99"),
        ("points = 67", "points = 67.0", "must be of type int"),
        ("points = 67", "point = 67", "unknown key 'point'"),
        ('needs = ["2.1"]', 'needs = ["2.7"]', "which is no other step"),
        ('id = "2.2"', 'id = "2.1"', "is there twice"),
        ('id = "2.2"', 'id = "3.2"', "an id looks like 2.1"),
        ("copy_str_lengths", "copy_borders", "is in 2.1 and in 2.2"),
        ("kernel/mmu/copy.c", "../copy.c", "plain path"),
        ("kernel/mmu/copy.c", "Makefile", "only files of kernel/"),
        ("lab = 2", "lab = ", "rubric.toml:"),
        ('["copy_str', '[7, "copy_str', "list of strings"),
    ],
)
def test_rubric_is_checked(old: str, new: str, why: str) -> None:
    """A wrong rubric is refused with the reason."""
    with pytest.raises(rubric.RubricError, match=re.escape(why)):
        rubric.parse(TEXT.replace(old, new, 1))


def test_rubric_names_tests_that_exist() -> None:
    """A test that does not exist is named, with those it may have meant."""
    from grade.harness.guest import home_tests

    wrong = rubric.parse(TEXT.replace("copy_borders", "copy_boarders"))
    with pytest.raises(rubric.RubricError, match="copy_boarders; is it copy_borders"):
        rubric.resolve(wrong, home_tests(), ROOT)


def test_points_are_whole_and_exact() -> None:
    """Each test is an equal share, each machine one of its test's; rounded down."""
    made = score.Score(
        SMALL, runs={name: [name] for s in SMALL.steps for name in s.tests}
    )
    made.runs["copy_borders"] = ["a", "b"]
    for id_ in ("a", "copy_without_space"):
        made.rows[id_] = {"id": id_, "verdict": "pass"}
    assert [step.points for step in made.steps] == [50, 0]  # 67 * 3/4 = 50.25
    made.rows["b"] = {"id": "b", "verdict": "infrastructure", "wrong": []}
    assert not made.to_dict()["complete"]


# ---- archives ----


def tar_with(*members: tuple[str, bytes, bytes], mode: str = "w:gz") -> bytes:
    """A tar archive: name, type, data (or where a link leads)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        for name, kind, data in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(data)
            else:
                info.linkname = data.decode()
            tar.addfile(info, io.BytesIO(data) if kind == tarfile.REGTYPE else None)
    return out.getvalue()


def zip_with(*members: tuple[str, bytes, int]) -> bytes:
    """A zip archive: name, data, mode."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, mode in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


FILE, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
GOOD = (FILES[0], FILE, b"int x;\n")
HUGE = b"/" * (handed.FILE + 1)


def bomb() -> bytes:
    """A small file that unpacks to more than anybody wants."""
    head = tar_with(("x", FILE, b""), mode="w")[:512]
    info = tarfile.TarInfo("x")
    info.size = members.UNPACKED + (1 << 20)
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as packed:
        packed.write(info.tobuf() if head else b"")
        block = bytes(1 << 20)
        for _ in range((members.UNPACKED >> 20) + 1):
            packed.write(block)
    return out.getvalue()


def _packed(data: bytes) -> bytes:
    """A zip member's bytes as the archive holds them."""
    return zlib.compress(data, 6, wbits=-15)


SPOILT = (_packed(b"int"), _packed(b"mint")[: len(_packed(b"int"))])


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "traversal": (lambda: tar_with(GOOD, ("../../evil.c", FILE, b"")), "leads out"),
    "inner": (lambda: tar_with(GOOD, ("a/../../b", FILE, b"")), "leads out"),
    "absolute": (lambda: tar_with(("/etc/cron.d/x", FILE, b"")), "absolute path"),
    "link": (lambda: tar_with((FILES[0], LINK, b"/etc/passwd")), "is a link"),
    "folder-link": (lambda: tar_with(("kernel", LINK, b"/etc"), GOOD), "is a link"),
    "hard-link": (lambda: tar_with(("x", FILE, b""), ("y", HARD, b"x")), "hard link"),
    "backslash": (lambda: tar_with(GOOD, ("a\\..\\..\\b", FILE, b"")), "leads out"),
    "twice-so": (
        lambda: tar_with(GOOD, (FILES[0].replace("/", "\\"), FILE, b"")),
        "is there twice",
    ),
    "crc": (lambda: zip_with((FILES[0], b"int", 0)).replace(*SPOILT), "broken archive"),
    "inner-bomb": (
        lambda: tar_with(("x.tar.gz", FILE, bomb())),
        "x.tar.gz: it unpacks",
    ),
    "inner-link": (
        lambda: tar_with(("x.zip", FILE, zip_with((FILES[0], b"/", 0o120777)))),
        "x.zip: kernel/mmu/copy.c: is a link",
    ),
    "two-inner": (
        lambda: tar_with(*[(f"{n}.tar", FILE, tar_with(GOOD, mode="w")) for n in "ab"]),
        "several archives with the lab's files: a.tar, b.tar",
    ),
    "device": (lambda: tar_with(GOOD, ("d", tarfile.CHRTYPE, b"")), "is a device"),
    "fifo": (lambda: tar_with(("f", tarfile.FIFOTYPE, b"")), "is a device"),
    "huge": (lambda: tar_with((FILES[0], FILE, HUGE)), "larger than 512 KiB"),
    "bomb": (bomb, "unpacks to more than 8 MiB"),
    "many": (
        lambda: tar_with(*[(f"{n}", FILE, b"") for n in range(members.MEMBERS + 1)]),
        "more than 200 members",
    ),
    "text": (lambda: b"#!/bin/sh\nrm -rf /\n" * 50, "is no archive"),
    "empty": (lambda: b"", "is no archive"),
    "cut": (
        lambda: tar_with(GOOD, ("x", FILE, os.urandom(9000)))[:4000],
        "broken archive",
    ),
    "no-gzip": (lambda: b"\x1f\x8b" + b"lies" * 200, "broken archive"),
    "no-zip": (lambda: b"PK\x03\x04" + b"lies" * 200, "broken archive"),
    "binary": (lambda: tar_with((FILES[0], FILE, b"\x7fELF\0\0")), "is no text"),
    "twice": (lambda: tar_with(GOOD, GOOD), "is there twice"),
    "two-trees": (
        lambda: tar_with(*[(f"{top}/{FILES[0]}", FILE, b"") for top in "ab"]),
        "several trees",
    ),
    "nothing": (
        lambda: tar_with(("README", FILE, b"hello")),
        "none of the lab's files",
    ),
    "zip-traversal": (lambda: zip_with(("../x", b"", 0o100644)), "leads out"),
    "zip-link": (lambda: zip_with((FILES[0], b"/etc/passwd", 0o120777)), "is a link"),
    "zip-huge": (lambda: zip_with((FILES[0], HUGE, 0o100644)), "larger than 512 KiB"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dishonest archive is refused and leaves no trace."""
    monkeypatch.setattr(members, "MEMBERS", 200)
    monkeypatch.setattr(members, "UNPACKED", 8 << 20)
    make, why = HOSTILE[name]
    place = tmp_path / "in" / "x.tar.gz"
    place.parent.mkdir()
    place.write_bytes(make())
    with pytest.raises(Refused, match=re.escape(why)):
        handed.collect(str(place), SMALL, tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "x.tar.gz"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
@pytest.mark.parametrize("top", ["", "./", "lux9-lab2/"])
def test_honest_archives_are_taken(mode: str, top: str, tmp_path: Path) -> None:
    """Only the lab's files are taken, from any usual archive, below any folder."""
    names = [FILES[0], FILES[1], "Makefile", "kernel/boot/panic.c"]
    if mode == "zip":
        data = zip_with(*[(top + name, name.encode(), 0o100644) for name in names])
    else:
        data = tar_with(*[(top + n, FILE, n.encode()) for n in names], mode=mode)
    (tmp_path / "x").write_bytes(data)
    taken = handed.collect(str(tmp_path / "x"), SMALL, tmp_path)
    assert taken.files == {name: name.encode() for name in FILES}
    assert taken.missing == []


TREE = {name: f"/* {name} */\n".encode() for name in (*FILES, "Makefile")}


def packed(top: str, mode: str) -> bytes:
    """TREE below a folder as an archive."""
    if mode == "zip":
        return zip_with(*[(top + n, data, 0o100644) for n, data in TREE.items()])
    if mode == "backslash":
        names = [(top + n).replace("/", "\\") for n in TREE]
        return zip_with(*[(n, data, 0) for n, data in zip(names, TREE.values())])
    return tar_with(*[(top + n, FILE, data) for n, data in TREE.items()], mode=mode)


# What to hand in (a folder's files), and where the grader says it found the tree.
WAYS: dict[str, tuple[dict[str, bytes], str]] = {
    "top": (TREE, ""),
    "subfolder": ({f"work/lux9/{n}": d for n, d in TREE.items()}, "work/lux9/"),
    "archive": ({"lab2.tar.gz": packed("", "w:gz")}, "lab2.tar.gz"),
    "deep-archive": ({"a/b.zip": packed("lux9/", "zip")}, "a/b.zip: lux9/"),
    "windows": ({"lab2.zip": packed("lux9/", "backslash")}, "lab2.zip: lux9/"),
    "old-archives": (
        {"lab1.tar": tar_with(("x.c", FILE, b""), mode="w"), **TREE},
        "",
    ),
    "other-labs": (
        {
            "lab1.tar": tar_with(("x.c", FILE, b""), mode="w"),
            "lab2.tar.xz": packed("", "w:xz"),
        },
        "lab2.tar.xz",
    ),
    "built-too": (
        {**TREE, **{f"build/course/tree/{n}": b"old" for n in TREE}},
        "",
    ),
}


@pytest.mark.parametrize("form", ["folder", "zip", "tar", "backslash", "revision"])
@pytest.mark.parametrize("way", WAYS)
def test_tree_is_found_wherever_it_is(way: str, form: str, tmp_path: Path) -> None:
    """Folder, archive and revision: the tree is found in each, wherever it lies."""
    content, where = WAYS[way]
    source = tmp_path / "mine"
    if form in ("folder", "revision"):
        for name, data in content.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(data)
    elif form == "tar":
        source.write_bytes(tar_with(*[(n, FILE, d) for n, d in content.items()]))
    else:
        slash = "\\" if form == "backslash" else "/"
        named = [(n.replace("/", slash), d, 0) for n, d in content.items()]
        source.write_bytes(zip_with(*named))
    what = str(source)
    if form == "revision":
        git = ["git", "-C", what, "-c", "user.name=a", "-c", "user.email=a@b.c"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
            subprocess.run([*git, *words], check=True)
        what += "@HEAD"
    taken = handed.collect(what, SMALL, tmp_path)
    assert taken.files == {name: TREE[name] for name in FILES} and not taken.missing
    name = Path(what).name
    assert taken.took == f"2 of 2 files from {f'{where} in ' if where else ''}{name}"


def test_harmless_links_do_not_refuse_a_tree(tmp_path: Path) -> None:
    """A link that no file of the lab lies behind is ignored, in each form."""
    make = {"tar": tar_with(GOOD, ("docs/latest", LINK, b"/etc"))}
    make["zip"] = zip_with((FILES[0], b"int x;\n", 0), ("latest", b"/", 0o120777))
    for name, data in make.items():
        (tmp_path / name).write_bytes(data)
        taken = handed.collect(str(tmp_path / name), SMALL, ROOT)
        assert taken.files == {FILES[0]: b"int x;\n"}


def test_folders_are_read_without_links(tmp_path: Path) -> None:
    """A folder's files are taken; a link on the way to one is refused."""
    place = tmp_path / FILES[0]
    place.parent.mkdir(parents=True)
    place.write_text("int x;\n", encoding="utf-8")
    assert handed.collect(str(tmp_path), SMALL, ROOT).missing == [FILES[1]]
    place.unlink()
    place.symlink_to("/etc/passwd")
    with pytest.raises(Refused, match="copy.c: is a link"):
        handed.collect(str(tmp_path), SMALL, ROOT)
    place.parent.joinpath("lux9.socket").symlink_to("/etc/passwd")
    place.unlink()
    place.write_text("int x;\n", encoding="utf-8")
    assert handed.collect(str(tmp_path), SMALL, ROOT).missing == [FILES[1]]


def test_revisions_are_read_without_a_checkout(tmp_path: Path) -> None:
    """A git revision's files are taken; hooks do not run, links are refused."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    place = tmp_path / FILES[0]
    place.parent.mkdir(parents=True)
    place.write_text("int x;\n", encoding="utf-8")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    hook = tmp_path / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    hook.chmod(0o755)
    place.unlink()
    place.symlink_to("/etc/passwd")
    subprocess.run([*git, "commit", "-qam", "two"], check=True)
    taken = handed.collect(f"{tmp_path}@HEAD~1", SMALL, ROOT)
    assert taken.files == {FILES[0]: b"int x;\n"}
    with pytest.raises(Refused, match="is a link"):
        handed.collect(f"{tmp_path}@HEAD", SMALL, ROOT)
    with pytest.raises(Refused):
        handed.collect(f"{tmp_path}@--output=x", SMALL, ROOT)
    assert not (tmp_path / "ran").exists()


def test_what_is_packed_can_be_handed_in(tmp_path: Path) -> None:
    """`make handin` writes the lab's files, the same bytes each time."""
    for name in ("a", "b"):
        handed.pack(ROOT, SMALL, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert handed.collect(str(tmp_path / "a"), SMALL, ROOT).files == files()


# ---- sources ----


@pytest.mark.parametrize(
    "name, text, why",
    [
        ("a.c", '#include "/etc/passwd"\n', "includes /etc/passwd"),
        ("a.c", "# /* */ include </etc/passwd>\n", "includes /etc/passwd"),
        ("a.c", '#inc\\\nlude "../../x"\n', "includes ../../x"),
        ("a.c", '%:include "/etc/passwd"\n', "includes /etc/passwd"),
        ("a.c", "#define F </etc/passwd>\n#include F\n", "no plain file name"),
        ("a.c", '__asm__(".incbin \\"/etc/passwd\\"");\n', "reads a file by .incbin"),
        ("a.c", '__asm__(".include \\"/etc/passwd\\"");\n', "reads a file by .include"),
        ("a.c", "#embed </etc/passwd>\n", "includes /etc/passwd"),
        ("a.asm", '%include "/etc/passwd"\n', "includes /etc/passwd"),
        ("a.asm", 'INCBIN "/etc/passwd"\n', "reads a file by INCBIN"),
        ("a.asm", "db %!HOME\n", "reads the environment"),
    ],
)
def test_sources_that_name_files_are_refused(name: str, text: str, why: str) -> None:
    """Source that asks for a file outside the tree is refused by its text."""
    with pytest.raises(Refused, match=re.escape(why)):
        sources.check_text(name, text)


def test_comments_and_strings_may_name_anything() -> None:
    """Text that only looks like a directive does no harm."""
    text = '/*\n#include "/etc/passwd"\n*/\nconst char *s = "#include </etc/x>";\n'
    sources.check_text("a.c", text + "// incbin\n")
    sources.check_text("a.asm", "; incbin\nnop\n")
    for name, data in files().items():
        sources.check_text(name, data.decode())


@pytest.mark.parametrize(
    "name, text",
    [
        ("a.c", '__asm__(".inc" "bin \\"/etc/passwd\\"");\n'),
        (
            "a.c",
            '__asm__(".macro m a\\n.inc\\\\a \\"/etc/passwd\\"\\n.endm\\nm bin");\n',
        ),
        ("a.c", '_Pragma("once")\n#define I(x) x\n#include I("/etc/passwd")\n'),
        ("a.asm", '%define R inc %+ bin\nR "/etc/passwd"\n'),
        ("a.asm", '%deftok I "%include"\n%include "/etc/passwd"\n'),
    ],
)
def test_files_opened_in_secret_are_found(name: str, text: str, tmp_path: Path) -> None:
    """Whatever the text looks like: what the tools have opened is known."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    read = sources.files_read(str(tmp_path / name), Variant(stage=2))
    assert "/etc/passwd" in read


def test_confined_commands_see_nothing(tmp_path: Path) -> None:
    """Confined: no /etc/passwd, no home, no network, no other process, not root."""
    if not confine.possible():
        pytest.skip("this user can make no namespaces here")
    tmp_path.chmod(0o777)
    script = (
        "cat /etc/passwd /proc/1/environ; ls /home /root /work; id -u; "
        "cat /proc/net/dev | wc -l; ls -d /proc/[0-9]* | wc -l; touch here /usr/there"
    )
    words = ["python3", str(Path(confine.__file__)), str(tmp_path), "sh", "-c", script]
    secret = {"PATH": os.environ["PATH"], "SECRET": "s3cret"}
    run = subprocess.run(
        words, capture_output=True, encoding="utf-8", env={**secret, "SECRET": ""}
    )
    uid, interfaces, processes = run.stdout.split()[-3:]
    assert "root:" not in run.stdout
    assert uid != "0" or os.geteuid() != 0
    assert int(interfaces) <= 3  # two lines of heading and lo
    assert int(processes) < 8
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


# ---- whole gradings ----


@pytest.mark.slow
def test_reference_has_all_points(tree: Path) -> None:
    """The reference has 100 points, in a confined build."""
    got = graded(tree)
    assert got.points == 100, report.terminal(got)
    assert "infrastructure" not in got.to_json()


FORGERY = """
static void forge(void)
{
    char name[64];

    cmdline_get("ktest", name, sizeof(name));
    record_printf("test", "%s pass", name);
    test_exit(0);
}
"""


def test_forged_reports_by_the_kernels_own_functions(tree: Path) -> None:
    """Code that calls what writes records or ends a run is refused."""
    got = graded(
        tree, c="+" + FORGERY.replace("static void", "void forge(void);\nvoid")
    )
    assert got.points == 0
    assert re.search(r"copy\.c: calls (record_printf|test_exit)", got.refused)


def replaced(function: str, body: str) -> str:
    """copy.c with another body of one function."""
    text = (ROOT / FILES[0]).read_text(encoding="utf-8")
    form = rf"(^{function}\([^{{;]*\)\n\{{\n).*?^\}}"
    new, count = re.subn(form, lambda m: m[1] + body + "}", text, flags=re.M | re.S)
    assert count == 1
    return new


LIES = """
    static const char frame[] = "\\x1eLUX9 test 17\\ncopy_borders pass\\n";

    print("ktest: copy_borders pass\\n");
    for (const char *p = frame; *p; p++)
        __asm__ volatile("outb %0, %1" : : "a"(*p), "Nd"((uint16_t)0xe9));
    __asm__ volatile("outl %0, %1" : : "a"(0), "Nd"((uint16_t)0xf4));
    for (;;)
        ;
"""


@pytest.mark.slow
def test_forged_frames_earn_nothing(tree: Path) -> None:
    """A kernel that prints a report and writes its own frames earns nothing."""
    got = graded(tree, c=replaced("copy_in", LIES))
    assert got.unbuilt == [] and got.refused == ""
    assert got.rows["copy_borders-1cpu"]["verdict"] == "fail"
    assert "no record" in " ".join(got.rows["copy_borders-1cpu"]["wrong"])


@pytest.mark.slow
def test_endless_loop_and_output_cost_their_tests_only(tree: Path) -> None:
    """A hang or endless output fails its tests, the others keep their points."""
    hang = graded(tree, c=replaced("copy_in", "    for (;;)\n        ;\n"))
    assert "limit" in hang.rows["copy_borders-1cpu"]["end"]
    assert any("copy_in" in line for line in hang.rows["copy_borders-1cpu"]["stack"])
    loud = 'for (;;)\n        __asm__ volatile("outb %0, $0xe9" : : "a"(*"x"));\n'
    output = graded(tree, c=replaced("copy_in", f"    {loud}"))
    assert "endless output" in output.rows["copy_borders-1cpu"]["end"]
    stranger = f"{first_test(STRANGER)}-1cpu"
    assert hang.rows[stranger]["verdict"] == output.rows[stranger]["verdict"] == "pass"
    assert not hang.infrastructure and not output.infrastructure
    assert 0 < hang.points < 100


def test_builds_that_would_read_the_host_show_nothing(tree: Path) -> None:
    """A file of the host gets into no report, not even by a compiler's message."""
    evil = '+__asm__(".inc" "lude \\"/etc/passwd\\"");\n'
    got = graded(tree, c=evil)
    assert got.points == 0 and (got.refused or got.unbuilt)
    assert "root:" not in got.to_json()


def test_builds_that_never_end_are_stopped(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compiler that eats memory is stopped, and that is no host's trouble."""
    got = graded(tree, c="+char waste[1ul << 40] = { 1 };\n")
    assert got.unbuilt and got.points == 0 and not got.infrastructure


def test_file_that_does_not_build_costs_its_steps(tree: Path) -> None:
    """A missing semicolon costs the steps of its file, and the reports say why; a
    kernel that cannot be linked has no file to leave out."""
    got = graded(tree, c="+int forgotten\n\nint more;\n")
    assert got.unbuilt == [] and got.points == 67
    assert "kernel/mmu/copy.c does not build (line " in got.without["2.2"]
    assert "expected" in got.notes[0] and "2.2" in got.notes[0]
    assert score.from_dict(json.loads(got.to_json()), got.rubric).points == 67
    entry = klass.Entry("ann", None, score=got)
    assert entry.reason == got.without["2.2"]
    both = graded(tree, c="+int forgotten\n\nint x;\n", asm="+        mov eax,\n")
    assert both.points == 0 and set(both.without) == {"2.1", "2.2"}
    unlinked = graded(
        tree,
        c="+int elsewhere(void);\nint more(void);\n"
        "int more(void)\n{\n    return elsewhere();\n}\n",
    )
    assert "elsewhere" in " ".join(unlinked.unbuilt) and unlinked.points == 0
    assert "elsewhere" in klass.Entry("bob", None, score=unlinked).reason


def test_missing_sim_c_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sim_c the page of a class says that nothing was compared."""
    monkeypatch.setattr(similar.shutil, "which", lambda name: None)
    whole = klass.Class(SMALL, Path(), "", Path(), Path())
    assert "install similarity-tester" in klass.index(whole, [], [])


def test_nothing_else_of_a_submission_is_used(tree: Path, tmp_path: Path) -> None:
    """A submission's Makefile, tests and tools stay where they are."""
    place = tmp_path / "x.tar"
    evil = b"$(shell touch /tmp/lux9-owned)\nall:\n\ttouch /tmp/lux9-owned\n"
    names = ["Makefile", "grade/__init__.py", "grade/conftest.py", "tools/symbols.py"]
    members = [(name, FILE, data) for name, data in files().items()]
    members += [(name, FILE, evil) for name in names]
    place.write_bytes(tar_with(*members, mode="w"))
    with copy_with(tree, handed.collect(str(place), SMALL, ROOT)) as copy:
        for name in names:
            known = tree / name
            assert (copy / name).exists() == known.exists()
            assert (
                not known.exists() or (copy / name).read_bytes() == known.read_bytes()
            )


@pytest.mark.slow
def test_ten_gradings_are_the_same_bytes(tree: Path) -> None:
    """The same submission gives the same bytes ten times, also under load."""
    wrong = handed.Submission(files(c=replaced("copy_out", "    return 0;\n")))
    busy = "import time\nt = time.time() + 40\nwhile time.time() < t: pass"
    load: list[subprocess.Popen[bytes]] = []
    seen = set()
    with copy_with(tree, wrong) as copy:
        for turn in range(10):
            if turn == 5:
                load += [subprocess.Popen(["python3", "-c", busy]) for _ in range(2)]
            jobs, only = 1 + turn % 2, ["copy_borders", first_test(STRANGER)]
            got = score.grade_tree(copy, 2, jobs, only, confined=True)
            seen.add(got.to_json() + report.web(got) + report.gradescope(got))
    for process in load:
        process.kill()
        process.wait()
    assert len(seen) == 1
    assert 0 < got.points < 100


# ---- reports ----


@pytest.fixture(scope="session")
def failed(tree: Path) -> score.Score:
    """A score with failures of a wrong solution."""
    return graded(tree, c=replaced("copy_out", "    return 0;\n"))


def test_terminal_tells_what_to_do(failed: score.Score) -> None:
    """A failure says what was expected, what came, and what to type."""
    text = report.terminal(failed)
    for part in (
        r"expected +\S",
        r"got +\S",
        r"read +labs/02-small/README.md#step-21-bytes-there-and-back",
        r"again +make grade LAB=2 T='copy_\w+-1cpu'",
        r"in GDB +make gdb T='copy_\w+-1cpu'",
        r"backwards +make replay T=",
        rf"{failed.points:3} / 100",
    ):
        assert re.search(part, text), part


def test_unwritten_steps_are_told_once(failed: score.Score) -> None:
    """Tests that all wait for the same step make one paragraph, not many."""
    bare = score.from_dict(json.loads(failed.to_json()), failed.rubric)
    said = "step 2.1 is not written yet: kernel/mmu/copy.c:copy_in, see labs/02-small"
    for row in bare.rows.values():
        row.update(verdict="fail", got=f"error: {said}", expected="", wrong=[], end="")
    text = report.terminal(bare)
    assert text.count(said) == 1 and "FAILED" not in text
    assert "tests that wait for it: of step 2.1, 2.2" in text


def test_what_a_program_says_comes_first() -> None:
    """A failed check of a user program is the headline, with the error's name."""
    test = next(t for t in home_tests() if t.source.parent.name == "user")
    place, said = "grade/guest/user/a.c:7", f"{test.name} fail"

    def got(*texts: str) -> tuple[str, str]:
        records = [Record("user", text.encode()) for text in (*texts, said)]
        run = Result(test.setup(), "exit", 1, "", records, b"", "", [])
        return worker.values(test.judge(run))

    values = f"{place}: f() == 0: got -39 (0xffffffffffffffd9), want 0 (0x0)"
    assert got(values) == ("f() == 0", "-39 (-E_BADMSG)")
    late = "slept < 10 * MS: got 20 (0x14), want < 10 (0xa)"
    assert got(f"{place}: round 7: {late}") == (
        "slept < 10 * MS (10)",
        "20 (0x14) in round 7",
    )
    lost = f"{place}: fd >= 0: got -2 (0xfffffffffffffffe; last error: gone), want >= 0"
    assert got(f"{lost} (0x0)")[1].startswith("-2 (-E_")
    lost = f"{place}: r[1] == 7: got -1 (0xffffffffffffffff), want 81985529216486895"
    assert got(f"{lost} (0x123456789abcdef)")[1] == "-1 (0xffffffffffffffff)"
    narrow = f"{place}: id == 0: got 4294967295 (0xffffffff), want 0 (0x0)"
    assert got(narrow)[1] == "4294967295 (0xffffffff, -1 in 32 bits)"
    assert got(f"{place}: p != 0: last error: none") == (
        "p != 0",
        "false; last error: none",
    )
    step = "step 4.10 is not written yet: user/lib/9p/fid.c:fid_get, see labs/04-9p"
    assert got(step)[1] == f"error: {step}"


def failed_from_outside(text: str, *ends: str) -> dict[str, str]:
    """What a report says about a pytest function that failed like this."""
    rows = [{"id": "x.py::t[max-1]", "outcome": "failed", "text": text, "ends": ends}]
    return worker.verdict_of(rows, "")


def test_failures_from_outside_have_values() -> None:
    """A bare assertion shows expression, value and how the machine ended."""
    text = "    assert apic_id(cpu) == 0\nE   assert 4294967295 == 0\n"
    triple = "triple fault: the CPU gave up and reset the machine"
    row = failed_from_outside(text, "the test stopped the machine", triple)
    assert row["expected"] == "apic_id(cpu) == 0"
    assert row["got"] == "-1 (4294967295 without a sign)"
    assert row["end"] == f"0 of 1 cases passed; first failure: case max-1; {triple}"
    row = failed_from_outside("    assert n < LIMIT\nE   assert 5 < 4\nE    +  where")
    assert (row["expected"], row["got"]) == ("n < LIMIT (4)", "5")
    told = failed_from_outside("E   AssertionError: esi has changed\nE   assert 1 == 2")
    assert told["got"] == told["wrong"][0] == "esi has changed"


@pytest.mark.parametrize("how", ["machine.settle()", "raise machine_failure"])
def test_triple_fault_is_told(probe: Path, tmp_path: Path, how: str) -> None:
    """What ended a machine of a test from outside is in the report of its failure."""
    how = how.replace("machine_failure", "GuestFailure(machine.wait().report())")
    test = tmp_path / "test_t.py"
    test.write_text(
        "from grade.harness import GuestFailure, Machine, Setup\n"
        "from pathlib import Path\n\n"
        "def test_t():\n"
        f"    setup = Setup(kernel=Path({str(probe)!r}), cmdline='t', limit=4)\n"
        "    with Machine(setup) as machine:\n"
        f"        {how}\n"
        "        assert machine.console() == 'Lux9'\n",
        encoding="utf-8",
    )
    out = tmp_path / "outcomes"
    words = [sys.executable, "-m", "pytest", "-q", "-p", "grade.course.plugin"]
    words += ["-p", "grade.conftest", "-p", "no:xdist", "-p", "no:cacheprovider"]
    subprocess.run(
        [*words, str(test)],
        cwd=ROOT,
        env=dict(os.environ, LUX9_OUTCOMES=str(out)),
        capture_output=True,
        timeout=100,
    )
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    row = worker.verdict_of(rows, "")
    assert "triple fault: the CPU gave up" in row["end"]


def test_no_complaint_is_bare() -> None:
    """A panic, a hang or a reset says what the test expected in its place."""
    panic = Record("panic", b"page fault at strcmp+0x0")
    test = next(t for t in home_tests() if t.doc)
    for end, records, expected in (
        ("exit", [panic], "no panic"),
        ("limit", [], "an end of the test before its limit"),
        ("triple fault", [], "the test's own end"),
        ("halted", [], "the test's own end"),
    ):
        run = Result(test.setup(), end, 1, "", records, b"", "", [])
        row = worker.story_of(test, test.judge(run), run)
        assert row["expected"] == expected and row["got"]


def test_some_tests_show_their_points(failed: score.Score) -> None:
    """With T= the points of a step are shown if all of its tests were run."""
    some = score.from_dict(json.loads(failed.to_json()), failed.rubric)
    first = some.rubric.steps[0]
    ids = [id_ for name in first.tests for id_ in some.runs[name]]
    some.rows = {id_: some.rows[id_] for id_ in ids}
    points = some.of_step(first).points
    shown = rf"(?m)^step {first.id}: \d+ of {len(ids)} tests passed, {points} of "
    assert re.search(shown, report.terminal(some, every=True))
    del some.rows[ids[0]]
    assert f"for points run make grade LAB=2 T={first.id}" in report.terminal(
        some, every=True
    )


def test_unwritten_steps_are_seen_by_all_kinds_of_test() -> None:
    """Tests that want a panic, and those from outside, tell the missing step."""
    said = "step 2.1 is not written yet: kernel/mmu/copy.c:copy_in, see labs/02-small"
    test = next(t for t in home_tests() if t.panic)
    records = [Record("error", said.encode())]
    run = Result(test.setup(), "exit", 4, said, records, b"", "", [])
    assert test.judge(run).startswith(f"error: {said}\nexpected a panic")
    text = f"expected 'lux9> $' on the console\n--- console, last lines\n{said}\n"
    row = worker.verdict_of([{"outcome": "failed", "text": text}], "")
    assert row["verdict"] == "fail" and report.unwritten(row) == said
    challenge = rubric.parse(TEXT + CHALLENGE)
    every = challenge.steps + challenge.challenges
    ids = {name: [name] for step in every for name in step.tests}
    rows = {i: {"id": i, "verdict": "pass"} for ids_ in ids.values() for i in ids_}
    rows["copy_random"] = {**row, "id": "copy_random", "got": "7", "cpus": 1}
    rows["copy_random"] |= {"mem": "128M", "seed": 1, "shift": 5}
    got = score.Score(challenge, rows, ids)
    assert "FAILED: copy_random" in report.terminal(got, every=True)
    rows["copy_borders"] = {**row, "id": "copy_borders"}
    assert "FAILED: copy_borders" not in report.terminal(got)


def test_challenges_come_last() -> None:
    """A challenge that was not begun is a line of the table, not a failure."""
    challenge = rubric.parse(TEXT + CHALLENGE)
    every = challenge.steps + challenge.challenges
    ids = {name: [name] for step in every for name in step.tests}
    rows = {i: {"id": i, "verdict": "pass"} for ids_ in ids.values() for i in ids_}
    wanted = challenge.challenges[0].tests[0]
    rows[wanted] = {"id": wanted, "verdict": "fail", "wrong": ["no"], "got": "no"}
    text = report.terminal(score.Score(challenge, rows, ids))
    assert "FAILED" not in text and "100 / 100" in text
    assert text.rstrip().endswith("What a challenge wants: make grade LAB=2 T=C1")


def test_variants_that_fail_alike(failed: score.Score) -> None:
    """Variants of one test that say the same are one failure with their ids."""
    got = score.from_dict(failed.to_dict(), failed.rubric)
    step = got.steps[0].step
    name = step.tests[0]
    first = {"verdict": "fail", "cpus": 1, "mem": "128M", "seed": 1, "shift": 5}
    first |= {"expected": "", "got": "lost", "doc": "", "end": ""}
    wrongs = {"1cpu": "round 7", "1cpu-shift4": "round 19", "2cpu": "a panic"}
    got.runs[name] = [f"{name}-{end}" for end in wrongs]
    for end, wrong in wrongs.items():
        id_ = f"{name}-{end}"
        got.rows[id_] = {**first, "id": id_, "wrong": [wrong]}
    text = report.terminal(got, every=True)
    assert text.count(f"FAILED: {name}-") == 2
    assert f"  the same  {name}-1cpu-shift4\n" in text
    page, first_step = report.web(got), json.loads(report.gradescope(got))["tests"][0]
    assert page.count(f"<b>FAILED</b> <code>{name}-") == 2
    assert f"<dt>the same</dt><dd>{name}-1cpu-shift4</dd>" in page
    assert first_step["output"].count(f"FAILED: {name}-") == 2


def test_an_id_is_one_run() -> None:
    """The id that a report prints runs that test alone, not its variants."""
    lab = rubric.for_lab(ROOT, 3)
    name = "sleep_woken_at_every_moment"

    def ids(word: str) -> list[str]:
        return [getattr(t, "id", t) for t in worker.chosen(lab, [word])[0]]

    assert ids(f"={name}-1cpu") == [f"{name}-1cpu"]
    assert len(ids(f"={name}")) == len(ids(name)) == 3
    assert "sleep_interrupted-1cpu" in ids("sleep_interrupted-1cpu")
    words = ["-m", "pytest", "-q", "--collect-only", "-k", f"{name}-1cpu", "grade"]
    run = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True)
    assert run.stdout.decode().count("::") == 1


def test_names_that_no_test_has(failed: score.Score) -> None:
    """A misspelt T= is told, with names that may have been meant."""
    assert grading.unknown(failed, ["copy_borders", "copy_borders-1cpu"]) == ""
    wrong = grading.unknown(failed, ["copy_border"])
    assert wrong == "lab 2 has no test 'copy_border'; perhaps: copy_borders"
    with pytest.raises(LookupError, match="perhaps: copy_borders"):
        find("copy_border")


def test_other_programs_can_read_reports(failed: score.Score) -> None:
    """Gradescope's JSON and JUnit's XML agree with the score."""
    table = json.loads(report.gradescope(failed))
    assert table["score"] == failed.points == sum(t["score"] for t in table["tests"])
    assert sum(test["max_score"] for test in table["tests"]) == 100
    suites = xml.fromstring(report.junit(failed))
    bad = suites.findall(".//failure")
    assert len(bad) == sum(row["verdict"] == "fail" for row in failed.rows.values())
    assert len(suites.findall(".//testcase")) == len(failed.rows)
    assert report.table(failed).count("\n") == len(failed.rows) + 1


def test_page_says_it_in_words(failed: score.Score) -> None:
    """The page names failures in words, escapes all text, loads nothing."""
    nasty = score.from_dict(failed.to_dict(), failed.rubric)
    nasty.student = "<script>alert(1)</script>"
    text = report.web(nasty)
    assert "FAILED" in text and f"{failed.points} of 100" in text
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=\"?https?:", text)


def test_records_of_a_grading_come_back(failed: score.Score) -> None:
    """A score read from its JSON gives the same reports."""
    again = score.from_dict(json.loads(failed.to_json()), failed.rubric)
    assert again.to_json() == failed.to_json()
    assert report.web(again) == report.web(failed)


def test_host_trouble_is_no_verdict(failed: score.Score, tmp_path: Path) -> None:
    """A test that the host could not run gives no results.json, and says so."""
    broken = score.from_dict(json.loads(failed.to_json()), failed.rubric)
    id_ = sorted(broken.rows)[0]
    broken.rows[id_] = {
        **broken.rows[id_],
        "verdict": "infrastructure",
        "wrong": ["no"],
    }
    report.write_all(broken, tmp_path)
    assert not (tmp_path / "results.json").exists()
    assert "INCOMPLETE" in report.terminal(broken)
    assert "no verdict about your work" in report.web(broken)


def test_worker_that_dies_is_host_trouble(tree: Path, tmp_path: Path) -> None:
    """A harness that ends by itself is never 0 points."""
    copy = tmp_path / "tree"
    shutil.copytree(tree, copy, ignore=shutil.ignore_patterns("build"))
    (copy / "grade/harness/__init__.py").write_text(
        "raise SystemExit(9)\n", encoding="utf-8"
    )
    with pytest.raises(score.InfrastructureError, match="status 9"):
        score.grade_tree(copy, 2)


# ---- classes ----


def test_similar_work_is_found(tmp_path: Path) -> None:
    """Renamed and reformatted copies are alike; the starter's lines are not."""
    if shutil.which("sim_c") is None:
        pytest.skip("similarity-tester is not installed")
    starter = "int shared(void)\n{\n    return 7;\n}\n" * 40
    lines = [f"int f{n}(int a) {{ int s = {n}; while (a-- > {n}) s += a * {n}; return s; }}"
             for n in range(20)]  # fmt: skip
    copied = "\n".join(lines).replace("s", "sum").replace("a", "count")
    other = "\n".join(f"long g{n}[] = {{ {n}, {n} }}; char *h{n};" for n in range(40))
    work = {
        name: similar.own_lines(starter + text, starter)
        for name, text in {"ann": "\n".join(lines), "bob": copied, "cy": other}.items()
    }
    assert "shared" not in work["ann"]
    assert [pair[1:] for pair in similar.pairs(work)] == [("ann", "bob")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";"])
def test_roster_of_any_spreadsheet(encoding: str, mark: str, tmp_path: Path) -> None:
    """Byte-order mark, encoding and separator of a roster make no student."""
    lines = ["Student,Section", "ann,1", "J. Müller,2", '"Doe, Jo",1', "", "ann,1"]
    text = "\r\n".join(lines).replace(",", mark).replace(f"Doe{mark}", "Doe,")
    place = tmp_path / "roster.csv"
    place.write_bytes(text.encode(encoding))
    assert roster.read_roster(place) == ["ann", "J._Müller", "Doe__Jo"]
    place.write_bytes("zoe\nann\n".encode(encoding))
    assert roster.read_roster(place) == ["zoe", "ann"]


@pytest.mark.parametrize("what", ["missing", "folder", "binary"])
def test_wrong_roster_is_one_line(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A roster that cannot be read is a message, before any work is done."""
    place = tmp_path / what
    if what == "folder":
        place.mkdir()
    elif what == "binary":
        place.write_bytes(b"PK\3\4\0\0")
    assert klass.run_class(2, tmp_path, tmp_path / "out", place, 1) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{place}: ") and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_students_keep_their_names(tmp_path: Path) -> None:
    """A dot in a student's name stays; roster and file mean the same student."""
    for name in ("j.doe.zip", "j.smith.tar.gz", "ann lee.TGZ", "..x.zip"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "v1.2").mkdir()
    found = klass.find_entries(tmp_path, ["j.doe", roster.harmless("ann lee"), "zoe"])
    assert [e.student for e in found] == ["ann_lee", "j.doe", "j.smith", "v1.2", "zoe"]
    assert [e.student for e in found if e.source is None] == ["zoe"]
    assert roster.student_of(Path("..zip")) == roster.harmless("..") == "_"


@pytest.mark.slow
def test_class_goes_through(
    tree: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Broken submissions do not stop the rest; a second run has nothing left to do."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    students = tmp_path / "roster.csv"
    students.write_text("student\nann\nzoe\n", encoding="utf-8")
    for name, changed in {
        "ann": {},
        "bob": {},
        "cy": {"c": replaced("copy_in", "    return -1;\n")},
        "=dan": {"c": "this is not C\n"},
    }.items():
        members = [(n, FILE, data) for n, data in files(**changed).items()]
        (folder / f"{name}.tar.gz").write_bytes(tar_with(*members))
    (folder / "eve.zip").write_bytes(zip_with((FILES[0], b"x", 0o120777)))
    (folder / "fay.tar").write_bytes(b"nothing")
    (folder / "gus").mkdir()
    (folder / "hal.tar").symlink_to("/etc/passwd")
    monkeypatch.setattr(klass, "ROOT", tree)
    monkeypatch.setattr(klass, "pristine", lambda *_: tree)
    assert klass.run_class(2, folder, out, students, 2) == 0
    first = {path: path.read_bytes() for path in out.rglob("*.*") if path.is_file()}
    rows = [
        line.split(",")[:3]
        for line in (out / "scores.csv").read_text(encoding="utf-8").splitlines()
    ]
    assert ["ann", "graded", "100"] in rows and ["bob", "graded", "100"] in rows
    assert ["_dan", "graded without a file", "67"] in rows
    assert ["zoe", "nothing handed in", ""] in rows
    assert [row[1] for row in rows].count("refused") == 4
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "8 students" not in page and "9 students" in page and "By test" in page
    assert "3 different submissions" in capsys.readouterr().out
    assert klass.run_class(2, folder, out, students, 2) == 0
    assert "0 different submissions" in capsys.readouterr().out
    assert first == {p: p.read_bytes() for p in out.rglob("*.*") if p.is_file()}
    assert stat.S_ISREG((out / "students/ann/report.html").stat().st_mode)
