"""A class on a cluster: the same scores as on one machine, and nothing lost."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grade.course import cluster, klass
from grade.course.score import InfrastructureError, Score
from grade.course.submission import Submission
from grade.test_grader import FILE, FILES, SMALL, files, replaced, tar_with
from grade.test_grader import tree as tree  # a fixture

# ---- the gathering, with a Slurm that is made up ----


class Fake:
    """A Slurm whose tasks run at once, in this process."""

    def __init__(self, *broken: int, stop: bool = False) -> None:
        """Tasks in `broken` die; with `stop`, a person types ^C while it waits."""
        self.broken, self.stop = broken, stop
        self.jobs = 0
        self.ran: list[int] = []

    def __call__(self, *words: str, place: Path) -> subprocess.CompletedProcess[str]:
        """Do what sbatch and squeue would."""
        if words[0] == "squeue":
            if self.stop:
                raise KeyboardInterrupt
            wrong = "slurm_load_jobs error: Invalid job id specified\n"
            return subprocess.CompletedProcess(words, 1, "", wrong)
        self.jobs += 1
        array = next(word for word in words if word.startswith("--array=1-"))
        for number in range(1, int(array.removeprefix("--array=1-")) + 1):
            self.ran.append(number)
            if number in self.broken:
                (place / f"{number}.log").write_text(
                    "slurmstepd: TIME LIMIT\n\n", encoding="utf-8"
                )
            else:
                cluster.task(cluster.Batch(place), number)
        return subprocess.CompletedProcess(words, 0, f"{self.jobs};name\n", "")


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> klass.Class:
    """A class whose submissions are graded at once: only the gathering counts."""

    def graded(tree: Path, lab: int, one: Submission, *_: object, **__: object):
        return Score(SMALL, refused=one.files["a"].decode(), notes=one.missing)

    monkeypatch.setattr(klass, "grade_submission", graded)
    monkeypatch.setattr(cluster, "for_lab", lambda *_: SMALL)
    monkeypatch.setattr(cluster, "POLL", 0)
    monkeypatch.setattr(cluster, "LAG", 0)
    made = klass.Class(SMALL, tmp_path, "", tmp_path, tmp_path / "cache")
    made.cache.mkdir()
    return made


def todo_of(*names: str) -> dict[str, Submission]:
    """Submissions by a digest."""
    return {name: Submission({"a": name.encode(), "b/c": b""}, ["x"]) for name in names}


def test_lost_task_is_host_trouble(
    whole: klass.Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that dies costs no points: its log is named, the others count."""
    fake = Fake(2)
    monkeypatch.setattr(cluster, "slurm", fake)
    troubles = cluster.grade_on_slurm(todo_of("d1", "d2", "d3"), whole)
    log = whole.out / "cluster" / "2.log"
    assert troubles == {
        "d1": "",
        "d2": "task 1_2 of the cluster gave no result: slurmstepd: TIME LIMIT; "
        f"its log: {log}",
        "d3": "",
    }
    assert sorted(p.name for p in whole.cache.glob("*.json")) == ["d1.json", "d3.json"]
    fake.broken = ()
    assert cluster.grade_on_slurm(todo_of("d2"), whole) == {"d2": ""}
    assert fake.jobs == 2 and fake.ran == [1, 2, 3, 1]


def test_missing_log_names_the_folder(
    whole: klass.Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node without the shared folder leaves no log; the message asks for it."""
    monkeypatch.setattr(cluster, "task", lambda *_: None)
    monkeypatch.setattr(cluster, "slurm", Fake())
    trouble = cluster.grade_on_slurm(todo_of("d1"), whole)["d1"]
    assert "no log" in trouble and "do all nodes see this folder?" in trouble


def test_interrupted_gather_goes_on(
    whole: klass.Class,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same command gathers a job that was left alone; only the rest is submitted."""
    fake = Fake(stop=True)
    monkeypatch.setattr(cluster, "slurm", fake)
    with pytest.raises(SystemExit):
        cluster.grade_on_slurm(todo_of("d1", "d2"), whole)
    assert "job 1 goes on; the same command gathers it" in capsys.readouterr().err
    fake.stop = False
    want = {"d1": "", "d2": "", "d3": ""}
    assert cluster.grade_on_slurm(todo_of("d1", "d2", "d3"), whole) == want
    assert fake.jobs == 2 and fake.ran == [1, 2, 1]
    assert cluster.Batch(whole.out / "cluster").job == ""


def test_large_class_fits_an_array(
    whole: klass.Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More submissions than an array has tasks: each task takes a share."""
    monkeypatch.setattr(cluster, "TASKS", 3)
    fake = Fake()
    monkeypatch.setattr(cluster, "slurm", fake)
    many = todo_of(*[f"d{n}" for n in range(8)])
    assert cluster.grade_on_slurm(many, whole) == dict.fromkeys(many, "")
    assert fake.ran == [1, 2, 3] and len([*whole.cache.glob("*.json")]) == 8


def test_node_with_other_tools_does_not_grade(
    whole: klass.Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A score does not depend on the node: one with another compiler refuses."""
    seen = iter([{"gcc": "12", "nasm": "2"}, {"gcc": "13", "nasm": "2"}])
    monkeypatch.setattr(cluster, "tools", lambda: next(seen))
    monkeypatch.setattr(cluster, "slurm", Fake())
    trouble = cluster.grade_on_slurm(todo_of("d1"), whole)["d1"]
    assert "other tools" in trouble and "(gcc)" in trouble
    assert not [*whole.cache.glob("*.json")]


def test_silent_slurm_loses_nothing(
    whole: klass.Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A controller that does not answer: the job stays noted, to be gathered later."""
    fake = Fake()

    def silent(*words: str, place: Path) -> subprocess.CompletedProcess[str]:
        if words[0] == "squeue":
            return subprocess.CompletedProcess(words, 1, "", "Unable to contact")
        return fake(*words, place=place)

    monkeypatch.setattr(cluster, "slurm", silent)
    monkeypatch.setattr(cluster, "PATIENCE", 0)
    with pytest.raises(InfrastructureError, match="gathers job 1 later"):
        cluster.grade_on_slurm(todo_of("d1"), whole)
    assert cluster.Batch(whole.out / "cluster").job == "1"


def test_without_slurm_it_is_one_line(
    whole: klass.Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Slurm's commands the message names the package and the other way."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(cluster, "tools", dict)
    with pytest.raises(InfrastructureError, match="sbatch is not installed; install"):
        cluster.grade_on_slurm(todo_of("d1"), whole)


# ---- a real one ----

START = 300  # seconds of host time for its daemons to find each other

CONF = """
ClusterName=lux9
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={place}/munge.sock
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=500
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def free_ports() -> list[int]:
    """Two ports that nothing listens on."""
    sockets = [socket.socket() for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def idle() -> bool:
    """Whether the cluster has a node that waits for work."""
    words = ["sinfo", "--noheader", "--format=%T"]
    run = subprocess.run(words, capture_output=True, encoding="utf-8")
    return run.stdout.strip() == "idle"


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cluster of this one machine; its folder.  Skips where there can be none."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    for name in ("munged", "slurmctld", "slurmd", "sbatch"):
        if shutil.which(name, path=path) is None:
            pytest.skip(f"{name} is not installed: tools/install.sh cluster")
    with tempfile.TemporaryDirectory(prefix="lux9-slurm-") as folder:
        place = Path(folder)
        place.chmod(0o711)  # munged wants others to reach its socket
        for name in ("state", "spool"):
            (place / name).mkdir()
        (place / "key").write_bytes(os.urandom(1024))
        (place / "key").chmod(0o600)
        conf = place / "slurm.conf"
        values = {"host": socket.gethostname().split(".")[0], "user": getpass.getuser()}
        values |= {"cpus": os.cpu_count() or 1, "place": place, "ports": free_ports()}
        conf.write_text(CONF.format(**values), encoding="utf-8")
        monkeypatch.setenv("PATH", path)
        monkeypatch.setenv("SLURM_CONF", str(conf))
        munge = {"key-file": "key", "socket": "munge.sock", "pid-file": "munge.pid"}
        munge |= {"log-file": "munge.log", "seed-file": "seed"}
        daemons = [["munged", "-F", "--force"]]
        daemons[0] += [f"--{key}={place / file}" for key, file in munge.items()]
        daemons += [[name, "-D", "-f", str(conf)] for name in ("slurmctld", "slurmd")]
        running: list[subprocess.Popen[bytes]] = []
        try:
            for words in daemons:
                with (place / f"{words[0]}.out").open("wb") as out:
                    running.append(
                        subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT)
                    )
                while words[0] == "munged" and running[0].poll() is None:
                    if (place / "munge.sock").exists():
                        break
                    time.sleep(0.1)
            until = time.monotonic() + START
            while not idle():
                if time.monotonic() > until:
                    pytest.skip(f"Slurm has no idle node after {START} s")
                for words, daemon in zip(daemons, running):
                    if daemon.poll() is not None:
                        text = (place / f"{words[0]}.out").read_bytes().decode()
                        last = (text.strip().splitlines() or ["it said nothing"])[-1]
                        pytest.skip(f"{words[0]} cannot run here: {last}")
                time.sleep(0.2)
            yield place
        finally:
            for daemon in reversed(running):
                daemon.terminate()
                daemon.wait()


@pytest.mark.slow
def test_class_on_slurm(
    slurm: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job array gives the same files as one machine, equal submissions graded once."""
    folder, here, there = (
        tmp_path / name for name in ("in", "here 100%", "there 100%")
    )
    folder.mkdir()
    for name, changed in {
        "ann": {},
        "bob": {},
        "cy": {"c": replaced("copy_in", "    return -1;\n")},
        "dan": {"c": "this is not C\n"},
    }.items():
        members = [(n, FILE, data) for n, data in files(**changed).items()]
        members.append(("README", FILE, name.encode()))
        (folder / f"{name}.tar.gz").write_bytes(tar_with(*members))
    (folder / "eve.tar").write_bytes(b"nothing")
    monkeypatch.setattr(klass, "ROOT", tree)
    monkeypatch.setattr(klass, "pristine", lambda *_: tree)
    assert klass.run_class(2, folder, there, None, 1, "slurm") == 0
    assert klass.run_class(2, folder, here, None, 2) == 0
    batch = cluster.Batch(there / "cluster")
    assert len(batch.table["files"]) == 3 and batch.table["tasks"] == 3
    assert sorted(p.name for p in batch.place.glob("*.log")) == [
        f"{n}.log" for n in (1, 2, 3)
    ]
    same = [p.relative_to(here) for p in here.rglob("*") if p.is_file()]
    same = [p for p in same if p.parts[0] != "cache"]
    assert len(same) > 20 and Path("scores.csv") in same
    for name in same:
        assert (here / name).read_bytes() == (there / name).read_bytes(), name


def test_equal_files_are_graded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the rubric's files make a submission another: all else may differ."""
    folder, graded = tmp_path / "in", []
    folder.mkdir()
    for name, top, more in (
        ("ann", "", b"1"),
        ("bob", "lux9/", b"2"),
        ("cy", "", b"3"),
    ):
        changed = {"c": "+/* mine */\n"} if name == "cy" else {}
        members = [(top + n, FILE, data) for n, data in files(**changed).items()]
        members += [(f"{top}notes.txt", FILE, more), (f"{top}Makefile", FILE, more)]
        (folder / f"{name}.tar.gz").write_bytes(tar_with(*members))
    (folder / "dot").mkdir()
    for name, data in files().items():
        (folder / "dot" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "dot" / name).write_bytes(data)

    def once(tree: Path, lab: int, one: Submission, *_: object, **__: object) -> Score:
        graded.append(one.files[FILES[0]])
        return Score(SMALL, refused="made up")

    for name in FILES:
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(files()[name])
    monkeypatch.setattr(klass, "grade_submission", once)
    monkeypatch.setattr(klass, "pristine", lambda *_: tmp_path / "tree")
    monkeypatch.setattr(klass, "for_lab", lambda *_: SMALL)
    assert klass.run_class(2, folder, tmp_path / "out", None, 2) == 0
    assert sorted(graded) == sorted(
        {files()[FILES[0]], files(c="+/* mine */\n")[FILES[0]]}
    )
    states = (tmp_path / "out/scores.csv").read_text(encoding="utf-8")
    assert states.count("made up") == 4


def test_class_says_where_the_time_went() -> None:
    """Seconds by part, and how many submissions an hour were graded."""
    assert klass.durations(4, 100.0, 110.0, 130.0, 132.0) == (
        "32 s in all: pristine tree 10 s, grading 20 s, reports 2 s\n"
        "5.0 s a submission, 720 an hour"
    )
    assert "hour" not in klass.durations(0, 0.0, 1.0, 1.0, 2.0)
