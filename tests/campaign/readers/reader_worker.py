"""A process that reads hostile files, one after the other: `python reader_worker.py FOLDER SECONDS`.

It is told what to do in lines of JSON and answers in such; what it is at stands in FOLDER/status, for whoever waits.
"""

from __future__ import annotations

import base64
import json
import math
import mmap
import os
import re
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[2]
STATUS = struct.Struct("<qddq")  # inputs so far, clock and processor seconds when the last one began (0: none), seed
LONGEST = 5.0  # s of the processor, for one input
MOST_MEMORY = 1.5 * 2**30  # bytes of the process
_KEPT = 20  # faults of one task


@dataclass
class Fault:
    """A file that a reader did not read as it should.

    Attributes:
        reader, kind: who, and "error", "hang", "memory", "code", "death" or "number". what: in words.
        content: the file; empty where it is large. seed: what made it; -1 where Hypothesis did.
    """

    reader: str
    kind: str
    what: str
    content: str = ""
    seed: int = -1
    name: str = ""


@dataclass
class Tally:
    """What came of one task."""

    inputs: int = 0
    read: int = 0
    slowest: float = 0.0
    peak: float = 0.0
    faults: list[Fault] = field(default_factory=list)


class Worker:
    """Reads files for readers and watches itself.

    Args:
        folder: everything is written below it. longest: s of the processor, for one input.
    """

    def __init__(self, folder: Path, longest: float = LONGEST) -> None:
        from watched import Watch

        self._folder, self._longest = folder, longest
        self._watch = Watch(folder)
        with open(folder / "status", "r+b") as stream:
            self._status = mmap.mmap(stream.fileno(), STATUS.size)
        self._count = 0
        self._ready: dict[str, tuple[Any, dict[str, bytes], Path]] = {}

    def work(self, task: dict[str, Any]) -> dict[str, Any]:
        """Does a task.

        Args:
            task: "reader"; "way": "valid", "bytes", "structure" or "file"; "seed" and "count" of the first two of them
                that are made; "name" and "content" (base64) of a file.
        """
        reader, samples, folder = self._reader(task["reader"])
        tally = Tally()
        names = sorted(samples)
        if task["way"] == "valid":
            for name in names:
                self._one(tally, reader, folder / name, samples[name], -1, valid=True)
        elif task["way"] == "file":
            name = task["name"] if task["name"] in samples else names[0]
            self._one(tally, reader, folder / name, base64.b64decode(task["content"]), -1)
            (folder / name).write_bytes(samples[name])
        elif task["way"] == "bytes":
            from byte_mutation import mutate

            for seed in range(task["seed"], task["seed"] + task["count"]):
                name = names[seed % len(names)]
                # By its own way every other time, so that no reader goes without damage of any kind.
                own = reader.change if seed // len(names) % 2 else None
                content = own(samples[name], seed, folder) if own else mutate(samples[name], seed)
                self._one(tally, reader, folder / name, content, seed)
                (folder / name).write_bytes(samples[name])  # another file's turn: this one is as it was
        else:
            for number, name in enumerate(names):
                self._by_hypothesis(tally, reader, folder / name, samples[name], task, number, len(names))
                (folder / name).write_bytes(samples[name])
        return asdict(tally)

    def _reader(self, name: str) -> tuple[Any, dict[str, bytes], Path]:
        if name not in self._ready:
            from all_readers import find

            folder = self._folder / re.sub(r"\W+", "_", name)
            folder.mkdir(exist_ok=True)
            reader = find(name)
            samples = reader.samples(folder)
            for file, content in samples.items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(content)
                reader.read(folder / file)  # imports whatever it imports, unwatched
            self._ready[name] = reader, samples, folder
        return self._ready[name]

    def _by_hypothesis(
        self, tally: Tally, reader: Any, path: Path, sample: bytes, task: dict[str, Any], number: int, of: int
    ) -> None:
        import hypothesis
        from strategies import STRUCTURES

        known = len(tally.faults)
        smallest: dict[str, Fault] = {}

        @hypothesis.settings(
            max_examples=max(1, math.ceil(task["count"] / of)),
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
            print_blob=False,
        )
        @hypothesis.seed(task["seed"] + number)
        @hypothesis.given(STRUCTURES[reader.structure](sample))
        def examine(content: bytes) -> None:
            fault, error = self._one(tally, reader, path, content, -1)
            del tally.faults[known:]
            if fault is not None:
                place = fault.what.partition(" (")[0]
                before = smallest.get(place)
                if before is None or len(fault.content) < len(before.content):
                    smallest[place] = fault
                raise error or AssertionError(fault.what)

        try:
            examine()
        except BaseException as error:  # what failed is in `smallest`
            if not smallest:
                raise error
        tally.faults += list(smallest.values())[:_KEPT]

    def _one(
        self, tally: Tally, reader: Any, path: Path, content: bytes, seed: int, valid: bool = False
    ) -> tuple[Fault | None, BaseException | None]:
        """Lets a reader read one file; what is wrong with how it did, and the error that it should not have raised."""
        path.write_bytes(content)
        _reset_peak()
        kind, what, error = "", "", None
        began = time.process_time()
        self._say(time.monotonic(), began, seed)
        with self._watch.reading() as seen:
            try:
                found = reader.read(path)
                tally.read += 1
                if valid and found is False:
                    kind, what = "error", "does not take a valid file for one"
            except reader.errors as refused:
                if valid:
                    kind, what, error = "error", f"refuses a valid file: {refused}", refused
            except BaseException as failure:
                kind, what, error = "error", _place_of(failure), failure
        took, peak = time.process_time() - began, _peak()
        self._count += 1
        self._say(0.0, 0.0, seed)
        if seen:
            kind, what = "code", "; ".join(sorted(set(seen)))[:600]
        elif peak > MOST_MEMORY:  # before the time: so much memory takes long on a slow machine
            kind, what = "memory", f"takes more than {MOST_MEMORY / 2**30:g} GiB"
        elif took > self._longest:
            kind, what = "hang", f"takes more than {self._longest:g} s"
        tally.inputs += 1
        tally.slowest, tally.peak = max(tally.slowest, took), max(tally.peak, peak / 2**20)
        if not kind:
            return None, None
        kept = base64.b64encode(content).decode() if len(content) <= 2**20 else ""
        fault = Fault(reader.name, kind, what, kept, seed, path.name)
        if len(tally.faults) < _KEPT:
            tally.faults.append(fault)
        return fault, error

    def _say(self, clock: float, processor: float, seed: int) -> None:
        self._status[:] = STATUS.pack(self._count, clock, processor, seed)


def _place_of(error: BaseException) -> str:
    """An error in words, and where in this project it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f.filename.startswith(str(_ROOT)) and "tests" not in Path(f.filename).parts]
    ours = [f for f in ours if "site-packages" not in f.filename] or list(frames[-1:])
    last = ours[-1]
    where = os.path.relpath(last.filename, _ROOT) if last.filename.startswith(str(_ROOT)) else Path(last.filename).name
    return f"{type(error).__name__} at {where}:{last.lineno} ({str(error)[:120]!r})" if ours else repr(error)[:200]


def _reset_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w") as stream:
            stream.write("5")
    except OSError:  # not Linux: the peak is that of all inputs so far
        return


def _peak() -> float:
    """The most memory that this process has held, bytes."""
    try:
        with open("/proc/self/status", "rb") as stream:
            found = re.search(rb"VmHWM:\s+(\d+) kB", stream.read())
        return int(found[1]) * 1024.0 if found else 0.0
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)


def _lines(stream: Any) -> Iterator[dict[str, Any]]:
    for line in stream:
        yield json.loads(line)


def main(folder: Path, longest: float) -> int:
    tasks, answers = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    said = os.open(folder / "said.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(said, number)  # what libraries print
    sys.path[:0] = [str(_HERE), str(_ROOT / "backend"), str(_ROOT / "tests" / "support"), str(_ROOT / "tools")]
    worker = Worker(folder, longest)
    answer: Callable[[dict[str, Any]], Any] = lambda value: answers.write(json.dumps(value) + "\n")  # noqa: E731
    for task in _lines(tasks):
        try:
            answer(worker.work(task))
        except BaseException:  # of the campaign itself
            said = traceback.format_exc().strip()
            answer({"broken": f"{said.splitlines()[-1][:300]} … {said[-1500:]}"})
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))
