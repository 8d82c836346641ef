"""Worker processes of this machine that make shots side by side."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from ..exchange.errors import MissingError
from .batch_attempts import Attempts
from .batch_work import Outcome, Task
from .batch_worker import serve

#: Told how many shots are done, with the shares of those under way, and what is being done.
Watching = Callable[[float, str], None]

_LOOK = 0.5  # s
_FALSE_STARTS = 3  # workers in a row that end before they are ready
_GOODBYE = 5.0  # s that a worker has to end


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    ready: bool = False
    task: Task | None = None
    fraction: float = 0.0
    stage: str = ""


class LocalPool:
    """Processes that keep their networks loaded from shot to shot, and are replaced where one dies.

    Args:
        workers: how many. threads: of numpy and torch, a worker. folder: takes the files under way; each task has a
            folder of its own in it. log: a file that takes what libraries print.

    A `with` ends the workers, whatever happened.
    """

    def __init__(self, workers: int, threads: int, folder: Path, log: Path) -> None:
        self._most, self._threads, self._folder, self._log = workers, threads, folder, log
        self._workers: list[_Worker] = []
        self._numbers = itertools.count()
        self._false_starts = 0

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()

    def run(self, tasks: Sequence[Task], watching: Watching) -> Iterator[Outcome]:
        """Makes shots; yields each outcome as it comes, in no order.

        Raises:
            MissingError: no worker can start.
        """
        attempts, done = Attempts(tasks), 0
        while len(attempts) or any(worker.task for worker in self._workers):
            self._start(len(attempts))
            for worker in self._workers:
                if worker.ready and worker.task is None and len(attempts):
                    self._give(worker, attempts)
            for outcome in self._listen(attempts):
                done += 1
                yield outcome
            busy = [worker for worker in self._workers if worker.task is not None]
            stage = max(busy, key=lambda worker: worker.fraction).stage if busy else "Starting"
            watching(done + sum(worker.fraction for worker in busy), stage)

    def close(self) -> None:
        """Ends the workers, those at work too."""
        for worker in self._workers:
            if worker.task is not None or not worker.ready:
                worker.process.terminate()
            with contextlib.suppress(OSError):
                worker.pipe.close()  # an idle one ends by itself
        until = time.monotonic() + _GOODBYE
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers = []

    def _start(self, waiting: int) -> None:
        """Starts workers until there are enough for what waits."""
        context = multiprocessing.get_context("spawn")
        idle = sum(worker.task is None for worker in self._workers)
        for _ in range(min(self._most - len(self._workers), waiting - idle)):
            ours, theirs = context.Pipe()
            process = context.Process(target=serve, args=(theirs, self._threads, str(self._log)), daemon=True)
            process.start()
            theirs.close()
            self._workers.append(_Worker(process, ours))

    def _give(self, worker: _Worker, attempts: Attempts) -> None:
        task = attempts.next()
        place = self._folder / f"{task.key[:16]}-{next(self._numbers)}"
        try:
            worker.pipe.send((task, str(place)))
        except OSError:  # it has died meanwhile; `_listen` will see that
            attempts.give_back(task)
            return
        worker.task, worker.fraction, worker.stage = task, 0.0, "Starting"

    def _listen(self, attempts: Attempts) -> Iterator[Outcome]:
        """What workers have said or become."""
        by_pipe = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(by_pipe), _LOOK):
            worker = by_pipe[pipe]  # type: ignore[index]
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                yield from self._ended(worker, attempts)
                continue
            outcome = self._heard(worker, message)
            if outcome is not None:
                yield outcome

    def _heard(self, worker: _Worker, message: tuple) -> Outcome | None:
        kind, *rest = message
        if kind == "broken":
            raise MissingError(rest[0], "Run `makeittalk doctor`.")
        if kind == "ready":
            worker.ready, self._false_starts = True, 0
        elif kind == "progress":
            worker.fraction, worker.stage = rest
        elif worker.task is not None:
            task, worker.task, worker.fraction = worker.task, None, 0.0
            return Outcome(task, rest[0]) if kind == "made" else Outcome(task, None, rest[0])
        return None

    def _ended(self, worker: _Worker, attempts: Attempts) -> Iterator[Outcome]:
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        status = worker.process.exitcode or 0
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= _FALSE_STARTS:
                raise MissingError(f"Workers end before they are ready; {self._log} may say why.", "Take fewer.")
        elif worker.task is not None:
            outcome = attempts.worker_ended(worker.task, how_it_ended(status))
            if outcome is not None:
                yield outcome


def how_it_ended(status: int) -> str:
    """What became of a process, by its exit code; negative for a signal."""
    if status >= 0:
        return f"it ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    told = ", as a machine does that runs out of memory" if name == "SIGKILL" else ""
    return f"by {name}{told}"
