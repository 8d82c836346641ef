"""Lets processes read hostile files and watches them from outside: who hangs, dies or swells is ended and noted."""

from __future__ import annotations

import base64
import json
import mmap
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reader_worker import LONGEST, MOST_MEMORY, STATUS, Fault, Tally

_HERE = Path(__file__).resolve().parent
_WAITING = 30.0  # s of the clock: other work may fill the machine, and what waits uses no processor
_SWOLLEN = 2 * MOST_MEMORY  # bytes: ended before the machine suffers
_LARGE = 600 * 2**20  # bytes: a worker that is to be begun anew
_STARTED = 120.0  # s for the libraries of a reader to be there
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass
class Outcome:
    """What a campaign came to.

    Attributes:
        tallies: by reader. seconds: it took. outside: files that lie where none may.
    """

    tallies: dict[str, Tally] = field(default_factory=dict)
    seconds: float = 0.0
    outside: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Takes in what another campaign came to."""
        for name, tally in other.tallies.items():
            _add(self.tallies.setdefault(name, Tally()), tally)
        self.seconds += other.seconds
        self.outside += other.outside

    @property
    def faults(self) -> list[Fault]:
        return [fault for tally in self.tallies.values() for fault in tally.faults]

    def figures(self) -> dict[str, object]:
        """For the table of figures."""
        kinds = [fault.kind for fault in self.faults]
        return {
            "readers": len(self.tallies),
            "inputs": sum(tally.inputs for tally in self.tallies.values()),
            "read all the same": sum(tally.read for tally in self.tallies.values()),
            "untyped errors": kinds.count("error"),
            "deaths": kinds.count("death"),
            f"longer than {LONGEST:g} s": kinds.count("hang"),
            "slowest, s": round(max((tally.slowest for tally in self.tallies.values()), default=0.0), 2),
            f"more than {MOST_MEMORY / 2**30:g} GiB": kinds.count("memory"),
            "peak memory, MB": round(max((tally.peak for tally in self.tallies.values()), default=0.0)),
            "code run, files outside": kinds.count("code") + len(self.outside),
            "minutes": round(self.seconds / 60, 1),
        }


class Process:
    """A worker, started anew whenever it had to be ended.

    Args:
        folder: its own; it is made. longest: s of the processor, for one input.
    """

    def __init__(self, folder: Path, longest: float = LONGEST) -> None:
        self._folder, self._longest = folder, longest
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_error: object) -> None:
        self._end()

    def _begin(self) -> subprocess.Popen[str]:
        shutil.rmtree(self._folder, ignore_errors=True)
        for name in ("", "cwd", "tmp", "home"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").write_bytes(bytes(STATUS.size))
        environment = {
            **os.environ,
            **{"TMPDIR": str(self._folder / "tmp"), "HOME": str(self._folder / "home"), "OMP_NUM_THREADS": "1"},
            **{"MAKEITTALK_HOME": str(self._folder / "home"), "MAKEITTALK_CACHE": str(self._folder / "home")},
            **{"XDG_CACHE_HOME": str(self._folder / "home"), "PYTHONDONTWRITEBYTECODE": "1"},
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self._folder / "home"),
        }
        self._process = subprocess.Popen(
            [sys.executable, str(_HERE / "reader_worker.py"), str(self._folder), str(self._longest)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=self._folder / "cwd",
            env=environment,
        )
        self._answers = queue.SimpleQueue()
        threading.Thread(target=_forward, args=(self._process.stdout, self._answers), daemon=True).start()
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
            self._process = None

    def rest(self) -> None:
        """Ends the worker where the last reader's inputs, which Hypothesis keeps, have made it large."""
        if self._process is not None and _spent(self._process.pid)[1] > _LARGE:
            self._end()

    def work(self, task: Mapping[str, Any]) -> Tally:
        """Has a task done to its end, and goes on behind every input that ended the worker."""
        whole = Tally()
        left = dict(task)
        while left["count"] > 0:
            tally, fault = self._try(left)
            whole.inputs += tally.inputs
            whole.read += tally.read
            whole.slowest, whole.peak = max(whole.slowest, tally.slowest), max(whole.peak, tally.peak)
            whole.faults += tally.faults
            if fault is None:
                break
            whole.faults.append(fault)
            left["count"] -= tally.inputs
            # Behind the seed that ended it; Hypothesis goes another way.
            left["seed"] = fault.seed + 1 if fault.seed >= 0 else left["seed"] + 1_000_003
            if len(whole.faults) > 20 or left["way"] in ("file", "valid"):
                break
        return whole

    def _try(self, task: Mapping[str, Any]) -> tuple[Tally, Fault | None]:
        process = self._process or self._begin()
        assert process.stdin is not None
        began, before = time.monotonic(), _status(self._folder)[0]
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
        while True:
            try:
                line = self._answers.get(timeout=0.2)
            except queue.Empty:
                why = self._why_to_end(process.pid, began)
                if not why:
                    continue
                line = None
            else:
                why = "" if line else ("death", f"ends with status {process.wait()}")
            if line is not None:
                value = json.loads(line)
                if "broken" in value:
                    return Tally(faults=[Fault(str(task["reader"]), "error", f"cannot begin: {value['broken']}")]), None
                faults = [Fault(**fault) for fault in value.pop("faults")]
                return Tally(**value, faults=faults), None
            break
        count, _clock, _processor, seed = _status(self._folder)
        kind, what = why
        fault = Fault(str(task["reader"]), kind, what, *self._content(), seed=seed, name=self._name())
        self._end()
        return Tally(inputs=count - before + 1), fault

    def _why_to_end(self, pid: int, began: float) -> tuple[str, str] | str:
        count, clock, processor, _seed = _status(self._folder)
        now = time.monotonic()
        if not clock:
            idle = now - began > _STARTED and count == 0
            return ("death", "does not get ready") if idle else ""
        used, memory = _spent(pid)
        late = now - clock > self._longest and (used - processor > self._longest or now - clock > _WAITING)
        if memory > (MOST_MEMORY if late else _SWOLLEN):
            return "memory", f"takes more than {MOST_MEMORY / 2**30:g} GiB"
        if late:
            return "hang", f"takes more than {self._longest:g} s"
        return ""

    def _newest(self) -> Path | None:
        files = [p for p in self._folder.glob("*/*") if p.is_file() and p.parent.name not in ("cwd", "tmp", "home")]
        return max(files, key=lambda path: path.stat().st_mtime_ns, default=None)

    def _content(self) -> tuple[str]:
        path = self._newest()
        if path is None or path.stat().st_size > 2**20:
            return ("",)
        return (base64.b64encode(path.read_bytes()).decode(),)

    def _name(self) -> str:
        path = self._newest()
        return path.name if path else ""

    def outside(self) -> list[str]:
        """Files in the folders that a process takes for its own: none of the readers has business there."""
        return [str(path) for name in ("cwd", "tmp") for path in (self._folder / name).rglob("*") if path.is_file()]


def run(tasks: Iterable[Mapping[str, Any]], folder: Path, processes: int = 2, longest: float = LONGEST) -> Outcome:
    """Has tasks done by some processes, those of one reader by the same one.

    Args:
        tasks: see `Worker.work`. folder: everything happens below it. longest: s of the processor, for one input.
    """
    began, outcome = time.monotonic(), Outcome()
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for task in tasks:
        groups.setdefault(str(task["reader"]), []).append(task)
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in groups:
        waiting.put(name)
    lock = threading.Lock()

    def work(number: int) -> None:
        with Process(folder / f"process{number}", longest) as process:
            while True:
                try:
                    name = waiting.get_nowait()
                except queue.Empty:
                    break
                for task in groups[name]:
                    tally = process.work(task)
                    with lock:
                        _add(outcome.tallies.setdefault(name, Tally()), tally)
                process.rest()
            outcome.outside += process.outside()

    with ThreadPoolExecutor(processes) as pool:
        for done in [pool.submit(work, number) for number in range(processes)]:
            done.result()
    outcome.seconds = time.monotonic() - began
    return outcome


def _add(whole: Tally, part: Tally) -> None:
    whole.inputs += part.inputs
    whole.read += part.read
    whole.slowest, whole.peak = max(whole.slowest, part.slowest), max(whole.peak, part.peak)
    whole.faults += part.faults


def describe(faults: Iterable[Fault]) -> str:
    """Faults as lines, each kind of one reader once."""
    known = {(fault.reader, fault.kind, fault.what): fault for fault in faults}
    return "\n".join(f"{fault.reader}: {fault.kind}: {fault.what} (seed {fault.seed})" for fault in known.values())


def _forward(stream: Any, answers: queue.SimpleQueue[str | None]) -> None:
    for line in stream:
        answers.put(line)
    answers.put(None)


def _status(folder: Path) -> tuple[int, float, float, int]:
    with open(folder / "status", "rb") as stream, mmap.mmap(stream.fileno(), STATUS.size, prot=mmap.PROT_READ) as view:
        return STATUS.unpack(view[:])


def _spent(pid: int) -> tuple[float, float]:
    """Seconds of the processor, and bytes, that a process uses; zeros where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS, int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0.0, 0.0
