"""Guest tests: found in the sources, run on a machine, judged by records.

KTEST(name) in grade/guest/kernel/*.c is a function of the kernel, TEST(name)
in grade/guest/user/*.c one of a user program.  They are found by reading the
sources, so that listing them needs no build.  grade/README.md says which
`key: value` lines of a comment choose the machine.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from grade.harness import fixtures
from grade.harness.build import ALL, LAYERS, ROOT, Variant, last_stage
from grade.harness.machine import GuestFailure, Result, Setup, run

GUEST = ROOT / "grade" / "guest"
KEYS = (
    "cpus mem cpu shifts seeds limit panic exit fails kernel append args files "
    "challenge"
).split()

UNWRITTEN = re.compile(r"step \d+\.\d+ is not written yet: \S+, see \S+")
_ERROR = re.compile(r"^ERR\((E_\w+), (\d+),", re.M)
_KEY = re.compile(
    rf"^[ \t]*(?:/\*|\*)?[ \t]*({'|'.join(KEYS)}):[ \t]*(.*?)[ \t]*(?:\*/)?$", re.M
)
_TEST = re.compile(
    r"(?P<comment>/\*(?:[^*]|\*(?!/))*\*/\s*)?^K?TEST\((?P<name>\w+)\)", re.M
)
_HEAD = re.compile(r"\A\s*/\*(?:[^*]|\*(?!/))*\*/")


@dataclass(frozen=True)
class GuestTest:
    """One guest test on one machine: what pytest counts as a test."""

    name: str  # of the function in the guest
    program: str  # user tests: the program's name; "" for kernel tests
    source: Path
    stage: int
    doc: str
    build: str = ""  # key of build.ALL
    only: str = ""  # the one build in which it makes sense
    cpus: int = 1
    mem: str = "128M"
    cpu: str = "max"
    shift: int | None = 5
    seed: int = 1
    limit: int = 10
    panic: str = ""  # the kernel must panic, saying this
    exit: str = ""  # the test program must end with this exit string
    fails: str = ""  # the harness must find this wrong: it is being tested
    append: str = ""
    args: str = ""
    files: str = ""  # function of fixtures.py that makes files for the archive
    challenge: str = ""  # for something that only a solution of it has

    @property
    def id(self) -> str:
        """Its name for pytest, make test T=, make gdb T= and make replay T=."""
        words = [f"{self.program}.{self.name}" if self.program else self.name]
        words += [f"{self.cpus}cpu"]
        words += [f"seed{self.seed}"] * (self.seed != 1)
        words += ["parallel" if self.shift is None else f"shift{self.shift}"] * (
            self.shift != 5
        )
        words += [self.mem] * (self.mem != "128M") + [self.cpu] * (self.cpu != "max")
        return "-".join(words + [self.build] * bool(self.build))

    def alike(self, other: GuestTest) -> bool:
        """Whether both can run in one boot of the same machine."""
        if any(t.panic or t.exit or t.files for t in (self, other)):
            return False
        return all(
            getattr(self, key) == getattr(other, key)
            for key in "source stage build cpus mem cpu append args".split()
        )

    @property
    def variant(self) -> Variant:
        """The build it runs in: its own stage's, or one of all without files."""
        if not self.build:
            return replace(ALL[""], stage=self.stage)
        return replace(ALL[self.build], stage=max(self.stage, min(3, last_stage())))

    def cmdline(self) -> str:
        """The kernel's command line for this test."""
        words = ["records", f"seed={self.seed}"]
        if self.program:
            words.append(f"init=test/{self.program}")
            args = [self.name, str(self.seed), *self.args.split()]
            words.append(f"args={','.join(args)}")
        else:
            words.append(f"ktest={self.name}")
        return " ".join(words + [self.append] * bool(self.append))

    def setup(self) -> Setup:
        """The machine it runs on."""
        variant = self.variant
        return Setup(
            kernel=variant.kernel,
            cmdline=self.cmdline(),
            initrd=self.archive(),
            cpus=self.cpus,
            mem=self.mem,
            cpu=self.cpu,
            shift=self.shift,
            limit=self.limit * (1 if self.shift is not None else 6),
            host_limit=150 if self.shift is not None else 900,
        )

    def archive(self) -> Path | None:
        """The boot archive, with the files that the test wants added."""
        variant = self.variant
        if variant.stage < 3 or not self.files:
            return variant.archive if variant.stage >= 3 else None
        made = getattr(fixtures, self.files)(variant, self.seed)
        place = variant.dir / f"{self.id}.tar"
        fixtures.archive_with(variant.archive, made, place)
        return place

    def run(self) -> Result:
        """Run it and raise GuestFailure, with the whole story, if it fails."""
        result = run(self.setup())
        wrong = self.judge(result)
        if self.fails:
            caught = self.fails in wrong
            wrong = (
                "" if caught else f"expected {self.fails!r} in:\n{wrong or 'a pass'}"
            )
        if wrong:
            raise GuestFailure(self.explain(wrong, result))
        return result

    def judge(self, result: Result) -> str:
        """What is wrong with this result; "" for a pass."""
        told = [r.text.strip() for r in result.records if r.type in ("test", "user")]
        told = [text for text in told if not text.startswith("info ")]
        bare = [text for text in told if UNWRITTEN.match(text)]  # in a program
        errors = [f"error: {text.strip()}" for text in [*bare, *result.of("error")]]
        if self.panic:
            texts = result.of("panic")
            if any(self.panic in text for text in texts):
                return ""
            want = f"expected a panic with {self.panic!r}, got {texts or 'none'}"
            return "\n".join([*errors, want])
        if self.exit:
            said = result.of("exit")
            if len(said) != 1 or self.exit not in said[0]:
                want = f"expected the exit string {self.exit!r}, got {said or 'none'}"
                return "\n".join([*errors, want])
            return ""
        wrong = [
            f"panic: {text.splitlines()[0]}" for text in result.of("panic") if text
        ]
        wrong += [f"check failed: {text.strip()}" for text in result.of("check")]
        wrong += errors
        wrong += [
            f"the test says: {text}"
            for text in told
            if " pass" not in text and text not in bare
        ]
        if result.end != "exit" or result.status != 0:
            wrong.append(result.story())
        if result.stray:
            wrong.append("bytes on the debug port that are no record")
        if f"{self.name} pass" not in told:
            wrong.append(f"expected the record '{self.name} pass', got {told}")
        return name_errors("\n".join(wrong))

    def explain(self, wrong: str, result: Result) -> str:
        """The failure as shown to a person: what, where, and what to type."""
        place = self.source.relative_to(ROOT)
        seed = f"SEED={self.seed} " if os.environ.get("SEED") else ""
        return "\n".join(
            [
                f"{place}:{self.name}: {self.doc}".rstrip(": "),
                wrong,
                "",
                result.report(),
                "",
                f"seed {self.seed}, {result.host_seconds:.2f} s of host time",
                f"again:     make test {seed}T='{self.id}'",
                f"under GDB: make gdb {seed}T='{self.id}'",
                f"backwards: make replay {seed}T='{self.id}'"
                + (" (forwards only: several CPUs)" if self.cpus > 1 else ""),
            ]
        )


def name_errors(wrong: str) -> str:
    """The same, but where a check got an error its name stands behind it.

    A negative number is an error only where an error, or a small number, could
    have been: -1 in place of a pointer or of another register's 64 bits is not.
    A negative number of 32 bits is shown as such.
    """
    rows = (ROOT / "kernel/include/lux/err.def").read_text(encoding="utf-8")
    names = {number: name for name, number in _ERROR.findall(rows)}

    def named(match: re.Match[str]) -> str:
        name = names.get(match[1])
        if name is None or not -4096 < int(match[4]) < 1 << 32:
            return match[0]
        return f"got -{match[1]} (-{name}{match[2] or ''}), want {match[3] or ''}{match[4]}"

    def signed(match: re.Match[str]) -> str:
        less = int(match[1]) - (1 << 32)
        return f"{match[0][:-1]}, {less} in 32 bits)" if less >= -4096 else match[0]

    wrong = re.sub(r"\b(\d{10}) \(0xf{5}\w{3}\)", signed, wrong)
    got = r"\bgot -(\d+) \(0xf{8}\w*(; [^)]*)?\), want ([<>!]=? )?(-?\d+)"
    return re.sub(got, named, wrong)


def passed_among(result: Result) -> set[str]:
    """The tests of a batch that have passed without a complaint before that."""
    passed, clean = set(), True
    for record in result.records:
        text = record.text.strip()
        if record.type in ("check", "panic", "error"):
            clean = False
        elif record.type in ("test", "user") and text.endswith(" pass"):
            if clean:
                passed.add(text[: -len(" pass")])
            clean = True
        elif record.type in ("test", "user") and not text.startswith("info "):
            clean = text.endswith(" fail")
    return passed


def _keys(comment: str) -> dict[str, str]:
    return {match[1]: match[2] for match in _KEY.finditer(comment)}


def _prose(comment: str) -> str:
    """A comment without its stars and its `key: value` lines."""
    text = _KEY.sub("", comment)
    text = re.sub(r"^\s*/\*+|\*/\s*$", "", text)
    return " ".join(re.sub(r"^[ \t]*\*", "", text, flags=re.M).split())


def stage_of(source: Path) -> int:
    """The first stage that has what the test needs: its file's name tells."""
    if source.parent.name == "user":
        return 4 if source.stem.startswith("p9_") else 3
    return LAYERS.index(source.stem.split("_")[1]) + 1


def _spread(base: GuestTest, keys: dict[str, str]) -> list[GuestTest]:
    """One test for each machine that the keys ask for."""
    base = replace(
        base,
        mem=keys.get("mem", base.mem),
        cpu=keys.get("cpu", base.cpu),
        limit=int(keys.get("limit", base.limit)),
        panic=keys.get("panic", ""),
        exit=keys.get("exit", ""),
        fails=keys.get("fails", ""),
        only=keys.get("kernel", ""),
        append=keys.get("append", ""),
        args=keys.get("args", ""),
        files=keys.get("files", ""),
        challenge=keys.get("challenge", ""),
    )
    shifts = keys.get("shifts", "5").split()
    chosen = os.environ.get("SEED")
    seeds = [int(chosen)] if chosen else range(1, int(keys.get("seeds", "1")) + 1)
    return [
        replace(base, cpus=int(cpus), shift=shift, seed=seed)
        for cpus in keys.get("cpus", "1").split()
        for shift in [None if s == "parallel" else int(s) for s in shifts]
        for seed in seeds
    ]


def tests_in(source: Path) -> list[GuestTest]:
    """The guest tests of one source file, in their home build."""
    text = source.read_text(encoding="utf-8")
    head = _HEAD.match(text)
    defaults = _keys(head[0]) if head else {}
    program = source.stem if source.parent.name == "user" else ""
    found = []
    for match in _TEST.finditer(text):
        comment = match["comment"] or ""
        if head and match.start() < head.end():
            comment = ""
        base = GuestTest(
            name=match["name"],
            program=program,
            source=source,
            stage=stage_of(source),
            doc=_prose(comment),
        )
        found += _spread(base, {**defaults, **_keys(comment)})
    return found


def home_tests() -> list[GuestTest]:
    """Every guest test on its own machines, in the build of its own stage."""
    sources = sorted(GUEST.glob("kernel/**/*.c")) + sorted(GUEST.glob("user/*.c"))
    tests = [test for source in sources for test in tests_in(source)]
    return [replace(test, build=test.only) for test in tests]


def build_tests() -> list[GuestTest]:
    """The same tests in each other build of the whole kernel, once each.

    On its largest machine.  Tests of the harness itself stay at home, and
    panics, which need a boot each, are seen in the debug build only.
    """
    largest: dict[tuple[str, str], GuestTest] = {}
    for test in home_tests():
        if test.only or test.fails or test.challenge:
            continue
        if test.seed == 1 and test.shift == 5:
            largest[test.program, test.name] = test
    return [
        replace(test, build=build, limit=test.limit * 3)
        for build in ALL
        if build
        for test in largest.values()
        if not test.panic or build == "debug"
    ]


@dataclass(frozen=True)
class Batch:
    """Several kernel tests in one boot, for builds other than the home one.

    A test that does not pass among the others is run again alone on a fresh
    machine, and only what that shows counts.
    """

    id: str  # its name for pytest
    tests: tuple[GuestTest, ...]

    def run(self) -> None:
        """Run them all and raise GuestFailure for those that fail alone too."""
        first = self.tests[0]
        if len(self.tests) == 1:
            first.run()
            return
        names = ("+" if first.program else ",").join(test.name for test in self.tests)
        setup = replace(first, name=names).setup()
        result = run(replace(setup, limit=sum(test.limit for test in self.tests)))
        failures = []
        for test in self.tests:
            if test.name not in passed_among(result):
                try:
                    test.run()
                except GuestFailure as failure:
                    failures.append(str(failure))
        if failures:
            raise GuestFailure("\n\n".join(failures))


def build_batches() -> list[Batch]:
    """All of build_tests, in as few boots as possible."""
    groups: list[list[GuestTest]] = []
    for test in build_tests():
        for group in groups:
            if test.alike(group[0]) and len(group) < 24:
                group.append(test)
                break
        else:
            groups.append([test])
    batches = []
    for group in groups:
        name = group[0].id
        if len(group) > 1:
            name = name.replace(
                group[0].name, f"{group[0].source.stem}-from-{group[0].name}"
            )
        batches.append(Batch(name, tuple(group)))
    return batches


def find(name: str) -> GuestTest:
    """The guest test of that id or name."""
    tests = home_tests() + build_tests()
    for test in tests:
        if test.id == name:
            return test
    for test in tests:
        if test.name == name or f"{test.program}.{test.name}" == name:
            return test
    names = list(dict.fromkeys(test.name for test in tests))
    near = [n for n in names if name in n] or difflib.get_close_matches(name, names)
    hint = "`python3 -m grade.run list` lists all"
    hint = f"perhaps: {' '.join(near[:5])}" if near else hint
    raise LookupError(f"no guest test is called {name!r}; {hint}")
