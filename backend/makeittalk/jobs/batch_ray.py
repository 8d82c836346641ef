"""Workers on a Ray cluster that make shots side by side.

No file system is shared: what a shot is made from goes to a worker through Ray's object store, each content once, and
what is made comes back as bytes. What a worker is, a shot that ends two of them, the records and the report are as with
the processes of one machine (`batch_pool`). Ray is imported here alone, and only where somebody asks for a cluster.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..exchange.errors import MissingError
from ..exchange.formats.shots import Shot
from ..exchange.version import VERSION
from .batch_attempts import Attempts
from .batch_pool import Watching
from .batch_ray_worker import RayWorker, weights_sum
from .batch_record import FileSums
from .batch_work import Made, Outcome, Task, staged_file

RAY = "ray==2.60.0"  # as pyproject.toml has it
_LOOK = 0.5  # s
_ALONE = 60.0  # s that there may be no worker at all before the run ends
_FALSE_STARTS = 5  # workers in a row that end before they are ready


@dataclass
class _Worker:
    """An actor, what it was asked last (`answer`: a reference), the node it is on and the task it has."""

    actor: Any
    answer: Any
    node: str = ""
    task: Task | None = None


class RayPool:
    """Actors of a cluster; see `batch_pool.LocalPool` for what they do.

    Args:
        address: of the cluster, as `ray.init` takes it. workers: how many; None for as many as it has processors for.
        threads: processors a worker. folder: takes what comes back.

    Raises:
        MissingError: Ray is not installed, or nobody answers at the address.
    """

    def __init__(self, address: str, workers: int | None, threads: int, folder: Path) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingError("Ray is not installed.", f'Run `pip install "{RAY}"`.') from error
        self._ray, self._threads, self._folder = ray, threads, folder
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", namespace="makeittalk")
        except Exception as error:  # a connection can fail in many ways
            said = " ".join(str(error).split())[:200]
            raise MissingError(
                f"No Ray cluster answers at {address}: {said}.", "Start it, or correct --ray."
            ) from error
        self._most = workers
        self._workers: list[_Worker] = []
        self._numbers, self._sums = itertools.count(), FileSums()
        self._stored: dict[str, Any] = {}
        self._false_starts = 0

    def __enter__(self) -> RayPool:
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()

    def run(self, tasks: Sequence[Task], watching: Watching) -> Iterator[Outcome]:
        """Makes shots; yields each outcome as it comes, in no order.

        Raises:
            MissingError: no worker can start, or the whole cluster is gone.
        """
        attempts, done, alone = Attempts(tasks), 0, time.monotonic()
        while len(attempts) or any(worker.task for worker in self._workers):
            self._start(len(attempts))
            if self._workers:
                alone = time.monotonic()
            elif time.monotonic() - alone > _ALONE:
                raise MissingError("No node of the cluster has room for a worker.", "Look at `ray status`.")
            for outcome in self._listen(attempts):
                done += 1
                yield outcome
            busy = sum(worker.task is not None for worker in self._workers)
            watching(float(done), f"{busy} at work on {len({worker.node for worker in self._workers})} nodes")

    def close(self) -> None:
        """Ends the actors, those at work too, and leaves the cluster."""
        for worker in self._workers:
            with contextlib.suppress(Exception):
                self._ray.kill(worker.actor)
        self._workers, self._stored = [], {}
        self._ray.shutdown()

    def _start(self, waiting: int) -> None:
        """Starts actors until there are enough for what waits."""
        idle = sum(worker.task is None for worker in self._workers)
        wanted = self._most or max(1, int(self._ray.cluster_resources().get("CPU", 1)) // self._threads)
        for _ in range(min(wanted - len(self._workers), waiting - idle)):
            # Restarts and retries are this module's: Ray would begin a shot again that ends every worker.
            remote = self._ray.remote(num_cpus=self._threads, max_restarts=0, max_task_retries=0)(RayWorker)
            actor = remote.remote(self._threads, VERSION, weights_sum())
            self._workers.append(_Worker(actor, actor.node.remote()))

    def _listen(self, attempts: Attempts) -> Iterator[Outcome]:
        """What actors have answered or become."""
        waiting = {worker.answer: worker for worker in self._workers if worker.answer is not None}
        if not waiting:
            time.sleep(_LOOK)
            return
        ready, _ = self._ray.wait(list(waiting), num_returns=len(waiting), timeout=_LOOK)
        for answer in ready:
            worker = waiting[answer]
            try:
                said = self._ray.get(answer)
            except self._ray.exceptions.RayError as error:
                died = isinstance(error, self._ray.exceptions.RayActorError)
                # Else an answer or an argument was lost with its node.
                take_back = self._ended if died or not worker.node else self._lost
                yield from take_back(worker, attempts, error)
                continue
            if worker.task is None:
                worker.node, self._false_starts = said, 0
            else:
                task, worker.task = worker.task, None
                yield self._outcome(task, said)
            worker.answer = None
        for worker in self._workers:
            if worker.answer is None and len(attempts):
                self._give(worker, attempts.next())

    def _give(self, worker: _Worker, task: Task) -> None:
        files = {name: (path.name, self._reference(path)) for name, path in task.shot.inputs().items()}
        names = {name: file for name, (file, _) in files.items()}
        shot = dataclasses.replace(task.shot, portrait=Path(), audio=Path(), options=_without_files(task.shot))
        worker.task = task
        contents = [reference for _, reference in files.values()]
        sent = dataclasses.replace(task, shot=shot)
        worker.answer = worker.actor.make.remote(sent, names, *contents)

    def _reference(self, path: Path) -> Any:
        """A file's content in the object store, where each content lies once."""
        key = self._sums.of(path)
        if key not in self._stored:
            self._stored[key] = self._ray.put(path.read_bytes())
        return self._stored[key]

    def _outcome(self, task: Task, said: str | tuple[Made, list[bytes]]) -> Outcome:
        """Writes down what has come back, beside its place."""
        if isinstance(said, str):
            return Outcome(task, None, said)
        made, contents = said
        place = self._folder / f"{task.key[:16]}-{next(self._numbers)}"
        place.mkdir()
        files = []
        for file, content in zip(made.files, contents, strict=True):
            path = place / file.path.name
            path.write_bytes(content)
            files.append(staged_file(path))
            if files[-1].sha256 != file.sha256:
                return Outcome(task, None, "Its files came back damaged; run it again.")
        made.files = files
        return Outcome(task, made)

    def _ended(self, worker: _Worker, attempts: Attempts, error: Exception) -> Iterator[Outcome]:
        self._workers.remove(worker)
        said = " ".join(str(error).split())
        if worker.node == "":
            self._false_starts += 1
            refused = said.partition(RayWorker.REFUSED)[2].partition(RayWorker.REFUSED)[0]
            if refused or self._false_starts >= _FALSE_STARTS:
                told = refused or f"Workers do not start on the cluster: {said[-300:]}."
                raise MissingError(told, "Install the same MakeItTalk on every node.")
        elif worker.task is not None:
            machine = worker.node not in {node["NodeID"] for node in self._ray.nodes() if node["Alive"]}
            outcome = (
                attempts.machine_lost(worker.task) if machine else attempts.worker_ended(worker.task, "its actor died")
            )
            if outcome is not None:
                yield outcome

    def _lost(self, worker: _Worker, attempts: Attempts, error: Exception) -> Iterator[Outcome]:
        self._stored = {}  # what lay on a lost node is put anew
        with contextlib.suppress(Exception):
            self._ray.kill(worker.actor)
        self._workers.remove(worker)
        if worker.task is not None:
            outcome = attempts.machine_lost(worker.task)
            if outcome is not None:
                yield dataclasses.replace(outcome, sentence=f"{outcome.sentence} ({type(error).__name__})")


def _without_files(shot: Shot) -> dict[str, Any]:
    """A shot's options but those that name files here."""
    files = shot.inputs()
    return {name: value for name, value in shot.options.items() if name not in files}
