"""Runs the jobs of `job_table` in a folder of the harness's own: undisturbed, killed, and on a disk that is full.

A job always writes to `work/out` and keeps its temporary files in `work/tmp`, so that runs can be compared byte by byte
even where a file names its place.
"""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from job_table import Job, reset, write_inputs, write_more
from killing import LONGEST, kill
from own_folder import OwnFolder
from project import BACKEND, SUPPORT

#: What names begin with that killed runs may leave until the next one.
TEMPORARY = (".mit-", "new-", "old-", ".new-", ".old-")
#: Whether what killed runs leave is tidied: a part of the backend.
TIDIES = importlib.util.find_spec("makeittalk.exchange.temporary") is not None
OLD = b"what was here before"
#: Folders of the temporary one that libraries share between runs: always the same, so they do not grow in number.
SHARED = ("torchinductor_",)


@dataclass
class Figures:
    """What a job did under torture.

    Attributes:
        kills: runs that were killed while they ran. middle: those of them that had begun to write. late: runs that had
            ended before. litter: names of what stayed in the temporary folder behind the next undisturbed run.
    """

    kills: int = 0
    middle: int = 0
    late: int = 0
    full: int = 0
    fitted: int = 0
    litter: set[str] = field(default_factory=set)


class Bench:
    """A job in a folder of its own, and what an undisturbed run of it leaves."""

    def __init__(self, job: Job, parent: Path) -> None:
        self.job, self.own = job, OwnFolder(parent)
        self.inputs = self.own.folder("inputs")
        self.work, self.out, self.tmp = (self.own.folder("work", *part) for part in ((), ("out",), ("tmp",)))
        self.home = self.own.folder("home")
        write_inputs(self.inputs)
        write_more(job, self.inputs)
        self.command = job.command(self.inputs, self.out)
        self.peak = 0  # bytes that it takes at most
        self.begun = 0.0  # s until something is done
        before = time.monotonic()
        with self._watched():
            done = self.run()
        self.seconds = time.monotonic() - before  # of the last undisturbed run: a machine is not always as fast
        self.rest = 1.0 - self.begun / self.seconds  # share of it when something is done
        assert done.returncode == 0, done.stderr
        self.whole = job.contents(self.out)
        self.said = sentences(done.stderr)
        self.sizes = sorted({path.stat().st_size for path in self.out.rglob("*") if path.is_file()})
        assert self.whole, "it writes nothing"

    @property
    def environment(self) -> dict[str, str]:
        """Everything that it could write elsewhere is in the harness's folder."""
        own = {"TMPDIR": self.tmp, "HOME": self.home, "XDG_CACHE_HOME": self.home, "MAKEITTALK_HOME": self.home}
        if self.job.name == "weights import":
            own["MAKEITTALK_HOME"] = self.out
        paths = os.pathsep.join([str(BACKEND), str(SUPPORT)])
        one = {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKEITTALK_", "PIP_"))}
        return {**kept, **one, **{name: str(path) for name, path in own.items()}}

    def start(self, **options: object) -> subprocess.Popen[str]:
        """Starts it."""
        for folder in (self.out, self.tmp):
            self.own.check(folder)
        return subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,  # type: ignore[arg-type]
        )

    def run(self, **options: object) -> subprocess.CompletedProcess[str]:
        """Runs it to its end."""
        process = self.start(**options)
        try:
            _, said = process.communicate(timeout=LONGEST)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, "", said)

    def reset(self, old: bool) -> dict[str, bytes]:
        """Empties both folders; with `old`, other files lie where it will write, and are returned by their names."""
        self.own.check(self.out)
        self.own.check(self.tmp)
        reset(self.tmp, {})
        names = self.whole if old and not (self.job.resumes or self.job.together) else {}
        former = dict.fromkeys(names, OLD)
        reset(self.out, former)
        return former

    def check_halves(self, former: dict[str, bytes]) -> None:
        """Sees to it that whatever lies at an output's place is whole: the new file, or the former one."""
        self.check_whole(self.job.contents(self.out), former)

    def check_whole(self, found: dict[str, bytes], former: dict[str, bytes]) -> None:
        """The same for contents that were read already."""
        for name, content in found.items():
            if any(part.startswith(TEMPORARY) for part in Path(name).parts):
                continue
            assert name in self.whole, f"{name} is nobody's"
            if self.job.resumes and _grows(name):
                continue
            assert content in (self.whole[name], former.get(name)), f"{name} is half-written"
        for name in former:
            assert name in found, f"{name} is lost"
        if self.job.together:
            own = {name for name in found if not any(part.startswith(TEMPORARY) for part in Path(name).parts)}
            assert own in (set(), set(self.whole)), "some of the files that belong together are there"

    def check_next(self, figures: Figures) -> None:
        """Runs it undisturbed: there is what an undisturbed run leaves, and nothing else."""
        before = time.monotonic()
        done = self.run()
        if not self.job.resumes:
            self.seconds = time.monotonic() - before
        assert done.returncode == 0, done.stderr
        found = self.job.contents(self.out)
        left = {name for name in found if any(part.startswith(TEMPORARY) for part in Path(name).parts)}
        assert {name: found[name] for name in found if name not in left} == self.whole, self._other(found)
        litter = {*(f"out/{name}" for name in left), *(f"tmp/{name}" for name in self.temporary())}
        figures.litter |= {_kind(name) for name in litter}

    def temporary(self) -> list[str]:
        """What lies in the temporary folder, but for what all runs share."""
        return [path.name for path in self.tmp.iterdir() if not path.name.startswith(SHARED)]

    def _other(self, found: dict[str, bytes]) -> str:
        names = sorted({*found, *self.whole})
        return "differs: " + ", ".join(name for name in names if found.get(name) != self.whole.get(name))

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Measures when something is done and how much room it takes at most."""
        ended, first = threading.Event(), time.monotonic()

        def look() -> None:
            while not ended.wait(0.01):
                if not self.begun and self.job.done(self.out, self.tmp):
                    self.begun = time.monotonic() - first
                self.peak = max(self.peak, _size(self.work))

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()


def tortured(
    job: Job, folder: Path, way: Callable[[Bench, int, random.Random], Figures], times: int
) -> tuple[Bench, Figures]:
    """Does something to a job so many times, by chance; what goes wrong is told with the seed of it."""
    seed = random.randrange(1 << 30)
    bench = Bench(job, folder)
    try:
        return bench, way(bench, times, random.Random(seed))
    except AssertionError as error:
        raise AssertionError(f"{error} (seed {seed})") from error


def killed(bench: Bench, times: int, chance: random.Random) -> Figures:
    """Kills a job so many times, half of them anywhere and half in the middle of the work, and runs it after each.

    The first time it is killed as soon as something is done, so that one kill at least falls in the middle.
    """
    figures = Figures()
    for turn in range(3 * times):
        if figures.kills == times:
            break
        former = bench.reset(old=turn % 4 > 1)
        anywhere = turn % 2 == 1
        rest = max(bench.seconds * bench.rest, 0.02)
        wait = chance.uniform(0.0, 0.95 * bench.seconds) if anywhere else chance.uniform(0.0, 0.9 * rest) * (turn > 0)
        before = bench.job.done(bench.out, bench.tmp)
        started = time.monotonic()
        process = bench.start()
        begun: Callable[[], bool] = lambda before=before: bench.job.done(bench.out, bench.tmp) > before  # noqa: E731
        hit = kill(process, wait, None if anywhere else begun)
        if process.stderr is not None:
            process.stderr.close()
        figures.kills += hit
        if not hit:  # it ran from its beginning to its end, faster than the last one that did
            figures.late += 1
            bench.seconds = time.monotonic() - started
        figures.middle += hit and begun()
        bench.check_halves(former)
        bench.check_next(figures)
    assert figures.kills == times, f"{figures.late} runs of {3 * times} ended before they were killed"
    assert figures.middle, "no kill fell in the middle"
    return figures


def sentences(said: str) -> list[str]:
    """What a command says for its user; how far it is is left out."""
    lines = [line.strip() for part in said.splitlines() for line in part.split("\r")]
    return [line for line in lines if line and not line.endswith(" %")]


def _grows(name: str) -> bool:
    return Path(name).suffix in (".jsonl", ".tsv")


def _kind(name: str) -> str:
    """A name without what is chance in it."""
    folder, _, last = name.partition("/")
    for begin in (*TEMPORARY, "makeittalk-kept-", "makeittalk-", "makeittalk_", "blender_", "tmp"):
        if last.startswith(begin):
            return f"{folder}/{begin}…"
    return name


def _size(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(path, name)).st_blocks * 512
            except OSError:
                continue
    return total


def lacking(job: Job) -> str:
    """Why a job cannot be run here; empty where it can."""
    if job.blender and importlib.util.find_spec("bpy") is None:
        return "there is no bpy beside this Python"
    if job.driver and job.name == "install":
        from extension import part_outside

        locks = part_outside("backend.makeittalk.exchange.locks")
        if "cpu" not in [build.name for build in locks.builds(locks.platform_name())]:
            return "there is no CPU build here"
    return ""
